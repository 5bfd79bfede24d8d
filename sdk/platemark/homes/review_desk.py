"""The review queue of a home: requests that wait for an editor, and what editors said.

One rule: the log is the record. Every step is an event written together with its row, votes are counted from events,
and rows that say something else than the log stop everything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from platemark.errors import LedgerCorrupt, RequestError
from platemark_policy.decision import Decision, Verdict
from platemark_policy.review import (
    APPROVALS_FOR_BLOCK,
    CLAIM_TIME,
    STANDARD_TTL,
    Ballot,
    BoundRequest,
    Case,
    ReviewState,
    Vote,
    approvals_needed,
    check_reason_given,
    check_vote,
    overridable_rules,
)
from platemark_provenance.digest import JsonValue, Sha256Hex
from platemark_provenance.ledger.event import Event, EventType, NewEvent
from platemark_provenance.ledger.reviews import TicketRow, VoteRow
from platemark_provenance.ledger.store import Ledger

_EVENT_OF = {Ballot.APPROVE: EventType.REVIEW_SIGNED_OFF, Ballot.REJECT: EventType.REVIEW_REJECTED}


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """What a home asks of its editors.

    Args:
        editors: names of those who may decide; empty means anybody but the one who asked.
        ttl: how long a ticket can be decided, and how long after that an approval can be used.
        overrulers: names of those who may overrule a block; empty means every editor.
    """

    editors: tuple[str, ...] = ()
    ttl: timedelta = STANDARD_TTL
    overrulers: tuple[str, ...] = ()

    def who_decides(self, case: Case) -> tuple[str, ...]:
        """Give the names of those who may decide about a ticket; empty means anybody but the one who asked."""
        overrules = case.approvals_needed >= APPROVALS_FOR_BLOCK
        return self.overrulers if overrules and self.overrulers else self.editors


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what: the clip it would be, the person and desk (empty where nobody was named), and the request."""

    clip_id: str
    actor: str
    desk: str
    bound: BoundRequest


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket as people see it. `prompt` and `reasons` are None and empty where they were erased."""

    row: TicketRow
    case: Case
    state: ReviewState
    decision: JsonValue
    prompt: str | None
    requester_name: str | None
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """Give the ticket as the JSON object of `platemark review`."""
        return {
            "ticket": self.row.ticket,
            "clip_id": self.row.clip_id,
            "state": self.state.value,
            "requester": self.requester_name or self.row.requester or None,
            "desk": self.row.desk or None,
            "created_at": self.row.created_at.isoformat(),
            "expires_at": self.case.expires_at.isoformat(),
            "approvals": len(self.case.approvers),
            "approvals_needed": self.case.approvals_needed,
            "claimed_by": self.row.claimed_by,
            "prompt": self.prompt,
            "reasons": list(self.reasons),
            "decision": self.decision,
        }


class ReviewDesk:
    """Opens tickets, shows them, and takes votes.

    Args:
        ledger: the open ledger of the home.
        clock: gives the time now, aware.
        rules: what the home asks of its editors.
    """

    def __init__(self, ledger: Ledger, *, clock: Callable[[], datetime], rules: ReviewRules) -> None:
        self._ledger = ledger
        self._clock = clock
        self._rules = rules

    def hold(self, decision: Decision, asked: Asked) -> str:
        """Open a ticket about a decision.

        Returns:
            the ticket: the decision's id.

        Raises:
            ReviewRefused: nobody may overrule this decision.
        """
        needed = approvals_needed(decision.verdict, overridable=overridable_rules(decision))
        row = self._new_row(decision.decision_id, asked.clip_id, asked.bound.digest(), asked.actor, asked.desk)
        return self._open(row, actor=asked.actor, needed=needed)

    def appeal(self, decision_id: str, *, actor: str, reason: str) -> str:
        """Open a ticket about a refusal, on the word of the person who was refused.

        Raises:
            RequestError: no such decision was made here, or it was made for somebody else.
            ReviewRefused: nobody may overrule it, or no reason was given.
        """
        said, name = check_reason_given(reason), self._ledger.pseudonym(actor)
        refused = self._refusal(decision_id)
        if refused.actor != name:
            raise RequestError(
                "Only the person whose request was refused can appeal.", fix="Appeal under the name given as --actor."
            )
        verdict, rules = _findings(refused.facts.get("decision"))
        needed, binding = approvals_needed(verdict, overridable=rules), refused.facts.get("binding")
        if not isinstance(binding, str) or refused.clip is None:
            raise RequestError("This decision was not about a clip, so there is nothing to make after an appeal.")
        row = self._new_row(decision_id, refused.clip, Sha256Hex(binding), actor, refused.desk or "")
        return self._open(row, actor=actor, needed=needed, reason=said)

    def approval(self, bound: BoundRequest) -> Ticket | None:
        """Find an approval of exactly this request that can still be used.

        Raises:
            LedgerCorrupt: rows and log disagree.
        """
        for row in self._ledger.reviews.about(bound.digest()):
            ticket = self._ticket(row)
            if ticket.state is ReviewState.APPROVED:
                return ticket
        return None

    def tickets(
        self, *, state: ReviewState | None = None, desk: str | None = None, limit: int = 100
    ) -> tuple[Ticket, ...]:
        """Give tickets, newest first.

        Raises:
            LedgerRequestError: the limit cannot be.
            LedgerCorrupt: rows and log disagree.
        """
        found = (self._ticket(row) for row in self._ledger.reviews.all(desk=desk, limit=limit))
        return tuple(ticket for ticket in found if state in (None, ticket.state))

    def show(self, ticket: str) -> Ticket:
        """Give one ticket.

        Raises:
            RequestError: there is no such ticket.
        """
        return self._ticket(self._row(ticket))

    def claim(self, ticket: str, *, editor: str) -> Ticket:
        """Keep a ticket for an editor for half an hour, so that two do not work on it at once.

        Raises:
            RequestError: there is no such ticket.
            ReviewRefused: the editor may not decide about it, or another one is looking at it.
        """
        with self._ledger.atomic():
            row, name = self._row(ticket), self._ledger.pseudonym(editor)
            case = self._ticket(row).case
            check_vote(case, name, editors=self._editors(case), now=self._clock())
            self._ledger.reviews.claim(ticket, name, until=self._clock() + CLAIM_TIME)
            self._log(EventType.REVIEW_CLAIMED, row, actor=editor, facts={"ticket": ticket})
        return self.show(ticket)

    def decide(self, ticket: str, ballot: Ballot, *, editor: str, reason: str) -> Ticket:
        """Take an editor's vote.

        Args:
            ticket: which.
            ballot: approve or reject; one rejection is final.
            editor: who, by name.
            reason: why; kept sealed.

        Raises:
            RequestError: there is no such ticket.
            ReviewRefused: the editor may not decide about it, or gave no reason.
        """
        said = check_reason_given(reason)
        with self._ledger.atomic():
            row, voter = self._row(ticket), self._ledger.pseudonym(editor)
            case = self._ticket(row).case
            check_vote(case, voter, editors=self._editors(case), now=self._clock())
            facts: dict[str, JsonValue] = {"ticket": ticket, "binding": row.binding}
            put = self._log(_EVENT_OF[ballot], row, actor=editor, facts=facts, sealed={"reason": said})
            self._ledger.reviews.vote(row, VoteRow(voter, ballot.value, put))
        return self.show(ticket)

    def applied(self, ticket: Ticket, asked: Asked) -> None:
        """Write down that a clip is made on the strength of an approval."""
        facts: dict[str, JsonValue] = {"ticket": ticket.row.ticket, "binding": ticket.row.binding}
        event = NewEvent(EventType.REVIEW_APPLIED, clip=asked.clip_id, actor=asked.actor or None, facts=facts)
        self._ledger.append(event)

    def _new_row(self, ticket: str, clip_id: str, binding: Sha256Hex, actor: str, desk: str) -> TicketRow:
        now = self._clock()
        return TicketRow(
            ticket=ticket,
            clip_id=clip_id,
            binding=binding,
            requester=self._ledger.pseudonym(actor) if actor else "",
            desk=desk,
            created_at=now,
            expires_at=now + self._rules.ttl,
        )

    def _open(self, row: TicketRow, *, actor: str, needed: int, reason: str = "") -> str:
        facts: dict[str, JsonValue] = {
            "ticket": row.ticket,
            "binding": row.binding,
            "approvals_needed": needed,
            "expires_at": row.expires_at.isoformat(),
        }
        with self._ledger.atomic():
            if self._ledger.reviews.find(row.ticket) is None:
                self._ledger.reviews.open(row)
                sealed: dict[str, JsonValue] | None = {"reason": reason} if reason else None
                self._log(EventType.REVIEW_REQUESTED, row, actor=actor, facts=facts, sealed=sealed)
        return row.ticket

    def _refusal(self, decision_id: str) -> Event:
        for event in self._ledger.query(type=EventType.POLICY_DECIDED):
            if _decision(event, decision_id) is not None:
                return event
        raise RequestError(
            f"There is no decision {decision_id[:80]!r} here.", fix="Use the decision_id of the refusal."
        )

    def _row(self, ticket: str) -> TicketRow:
        row = self._ledger.reviews.find(ticket)
        if row is None:
            raise RequestError(f"There is no ticket {ticket[:80]!r} here.", fix="List them with: platemark review list")
        return row

    def _editors(self, case: Case) -> Sequence[str]:
        return [self._ledger.pseudonym(name) for name in self._rules.who_decides(case)]

    def _ticket(self, row: TicketRow) -> Ticket:
        life = self._ledger.trace(row.clip_id)
        events = [event for event in life if event.facts.get("ticket") == row.ticket]
        opened = next((event for event in events if event.type == EventType.REVIEW_REQUESTED), None)
        if opened is None or not self._agrees(row, opened, events):
            raise _disagree(row.ticket)
        votes = tuple(Vote(event.actor or "", ballot, event.at) for event in events if (ballot := _ballot(event)))
        case = _case(row, opened, votes, ttl=self._rules.ttl)
        return Ticket(
            row,
            case,
            case.state(self._clock()),
            next((found for event in life if (found := _decision(event, row.ticket)) is not None), None),
            next((_sealed(event, "prompt") for event in life if event.type == EventType.PROMPT_SUBMITTED), None),
            opened.actor_name,
            tuple(reason for event in events if (reason := _sealed(event, "reason"))),
        )

    def _agrees(self, row: TicketRow, opened: Event, events: Sequence[Event]) -> bool:
        """Hold the rows against the log: who asked, for what, and every vote."""
        logged = {(event.actor, ballot.value, event.event_id) for event in events if (ballot := _ballot(event))}
        stored = {(vote.voter, vote.ballot, vote.event_id) for vote in self._ledger.reviews.votes(row.ticket)}
        same = opened.facts.get("binding") == row.binding and (opened.actor or "") == row.requester
        return same and logged == stored

    def _log(
        self,
        event_type: EventType,
        row: TicketRow,
        *,
        actor: str,
        facts: dict[str, JsonValue],
        sealed: dict[str, JsonValue] | None = None,
    ) -> str:
        event = NewEvent(
            event_type, clip=row.clip_id, actor=actor or None, desk=row.desk or None, facts=facts, sealed=sealed
        )
        return self._ledger.append(event).event_id


def _case(row: TicketRow, opened: Event, votes: tuple[Vote, ...], *, ttl: timedelta) -> Case:
    """Read a ticket's terms from the event that opened it; an approval counts as long as a ticket does."""
    needed, expires = opened.facts.get("approvals_needed"), opened.facts.get("expires_at")
    if not isinstance(needed, int) or not isinstance(expires, str):
        raise _disagree(row.ticket)
    last = max((vote.at for vote in votes), default=None)
    until = datetime.fromisoformat(expires) if last is None else last + ttl
    return Case(row.requester, needed, until, row.claimed_by, row.claimed_until, votes)


def _ballot(event: Event) -> Ballot | None:
    return next((ballot for ballot, event_type in _EVENT_OF.items() if event.type == event_type), None)


def _findings(decision: JsonValue) -> tuple[Verdict, dict[str, bool]]:
    """Read a logged decision's verdict, and which of its rules may be overruled; what is unclear may not."""
    if not isinstance(decision, dict) or not isinstance(findings := decision.get("findings"), list):
        raise RequestError("This decision has no findings on record.")
    rules: dict[str, bool] = {}
    for finding in findings:
        rule = str(finding.get("rule_id")) if isinstance(finding, dict) else "?"
        may_pass = isinstance(finding, dict) and finding.get("overridable") is True
        rules[rule] = rules.get(rule, True) and may_pass
    return Verdict(str(decision.get("verdict"))), rules


def _decision(event: Event, ticket: str) -> JsonValue:
    found = event.facts.get("decision")
    return found if isinstance(found, dict) and found.get("decision_id") == ticket else None


def _sealed(event: Event, name: str) -> str | None:
    value = event.sealed.get(name) if event.sealed is not None else None
    return value if isinstance(value, str) else None


def _disagree(ticket: str) -> LedgerCorrupt:
    return LedgerCorrupt(
        f"What the database says about ticket {ticket[:80]} is not what the log says.",
        fix="Run: platemark audit verify",
    )
