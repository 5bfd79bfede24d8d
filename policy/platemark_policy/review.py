"""Who may let a held or refused request pass, and for how long: the rules of the review queue, without its storage.

One rule: pure, and an answer is no unless every numbered condition is met. A story never unlocks anything; only people
other than the one who asked do, by name, for exactly the request they looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from platemark_policy.decision import Decision, Verdict
from platemark_policy.errors import ReviewRefused
from platemark_policy.language import is_text
from platemark_provenance.digest import Sha256Hex, canonical_json, sha256_bytes

APPROVALS_FOR_REVIEW = 1
APPROVALS_FOR_BLOCK = 2
"""Overruling a block takes two people, neither of them the one who asked."""
STANDARD_TTL = timedelta(hours=72)
CLAIM_TIME = timedelta(minutes=30)
"""How long a ticket stays with the editor who opened it."""
MAX_REASON_CHARACTERS = 500


class ReviewState(StrEnum):
    """How far a ticket has come."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Ballot(StrEnum):
    """What an editor says to a ticket."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class BoundRequest:
    """What an approval is about; another seed, model, pack, text or form is another request.

    Args:
        input_hmac: the decision's keyed digest of what was screened.
        of: the name of the text that was looked at, or `frames`.
        seed: of the request.
        model: name, version and hash of the weights, in one text.
        pack_sha256: the rules that decided.
        material: digests of the files that were handed over with it.
        form: keyed digest of everything else that decides the frames: task, size, length, steering, places, label.
    """

    input_hmac: str
    of: str
    seed: str
    model: str
    pack_sha256: str
    material: tuple[str, ...] = ()
    form: str = ""

    def digest(self) -> Sha256Hex:
        """Give the name under which an approval of this request is found."""
        parts = [self.input_hmac, self.of, self.seed, self.model, self.pack_sha256, list(self.material), self.form]
        return sha256_bytes(canonical_json(parts))


@dataclass(frozen=True, slots=True)
class Vote:
    """One editor's word. `voter` is a pseudonym."""

    voter: str
    ballot: Ballot
    at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket as its votes leave it.

    Args:
        requester: pseudonym of the person who asked; empty where nobody was named.
        approvals_needed: 1 or 2.
        expires_at: until when it can be decided, and used once it is approved.
        claimed_by: pseudonym of the editor who is looking at it, None for nobody.
        claimed_until: when that ends.
        votes: in order.
    """

    requester: str
    approvals_needed: int
    expires_at: datetime
    claimed_by: str | None
    claimed_until: datetime | None
    votes: tuple[Vote, ...]

    def state(self, now: datetime) -> ReviewState:
        """Give the state at a moment: one rejection rejects, and time ends whatever is not rejected."""
        if any(vote.ballot is Ballot.REJECT for vote in self.votes):
            return ReviewState.REJECTED
        if now >= self.expires_at:
            return ReviewState.EXPIRED
        return ReviewState.APPROVED if len(self.approvers) >= self.approvals_needed else ReviewState.PENDING

    @property
    def approvers(self) -> tuple[str, ...]:
        """Give the pseudonyms of those who approved, each once; the requester never counts."""
        names = (vote.voter for vote in self.votes if vote.ballot is Ballot.APPROVE and vote.voter != self.requester)
        return tuple(dict.fromkeys(names))


def approvals_needed(verdict: Verdict, *, overridable: Mapping[str, bool]) -> int:
    """Give how many people must approve before a decision can be passed over.

    1. There is something to pass over.
    2. No finding is of a rule that nobody may overrule (minors, hiding where a clip comes from).

    Args:
        verdict: of the decision.
        overridable: for each rule with a finding, whether an editor may let it pass.

    Raises:
        ReviewRefused: one of them does not hold.
    """
    if verdict is Verdict.ALLOW or not overridable:  # 1
        raise ReviewRefused("This request was allowed; there is nothing to review.")
    fixed = sorted(rule for rule, may_pass in overridable.items() if not may_pass)
    if fixed:  # 2
        raise ReviewRefused(
            f"Nobody may overrule {', '.join(fixed)}.",
            fix="Change the request; the finding says what stands against it.",
        )
    return APPROVALS_FOR_BLOCK if verdict is Verdict.BLOCK else APPROVALS_FOR_REVIEW


def overridable_rules(decision: Decision) -> Mapping[str, bool]:
    """Give, for each rule with a finding, whether an editor may let all of its findings pass."""
    rules: dict[str, bool] = {}
    for finding in decision.findings:
        rules[finding.rule_id] = rules.get(finding.rule_id, True) and finding.overridable
    return rules


def check_vote(case: Case, voter: str, *, editors: Sequence[str], now: datetime) -> None:
    """Check that a person may decide about a ticket now.

    1. The ticket is still open.
    2. It is known who asked; otherwise nobody can be sure to be another person.
    3. The voter is not the person who asked.
    4. The voter is on the list of editors, where there is one.
    5. The voter has not voted on it before.
    6. No other editor is looking at it at this moment.

    Args:
        case: the ticket.
        voter: pseudonym of who votes.
        editors: pseudonyms of who may; empty means anybody but the requester.
        now: aware.

    Raises:
        ReviewRefused: one of them does not hold.
    """
    state = case.state(now)
    if state is not ReviewState.PENDING:  # 1
        raise ReviewRefused(f"This ticket is {state.value}.", fix="Ask for the clip again to get a new one.")
    if not case.requester:  # 2
        raise ReviewRefused(
            "Nobody was named as the one who asked, so nobody can approve it as a second person.",
            fix="Ask again with --actor NAME.",
        )
    if voter == case.requester:  # 3
        raise ReviewRefused("Whoever asked for a clip cannot approve it.", fix="Ask another editor.")
    if editors and voter not in editors:  # 4
        raise ReviewRefused(
            "Only the editors of this home may decide.",
            fix="They are listed in [review] editors.",
        )
    if any(vote.voter == voter for vote in case.votes):  # 5
        raise ReviewRefused("You have decided about this ticket before.", fix="A block takes a second editor.")
    if case.claimed_by not in (None, voter) and case.claimed_until is not None and now < case.claimed_until:  # 6
        raise ReviewRefused(
            f"Another editor is looking at this ticket until {case.claimed_until:%H:%M} UTC.", fix="Wait, or ask them."
        )


def check_reason_given(reason: str) -> str:
    """Give a reason without the space around it.

    Raises:
        ReviewRefused: there is none, it is too long, or it is no text.
    """
    said = reason.strip()
    if not is_text(said):
        raise ReviewRefused("The reason holds bytes that are no text.", fix="Type it again as UTF-8.")
    if not 0 < len(said) <= MAX_REASON_CHARACTERS or not any(character.isalnum() for character in said):
        raise ReviewRefused(
            f"A decision needs a reason of 1 to {MAX_REASON_CHARACTERS} characters; got {len(said)}.",
            fix="Say why in a sentence.",
        )
    return said
