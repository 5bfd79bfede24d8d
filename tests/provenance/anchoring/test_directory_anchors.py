"""Anchors in a directory: written once, whole, and read back."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_log import ORIGIN, SmallLog

from platemark_provenance.anchoring.directory import DirectoryPlace
from platemark_provenance.anchoring.place import AnchorUnavailable, file_name, folder_name, size_in
from platemark_provenance.errors import LedgerCorrupt, VerificationError
from platemark_provenance.ledger.note import LARGEST_NOTE_BYTES, SignatureLine, with_lines

NOTE = SmallLog().note(5)


@pytest.fixture
def place(tmp_path: Path) -> DirectoryPlace:
    """An empty directory."""
    return DirectoryPlace(tmp_path)


def copies(place: DirectoryPlace) -> list[str]:
    return sorted(str(path.relative_to(place.path)) for path in place.path.rglob("*") if path.is_file())


def test_a_copy_lies_in_the_log_s_own_folder_under_its_size(place: DirectoryPlace) -> None:
    place.keep(NOTE, origin=ORIGIN, size=5)

    assert copies(place) == [f"{folder_name(ORIGIN)}/0000000000000000005.checkpoint"]
    assert (place.path / copies(place)[0]).read_bytes() == NOTE


def test_a_copy_is_not_writable(place: DirectoryPlace) -> None:
    place.keep(NOTE, origin=ORIGIN, size=5)

    assert (place.path / copies(place)[0]).stat().st_mode & 0o777 == 0o444


def test_the_newest_copy_is_the_one_of_the_largest_tree(place: DirectoryPlace) -> None:
    for size in (9, 12, 10):
        place.keep(SmallLog().note(size), origin=ORIGIN, size=size)

    found = place.newest(origin=ORIGIN)

    assert found is not None
    assert found.note == SmallLog().note(12)


def test_an_empty_directory_has_no_copy(place: DirectoryPlace) -> None:
    assert place.newest(origin=ORIGIN) is None


def test_a_folder_without_copies_has_none(place: DirectoryPlace) -> None:
    (place.path / folder_name(ORIGIN)).mkdir()
    (place.path / folder_name(ORIGIN) / "readme.txt").write_text("hello")

    assert place.newest(origin=ORIGIN) is None


def test_the_same_head_again_changes_nothing(place: DirectoryPlace) -> None:
    first = place.keep(NOTE, origin=ORIGIN, size=5)
    more = with_lines(NOTE, [SignatureLine("witness.example", b"wwww", b"s" * 72)])

    assert place.keep(more, origin=ORIGIN, size=5) == first
    assert (place.path / copies(place)[0]).read_bytes() == NOTE


@pytest.mark.parametrize("other", [SmallLog(word="other").note(5), SmallLog().note(6)])
def test_another_head_under_the_same_name_is_refused(place: DirectoryPlace, other: bytes) -> None:
    place.keep(NOTE, origin=ORIGIN, size=5)

    with pytest.raises(LedgerCorrupt, match="another tree head"):
        place.keep(other, origin=ORIGIN, size=5)

    assert (place.path / copies(place)[0]).read_bytes() == NOTE


def test_a_copy_that_was_garbled_is_not_taken_for_ours(place: DirectoryPlace) -> None:
    place.keep(NOTE, origin=ORIGIN, size=5)
    path = place.path / copies(place)[0]
    path.chmod(0o644)
    path.write_bytes(NOTE[:20])

    with pytest.raises(VerificationError):
        place.keep(NOTE, origin=ORIGIN, size=5)


def test_a_share_that_is_not_mounted_is_noticed(tmp_path: Path) -> None:
    away = DirectoryPlace(tmp_path / "mnt")

    with pytest.raises(AnchorUnavailable, match="no directory"):
        away.keep(NOTE, origin=ORIGIN, size=5)
    with pytest.raises(AnchorUnavailable, match="no directory"):
        away.newest(origin=ORIGIN)
    assert not (tmp_path / "mnt").exists()


@pytest.mark.parametrize("call", ["fsync", "chmod", "link"])
def test_a_copy_that_could_not_be_finished_leaves_nothing(
    place: DirectoryPlace, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, call, full)
        broken.setattr(Path, "rename", full)
        with pytest.raises(AnchorUnavailable, match="No space"):
            place.keep(NOTE, origin=ORIGIN, size=5)

    assert copies(place) == []
    place.keep(NOTE, origin=ORIGIN, size=5)


def test_a_file_system_without_links_keeps_copies_too(place: DirectoryPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)

    place.keep(NOTE, origin=ORIGIN, size=5)

    assert copies(place) == [f"{folder_name(ORIGIN)}/0000000000000000005.checkpoint"]


def test_of_two_heads_left_at_once_one_is_kept(place: DirectoryPlace) -> None:
    start, wrong = threading.Barrier(8), []

    def leave(note: bytes) -> None:
        start.wait()
        try:
            place.keep(note, origin=ORIGIN, size=5)
        except LedgerCorrupt:
            wrong.append(note)

    notes = [NOTE, SmallLog(word="other").note(5)] * 4
    threads = [threading.Thread(target=leave, args=(note,)) for note in notes]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert len(wrong) == 4
    assert len(set(wrong)) == 1


def test_two_logs_at_one_place_do_not_meet(place: DirectoryPlace) -> None:
    place.keep(NOTE, origin=ORIGIN, size=5)

    assert place.newest(origin="other.example/log") is None


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_names_of_copies_sort_as_their_sizes(first: int, second: int) -> None:
    assert (file_name(first) < file_name(second)) == (first < second)
    assert size_in(file_name(first)) == first


@pytest.mark.parametrize(
    "name", ["", "5.checkpoint", "x" * 19 + ".checkpoint", file_name(5) + ".part", "." + file_name(5)]
)
def test_another_file_s_name_is_no_copy(name: str) -> None:
    assert size_in(name) is None


@given(st.text(min_size=1, max_size=60))
def test_a_log_s_folder_is_one_plain_name_whatever_the_log_is_called(origin: str) -> None:
    name = folder_name(origin)

    assert "/" not in name
    assert not name.startswith(".")
    assert name.isascii()
    assert len(name) <= 89


def test_logs_whose_names_look_alike_have_folders_of_their_own() -> None:
    assert folder_name("a/b") != folder_name("a_b")


@pytest.mark.parametrize(
    "leave",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\n" * 5_000_000),
        lambda path: path.write_bytes(b"\xff\x00"),
    ],
    ids=["empty", "huge", "noise"],
)
def test_whatever_lies_there_under_a_copy_s_name_is_read_in_bounds_and_never_written_over(
    place: DirectoryPlace, leave: Callable[[Path], object]
) -> None:
    place.keep(SmallLog().note(5), origin=ORIGIN, size=5)
    strange = place.path / folder_name(ORIGIN) / file_name(9)
    leave(strange)
    before = strange.stat().st_size

    found = place.newest(origin=ORIGIN)

    assert found is not None
    assert len(found.note) <= LARGEST_NOTE_BYTES + 1
    with pytest.raises(VerificationError):
        place.keep(SmallLog().note(9), origin=ORIGIN, size=9)
    assert strange.stat().st_size == before


def test_a_folder_under_a_copy_s_name_is_told_as_a_place_that_cannot_be_read(place: DirectoryPlace) -> None:
    place.keep(SmallLog().note(5), origin=ORIGIN, size=5)
    (place.path / folder_name(ORIGIN) / file_name(9)).mkdir()

    with pytest.raises(AnchorUnavailable, match="cannot be read"):
        place.newest(origin=ORIGIN)


def test_a_file_where_the_log_s_folder_belongs_is_told_plainly(place: DirectoryPlace) -> None:
    (place.path / folder_name(ORIGIN)).write_bytes(b"")

    with pytest.raises(AnchorUnavailable, match="cannot be written"):
        place.keep(SmallLog().note(5), origin=ORIGIN, size=5)
