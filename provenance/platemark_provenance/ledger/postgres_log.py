"""Write the log into PostgreSQL: an inbox that everyone may fill at once, and one at a time who gives out places.

One rule: places are given by `integrate` on the server, under the lock of the log's only head row. The lock ends with
its transaction, so a program that is stopped, killed or cut off can neither keep it nor believe that it has it.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import DBAPIError

from platemark_provenance.errors import LedgerError, LedgerRequestError, LedgerUnavailable
from platemark_provenance.ledger.appending import Clerk, Prepared, StoredEvent
from platemark_provenance.ledger.event import Appended, NewEvent
from platemark_provenance.ledger.frontier import LEVELS_A_TILE, TILE_WIDTH, Frontier
from platemark_provenance.ledger.group_commit import GroupCommit, Request
from platemark_provenance.ledger.merkle import HASH_BYTES
from platemark_provenance.ledger.postgres import PostgresDatabase, was_cut_off, was_locked
from platemark_provenance.ledger.sealing import SealedPayload
from platemark_provenance.ledger.tables import event, sealed_payload
from platemark_provenance.ledger.tiles import StoredTree, split_hashes

PACE_S = 0.05
"""How often waiting events get their places where nobody waits for them."""
_PACE_BEHIND_S = 0.2
_NOTHING_KNOWN = 2**62
"""Larger than any tree: asks for no leaf hashes."""

_ARRAYS = (
    "%s::text[], %b::bytea[], %s::bytea[], %s::bytea[], %s::text[], %s::text[], "  # events
    "%s::text[], %s::text[], %s::text[]"  # whom their sealed parts are about
)
_KEEP = "SELECT keep(" + _ARRAYS + ")"
_APPEND = "SELECT seqs, tree_size, leaves FROM append(" + _ARRAYS + ", %s)"  # noqa: S608 (nothing but the list above)
_SETTLE = "SELECT seqs, tree_size, leaves FROM settle(%s::text[], %s)"
_SETTLE_HERE = "SELECT seqs, tree_size, leaves FROM settle_here(%s::text[], %s)"
_MOST_WAITS = 1_000
"""Each ends with somebody else's commit, which took others along; one that blocks ends with the lock's own timeout."""
_LAST_US = "SELECT last_us FROM log_head"
_INTEGRATE = "SELECT integrate(1024, false)"

Events = Sequence[Prepared]
Places = tuple[Appended, ...]


class PostgresLog:
    """The end of the log on a PostgreSQL server.

    Args:
        database: the open server.
        clerk: makes events ready.
    """

    def __init__(self, database: PostgresDatabase, clerk: Clerk) -> None:
        self._database = database
        self._clerk = clerk
        self._last_us: int | None = None
        self._end: Frontier | None = None
        self._integrated: int | None = None
        self._group: GroupCommit[Events, Places] = GroupCommit(self._again_if_cut_off(self._commit), threading.RLock())
        self._staging: GroupCommit[Events, Places] = GroupCommit(self._again_if_cut_off(self._keep), threading.RLock())
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
            rows = self._with_clock(connection, prepared)
            connection.exec_driver_sql(_KEEP, _values(rows))
            ids = [item.columns.event_id for item in prepared]
            found = connection.exec_driver_sql(_SETTLE_HERE, (ids, _NOTHING_KNOWN)).one()
            self._check_same(connection, prepared)
            root = StoredTree(connection).root(found.tree_size)
            return _answer(prepared, dict(zip(ids, found.seqs, strict=True)), root, found.tree_size)

    def stage(self, events: Sequence[NewEvent]) -> tuple[str, ...]:
        """Keep events, with the rest of the caller's transaction where there is one; they get their places later.

        Raises:
            LedgerRequestError: an event is too large.
            LedgerUnavailable, LedgerCorrupt: none was kept.
        """
        self._database.check_usable()
        prepared = [self._clerk.prepare(new) for new in events]
        if self._database.is_writing:
            with self._database.write() as connection:
                connection.exec_driver_sql(_KEEP, _values(self._with_clock(connection, prepared)))
        else:
            self._staging.run(prepared)
        self._pacer.wake()
        return tuple(item.columns.event_id for item in prepared)

    def close(self) -> None:
        """Give what was staged here its places, as far as that is possible now, and stop."""
        self._pacer.stop()

    @staticmethod
    def _again_if_cut_off(
        commit: Callable[[Sequence[Request[Events, Places]]], None],
    ) -> Callable[[Sequence[Request[Events, Places]]], None]:
        """Ask once more where the connection was lost: an event that was kept already has its id, and its place."""

        def _run(group: Sequence[Request[Events, Places]]) -> None:
            try:
                commit(group)
            except LedgerUnavailable as error:
                if not was_cut_off(error):
                    raise
                commit(group)

        return _run

    def _keep(self, group: Sequence[Request[Events, Places]]) -> None:
        with self._database.call() as connection:
            everything = [item for request in group for item in request.work]
            connection.exec_driver_sql(_KEEP, _values(self._with_clock(connection, everything)))
        for request in group:
            request.result = ()

    def _commit(self, group: Sequence[Request[Events, Places]]) -> None:
        everything = [item for request in group for item in request.work]
        with self._database.call() as connection:
            rows = self._with_clock(connection, everything)
            ids = [item.columns.event_id for item in rows]
            known = _NOTHING_KNOWN if self._end is None else self._end.size
            found = connection.exec_driver_sql(_APPEND, (*_values(rows), known)).one()
            if found.tree_size is None:
                found = _settled(connection, ids, known)
            places = dict(zip(ids, found.seqs, strict=True))
            end = self._end = _end(connection, self._end, found)
            root = end.root()
            for request in group:
                try:
                    self._check_same(connection, request.work)
                    request.result = _answer(request.work, places, root, end.size)
                except LedgerRequestError as error:
                    request.error = error

    def _with_clock(self, connection: Connection, events: Events) -> Events:
        """Put an event about the clock before events of a clock that went back."""
        if not events:
            return events
        if self._last_us is None:
            self._last_us = connection.exec_driver_sql(_LAST_US).scalar()
        late = self._clerk.clock_event(self._last_us)
        self._last_us = events[-1].columns.ts_us
        return [late, *events] if late else events

    def _check_same(self, connection: Connection, events: Events) -> None:
        """Refuse an id that stands for another event."""
        for item in events:
            if item.new.event_id is not None:
                self._clerk.check_same(item, _stored(connection, item))

    def _integrate_some(self) -> bool | None:
        with self._database.call() as connection:
            size = connection.exec_driver_sql(_INTEGRATE).scalar()
        grew, self._integrated = size != self._integrated, size
        return None if size is None else grew


def _values(rows: Events) -> tuple[list[Any], ...]:
    """Give the arguments of `keep`: a column of each array."""
    payloads = [None if item.sealed is None else item.sealed.payload for item in rows]
    parts = [part for item in rows if item.sealed for part in item.sealed.rows(item.columns.event_id)]
    return (
        [item.columns.event_id for item in rows],
        [item.body for item in rows],
        [each and each.nonce for each in payloads],
        [each and each.ciphertext for each in payloads],
        [item.new.actor for item in rows],
        [" ".join(item.words) or None for item in rows],
        [part["event_id"] for part in parts],
        [part["subject"] for part in parts],
        [part["key_id"] for part in parts],
    )


def _settled(connection: Connection, ids: Sequence[str], known: int) -> Row[*tuple[Any, ...]]:
    """Wait for the places of events that were kept."""
    cause: DBAPIError | None = None
    try:
        for _ in range(_MOST_WAITS):
            found = connection.exec_driver_sql(_SETTLE, (list(ids), known)).one()
            if found.tree_size is not None:
                return found
    except DBAPIError as error:
        if not was_locked(error):
            raise
        cause = error
    raise LedgerUnavailable(
        "The events are kept, and have no place in the log yet: another program holds its end.",
        fix="Append them again with the same ids to learn their places.",
    ) from cause


def _end(connection: Connection, known: Frontier | None, found: Row[*tuple[Any, ...]]) -> Frontier:
    """Give the edge of the tree of the size that was found: the one known, with the leaves that came since."""
    if known is not None and found.leaves is not None:
        known.extend(split_hashes(bytes(found.leaves))[: found.tree_size - known.size])
        known.take_changes()
        if known.size == found.tree_size:
            return known
    tree = StoredTree(connection)

    def _read(level: int, index: int) -> bytes:
        # Others may have gone on: a tile only grows at its end.
        return tree.read(level, index)[: (found.tree_size >> (LEVELS_A_TILE * level)) % TILE_WIDTH * HASH_BYTES]

    return Frontier(found.tree_size, _read)


def _answer(events: Events, places: Mapping[str, int], root: bytes, size: int) -> Places:
    ids = [item.columns.event_id for item in events]
    return tuple(Appended(places[event_id], event_id, root.hex(), size) for event_id in ids)


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
    """Calls a function now and then in a thread of its own, from the first `wake` until there is nothing to do.

    Args:
        work_left: does some, and says whether there was any; None where another program does it.
    """

    def __init__(self, work_left: Callable[[], bool | None]) -> None:
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
        idle, pace_s = 0, PACE_S
        while idle < 2:
            self._stopping.wait(pace_s)
            try:
                left = self._work_left()
                idle = idle + 1 if left is False else 0
                # Another program is at it, and takes along what waits here: look less often than it does.
                pace_s = _PACE_BEHIND_S if left is None else PACE_S
            except LedgerError:
                # The server is away; what is staged waits there for the next one that comes.
                return
