"""Edit lists of MP4 and MOV files: which parts of its material a file says are to be shown.

One rule: what a file says is taken for hostile; a box that does not add up ends the search, and nothing large is read.
Source: ISO/IEC 14496-12, 8.6.5 (edit box) and 8.6.6 (edit list box).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_CONTAINERS = {b"moov": 0, b"trak": 1, b"edts": 2}
"""What leads to an edit list, each by how deep it lies: nothing else is entered, so no file nests without end."""
_MAX_BOXES, _MAX_ENTRIES = 10_000, 1_000
_EMPTY, _NORMAL_RATE = -1, 0x10000
_ENTRIES = {0: struct.Struct(">IiI"), 1: struct.Struct(">QqI")}
"""Length in the movie's unit, start in the track's (-1: nothing is shown), rate as 16.16."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry: how long, from where in the track's own time (-1: nothing is shown), how fast (65536: as it is)."""

    duration: int
    start: int
    rate: int


def read_edit_lists(path: Path) -> tuple[tuple[Edit, ...], ...]:
    """Read each track's edit list, in the file's order; files of other kinds have none.

    A list over 1,000 entries is cut there: by then it is known not to be simple.
    """
    with path.open("rb") as file:
        file.seek(0, 2)
        lists = [_entries(file, size) for size in _find_lists(file, 0, file.tell(), _Walk(_MAX_BOXES))]
    return tuple(lists)


def is_simple(edits: tuple[Edit, ...]) -> bool:
    """Say whether a list only says where the material starts: empty stretches, then one at its own speed."""
    shown = [edit for edit in edits if edit.start != _EMPTY]
    return len(shown) <= 1 and all(edit.rate == _NORMAL_RATE for edit in shown)


@dataclass(slots=True)
class _Walk:
    """How many boxes may still be looked at."""

    left: int


def _find_lists(file: BinaryIO, at: int, end: int, walk: _Walk, depth: int = 0) -> Iterator[int]:
    """Go through the boxes between two places; stop at each edit list, with its size."""
    while at + 8 <= end and walk.left > 0:
        walk.left -= 1
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            size, head = int.from_bytes(file.read(8), "big"), 16
        elif size == 0:
            size = end - at
        if size < head or at + size > end:
            return
        if kind == b"elst":
            yield size - head
        elif _CONTAINERS.get(kind) == depth:
            yield from _find_lists(file, at + head, at + size, walk, depth + 1)
        at += size


def _entries(file: BinaryIO, size: int) -> tuple[Edit, ...]:
    """Read the list at which the file stands."""
    head = file.read(8) if size >= 8 else b""
    if len(head) < 8 or head[0] not in _ENTRIES:
        return ()
    entry = _ENTRIES[head[0]]
    count = min(int.from_bytes(head[4:8], "big"), (size - 8) // entry.size, _MAX_ENTRIES)
    return tuple(Edit(*values) for values in entry.iter_unpack(file.read(count * entry.size)))
