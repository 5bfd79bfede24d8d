"""Check the whole ledger against itself, and against every tree head that was ever signed.

One rule: nothing stored is believed. Leaves, columns and tiles are made again from the stored bytes and
compared; the stored bytes are held to the signed checkpoints, of which one lies outside the database.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from json import JSONDecoder
from typing import Any

from sqlalchemy import Connection, Row, text

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import LedgerCorrupt, VerificationError
from platemark_provenance.ledger.checkpoint import Checkpoint, Verifiers, open_checkpoint
from platemark_provenance.ledger.dialect import check_guards, structure_fault
from platemark_provenance.ledger.event import BODY_VERSION, decode_body, derive_columns, sealed_digest
from platemark_provenance.ledger.frontier import TILE_WIDTH
from platemark_provenance.ledger.merkle import leaf_hash, root_of_complete
from platemark_provenance.ledger.sealing import SealedPayload, Sealer
from platemark_provenance.ledger.tiles import StoredTree, split_hashes

_INDEX_COLUMNS = ("event_id", "ts_us", "type", "clip", "actor", "desk", "decision", "model")
# Plain text, so that values come as SQLite holds them and not as a column type would have them.
_EVENTS = text(
    "SELECT e.seq, e.event_id, e.ts_us, e.type, e.clip, e.actor, e.desk, e.decision, e.model, e.body, "
    "e.leaf, s.event_id AS sealed_id, s.nonce, s.ciphertext "
    "FROM event e LEFT JOIN sealed_payload s ON s.event_id = e.event_id WHERE e.seq >= :first ORDER BY e.seq"
)
_TILES = text("SELECT level, idx, width, hashes FROM tile WHERE level = :level AND idx >= :first ORDER BY idx")
_CHECKPOINTS = text("SELECT size, root, note FROM checkpoint WHERE size >= :first ORDER BY size")
_ORPHANS = text("SELECT event_id FROM sealed_payload WHERE event_id NOT IN (SELECT event_id FROM event) LIMIT 1")
_AT_ONCE = 1_024
"""Rows handed over at once; any multiple of a tile's width."""
_decode = JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What a check of the whole ledger found.

    Args:
        ok: whether every check passed.
        size: number of events found.
        root: root of their tree, 64 hexadecimal digits; empty where it could not be computed.
        checkpoint: size of the newest signed tree head that was checked, None where there is none.
        first_bad_seq: the first event that is wrong; where only a range is known, its beginning.
        first_bad_column: what about it is wrong.
        reason: one sentence for people; None when all is well.
        checked_from: the first event that was looked at; what lies before it is believed for a signed tree head.
    """

    ok: bool
    size: int
    root: str
    checkpoint: int | None
    first_bad_seq: int | None
    first_bad_column: str | None
    reason: str | None
    checked_from: int = 0

    def to_json(self) -> dict[str, JsonValue]:
        """Give the report as JSON."""
        return {
            "ok": self.ok,
            "size": self.size,
            "root": self.root,
            "checkpoint": self.checkpoint,
            "first_bad_seq": self.first_bad_seq,
            "first_bad_column": self.first_bad_column,
            "reason": self.reason,
            "checked_from": self.checked_from,
        }


class _BadLedgerError(Exception):
    """Something in the ledger is wrong; ends the check."""

    def __init__(self, seq: int | None, column: str | None, reason: str) -> None:
        super().__init__(reason)
        self.seq = seq
        self.column = column


class Audit:
    """One check of a ledger.

    Args:
        connection: a transaction that sees one state of the database.
        verifiers: the ledger's keys.
        origin: the ledger's name.
        sealer: makes pseudonyms again.
    """

    def __init__(self, connection: Connection, verifiers: Verifiers, *, origin: str, sealer: Sealer) -> None:
        self._connection = connection
        self._verifiers = verifiers
        self._origin = origin
        self._sealer = sealer
        self._first = 0
        self._size = 0
        self._root = ""
        self._newest: int | None = None

    def run(self, outside: tuple[Checkpoint, ...], *, since: Checkpoint | None = None) -> LedgerReport:
        """Do every check and name the first thing that is wrong.

        Checks: 1 the file's own structure and indexes; 2 the append-only guards; 3 each event's place, leaf
        and columns, made again from its bytes; 4 sealed parts, against the digest in the leaf; 5 tiles, made
        again from the leaves; 6 stored checkpoints: signature and root; 7 checkpoints from outside the
        database; 8 pseudonyms. Not checked: the times that events claim; the registry of marks, manifests and
        outputs; that others were shown the same log.

        Args:
            outside: checkpoints kept elsewhere, their signatures already checked.
            since: a checkpoint whose events were checked before. Its root is made again from the tiles; events, sealed
                parts, tiles and checkpoints are checked from its last tile on, and 1 is left out.
        """
        try:
            if since is None:
                self._check_structure()  # 1
            check_guards(self._connection)  # 2
            if since is not None:
                self._begin_after(since)
            self._check_events()  # 3, 4 and 5
            self._check_stored_checkpoints()  # 6
            for checkpoint in sorted(outside, key=lambda item: item.size):  # 7
                self._check_checkpoint(checkpoint, where="a checkpoint kept outside the database")
            self._check_actors()  # 8
        except _BadLedgerError as bad:
            return self._report(bad.seq, bad.column, str(bad))
        except LedgerCorrupt as error:
            return self._report(None, None, error.message)
        return self._report(None, None, None)

    def _begin_after(self, since: Checkpoint) -> None:
        """Start at the tile that a checkpoint ends in, once the tiles before it are known to be those it covers."""
        if StoredTree(self._connection).size() < since.size:
            self._size = StoredTree(self._connection).size()
            self._check_checkpoint(since, where="the checkpoint given")
        if StoredTree(self._connection).root(since.size) != since.root:
            reason = f"An event from 0 to {since.size - 1} is not the one that the checkpoint given covers."
            raise _BadLedgerError(0, "tile.hashes", reason)
        self._first = self._size = since.size - since.size % TILE_WIDTH

    def _report(self, seq: int | None, column: str | None, reason: str | None) -> LedgerReport:
        return LedgerReport(reason is None, self._size, self._root, self._newest, seq, column, reason, self._first)

    def _check_structure(self) -> None:
        fault = structure_fault(self._connection)
        if fault is not None:
            raise _BadLedgerError(None, None, f"The database file is damaged: {fault[:200]}.")
        if orphan := self._connection.execute(_ORPHANS).scalar():
            raise _BadLedgerError(None, "sealed_payload", f"A sealed part belongs to no event: {str(orphan)[:40]!r}.")

    def _check_events(self) -> None:
        """Walk over events and level-0 tiles together, 256 at a time; then over the levels above."""
        complete: list[bytes] = []
        first = self._first // TILE_WIDTH
        with closing(self._checked_leaves()) as checked, closing(self._stored_tiles(0, first)) as tiles:
            for index, leaves in enumerate(checked, first):
                self._check_tile(0, index, leaves, next(tiles, None))
                if len(leaves) == TILE_WIDTH:
                    complete.append(root_of_complete(leaves))
            self._refuse_more(0, next(tiles, None))
        level = 1
        while complete or first:
            # What the tile that we begin in holds already was held to the signed root.
            first, known = divmod(first, TILE_WIDTH)
            complete = split_hashes(StoredTree(self._connection).read(level, first))[:known] + complete
            runs = [complete[i : i + TILE_WIDTH] for i in range(0, len(complete), TILE_WIDTH)]
            for index, (run, row) in enumerate(zip_longest(runs, self._stored_tiles(level, first)), first):
                self._check_tile(level, index, run or [], row)
            complete = [root_of_complete(run) for run in runs if len(run) == TILE_WIDTH]
            level += 1
        above = self._connection.execute(text("SELECT level FROM tile WHERE level >= :level"), {"level": level})
        self._refuse_more(level, above.first())
        self._root = StoredTree(self._connection).root(self._size).hex()

    def _stored_tiles(self, level: int, first: int) -> Generator[Row[*tuple[Any, ...]]]:
        with self._connection.execute(_TILES, {"level": level, "first": first}) as rows:
            yield from rows

    def _checked_leaves(self) -> Generator[list[bytes]]:
        leaves: list[bytes] = []
        streamed = self._connection.execution_options(yield_per=_AT_ONCE)
        with streamed.execute(_EVENTS, {"first": self._first}) as rows:
            for row in rows:
                if row[0] != self._size:
                    raise _BadLedgerError(self._size, "seq", f"Event {self._size} is missing.")
                leaves.append(_leaf_if_sound(row) or self._checked_leaf(row))
                self._size += 1
                if len(leaves) == TILE_WIDTH:
                    yield leaves
                    leaves = []
        if leaves:
            yield leaves

    def _checked_leaf(self, row: Row[*tuple[Any, ...]]) -> bytes:
        """Check one event against its own bytes, saying what is wrong, and give its leaf hash."""
        leaf = leaf_hash(row.body)
        if leaf != row.leaf:
            # The tree knows which of the two is the stranger.
            column = "leaf" if StoredTree(self._connection).node(0, row.seq) == leaf else "body"
            raise _BadLedgerError(row.seq, column, f"Event {row.seq}: its bytes and its leaf hash differ.")
        try:
            decoded = decode_body(row.body)
            columns = derive_columns(decoded)
        except LedgerCorrupt as error:
            raise _BadLedgerError(row.seq, "body", f"Event {row.seq}: {error.message}") from error
        for name in _INDEX_COLUMNS:
            if getattr(row, name) != getattr(columns, name):
                reason = f"Event {row.seq}: the column {name} is not what its bytes say."
                raise _BadLedgerError(row.seq, name, reason)
        digest = sealed_digest(decoded)
        if row.sealed_id is not None and SealedPayload(row.nonce, row.ciphertext).sha256 != digest:
            reason = f"Event {row.seq}: its sealed part is not the one that was logged."
            raise _BadLedgerError(row.seq, "sealed_payload", reason)
        return leaf

    def _check_tile(self, level: int, index: int, hashes: list[bytes], row: Row[*tuple[Any, ...]] | None) -> None:
        """Compare one tile as stored with the same tile made from the leaves."""
        span = TILE_WIDTH**level
        start = index * TILE_WIDTH * span
        if row is None or row.idx != index:
            raise _BadLedgerError(start, "tile.idx", f"Tile {level}/{index} is missing.")
        if row.hashes == b"".join(hashes) and row.width == len(hashes):
            return
        stored = split_hashes(row.hashes)
        first = next((i for i, pair in enumerate(zip(stored, hashes, strict=False)) if pair[0] != pair[1]), None)
        if first is not None:
            seq = start + first * span
            reason = f"Event {seq} is not the one that the tree was built with."
            raise _BadLedgerError(seq, "tile.hashes", reason)
        if not len(stored) == row.width == len(hashes):
            seq = start + min(len(stored), row.width, len(hashes)) * span
            reason = f"Tile {level}/{index} and the events differ in number from event {seq} on."
            raise _BadLedgerError(seq, "tile.width", reason)

    def _refuse_more(self, level: int, row: Row[*tuple[Any, ...]] | None) -> None:
        if row is not None:
            raise _BadLedgerError(
                self._size,
                "tile.idx",
                f"The tree goes on after the last event: level {level} has more tiles.",
            )

    def _check_stored_checkpoints(self) -> None:
        for row in self._connection.execute(_CHECKPOINTS, {"first": self._first}):
            try:
                signed = open_checkpoint(row.note, self._verifiers, origin=self._origin)
            except VerificationError as error:
                raise _BadLedgerError(
                    None, "checkpoint.note", f"The checkpoint of size {row.size} is not ours. {error.message}"
                ) from error
            for name, stored, wanted in (("size", row.size, signed.size), ("root", row.root, signed.root)):
                if stored != wanted:
                    raise _BadLedgerError(
                        None, f"checkpoint.{name}", f"The checkpoint of size {row.size} says another {name}."
                    )
            self._check_checkpoint(signed, where="a signed checkpoint")

    def _check_checkpoint(self, signed: Checkpoint, *, where: str) -> None:
        if signed.size > self._size:
            raise _BadLedgerError(
                self._size,
                "seq",
                f"Events from {self._size} on are missing: {where} covers {signed.size} events.",
            )
        if StoredTree(self._connection).root(signed.size) != signed.root:
            first = self._newest or 0
            raise _BadLedgerError(
                first,
                "body",
                f"An event from {first} to {signed.size - 1} is not the one that {where} covers.",
            )
        self._newest = max(signed.size, self._newest or 0)

    def _check_actors(self) -> None:
        for row in self._connection.execute(text("SELECT pseudonym, identity FROM actor")):
            if self._sealer.pseudonym(row.identity) != row.pseudonym:
                raise _BadLedgerError(
                    None, "actor.identity", f"The name behind pseudonym {row.pseudonym[:40]} was changed."
                )


def _leaf_if_sound(row: Row[*tuple[Any, ...]]) -> bytes | None:
    """Give the leaf hash of an event that is plainly as it should be; None where a closer look is needed.

    This is the loop that a check of a million events spends its time in.
    """
    _, event_id, ts_us, kind, clip, actor, desk, decision, model, body, leaf, sealed_id, nonce, ciphertext = row
    made = sha256(b"\x00" + body).digest()
    try:
        content = body.decode()
        decoded, end = _decode(content)
        derived = decoded["id"], decoded["ts"], decoded["type"], decoded["v"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    find = decoded.get
    others = find("clip"), find("actor"), find("desk"), find("decision"), find("model")
    if (
        made != leaf
        or end != len(content)
        or derived != (event_id, ts_us, kind, BODY_VERSION)
        or others != (clip, actor, desk, decision, model)
        or not (type(event_id) is type(kind) is str and type(derived[1]) is int)
        or (sealed_id is not None and sha256(nonce + ciphertext).hexdigest() != sealed_digest(decoded))
    ):
        return None
    return made
