"""Records of consent and of rights: what people and owners agreed to, kept in the log.

One rule: the log is the only store. A record counts from the event that adds it to the event that withdraws it or to
its last day, whichever is first, and never for the person who added it: nobody vouches for their own request.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import uuid_utils

from platemark.errors import RequestError, ReviewRefused
from platemark_policy.consent import SCOPES, Consent, ConsentScope, name_as_term
from platemark_policy.review import check_reason_given
from platemark_provenance.digest import JsonValue, Sha256Hex
from platemark_provenance.ledger.event import Event, EventType, NewEvent
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.store import Ledger

RecordKind = Literal["consent", "rights"]

MOST_RECORDS = 1000
"""The newest so many events are read; older records no longer count and have to be added again."""

MOST_NAMES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A record to be kept.

    Attributes:
        kind: consent of a person, or rights in files.
        reason: what it rests on, in a sentence; kept sealed.
        until: from when it no longer counts, aware.
        names: how the person is called; of a consent.
        files: digests of the files it covers.
        scope: what the person agreed to; of a consent.
        document: digest of the signed paper, where there is a file of it.
    """

    kind: RecordKind
    reason: str
    until: datetime
    names: tuple[str, ...] = ()
    files: tuple[Sha256Hex, ...] = ()
    scope: ConsentScope = "likeness"
    document: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the log has it; `names` are keyed digests."""

    id: str
    kind: RecordKind
    scope: ConsentScope
    names: frozenset[str]
    files: frozenset[str]
    until: datetime
    added_at: datetime
    keeper: str
    keeper_name: str | None
    document: str
    withdrawn_at: datetime | None = None

    def counts(self, at: datetime, *, actor: str) -> bool:
        """Tell whether it counts at a moment for what a person asks.

        Args:
            at: aware.
            actor: pseudonym of who asks; empty where nobody was named, and then no record counts.
        """
        ended = self.withdrawn_at is not None and self.withdrawn_at <= at
        return self.added_at <= at < self.until and not ended and actor not in ("", self.keeper)

    def to_json(self, *, at: datetime) -> dict[str, JsonValue]:
        """Give the object of `platemark policy consent list`."""
        return {
            "record": self.id,
            "kind": self.kind,
            "scope": self.scope if self.kind == "consent" else None,
            "files": sorted(self.files),
            "names": len(self.names),
            "document": self.document or None,
            "added_at": self.added_at.isoformat(),
            "added_by": self.keeper_name or self.keeper,
            "until": self.until.isoformat(),
            "withdrawn_at": None if self.withdrawn_at is None else self.withdrawn_at.isoformat(),
            "state": self.state(at),
        }

    def state(self, at: datetime) -> str:
        """Give `standing`, `expired` or `withdrawn`."""
        if self.withdrawn_at is not None and self.withdrawn_at <= at:
            return "withdrawn"
        return "standing" if at < self.until else "expired"


@dataclass(frozen=True, slots=True)
class Standing:
    """The records that count for one request."""

    records: tuple[Record, ...] = ()

    @property
    def consents(self) -> tuple[Consent, ...]:
        """Give the consents of named people, as the rules see them."""
        return tuple(
            Consent(each.id, each.names, each.scope) for each in self.records if each.kind == "consent" and each.names
        )

    def consents_to(self, sha256: str) -> tuple[str, ...]:
        """Give the ids of the consents that cover a file, in order."""
        return tuple(sorted(e.id for e in self.records if e.kind == "consent" and sha256 in e.files))

    def has_rights(self, sha256: str) -> bool:
        """Tell whether a record of rights covers a file."""
        return any(each.kind == "rights" and sha256 in each.files for each in self.records)


class RecordBook:
    """Adds, lists and withdraws records, and says which count.

    Args:
        ledger: the open ledger of the home.
        clock: gives the time now, aware.
        name_person: gives the keyed digest of a name.
        keepers: names of those who may add and withdraw; nobody named means anybody.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        clock: Callable[[], datetime],
        name_person: Callable[[str], str],
        keepers: Sequence[str] = (),
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._name_person = name_person
        self._keepers = tuple(keepers)

    def add(self, new: NewRecord, *, keeper: str) -> Record:
        """Keep a record.

        Args:
            new: what was agreed to.
            keeper: who adds it, by name.

        Raises:
            RequestError: it covers nobody and nothing, or has ended already.
            ReviewRefused: this person may not keep records, or gave no reason.
            PolicyError: a name is none.
        """
        said = check_reason_given(new.reason)
        self._check_keeper(keeper)
        _check(new, now=self._clock())
        names = sorted({self._name_person(name_as_term(name)) for name in new.names})
        facts: dict[str, JsonValue] = {
            "kind": new.kind,
            "scope": new.scope,
            "names": list(names),
            "files": sorted(new.files),
            "until": new.until.isoformat(),
            "document": new.document,
        }
        record, sealed = f"record-{uuid_utils.uuid7()}", {"reason": said, "names": list(new.names)}
        self._ledger.append(
            NewEvent(type=EventType.RECORD_ADDED, clip=record, actor=keeper, facts=facts, sealed=sealed)
        )
        return self.find(record)

    def withdraw(self, record: str, *, keeper: str, reason: str, kind: RecordKind | None = None) -> Record:
        """End a record now. Withdrawing one twice changes nothing.

        Args:
            record: its id.
            keeper: who withdraws it, by name.
            reason: why; kept sealed.
            kind: what the record has to be; any where it is left out.

        Raises:
            RequestError: there is no such record, or it is of another kind.
            ReviewRefused: this person may not keep records, or gave no reason.
        """
        said = check_reason_given(reason)
        self._check_keeper(keeper)
        found = self.find(record)
        if kind not in (None, found.kind):
            raise RequestError(
                f"The record {found.id} is one of {found.kind}.",
                fix=f"Withdraw it with: platemark policy {found.kind} withdraw",
            )
        if found.withdrawn_at is None:
            facts: dict[str, JsonValue] = {"kind": found.kind}
            self._ledger.append(
                NewEvent(
                    type=EventType.RECORD_WITHDRAWN, clip=record, actor=keeper, facts=facts, sealed={"reason": said}
                )
            )
        return self.find(record)

    def find(self, record: str) -> Record:
        """Give one record.

        Raises:
            RequestError: there is no such record.
        """
        for each in self.all():
            if each.id == record:
                return each
        raise RequestError(
            f"There is no record {record[:80]!r} here.",
            fix="List them with: platemark policy consent list; platemark policy rights list",
        )

    def names_of(self, record: str) -> tuple[str, ...]:
        """Give how the person of a consent is called, as it was entered; empty where that was erased."""
        sealed = next((event.sealed for event in self._ledger.trace(record) if event.sealed is not None), None)
        names = sealed.get("names") if sealed is not None else None
        return tuple(str(name) for name in names) if isinstance(names, list) else ()

    def all(self) -> tuple[Record, ...]:
        """Give every record, newest first."""
        # Additions first: of one that comes in between, the withdrawal could be missed otherwise.
        added = self._ledger.page(Filter(type=EventType.RECORD_ADDED.value), limit=MOST_RECORDS).events
        withdrawals = self._ledger.page(Filter(type=EventType.RECORD_WITHDRAWN.value), limit=MOST_RECORDS)
        ended = {event.clip: event.at for event in withdrawals.events}
        # Of a record older than the last withdrawal that was read it is not known whether it was withdrawn.
        oldest_known = withdrawals.events[-1].seq if withdrawals.next is not None else -1
        read = (_record(event, ended.get(event.clip)) for event in added if event.seq > oldest_known)
        return tuple(record for record in read if record is not None)

    def standing(self, *, actor: str, at: datetime) -> Standing:
        """Give the records that count for what a person asks at a moment.

        Args:
            actor: by name or pseudonym; empty where nobody was named.
            at: aware.
        """
        who = self._ledger.pseudonym_of(actor) if actor else ""
        return Standing(tuple(each for each in self.all() if each.counts(at, actor=who)))

    def _check_keeper(self, keeper: str) -> None:
        if not keeper.strip():
            raise ReviewRefused("A record is kept by somebody.", fix="Say who, by name, with --as.")
        if self._keepers and keeper not in self._keepers:
            raise ReviewRefused(
                "Only the keepers of records of this home may do that.", fix="They are listed in [desk] keepers."
            )


def _check(new: NewRecord, *, now: datetime) -> None:
    if new.until <= now:
        raise RequestError("The record would have ended already.", fix="Give a later day as --until.")
    if len(new.names) > MOST_NAMES:
        raise RequestError(f"A person has at most {MOST_NAMES} names.", fix="Make one record for each person.")
    if new.kind == "consent" and not (new.names or new.files):
        raise RequestError("A consent names a person or a file.", fix="Give --person, or --file.")
    if new.kind == "rights" and not new.files:
        raise RequestError("A record of rights names at least one file.", fix="Give --file.")


def _record(event: Event, withdrawn_at: datetime | None) -> Record | None:
    """Read a record from its event; one that is not whole is none, so that it unlocks nothing."""
    facts = event.facts
    kind, scope, until = facts.get("kind"), facts.get("scope"), _moment(facts.get("until"))
    if kind not in ("consent", "rights") or scope not in SCOPES or until is None or event.clip is None:
        return None
    return Record(
        id=event.clip,
        kind="consent" if kind == "consent" else "rights",
        scope="statements" if scope == "statements" else "likeness",
        names=_texts(facts, "names"),
        files=_texts(facts, "files"),
        until=until,
        added_at=event.at,
        keeper=event.actor or "",
        keeper_name=event.actor_name,
        document=str(facts.get("document") or ""),
        withdrawn_at=withdrawn_at,
    )


def _moment(value: JsonValue) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _texts(facts: Mapping[str, JsonValue], name: str) -> frozenset[str]:
    value = facts.get(name)
    return frozenset(str(each) for each in value) if isinstance(value, list) else frozenset()
