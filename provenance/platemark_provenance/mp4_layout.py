"""Where the parts of an MP4 or QuickTime file lie, and what must change when its manifest is put in front of them.

One rule: only files whose every offset we know how to move are moved. Anything else is an `OddLayout`, and whoever
asked goes another way.

Source: ISO/IEC 14496-12 sections 4.2 (boxes), 8.7.2 (dref), 8.7.5 (stco, co64); QuickTime File Format, chapter 2.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt

from platemark_provenance.errors import SigningError

MAX_INDEX_BYTES = 64 * 1024 * 1024
"""An index (moov) of this size is that of a week of video."""
LONG_HEADER = 16
"""The size of a header with a 64-bit size, in bytes."""
C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""The type of the box that holds a manifest store. Source: C2PA 2.2, section A.5.1."""

_MAX_TOP_BOXES = 1_000
_KNOWN = frozenset({b"ftyp", b"free", b"skip", b"wide", b"moov", b"mdat", b"uuid"})
_HOLDERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl"})
_NEVER = (b"iloc", b"saio", b"cmov", b"rmra", b"mvex", b"tfra", b"sidx")
"""Boxes in an index with offsets that are not moved here, or that say that there are more elsewhere."""
_SELF_CONTAINED = 1


class OddLayout(SigningError):
    """The file cannot be moved by these rules; the message says why."""


@dataclass(frozen=True, slots=True)
class Box:
    """A top-level box: its type, where it begins, its whole size and its header's, in bytes."""

    kind: bytes
    start: int
    size: int
    header: int

    @property
    def growth(self) -> int:
        """How much longer the header is made: that of media gets a 64-bit size.

        Validators differ on whether the media's hash begins behind a short header or 16 bytes after the box does (C2PA
        2.2 says 16, and so does c2pa-rs; encypher-c2pa says behind it). With a long header both are the same place.
        """
        return LONG_HEADER - self.header if self.kind == b"mdat" else 0

    @property
    def end(self) -> int:
        """Where the next box begins."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Layout:
    """A file that can be moved: the type box that comes first, the boxes that are kept after it, and its index.

    `after` leaves earlier manifests out; `index` is the content of the whole index box.
    """

    first: Box
    after: tuple[Box, ...]
    index: bytes

    @property
    def media(self) -> Box:
        """The one box of media data."""
        return next(each for each in self.after if each.kind == b"mdat")


def read_layout(file: IO[bytes]) -> Layout:
    """Read the layout of a file.

    Raises:
        OddLayout: it is fragmented, has more than one media box, or has offsets of kinds that are not moved here.
        OSError: it cannot be read.
    """
    boxes = tuple(_top_boxes(file))
    kinds = [each.kind for each in boxes]
    if not kinds or kinds[0] != b"ftyp" or kinds.count(b"moov") != 1 or kinds.count(b"mdat") != 1:
        raise OddLayout("not one type box, one index and one box of media")
    if not set(kinds) <= _KNOWN or kinds.count(b"ftyp") != 1:
        raise OddLayout("a box that is not known")
    after = tuple(each for each in boxes[1:] if not _is_manifest(file, each))
    index = next(each for each in boxes if each.kind == b"moov")
    if index.size > MAX_INDEX_BYTES:
        raise OddLayout("a huge index")
    file.seek(index.start)
    content = file.read(index.size)
    if len(content) != index.size or any(kind in content for kind in _NEVER):
        raise OddLayout("offsets that are not moved here")
    return Layout(boxes[0], after, content)


def has_one_media_box(file: IO[bytes]) -> bool:
    """Say whether the whole media lies in one top-level box: not in fragments, and not in several.

    False also where the boxes cannot be told.
    """
    try:
        kinds = [each.kind for each in _top_boxes(file)]
    except OddLayout:
        return False
    return kinds.count(b"mdat") == 1 and b"moof" not in kinds


def place_after(layout: Layout, reserved: int) -> tuple[int, ...]:
    """Give where each kept box begins when `reserved` bytes lie between them and the type box."""
    places = []
    at = layout.first.size + reserved
    for each in layout.after:
        places.append(at)
        at += each.size + each.growth
    return tuple(places)


def moved_index(layout: Layout, places: Sequence[int]) -> bytes:
    """Give the index with its offsets moved along with the boxes that they lead into.

    Raises:
        OddLayout: an offset leads nowhere, no longer fits, or belongs to another file; or the index is garbled.
    """
    content = bytearray(layout.index)
    _move(content, 0, len(content), layout, places)
    return bytes(content)


def _top_boxes(file: IO[bytes]) -> Iterator[Box]:
    end = file.seek(0, os.SEEK_END)
    at = count = 0
    while at < end:
        file.seek(at)
        head = file.read(16)
        size, header = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(head[8:16], "big"), 16
        count += 1
        if len(head) < header or size < header or at + size > end or count > _MAX_TOP_BOXES:
            raise OddLayout("a box that does not fit the file")
        yield Box(head[4:8], at, size, header)
        at += size


def _is_manifest(file: IO[bytes], box: Box) -> bool:
    if box.kind != b"uuid":
        return False
    file.seek(box.start + box.header)
    return file.read(16) == C2PA_BOX


def _move(content: bytearray, start: int, end: int, layout: Layout, places: Sequence[int]) -> None:
    """Walk the boxes between two positions and move the offsets found there."""
    at = start
    while at + 8 <= end:
        size, kind = int.from_bytes(content[at : at + 4], "big"), bytes(content[at + 4 : at + 8])
        if size == 0 and end - at < 16 and kind in (b"\0\0\0\0", b""):
            return  # QuickTime ends some lists with four zero bytes
        if size < 8 or at + size > end:
            raise OddLayout("a garbled index")
        if kind in _HOLDERS:
            _move(content, at + 8, at + size, layout, places)
        elif kind == b"dref":
            _refuse_other_files(content[at : at + size])
        elif kind in (b"stco", b"co64"):
            width = 4 if kind == b"stco" else 8
            count = int.from_bytes(content[at + 12 : at + 16], "big")
            if 16 + count * width > size:
                raise OddLayout("a garbled index")
            table = slice(at + 16, at + 16 + count * width)
            content[table] = _moved(np.frombuffer(content[table], f">u{width}"), layout, places)
        at += size


def _moved(offsets: npt.NDArray[np.unsignedinteger], layout: Layout, places: Sequence[int]) -> bytes:
    starts = np.array([each.start for each in layout.after], np.uint64)
    ends = np.array([each.end for each in layout.after], np.uint64)
    growths = np.array([each.growth for each in layout.after], np.int64)
    shifts = np.array(places, np.int64) + growths - starts.astype(np.int64)
    wide = offsets.astype(np.uint64)
    within = np.searchsorted(starts, wide, side="right").astype(np.int64) - 1
    if wide.size and (within.min() < 0 or (wide > ends[within]).any()):
        raise OddLayout("an offset that leads nowhere")
    moved = wide.astype(np.int64) + shifts[within]
    if moved.size and moved.max() > np.iinfo(offsets.dtype).max:
        raise OddLayout("offsets that would no longer fit")
    return moved.astype(offsets.dtype).tobytes()


def _refuse_other_files(box: bytes | bytearray) -> None:
    """Look at where a track's media lies: in this file, or in one named by an address, whose offsets stay."""
    at, left = 16, int.from_bytes(box[12:16], "big")
    while left and at + 12 <= len(box):
        size, flags = int.from_bytes(box[at : at + 4], "big"), int.from_bytes(box[at + 9 : at + 12], "big")
        if not flags & _SELF_CONTAINED or size < 12:
            raise OddLayout("media in another file")
        at, left = at + size, left - 1
    if left:
        raise OddLayout("a garbled index")
