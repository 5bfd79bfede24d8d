"""Offsets in an MP4 file move with what they point at, or the file is left to somebody else."""

import io
import itertools
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.mp4_layout import C2PA_BOX, OddLayout, moved_index, place_after, read_layout


def box(kind: bytes, content: bytes = b"", *, large: bool = False) -> bytes:
    if large:
        return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content), kind) + content


def table(kind: bytes, offsets: list[int]) -> bytes:
    width = "I" if kind == b"stco" else "Q"
    return box(kind, struct.pack(f">II{len(offsets)}{width}", 0, len(offsets), *offsets))


def references(*flags: int) -> bytes:
    entries = b"".join(box(b"url ", struct.pack(">I", each)) for each in flags)
    return box(b"dinf", box(b"dref", struct.pack(">II", 0, len(flags)) + entries))


def index(*tables: bytes, dinf: bytes = b"", extra: bytes = b"") -> bytes:
    tracks = [box(b"trak", box(b"mdia", box(b"minf", dinf + box(b"stbl", each)))) for each in tables]
    return box(b"moov", box(b"mvhd", bytes(100)) + b"".join(tracks) + extra)


FTYP = box(b"ftyp", b"isom" + bytes(4))
MEDIA = bytes(range(256)) * 4


def media_first(offsets: list[int], kind: bytes = b"stco") -> bytes:
    """A file whose media lies 24 bytes in: type box (16), header (8), then content."""
    return FTYP + box(b"mdat", MEDIA) + index(table(kind, offsets))


def offsets_in(content: bytes, kind: bytes = b"stco") -> list[int]:
    at = content.index(kind) + 8
    count = int.from_bytes(content[at : at + 4], "big")
    width = "I" if kind == b"stco" else "Q"
    return list(struct.unpack_from(f">{count}{width}", content, at + 4))


@pytest.mark.parametrize("kind", [b"stco", b"co64"])
def test_every_offset_moves_by_the_room_that_was_made(kind: bytes) -> None:
    layout = read_layout(io.BytesIO(media_first([24, 100, 1047], kind)))

    moved = moved_index(layout, place_after(layout, 5000))

    assert offsets_in(moved, kind) == [5032, 5108, 6055]
    assert len(moved) == len(layout.index)


def test_media_gets_a_header_with_a_64_bit_size_and_what_has_one_keeps_it() -> None:
    short, long = (FTYP + box(b"mdat", MEDIA, large=large) + index(table(b"co64", [32])) for large in (False, True))

    layouts = [read_layout(io.BytesIO(each)) for each in (short, long)]

    assert [each.media.growth for each in layouts] == [8, 0]
    assert [offsets_in(moved_index(each, place_after(each, 8)), b"co64") for each in layouts] == [[48], [40]]


def test_only_the_tables_of_offsets_change() -> None:
    layout = read_layout(io.BytesIO(media_first([24, 100])))

    moved = moved_index(layout, place_after(layout, 8))

    assert moved.replace(struct.pack(">II", 40, 116), struct.pack(">II", 24, 100)) == layout.index


def test_boxes_keep_their_order_and_lie_one_behind_the_other() -> None:
    content = FTYP + box(b"free", bytes(5)) + box(b"mdat", MEDIA) + index(table(b"stco", [40]))

    layout = read_layout(io.BytesIO(content))

    assert [each.kind for each in layout.after] == [b"free", b"mdat", b"moov"]
    assert place_after(layout, 100) == (116, 129, 129 + 16 + len(MEDIA))


def test_an_earlier_manifest_is_left_out_and_what_lay_behind_it_moves_less() -> None:
    old = box(b"uuid", C2PA_BOX + bytes(300))
    start = len(FTYP + old) + 8
    content = FTYP + old + box(b"mdat", MEDIA) + index(table(b"stco", [start]))

    layout = read_layout(io.BytesIO(content))

    assert [each.kind for each in layout.after] == [b"mdat", b"moov"]
    assert offsets_in(moved_index(layout, place_after(layout, 1000))) == [16 + 1000 + 16]


def test_a_box_of_somebody_elses_type_is_kept() -> None:
    content = FTYP + box(b"uuid", bytes(16)) + box(b"mdat", MEDIA) + index(table(b"stco", [48]))

    assert [each.kind for each in read_layout(io.BytesIO(content)).after] == [b"uuid", b"mdat", b"moov"]


def test_a_box_with_a_64_bit_size_is_measured_with_its_longer_header() -> None:
    content = FTYP + box(b"mdat", MEDIA, large=True) + index(table(b"co64", [32]))

    media = read_layout(io.BytesIO(content)).media

    assert (media.start, media.header, media.size) == (16, 16, 16 + len(MEDIA))


def test_several_tracks_all_move() -> None:
    content = FTYP + box(b"mdat", MEDIA) + index(table(b"stco", [24]), table(b"co64", [500]))

    layout = read_layout(io.BytesIO(content))
    moved = moved_index(layout, place_after(layout, 10))

    assert (offsets_in(moved), offsets_in(moved, b"co64")) == ([42], [518])


GOOD_INDEX = index(table(b"stco", [24]))
GOOD_MEDIA = box(b"mdat", MEDIA)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "one type box"),
        (GOOD_MEDIA + GOOD_INDEX, "one type box"),
        (FTYP + GOOD_MEDIA, "one type box"),
        (FTYP + GOOD_MEDIA + GOOD_INDEX + GOOD_INDEX, "one type box"),
        (FTYP + GOOD_MEDIA + GOOD_MEDIA + GOOD_INDEX, "one type box"),
        (FTYP + GOOD_MEDIA + GOOD_INDEX + box(b"moof"), "not known"),
        (FTYP + GOOD_MEDIA + GOOD_INDEX + FTYP, "not known"),
        (FTYP + GOOD_MEDIA + GOOD_INDEX + bytes(4), "does not fit"),
        (FTYP + GOOD_MEDIA + GOOD_INDEX + struct.pack(">I4s", 0, b"free"), "does not fit"),
        (FTYP + GOOD_MEDIA + GOOD_INDEX + struct.pack(">I4s", 9, b"free"), "does not fit"),
        (FTYP + GOOD_INDEX + struct.pack(">I4sQ", 1, b"mdat", 15), "does not fit"),
        (FTYP + GOOD_MEDIA + GOOD_INDEX + box(b"free") * 1000, "does not fit"),
        (FTYP + GOOD_MEDIA + index(table(b"stco", [24]), extra=box(b"mvex")), "not moved here"),
        (FTYP + GOOD_MEDIA + index(table(b"stco", [24]) + box(b"saio", bytes(16))), "not moved here"),
        (FTYP + GOOD_MEDIA + index(table(b"stco", [24]), extra=box(b"meta", box(b"iloc"))), "not moved here"),
    ],
)
def test_a_file_with_more_than_we_know_is_left_alone(content: bytes, why: str) -> None:
    with pytest.raises(OddLayout, match=why):
        read_layout(io.BytesIO(content))


@pytest.mark.parametrize(
    ("content", "room", "why"),
    [
        (media_first([3]), 100, "leads nowhere"),
        (media_first([9_000_000]), 100, "leads nowhere"),
        (media_first([24]), 2**32, "no longer fit"),
        (FTYP + GOOD_MEDIA + index(table(b"stco", [24]), dinf=references(0)), 100, "another file"),
        (FTYP + GOOD_MEDIA + index(table(b"stco", [24]), dinf=references(1, 0)), 100, "another file"),
        (FTYP + GOOD_MEDIA + index(box(b"stco", struct.pack(">III", 0, 9, 24))), 100, "garbled"),
        (FTYP + GOOD_MEDIA + index(struct.pack(">I4s", 900, b"stsz")), 100, "garbled"),
        (FTYP + GOOD_MEDIA + index(dinf=b"", extra=box(b"trak", struct.pack(">I4s", 3, b"mdia"))), 100, "garbled"),
    ],
)
def test_an_index_that_cannot_be_moved_is_left_alone(content: bytes, room: int, why: str) -> None:
    layout = read_layout(io.BytesIO(content))

    with pytest.raises(OddLayout, match=why):
        moved_index(layout, place_after(layout, room))


def test_media_in_this_file_may_be_said_to_be_here() -> None:
    content = FTYP + GOOD_MEDIA + index(table(b"stco", [24]), dinf=references(1))
    layout = read_layout(io.BytesIO(content))

    assert offsets_in(moved_index(layout, place_after(layout, 1))) == [33]


def test_the_zero_that_ends_a_quicktime_list_is_no_box() -> None:
    content = FTYP + GOOD_MEDIA + box(b"moov", GOOD_INDEX[8:] + bytes(4))
    layout = read_layout(io.BytesIO(content))

    assert offsets_in(moved_index(layout, place_after(layout, 1))) == [33]


@given(st.binary(max_size=400), st.integers(8, 100_000))
def test_any_bytes_are_a_layout_or_a_refusal(noise: bytes, room: int) -> None:
    try:
        layout = read_layout(io.BytesIO(FTYP + GOOD_MEDIA + box(b"moov", noise)))
        answer = moved_index(layout, place_after(layout, room))
    except OddLayout:
        answer = b""

    assert len(answer) in (0, 8 + len(noise))


@given(
    st.lists(st.integers(24, 24 + len(MEDIA)), max_size=50),
    st.integers(8, 1_000_000),
    st.permutations([b"free", b"mdat", b"wide"]),
)
def test_an_offset_points_at_the_same_byte_after_the_move(offsets: list[int], room: int, order: list[bytes]) -> None:
    contents = {b"free": bytes(11), b"wide": b"", b"mdat": MEDIA}
    parts = [box(kind, contents[kind]) for kind in order]
    before = dict(zip(order, itertools.accumulate(map(len, parts), initial=16), strict=False))
    wanted = [each - 16 + before[b"mdat"] for each in offsets]
    content = FTYP + b"".join(parts) + index(table(b"stco", wanted))

    layout = read_layout(io.BytesIO(content))
    moved = offsets_in(moved_index(layout, place_after(layout, room)))

    longer = [box(kind, contents[kind], large=kind == b"mdat") for kind in order]
    rebuilt = FTYP + bytes(room) + b"".join(longer) + layout.index
    assert [rebuilt[a : a + 4] for a in moved] == [content[a : a + 4] for a in wanted]


def test_a_real_clip_has_a_layout(plain_clip: Path) -> None:
    with plain_clip.open("rb") as file:
        layout = read_layout(file)

    assert layout.media.size > 1000
    assert layout.first.start == 0
