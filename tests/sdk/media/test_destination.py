"""Files are whole or gone, and a failure to write says what to do about it."""

import errno
import os
from pathlib import Path

import pytest

from platemark.errors import OutputError, RequestError
from platemark.media.destination import output_error, refuse_same_file, whole_file


def test_a_finished_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"

    with whole_file(path):
        path.write_bytes(b"whole")

    assert path.read_bytes() == b"whole"


def test_what_was_there_is_emptied_first(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"older and longer")

    with whole_file(path):
        before = path.read_bytes()

    assert before == b""


@pytest.mark.parametrize("error", [ValueError("the model failed"), KeyboardInterrupt(), SystemExit(3)])
def test_a_block_that_fails_leaves_no_file_and_its_own_error(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "clip.mp4"

    with pytest.raises(type(error)) as caught, whole_file(path):
        path.write_bytes(b"half")
        raise error

    assert caught.value is error
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_vanished_before_it_was_flushed_is_an_output_error(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"

    with pytest.raises(OutputError), whole_file(path):
        path.unlink()


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "clip.mp4"

    with pytest.raises(OutputError, match="nowhere does not exist") as caught, whole_file(path):
        pytest.fail("the block must not run")

    assert caught.value.fix == "Make it first."


def test_a_directory_is_not_a_destination(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a directory"), whole_file(tmp_path):
        pytest.fail("the block must not run")

    assert tmp_path.is_dir()


def test_a_named_pipe_is_refused_without_waiting_and_left_there(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)

    with pytest.raises(OutputError), whole_file(pipe):
        pytest.fail("the block must not run")

    assert pipe.is_fifo()


def test_a_device_is_refused_and_left_there(tmp_path: Path) -> None:
    device = tmp_path / "null.mp4"
    device.symlink_to("/dev/null")

    with pytest.raises(OutputError, match="not a regular file"), whole_file(device):
        pytest.fail("the block must not run")

    assert device.is_symlink()
    assert Path("/dev/null").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_directory_without_permission_is_an_output_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(OutputError, match="Permission denied"), whole_file(tmp_path / "clip.mp4"):
        pytest.fail("the block must not run")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOSPC, "no room left in"),
        (errno.EDQUOT, "no room left in"),
        (errno.EFBIG, "past the size allowed"),
        (errno.EROFS, "Read-only file system"),
        (errno.EACCES, "Permission denied"),
        (errno.EPERM, "Operation not permitted"),
        (errno.EIO, "Input/output error"),
        (errno.ENOTDIR, "does not exist"),
        (None, "the encoder gave up"),
        (1094995529, "the encoder gave up"),
    ],
)
def test_every_reason_is_told_in_words_with_something_to_do(code: int | None, said: str) -> None:
    error = output_error(code, Path("/news/clip.mp4"))

    assert said in error.message
    assert error.fix


def test_two_names_of_one_file_are_the_same_file(tmp_path: Path) -> None:
    path, other = tmp_path / "clip.mp4", tmp_path / "link.mp4"
    path.write_bytes(b"clip")
    os.link(path, other)

    with pytest.raises(RequestError, match="input itself"):
        refuse_same_file(path, other)


def test_a_copy_is_another_file(tmp_path: Path) -> None:
    path, other = tmp_path / "clip.mp4", tmp_path / "copy.mp4"
    path.write_bytes(b"clip")
    other.write_bytes(b"clip")

    refuse_same_file(path, other)
