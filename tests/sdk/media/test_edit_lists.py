"""Edit lists are read out of real files, and no file, however wrong, is more than an answer."""

from functools import reduce
from pathlib import Path

import pytest
from ffmpeg_clips import H264, PICTURE, ffmpeg
from hypothesis import given
from hypothesis import strategies as st

from platemark.media.edit_lists import Edit, is_simple, read_edit_lists

NORMAL = 0x10000


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def movie(listed: bytes) -> bytes:
    return box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", b"0" * 8) + box(b"trak", box(b"edts", listed)))


def entry_32(duration: int, start: int, rate: int = NORMAL) -> bytes:
    return duration.to_bytes(4, "big") + start.to_bytes(4, "big", signed=True) + rate.to_bytes(4, "big")


def entry_64(duration: int, start: int, rate: int = NORMAL) -> bytes:
    return duration.to_bytes(8, "big") + start.to_bytes(8, "big", signed=True) + rate.to_bytes(4, "big")


def edit_list(*entries: bytes, version: int = 0, said: int | None = None) -> bytes:
    count = len(entries) if said is None else said
    return box(b"elst", bytes([version, 0, 0, 0]) + count.to_bytes(4, "big") + b"".join(entries))


def lists_in(tmp_path: Path, content: bytes) -> tuple[tuple[Edit, ...], ...]:
    (tmp_path / "file.mp4").write_bytes(content)
    return read_edit_lists(tmp_path / "file.mp4")


def test_a_file_of_ffmpeg_has_a_simple_list_for_each_track(tmp_path: Path) -> None:
    ffmpeg(*PICTURE, "-c:v", "libx264", "-bf", "2", tmp_path / "clip.mp4")

    (edits,) = read_edit_lists(tmp_path / "clip.mp4")

    assert len(edits) == 1
    assert edits[0].start > 0
    assert is_simple(edits)


def test_other_containers_have_none(tmp_path: Path) -> None:
    ffmpeg(*PICTURE, *H264, tmp_path / "clip.avi")

    assert read_edit_lists(tmp_path / "clip.avi") == ()


@pytest.mark.parametrize("kind", [b"moov", b"trak", b"edts"])
def test_boxes_nested_without_end_are_not_followed(kind: bytes, tmp_path: Path) -> None:
    nested = reduce(lambda inner, _: box(kind, inner), range(3_000), b"")

    assert lists_in(tmp_path, nested) == ()
    assert lists_in(tmp_path, nested + movie(edit_list(entry_32(500, 3)))) == ((Edit(500, 3, NORMAL),),)


@pytest.mark.parametrize("outer", [b"edts", b"trak", b"free"])
def test_a_list_in_the_wrong_place_counts_for_nothing(outer: bytes, tmp_path: Path) -> None:
    assert lists_in(tmp_path, box(outer, box(b"edts", edit_list(entry_32(1, 0))))) == ()


def test_a_file_of_many_small_boxes_is_walked_only_so_far(tmp_path: Path) -> None:
    assert lists_in(tmp_path, box(b"free", b"") * 10_000 + movie(edit_list(entry_32(1, 0)))) == ()


def test_lists_of_32_and_of_64_bits_are_read(tmp_path: Path) -> None:
    short = lists_in(tmp_path, movie(edit_list(entry_32(500, 3))))
    long = lists_in(tmp_path, movie(edit_list(entry_64(2**40, -1), entry_64(500, 2**40), version=1)))

    assert short == ((Edit(500, 3, NORMAL),),)
    assert long == ((Edit(2**40, -1, NORMAL), Edit(500, 2**40, NORMAL)),)


@pytest.mark.parametrize(
    ("edits", "simple"),
    [
        ((), True),
        ((Edit(5, 0, NORMAL),), True),
        ((Edit(5, -1, NORMAL), Edit(5, 512, NORMAL)), True),
        ((Edit(5, 0, NORMAL), Edit(5, 900, NORMAL)), False),
        ((Edit(5, 0, NORMAL // 2),), False),
        ((Edit(5, 0, 0),), False),
    ],
)
def test_a_list_is_simple_if_it_shows_one_stretch_at_its_own_speed(edits: tuple[Edit, ...], simple: bool) -> None:
    assert is_simple(edits) is simple


@pytest.mark.parametrize(
    "content",
    [
        movie(edit_list(entry_32(1, 0), version=7)),
        movie(box(b"elst", b"")),
        movie(edit_list(said=2**32 - 1)),
        box(b"moov", b"")[:4] + b"moov",
        (2**31).to_bytes(4, "big") + b"moov",
        (3).to_bytes(4, "big") + b"moov",
        b"",
    ],
    ids=["version", "empty", "count", "cut", "beyond", "small", "nothing"],
)
def test_a_list_that_does_not_add_up_says_nothing(tmp_path: Path, content: bytes) -> None:
    assert [edits for edits in lists_in(tmp_path, content) if edits] == []


def test_a_list_of_millions_is_cut_and_not_simple(tmp_path: Path) -> None:
    (edits,) = lists_in(tmp_path, movie(edit_list(*[entry_32(1, 0)] * 1500)))

    assert len(edits) == 1000
    assert not is_simple(edits)


def test_a_box_of_64_bit_size_and_one_to_the_end_are_followed(tmp_path: Path) -> None:
    inner = box(b"trak", box(b"edts", edit_list(entry_32(9, 4))))
    large = (1).to_bytes(4, "big") + b"moov" + (16 + len(inner)).to_bytes(8, "big") + inner
    to_the_end = (0).to_bytes(4, "big") + b"moov" + inner

    assert lists_in(tmp_path, large) == lists_in(tmp_path, to_the_end) == ((Edit(9, 4, NORMAL),),)


@given(content=st.binary(max_size=300))
def test_no_bytes_are_more_than_an_answer(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")

    lists_in(folder, content)
    lists_in(folder, movie(content))
