"""Put events at the end of the log, inside a transaction that the caller holds.

One rule: the log and the tree must agree before anything is added to either.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from platemark_provenance.digest import canonical_json
from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError
from platemark_provenance.ledger import event as events
from platemark_provenance.ledger.event import Appended, EventType, NewEvent, Stamp
from platemark_provenance.ledger.merkle import leaf_hash
from platemark_provenance.ledger.sealing import SealedPayload, Sealer
from platemark_provenance.ledger.tables import actor, event, sealed_payload
from platemark_provenance.ledger.tiles import StoredTree

CLOCK_TOLERANCE_US = 1_000_000
"""Time services step a clock back by fractions of a second; more is worth an event of its own."""


@dataclass(frozen=True, slots=True)
class Appender:
    """Append events with the given keys, clock and source of ids.

    Args:
        sealer: seals payloads and makes pseudonyms.
        clock: gives the time now, aware.
        new_event_id: gives a new UUID as text.
    """

    sealer: Sealer
    clock: Callable[[], datetime]
    new_event_id: Callable[[], str]

    def append(self, connection: Connection, new: Sequence[NewEvent]) -> tuple[Appended, ...]:
        """Append events in the order given; one already there under its own id is left as it is.

        Raises:
            LedgerRequestError: an event is too large, or its id belongs to a different event.
            LedgerCorrupt: the log and its tree do not agree.
        """
        tree = StoredTree(connection)
        size = agreed_size(connection, tree)
        places: list[tuple[int, str]] = []
        leaves: list[bytes] = []
        pending = [*self._clock_event(connection, size), *new]
        for item in pending:
            seq = self._find(connection, item)
            if seq is None:
                seq = size + len(leaves)
                event_id, leaf = self._insert(connection, seq, item)
                leaves.append(leaf)
            else:
                event_id = str(item.event_id)
            places.append((seq, event_id))
        if leaves:
            size = tree.extend(leaves)
        root = tree.root(size).hex()
        wanted = places[len(pending) - len(new) :]
        return tuple(Appended(seq, event_id, root, size) for seq, event_id in wanted)

    def _insert(self, connection: Connection, seq: int, new: NewEvent) -> tuple[str, bytes]:
        event_id = new.event_id or self.new_event_id()
        sealed = None if new.sealed is None else self.sealer.seal(event_id, new.sealed)
        stamp = Stamp(
            event_id=event_id,
            ts_us=events.to_microseconds(self.clock()),
            actor=None if new.actor is None else self.sealer.pseudonym(new.actor),
            sealed_sha256=None if sealed is None else sealed.sha256,
        )
        body = events.encode_body(new, stamp)
        columns = events.derive_columns(events.decode_body(body))
        leaf = leaf_hash(body)
        connection.execute(
            insert(event).values(
                seq=seq,
                event_id=columns.event_id,
                ts_us=columns.ts_us,
                type=columns.type,
                clip=columns.clip,
                actor=columns.actor,
                desk=columns.desk,
                decision=columns.decision,
                model=columns.model,
                body=body,
                leaf=leaf,
            )
        )
        if sealed is not None:
            row = {"event_id": event_id, "nonce": sealed.nonce, "ciphertext": sealed.ciphertext}
            connection.execute(insert(sealed_payload).values(**row))
        if stamp.actor is not None:
            known = sqlite_insert(actor).values(pseudonym=stamp.actor, identity=new.actor)
            connection.execute(known.on_conflict_do_nothing())
        return event_id, leaf

    def _find(self, connection: Connection, new: NewEvent) -> int | None:
        """Give the place of an event that was appended before under the same id: the answer to a retry.

        Its time, and the encryption of its sealed part, differ from try to try and are not compared.
        """
        if new.event_id is None:
            return None
        row = connection.execute(select(event.c.seq, event.c.body).where(event.c.event_id == new.event_id)).first()
        if row is None:
            return None
        decoded = events.decode_body(row.body)
        digest = events.sealed_digest(decoded)
        stamp = Stamp(
            event_id=new.event_id,
            ts_us=events.derive_columns(decoded).ts_us,
            actor=None if new.actor is None else self.sealer.pseudonym(new.actor),
            sealed_sha256=digest,
        )
        same_sealed = self._same_sealed(connection, new) if digest else new.sealed is None
        if not same_sealed or events.encode_body(new, stamp) != row.body:
            raise LedgerRequestError(f"The id {new.event_id} belongs to a different event.", fix="Use a new id.")
        return int(row.seq)

    def _same_sealed(self, connection: Connection, new: NewEvent) -> bool:
        """Tell whether a stored sealed part, unless it was erased, holds what the new event has."""
        row = connection.execute(select(sealed_payload).where(sealed_payload.c.event_id == new.event_id)).first()
        if row is None or new.sealed is None:
            return new.sealed is not None
        stored = self.sealer.open(row.event_id, SealedPayload(row.nonce, row.ciphertext))
        return canonical_json(stored) == canonical_json(new.sealed)

    def _clock_event(self, connection: Connection, size: int) -> list[NewEvent]:
        """Give an event about the clock where it runs behind the last event."""
        last_us = connection.execute(select(event.c.ts_us).where(event.c.seq == size - 1)).scalar()
        now_us = events.to_microseconds(self.clock())
        if last_us is None or last_us - now_us <= CLOCK_TOLERANCE_US:
            return []
        return [NewEvent(EventType.CLOCK_REGRESSED, facts={"last_us": last_us, "now_us": now_us})]


def agreed_size(connection: Connection, tree: StoredTree) -> int:
    """Give the number of events, once the log and the tree say the same.

    Raises:
        LedgerCorrupt: they do not.
    """
    logged = connection.execute(select(func.max(event.c.seq))).scalar()
    size = 0 if logged is None else int(logged) + 1
    if tree.size() != size:
        raise LedgerCorrupt(
            f"The log has {size} events and its tree {tree.size()}.",
            fix="Run `platemark audit verify`; restore a backup beside it.",
        )
    return size
