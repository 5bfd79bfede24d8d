"""Make events ready for the log: id, time, pseudonym, seal, bytes; and tell a retry from a clash of ids.

One rule: no database. What is made here is the same whichever database keeps it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from platemark_provenance.digest import JsonValue, canonical_json
from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError
from platemark_provenance.ledger import event as events
from platemark_provenance.ledger.event import Columns, EventType, NewEvent
from platemark_provenance.ledger.sealing import SealedPayload, Sealer
from platemark_provenance.ledger.search import words_of_sealed
from platemark_provenance.ledger.subject_keys import SubjectKeys, SubjectSeal

CLOCK_TOLERANCE_US = 1_000_000
"""Time services step a clock back by fractions of a second; more is worth an event of its own."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An event that only needs its place.

    Args:
        new: what was asked for.
        columns: its index columns.
        sealed: its sealed part, None where it has none.
        words: of its sealed part, where they can be searched.
        body: its bytes; the leaf is their hash.
    """

    new: NewEvent
    columns: Columns
    sealed: SubjectSeal | None
    words: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event that is in the log under the id of one that is to be appended.

    Args:
        seq: its place.
        body: its bytes.
        sealed: its sealed part, None where it has none or it was erased.
        content: what was sealed, where it is on its way into the log in this very commit.
    """

    seq: int
    body: bytes
    sealed: SealedPayload | None
    content: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Clerk:
    """Prepare events with the given keys, clock and source of ids.

    Args:
        sealer: makes pseudonyms.
        keys: seal payloads with the keys of those they are about.
        keeps_words: whether words of sealed parts can be searched.
        clock: gives the time now, aware.
        new_event_id: gives a new UUID as text.
    """

    sealer: Sealer
    keys: SubjectKeys
    keeps_words: bool
    clock: Callable[[], datetime]
    new_event_id: Callable[[], str]

    def prepare(self, new: NewEvent) -> Prepared:
        """Make an event ready.

        Raises:
            LedgerRequestError: it is too large.
            PlatemarkError: a fact has no canonical JSON.
        """
        event_id = new.event_id or self.new_event_id()
        sealed = self.keys.seal_event(event_id, new)
        columns = Columns(
            event_id,
            events.to_microseconds(self.clock()),
            new.type.value,
            new.clip,
            None if new.actor is None else self.sealer.pseudonym(new.actor),
            new.desk,
            new.decision,
            new.model,
        )
        body = events.encode_columns(columns, new.facts, "" if sealed is None else sealed.payload.sha256)
        words = words_of_sealed(new.sealed) if self.keeps_words and new.sealed is not None else ()
        return Prepared(new, columns, sealed, words, body)

    def clock_event(self, last_us: int | None) -> Prepared | None:
        """Give an event about the clock where it runs behind the last event, whose time is `last_us`."""
        now_us = events.to_microseconds(self.clock())
        if last_us is None or last_us - now_us <= CLOCK_TOLERANCE_US:
            return None
        return self.prepare(NewEvent(EventType.CLOCK_REGRESSED, facts={"last_us": last_us, "now_us": now_us}))

    def check_same(self, prepared: Prepared, stored: StoredEvent) -> None:
        """Refuse an id that stands for another event; a retry of the same event passes.

        Its time, and the encryption of its sealed part, differ from try to try and are not compared.

        Raises:
            LedgerRequestError: the stored event is another one.
        """
        decoded = events.decode_body(stored.body)
        digest = events.sealed_digest(decoded)
        columns = prepared.columns._replace(ts_us=events.derive_columns(decoded).ts_us)
        same_sealed = self._same_sealed(prepared, stored) if digest else prepared.new.sealed is None
        if not same_sealed or events.encode_columns(columns, prepared.new.facts, digest or "") != stored.body:
            raise LedgerRequestError(
                f"The id {prepared.columns.event_id} belongs to a different event.", fix="Use a new id."
            )

    def _same_sealed(self, prepared: Prepared, stored: StoredEvent) -> bool:
        """Tell whether a stored sealed part, unless it was erased, holds what the new event has."""
        if stored.sealed is None or prepared.new.sealed is None:
            return prepared.new.sealed is not None
        content = stored.content
        if content is None:
            content = self.keys.open(prepared.columns.event_id, stored.sealed)
        return canonical_json(content) == canonical_json(prepared.new.sealed)


def check_agreement(logged: int, in_tree: int) -> None:
    """Refuse a log and a tree of different sizes: something was added to one of them by another hand.

    Raises:
        LedgerCorrupt: they differ.
    """
    if logged != in_tree:
        raise LedgerCorrupt(
            f"The log has {logged} events and its tree {in_tree}.",
            fix="Run `platemark audit verify`; restore a backup beside it.",
        )
