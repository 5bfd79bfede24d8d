"""A file has its name only once it is whole, and never takes the name of another."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from platemark_provenance.new_file import new_file

MODES = ["unnamed", "hidden"]


@pytest.fixture
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Either of the two ways; `hidden` is a file system that knows no unnamed files."""
    if request.param == "hidden":
        monkeypatch.delattr(os, "O_TMPFILE")
    return str(request.param)


both_ways = pytest.mark.parametrize("mode", MODES, indirect=True)


@both_ways
def test_a_published_file_has_its_content_and_nothing_else_is_left(mode: str, tmp_path: Path) -> None:
    with new_file(tmp_path) as new:
        new.file.write(b"content")
        new.flush()
        new.publish(tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"content"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


@both_ways
def test_a_file_that_is_not_published_is_gone(mode: str, tmp_path: Path) -> None:
    with new_file(tmp_path) as new:
        new.file.write(b"content")

    assert list(tmp_path.iterdir()) == []


@both_ways
def test_a_file_whose_making_failed_is_gone(mode: str, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_file(tmp_path) as new:
        new.file.write(b"content")
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []


@both_ways
def test_the_content_can_be_read_by_path_before_it_has_a_name(mode: str, tmp_path: Path) -> None:
    with new_file(tmp_path) as new:
        new.file.write(b"content")
        new.flush()

        assert new.path.read_bytes() == b"content"
        assert new.path.stat().st_size == 7


@both_ways
def test_a_name_that_is_taken_meanwhile_is_not_replaced(mode: str, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), new_file(tmp_path) as new:
        (tmp_path / "out").write_bytes(b"precious")
        new.publish(tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"precious"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_an_unnamed_file_cannot_be_found_while_it_is_written(tmp_path: Path) -> None:
    with new_file(tmp_path) as new:
        new.file.write(b"content")
        new.flush()

        assert list(tmp_path.iterdir()) == []


@both_ways
def test_a_missing_folder_is_said(mode: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), new_file(tmp_path / "no"):
        pass


@both_ways
def test_a_file_is_as_readable_as_any_other(mode: str, tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        with new_file(tmp_path) as new:
            new.publish(tmp_path / "out")
    finally:
        os.umask(old)

    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o644


@pytest.fixture
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without hard links, such as FAT."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.delattr(os, "O_TMPFILE")
    monkeypatch.setattr("os.link", refuse)


@pytest.mark.usefixtures("no_links")
def test_without_hard_links_the_file_is_moved(tmp_path: Path) -> None:
    with new_file(tmp_path) as new:
        new.file.write(b"content")
        new.flush()
        new.publish(tmp_path / "out")

    assert [each.name for each in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_bytes() == b"content"


@pytest.mark.usefixtures("no_links")
def test_without_hard_links_a_name_that_is_taken_is_not_replaced_either(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), new_file(tmp_path) as new:
        (tmp_path / "out").write_bytes(b"precious")
        new.publish(tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"precious"


@pytest.mark.parametrize("answer", [errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL])
def test_a_file_system_that_refuses_unnamed_files_gets_a_hidden_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    real = os.open

    def refuse(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(answer, os.strerror(answer))
        return real(path, flags, *more, **named)

    monkeypatch.setattr("os.open", refuse)

    with new_file(tmp_path) as new:
        assert [each.suffix for each in tmp_path.iterdir()] == [".part"]
        new.publish(tmp_path / "out")

    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_not_mistaken_for_an_old_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.open", refuse)

    with pytest.raises(OSError, match="No space left"), new_file(tmp_path):
        pass
