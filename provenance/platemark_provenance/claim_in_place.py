"""Sign a big clip in one pass over it: room for the claim is kept free in the copy, which is hashed and then signed.

One rule: nothing here decides that a clip is good. What is written is read back like everything else that is signed;
and where this way does not fit a file or the installed library, the caller goes the library's own.

The library's own way copies a file four times in pieces of 8 kB (measured with c2pa-rs 0.91.3 on 500 MB: 8.6 times the
time of SHA-256). It stays the way for everything but big clips, because it knows every kind of file.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import IO

from c2pa import C2paError, Context

from platemark_provenance.c_abi import NativeRefusal, ReservedClaim, can_reserve
from platemark_provenance.claim_writer import ClaimOrder, Watch, claim_refused, native_signer, open_builder
from platemark_provenance.fork_gate import native_work
from platemark_provenance.mp4_layout import Box, Layout, OddLayout, moved_index, place_after, read_layout
from platemark_provenance.trust import BIG_FILE_BYTES

PIECE_BYTES = 1 << 20
"""What the media is hashed in, one digest for each: as much as by the library itself (`trust.for_size`)."""
_LEAF_BYTES = 40
"""A SHA-256 digest and a length for each piece, as CBOR."""
_SPARE_BYTES = 16_384
"""For a time-stamp and its certificates, which the library's own estimate leaves out where one is asked for twice."""
_BOX_HEADER = 8
_NO_ALLOCATION = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
_EXTENDED_HEADER = 8 + 16 + 4
"""Size, type, extended type, and version with flags of a `uuid` box."""
_PURPOSE = b"manifest\0" + bytes(8)
_ISO_FILES = ("video/mp4", "video/quicktime")


def why_not_in_place(order: ClaimOrder, size_bytes: int) -> str | None:
    """Say why a claim is not to be written in this way; None where it may be tried."""
    if size_bytes <= BIG_FILE_BYTES:
        return "the file is small"
    if order.media_type not in _ISO_FILES or not order.embed or order.intent == "update":
        return "only whole claims in MP4 and QuickTime files are"
    return None if can_reserve() else "the installed C2PA library lacks the functions"


def write_claim_in_place(
    order: ClaimOrder, source: IO[bytes], output: IO[bytes], *, on_copied: Callable[[], object]
) -> bytes:
    """Sign a copy of `source` into `output`, an empty file that can be read too, and give the manifest store.

    1. The copy is made with room for the claim after the type box, and offsets in its index moved by as much; the
       media is hashed on the way, piece by piece.
    2. `on_copied` is called: from here on only the room for the claim changes, so the disk can begin its work.
    3. The rest of the file is hashed.
    4. The claim is signed and put into its room; what is left of that becomes a `free` box of zeros.

    Raises:
        OddLayout: the file has offsets that this way cannot move. Nothing was signed.
        ClaimRefused: the library refused the manifest, the certificate or the media.
        SigningError: the signer failed.
        OSError: a file cannot be read or written.
    """
    layout = read_layout(source)
    watch = Watch()
    try:
        with ExitStack() as stack:
            stack.enter_context(native_work())
            signer = stack.enter_context(native_signer(order, watch))
            context = stack.enter_context(Context.from_dict(order.settings, signer=signer))
            builder = open_builder(order, context, stack)
            claim = ReservedClaim(builder, order.media_type)
            room = claim.reserve() + _LEAF_BYTES * (layout.media.size // PIECE_BYTES + 1) + _SPARE_BYTES
            _copy(layout, claim, source, output, room=room)
            on_copied()
            claim.hash_rest(output)
            box = claim.sign()
            _fill_room(output, layout.first.size, box, room=room)
    except (C2paError, NativeRefusal, UnicodeDecodeError) as error:
        watch.raise_failure()
        raise claim_refused(error) from error
    return store_in(box)


def store_in(box: bytes) -> bytes:
    """Give the manifest store that lies in a C2PA box, without the padding after it.

    Raises:
        OddLayout: this is no such box.

    Source: C2PA 2.2, section A.5.1 (the box); ISO/IEC 19566-5 (a store begins with its own size).
    """
    start = _EXTENDED_HEADER + len(_PURPOSE)
    size = int.from_bytes(box[start : start + 4], "big")
    if box[_EXTENDED_HEADER:start] != _PURPOSE or not _BOX_HEADER <= size <= len(box) - start:
        raise OddLayout("a claim in a box of another form")
    return box[start : start + size]


def _copy(layout: Layout, claim: ReservedClaim, source: IO[bytes], output: IO[bytes], *, room: int) -> None:
    """Write the copy, its room filled with a `free` box, and have the media hashed on the way."""
    places = place_after(layout, room)
    index = moved_index(layout, places)
    output.flush()
    read, write = source.fileno(), output.fileno()
    _allocate(write, places[-1] + layout.after[-1].size + layout.after[-1].growth)
    _copy_box(read, write, layout.first, 0)
    _write_at(write, layout.first.size, _free_box(room))
    for each, place in zip(layout.after, places, strict=True):
        if each.kind == b"moov":
            _write_at(write, place, index)
        elif each.kind == b"mdat":
            _copy_media(read, write, each, place, claim)
        else:
            _copy_box(read, write, each, place)


def _allocate(descriptor: int, size: int) -> None:
    """Ask for the blocks first: a full disk is noticed before the work, and there is less of that (a third)."""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in _NO_ALLOCATION:
            raise


def _copy_box(read: int, write: int, box: Box, place: int) -> None:
    for piece, at in _pieces(read, box, 0):
        _write_at(write, place + at, piece)


def _copy_media(read: int, write: int, box: Box, place: int, claim: ReservedClaim) -> None:
    _write_at(write, place, (1).to_bytes(4, "big") + box.kind + (box.size + box.growth).to_bytes(8, "big"))
    for piece, at in _pieces(read, box, box.header):
        _write_at(write, place + box.growth + at, piece)
        claim.hash_media(piece)


def _pieces(read: int, box: Box, at: int) -> Iterator[tuple[memoryview, int]]:
    """Read a box from a place in it to its end; each piece is good until the next."""
    buffer = memoryview(bytearray(min(PIECE_BYTES, box.size)))
    while at < box.size:
        count = os.preadv(read, [buffer[: box.size - at]], box.start + at)
        if count == 0:
            raise OSError(errno.EIO, "the file became shorter while it was copied")
        yield buffer[:count], at
        at += count


def _fill_room(output: IO[bytes], start: int, box: bytes, *, room: int) -> None:
    rest = room - len(box)
    if rest < _BOX_HEADER:
        raise OddLayout("a claim larger than was foreseen")
    _write_at(output.fileno(), start, box + rest.to_bytes(4, "big") + b"free")


def _free_box(size: int) -> bytes:
    return size.to_bytes(4, "big") + b"free" + bytes(size - _BOX_HEADER)


def _write_at(descriptor: int, offset: int, content: bytes | memoryview) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
