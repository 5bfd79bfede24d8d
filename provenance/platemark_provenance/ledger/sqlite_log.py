"""Write the log into SQLite: rows, sealed parts, names and tiles, in one transaction each time.

One rule: the log and the tree must agree before anything is added to either. What is remembered between two commits
is believed only while SQLite says that nobody else wrote.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.appending import Clerk, Prepared, StoredEvent, check_agreement
from platemark_provenance.ledger.database import Database
from platemark_provenance.ledger.event import Appended, NewEvent
from platemark_provenance.ledger.frontier import TILE_WIDTH, Frontier
from platemark_provenance.ledger.group_commit import GroupCommit, Request
from platemark_provenance.ledger.merkle import leaf_hash
from platemark_provenance.ledger.sealing import SealedPayload

_INSERT_EVENTS = (
    "INSERT INTO event (seq, event_id, ts_us, type, clip, actor, desk, decision, model, body, leaf) VALUES "
)
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ROWS_A_STATEMENT = 25
"""SQLite prepares to undo each statement that a guard may refuse; several rows share that work."""
_INSERT_SEALED = "INSERT INTO sealed_payload (event_id, nonce, ciphertext) VALUES (?, ?, ?)"
_INSERT_PART = "INSERT INTO sealed_part (event_id, subject, key_id) VALUES (:event_id, :subject, :key_id)"
_INSERT_WORD = "INSERT INTO search_word (word, seq) VALUES (?, ?)"
_INSERT_ACTOR = "INSERT INTO actor (pseudonym, identity) VALUES (?, ?) ON CONFLICT DO NOTHING"
_INSERT_TILE = "INSERT INTO tile (width, hashes, level, idx) VALUES (?, ?, ?, ?)"
_UPDATE_TILE = "UPDATE tile SET width = ?, hashes = ? WHERE level = ? AND idx = ?"
_FIND = (
    "SELECT e.seq, e.body, s.nonce, s.ciphertext FROM event e LEFT JOIN sealed_payload s ON s.event_id = e.event_id "
    "WHERE e.event_id = ?"
)

Events = Sequence[Prepared]
Places = tuple[Appended, ...]


@dataclass(slots=True)
class _End:
    """The end of the log, as the last commit of this connection left it."""

    frontier: Frontier
    last_us: int | None
    version: int
    named: set[str | None]
    """Pseudonyms whose names are kept, and None, which has none; an erasure is a commit of somebody else."""


class SqliteLog:
    """The end of the log in a SQLite file.

    Args:
        database: the open file.
        clerk: makes events ready.
    """

    def __init__(self, database: Database, clerk: Clerk) -> None:
        self._database = database
        self._clerk = clerk
        self._end: _End | None = None
        self._group: GroupCommit[Events, Places] = GroupCommit(self._commit, database.lock)

    def append(self, events: Sequence[NewEvent]) -> Places:
        """Append events in the order given, all or none; one already there under its own id is left as it is.

        Inside `Database.write` of this thread they belong to that block, else they are kept when this returns.

        Raises:
            LedgerRequestError: an event is too large, or its id belongs to a different event.
            LedgerUnavailable, LedgerCorrupt: none was kept.
        """
        self._database.check_usable()
        if not self._database.is_writing:
            return self._group.run([self._clerk.prepare(new) for new in events])
        with self._database.write_raw() as raw:
            batch = _Batch(raw, self._clerk, _read_end(raw))
            places = batch.add([self._clerk.prepare(new) for new in events])
            return batch.write([places])[0]

    def stage(self, events: Sequence[NewEvent]) -> tuple[str, ...]:
        """Keep events and give their ids. A file has one writer at a time, so they get their place at once.

        Raises:
            LedgerRequestError, LedgerUnavailable, LedgerCorrupt: see `append`.
        """
        return tuple(item.event_id for item in self.append(events))

    def close(self) -> None:
        """Do nothing: whatever was acknowledged is in the file."""

    def _commit(self, group: Sequence[Request[Events, Places]]) -> None:
        with self._database.write_raw() as raw:
            end, self._end = self._end, None
            if end is None or end.version != _version(raw):
                end = _read_end(raw)
            batch = _Batch(raw, self._clerk, end)
            added: list[tuple[Request[Events, Places], list[tuple[int, str]]]] = []
            for request in group:
                try:
                    added.append((request, batch.add(request.work, again=request.was_tried)))
                except LedgerRequestError as error:
                    request.error = error
            results = batch.write([places for _, places in added])
        self._end = end
        for (request, _), result in zip(added, results, strict=True):
            request.result = result


class _Batch:
    """Events on their way into the log within one transaction."""

    def __init__(self, raw: sqlite3.Connection, clerk: Clerk, end: _End) -> None:
        self._raw = raw
        self._clerk = clerk
        self._end = end
        self._added: list[Prepared] = []
        self._by_id: dict[str, StoredEvent] = {}

    def add(self, events: Events, *, again: bool = False) -> list[tuple[int, str]]:
        """Give each event its place; nothing is written yet.

        Args:
            events: all or none of them.
            again: whether events whose id was chosen by the ledger may be in the log already.

        Raises:
            LedgerRequestError: an id belongs to a different event; none of these was added.
        """
        if events and not self._added and (late := self._clerk.clock_event(self._end.last_us)):
            self._added.append(late)
        before = len(self._added)
        try:
            return [(self._place(item, again=again), item.columns.event_id) for item in events]
        except LedgerRequestError:
            for item in self._added[before:]:
                self._by_id.pop(item.columns.event_id, None)
            del self._added[before:]
            raise

    def write(self, requests: Sequence[list[tuple[int, str]]]) -> list[Places]:
        """Write what was added, and say where it went and what the tree is now."""
        start = self._end.frontier.size
        leaves = [leaf_hash(item.body) for item in self._added]
        if leaves:
            self._write_rows(start, leaves)
            self._end.frontier.extend(leaves)
            self._end.last_us = self._added[-1].columns.ts_us
            for tile in self._end.frontier.take_changes():
                statement = _INSERT_TILE if tile.is_new else _UPDATE_TILE
                self._raw.execute(statement, (tile.width, tile.content, tile.level, tile.index))
        root, size = self._end.frontier.root().hex(), self._end.frontier.size
        return [tuple(Appended(seq, event_id, root, size) for seq, event_id in places) for places in requests]

    def _place(self, item: Prepared, *, again: bool) -> int:
        event_id = item.columns.event_id
        seq = self._end.frontier.size + len(self._added)
        if again or item.new.event_id is not None:
            stored = self._by_id.get(event_id) or self._find(event_id)
            if stored is not None:
                self._clerk.check_same(item, stored)
                return stored.seq
            payload = None if item.sealed is None else item.sealed.payload
            self._by_id[event_id] = StoredEvent(seq, item.body, payload, item.new.sealed)
        self._added.append(item)
        return seq

    def _find(self, event_id: str) -> StoredEvent | None:
        row = self._raw.execute(_FIND, (event_id,)).fetchone()
        if row is None:
            return None
        seq, body, nonce, ciphertext = row
        return StoredEvent(seq, body, None if ciphertext is None else SealedPayload(nonce, ciphertext))

    def _write_rows(self, start: int, leaves: Sequence[bytes]) -> None:
        for first in range(0, len(leaves), _ROWS_A_STATEMENT):
            values: list[object] = []
            some = zip(self._added[first:], leaves[first : first + _ROWS_A_STATEMENT], strict=False)
            for seq, (item, leaf) in enumerate(some, start + first):
                values += (seq, *item.columns, item.body, leaf)
            rows = min(_ROWS_A_STATEMENT, len(leaves) - first)
            self._raw.execute(_INSERT_EVENTS + ", ".join([_ROW] * rows), values)
        self._write_sealed(start)
        known = self._end.named
        names = {item.columns.actor: item.new.actor for item in self._added if item.columns.actor not in known}
        if names:
            self._raw.executemany(_INSERT_ACTOR, list(names.items()))
            known.update(names)

    def _write_sealed(self, start: int) -> None:
        """Keep sealed parts, whom they are about, and their words; a key destroyed meanwhile is refused here."""
        sealed = [(item.columns.event_id, item.sealed) for item in self._added if item.sealed is not None]
        if not sealed:
            return
        payloads = [(event_id, seal.payload.nonce, seal.payload.ciphertext) for event_id, seal in sealed]
        self._raw.executemany(_INSERT_SEALED, payloads)
        self._raw.executemany(_INSERT_PART, [row for event_id, seal in sealed for row in seal.rows(event_id)])
        words = [(word, seq) for seq, item in enumerate(self._added, start) for word in item.words]
        if words:
            self._raw.executemany(_INSERT_WORD, words)


def _read_end(raw: sqlite3.Connection) -> _End:
    """Read the end of the log inside a writing transaction.

    Raises:
        LedgerCorrupt: the log and its tree do not agree.
    """
    last = raw.execute("SELECT seq, ts_us FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    size = 0 if last is None else int(last[0]) + 1
    edge = raw.execute("SELECT idx, width FROM tile WHERE level = 0 ORDER BY idx DESC LIMIT 1").fetchone()
    check_agreement(size, 0 if edge is None else edge[0] * TILE_WIDTH + edge[1])

    def _read(level: int, index: int) -> bytes:
        row = raw.execute("SELECT hashes FROM tile WHERE level = ? AND idx = ?", (level, index)).fetchone()
        return b"" if row is None else bytes(row[0])

    return _End(Frontier(size, _read), None if last is None else last[1], _version(raw), {None})


def _version(raw: sqlite3.Connection) -> int:
    """Give a number that changes when another connection, or another program, has committed."""
    return int(raw.execute("PRAGMA data_version").fetchone()[0])
