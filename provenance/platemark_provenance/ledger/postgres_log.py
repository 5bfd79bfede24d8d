"""Write the log into PostgreSQL: an inbox that everyone may fill at once, and one at a time who gives out places.

One rule: places are given by `integrate` on the server, under the lock of the log's only head row. The lock ends with
its transaction, so a program that is stopped, killed or cut off can neither keep it nor believe that it has it.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ARRAY, Connection, LargeBinary, Text, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert

from platemark_provenance.errors import LedgerError, LedgerRequestError, LedgerUnavailable
from platemark_provenance.ledger.appending import Clerk, Prepared, StoredEvent
from platemark_provenance.ledger.event import Appended, NewEvent
from platemark_provenance.ledger.group_commit import GroupCommit, Request
from platemark_provenance.ledger.postgres import PostgresDatabase, was_cut_off
from platemark_provenance.ledger.sealing import SealedPayload
from platemark_provenance.ledger.tables import event, sealed_part, sealed_payload
from platemark_provenance.ledger.tiles import StoredTree

MOST_AT_ONCE = 1_024
"""Events that get their places in one transaction."""
PACE_S = 0.05
"""How often waiting events get their places where nobody waits for them."""
_POLL_S = 0.002

_STAGE = text("SELECT stage(:ids, :bodies, :nonces, :ciphertexts, :identities, :words)").bindparams(
    bindparam("ids", type_=ARRAY(Text)),
    bindparam("bodies", type_=ARRAY(LargeBinary)),
    bindparam("nonces", type_=ARRAY(LargeBinary)),
    bindparam("ciphertexts", type_=ARRAY(LargeBinary)),
    bindparam("identities", type_=ARRAY(Text)),
    bindparam("words", type_=ARRAY(Text)),
)
_PLACES = text("SELECT event_id, seq FROM places(:ids)").bindparams(bindparam("ids", type_=ARRAY(Text)))
_INTEGRATE = text("SELECT integrate(:most, :patient)")

Events = Sequence[Prepared]
Places = tuple[Appended, ...]


class PostgresLog:
    """The end of the log on a PostgreSQL server.

    Args:
        database: the open server.
        clerk: makes events ready.
        busy_timeout_s: how long an event may wait for its place.
    """

    def __init__(self, database: PostgresDatabase, clerk: Clerk, *, busy_timeout_s: float) -> None:
        self._database = database
        self._clerk = clerk
        self._busy_timeout_s = busy_timeout_s
        self._last_us: int | None = None
        self._group: GroupCommit[Events, Places] = GroupCommit(self._commit_again_if_cut_off, threading.RLock())
        self._pacer = _Pacer(self._integrate_some)

    def append(self, events: Sequence[NewEvent]) -> Places:
        """Append events in the order given, all or none; one already there under its own id is left as it is.

        Inside `PostgresDatabase.write` of this thread they belong to that block and have their places at once: the
        log's head stays locked until the block ends. Else they are in the tree when this returns.

        Raises:
            LedgerRequestError: an event is too large, or its id belongs to a different event.
            LedgerUnavailable: none was kept; or all are kept and their place took too long to learn.
            LedgerCorrupt: none was kept.
        """
        self._database.check_usable()
        prepared = [self._clerk.prepare(new) for new in events]
        if not self._database.is_writing:
            return self._group.run(prepared)
        with self._database.write() as connection:
            self._stage(connection, prepared)
            connection.execute(_INTEGRATE, {"most": MOST_AT_ONCE, "patient": True})
            missing = [item for item in prepared if item.columns.event_id not in _places(connection, prepared)]
            while missing:
                connection.execute(_INTEGRATE, {"most": MOST_AT_ONCE, "patient": True})
                missing = [item for item in prepared if item.columns.event_id not in _places(connection, prepared)]
            return self._answer(connection, prepared, _places(connection, prepared))

    def stage(self, events: Sequence[NewEvent]) -> tuple[str, ...]:
        """Keep events, with the rest of the caller's transaction where there is one; they get their places later.

        Raises:
            LedgerRequestError: an event is too large.
            LedgerUnavailable, LedgerCorrupt: none was kept.
        """
        self._database.check_usable()
        prepared = [self._clerk.prepare(new) for new in events]
        with self._database.write() as connection:
            self._stage(connection, prepared)
        self._pacer.wake()
        return tuple(item.columns.event_id for item in prepared)

    def close(self) -> None:
        """Give what was staged here its places, as far as that is possible now, and stop."""
        self._pacer.stop()

    def _commit_again_if_cut_off(self, group: Sequence[Request[Events, Places]]) -> None:
        """Ask once more where the connection was lost: an event that was kept already has its id, and its place."""
        try:
            self._commit(group)
        except LedgerUnavailable as error:
            if not was_cut_off(error):
                raise
            self._commit(group)

    def _commit(self, group: Sequence[Request[Events, Places]]) -> None:
        everything = [item for request in group for item in request.work]
        with self._database.write() as connection:
            self._stage(connection, everything)
            # Where the head is free, staging and giving places are one commit; where it is not, its holder goes on.
            connection.execute(_INTEGRATE, {"most": MOST_AT_ONCE, "patient": False})
        places = self._wait_for_places(everything)
        with self._database.read() as connection:
            for request in group:
                try:
                    request.result = self._answer(connection, request.work, places)
                except LedgerRequestError as error:
                    request.error = error

    def _wait_for_places(self, events: Events) -> Mapping[str, int]:
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            with self._database.write() as connection:
                found = _places(connection, events)
                if len(found) == len({item.columns.event_id for item in events}):
                    return found
                connection.execute(_INTEGRATE, {"most": MOST_AT_ONCE, "patient": False})
            if time.monotonic() > deadline:
                raise LedgerUnavailable(
                    "The events are kept, and have no place in the log yet: another program holds its end.",
                    fix="Append them again with the same ids to learn their places.",
                )
            time.sleep(_POLL_S)

    def _stage(self, connection: Connection, events: Events) -> None:
        if self._last_us is None:
            self._last_us = connection.execute(text("SELECT last_us FROM log_head")).scalar()
        late = self._clerk.clock_event(self._last_us) if events else None
        rows = [late, *events] if late else list(events)
        if not rows:
            return
        values = {
            "ids": [item.columns.event_id for item in rows],
            "bodies": [item.body for item in rows],
            "nonces": [item.sealed and item.sealed.payload.nonce for item in rows],
            "ciphertexts": [item.sealed and item.sealed.payload.ciphertext for item in rows],
            "identities": [item.new.actor for item in rows],
            "words": [" ".join(item.words) or None for item in rows],
        }
        connection.execute(_STAGE, values)
        parts = [row for item in rows if item.sealed for row in item.sealed.rows(item.columns.event_id)]
        if parts:
            connection.execute(insert(sealed_part).on_conflict_do_nothing(), parts)
        self._last_us = rows[-1].columns.ts_us

    def _answer(self, connection: Connection, events: Events, places: Mapping[str, int]) -> Places:
        """Say where events are, once it is sure that each is the one asked for and not another with its id."""
        for item in events:
            if item.new.event_id is not None:
                self._clerk.check_same(item, _stored(connection, item))
        tree = StoredTree(connection)
        size = tree.size()
        root = tree.root(size).hex()
        return tuple(Appended(places[item.columns.event_id], item.columns.event_id, root, size) for item in events)

    def _integrate_some(self) -> bool:
        with self._database.write() as connection:
            before = connection.execute(text("SELECT size FROM log_head")).scalar_one()
            size = connection.execute(_INTEGRATE, {"most": MOST_AT_ONCE, "patient": False}).scalar()
        return size is None or size > before


def _places(connection: Connection, events: Events) -> dict[str, int]:
    ids = [item.columns.event_id for item in events]
    return {row.event_id: row.seq for row in connection.execute(_PLACES, {"ids": ids})}


def _stored(connection: Connection, item: Prepared) -> StoredEvent:
    wanted = event.c.event_id == item.columns.event_id
    query = select(event.c.seq, event.c.body, sealed_payload.c.nonce, sealed_payload.c.ciphertext).select_from(
        event.outerjoin(sealed_payload, sealed_payload.c.event_id == event.c.event_id)
    )
    row = connection.execute(query.where(wanted)).first()
    if row is None:
        raise LedgerRequestError(
            f"The id {item.columns.event_id} belongs to an event that this database role may not read.",
            fix="Use a new id.",
        )
    sealed = None if row.ciphertext is None else SealedPayload(bytes(row.nonce), bytes(row.ciphertext))
    return StoredEvent(row.seq, bytes(row.body), sealed)


class _Pacer:
    """Calls a function now and then in a thread of its own, from the first `wake` until there is nothing to do."""

    def __init__(self, work_left: Callable[[], bool]) -> None:
        self._work_left = work_left
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Make sure that the thread runs."""
        with self._lock:
            if (self._thread is None or not self._thread.is_alive()) and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="platemark-ledger", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Let the thread finish what waits, and wait for it."""
        self._stopping.set()
        thread = self._thread
        if thread is not None and thread.is_alive():
            thread.join(10)

    def _run(self) -> None:
        idle = 0
        while idle < 2:
            self._stopping.wait(PACE_S)
            try:
                idle = 0 if self._work_left() else idle + 1
            except LedgerError:
                # The server is away; what is staged waits there for the next one that comes.
                return
