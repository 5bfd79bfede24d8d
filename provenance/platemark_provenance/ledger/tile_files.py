"""The log as files that any tool for transparency logs reads: hashes, entries and the signed checkpoint.

One rule: the checkpoint is written last, so a copy that was broken off is still the older copy; a copy that this log
does not continue is never written to.

Source: C2SP tlog-tiles (c2sp.org), "Merkle Tree" and "Log Entries".
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection, text

from platemark_provenance.durable import sync_directory, write_whole
from platemark_provenance.errors import LedgerCorrupt, LedgerUnavailable, VerificationError
from platemark_provenance.ledger.checkpoint import LARGEST_NOTE_BYTES, Checkpoint, Verifiers, open_checkpoint
from platemark_provenance.ledger.frontier import LEVELS_A_TILE, TILE_WIDTH, Frontier
from platemark_provenance.ledger.merkle import HASH_BYTES, leaf_hash
from platemark_provenance.ledger.tiles import StoredTree

CHECKPOINT_FILE = "checkpoint"
ENTRIES = "entries"
_LENGTH_BYTES = 2
_LARGEST_BUNDLE_BYTES = TILE_WIDTH * (65_535 + _LENGTH_BYTES)
_BODIES = text("SELECT seq, body FROM event WHERE seq >= :first AND seq < :end ORDER BY seq")


@dataclass(frozen=True, slots=True)
class TileCopy:
    """A copy of the log as files.

    Args:
        size: number of events in it.
        added: how many of them are new.
        files: files written, the checkpoint among them.
    """

    size: int
    added: int
    files: int


def tile_path(level: int | str, index: int, width: int) -> Path:
    """Name the file of a tile, relative to the copy's folder.

    Args:
        level: 0 to 63, or `ENTRIES`.
        index: its place in the level.
        width: 1 to 256; less than 256 is a partial tile.

    Source: C2SP tlog-tiles, "Merkle Tree": groups of three digits, all but the last with an "x" before them.
    """
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = Path("tile", str(level), *(f"x{group}" for group in groups[:-1]), groups[-1])
    return path if width == TILE_WIDTH else path.with_name(f"{path.name}.p") / str(width)


def write_tiles(connection: Connection, folder: Path, note: bytes, verifiers: Verifiers) -> TileCopy:
    """Write what a folder lacks of the log up to a checkpoint; the folder is made where there is none.

    Args:
        connection: a transaction that sees at least the checkpoint's events.
        folder: the copy.
        note: the signed checkpoint.
        verifiers: the log's keys.

    Raises:
        LedgerCorrupt: the folder's checkpoint is one that this log does not continue; nothing was written.
        LedgerUnavailable: the folder cannot be read or written.
        VerificationError: the folder's checkpoint is not one of this log.
    """
    signed = open_checkpoint(note, verifiers)
    tree = StoredTree(connection)
    try:
        kept = _read_checkpoint(folder)
        before = 0
        if kept is not None:
            before = _continued(tree, open_checkpoint(kept, verifiers, origin=signed.origin), signed)
            if before == signed.size:
                return TileCopy(signed.size, 0, 0)
        folder.mkdir(parents=True, exist_ok=True)
        files, changed = 0, {folder}
        for path, content in chain(_hashes(tree, before, signed.size), _entries(connection, before, signed.size)):
            _place(folder / path, content)
            files += 1
            changed.update(folder / parent for parent in path.parents)
        for parent in sorted(changed):
            sync_directory(parent)
        write_whole(folder / CHECKPOINT_FILE, note)
    except OSError as error:
        raise LedgerUnavailable(
            f"The copy of the log in {folder} cannot be written: {error.strerror or error}.",
            fix="Name a folder that you may write to.",
        ) from error
    return TileCopy(signed.size, signed.size - before, files + 1)


def kept_checkpoint(folder: Path) -> bytes:
    """Give the signed checkpoint of a copy.

    Raises:
        VerificationError: it has none, so it is no copy or an unfinished one.
        LedgerUnavailable: it cannot be read.
    """
    try:
        note = _read_checkpoint(folder)
    except OSError as error:
        raise LedgerUnavailable(
            f"The copy of the log in {folder} cannot be read: {error.strerror or error}."
        ) from error
    if note is None:
        raise VerificationError(f"{folder} holds no checkpoint, so it is no copy of a log.")
    return note


def read_copy(folder: Path, signed: Checkpoint) -> Iterator[list[bytes]]:
    """Give a copy's entries, 256 at a time, and at the end make sure that they have the root of its checkpoint.

    Raises:
        VerificationError: a file is missing or garbled, or the entries are not those that were signed.
    """
    edge = Frontier(0, lambda level, index: b"")
    for first in range(0, signed.size, TILE_WIDTH):
        bodies = _read_bundle(folder, first // TILE_WIDTH, min(TILE_WIDTH, signed.size - first))
        edge.extend([leaf_hash(body) for body in bodies])
        yield bodies
    if edge.root() != signed.root:
        raise VerificationError(f"The entries in {folder} are not those that its checkpoint was signed for.")


def first_difference(connection: Connection, folder: Path, signed: Checkpoint) -> int | None:
    """Give the first event whose bytes are not those in a copy, None where all are.

    Raises:
        VerificationError: the copy is not whole; see `read_copy`.
    """
    found: int | None = None
    first = 0
    for bodies in read_copy(folder, signed):
        if found is None:
            rows = connection.execute(_BODIES, {"first": first, "end": first + len(bodies)})
            stored = {row.seq: bytes(row.body) for row in rows}
            wrong = (seq for seq, body in enumerate(bodies, first) if stored.get(seq) != body)
            found = next(wrong, None)
        first += len(bodies)
    return found


def _read_checkpoint(folder: Path) -> bytes | None:
    try:
        with (folder / CHECKPOINT_FILE).open("rb") as file:
            return file.read(LARGEST_NOTE_BYTES + 1)
    except FileNotFoundError:
        return None


def _continued(tree: StoredTree, kept: Checkpoint, signed: Checkpoint) -> int:
    if kept.size > signed.size or tree.root(kept.size) != kept.root:
        raise LedgerCorrupt(
            f"The copy has {kept.size} signed events that this log, with {signed.size}, does not begin with.",
            fix="Keep the copy: it may be the true log. Run `platemark audit verify --against` it.",
        )
    return kept.size


def _hashes(tree: StoredTree, before: int, size: int) -> Iterator[tuple[Path, bytes]]:
    level = 0
    while count := size >> LEVELS_A_TILE * level:
        for index in range((before >> LEVELS_A_TILE * level) // TILE_WIDTH, -(-count // TILE_WIDTH)):
            width = min(TILE_WIDTH, count - index * TILE_WIDTH)
            content = tree.read(level, index)[: width * HASH_BYTES]
            if len(content) != width * HASH_BYTES:
                raise LedgerCorrupt(f"The ledger's tile {level}/{index} is missing or too short.")
            yield tile_path(level, index, width), content
        level += 1


def _entries(connection: Connection, before: int, size: int) -> Iterator[tuple[Path, bytes]]:
    for first in range(before - before % TILE_WIDTH, size, TILE_WIDTH):
        end = min(first + TILE_WIDTH, size)
        bodies = [bytes(row.body) for row in connection.execute(_BODIES, {"first": first, "end": end})]
        if len(bodies) != end - first:
            raise LedgerCorrupt(f"An event from {first} to {end - 1} is missing.", fix="Run `platemark audit verify`.")
        bundle = b"".join(len(body).to_bytes(_LENGTH_BYTES, "big") + body for body in bodies)
        yield tile_path(ENTRIES, first // TILE_WIDTH, end - first), bundle


def _place(path: Path, content: bytes) -> None:
    """Write one file whole; its name is made durable with its folder, once for all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _read_bundle(folder: Path, index: int, width: int) -> list[bytes]:
    path = folder / tile_path(ENTRIES, index, width)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BUNDLE_BYTES + 1)
    except OSError as error:
        raise VerificationError(f"The copy's {path.relative_to(folder)} cannot be read ({error.strerror}).") from error
    bodies: list[bytes] = []
    at = 0
    while at < len(content) and len(bodies) < width:
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(content[at:start], "big")
        bodies.append(content[start:at])
    if at != len(content) or len(bodies) != width:
        raise VerificationError(f"The copy's {path.relative_to(folder)} should hold {width} whole entries.")
    return bodies
