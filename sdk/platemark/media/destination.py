"""Files that media code writes: whole and flushed to disk, or gone.

One rule: whatever ends the writing early, an error in the frame source included, leaves no half-made file.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from platemark.errors import OutputError, RequestError


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[None]:
    """Create or empty `path`, let the block fill it, then flush it to disk; remove it if the block fails.

    Args:
        path: a regular file or nothing yet; what was in it is lost.

    Raises:
        OutputError: the file cannot be created or flushed, or is not a regular file.
    """
    _claim(path)
    finished = False
    try:
        yield
        _flush(path)
        finished = True
    finally:
        if not finished:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def output_error(code: int | None, path: Path) -> OutputError:
    """Say in plain words why writing failed.

    Args:
        code: the operating system's error number; none when it gave none.
        path: the file that was being written.
    """
    folder = path.parent
    if code in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(f"There is no room left in {folder}.", fix="Free some space, or choose another directory.")
    if code == errno.EFBIG:
        return OutputError(f"{path} grew past the size allowed here.", fix="Raise the limit, or make a shorter clip.")
    if code in (errno.ENOENT, errno.ENOTDIR):
        return OutputError(f"The directory {folder} does not exist.", fix="Make it first.")
    if code == errno.EISDIR:
        return OutputError(f"{path} is a directory.", fix="Name a file.")
    reason = os.strerror(code) if code is not None and 0 < code < 4096 else "the encoder gave up"
    return OutputError(f"{path} cannot be written ({reason}).", fix="Choose another directory.")


def refuse_same_file(source: Path, destination: Path) -> None:
    """Refuse to write over the file that is being read.

    Raises:
        RequestError: both names lead to one file.
    """
    if destination.exists() and source.exists() and destination.samefile(source):
        raise RequestError(f"The output is the input itself: {source}.", fix="Name another output file.")


def _claim(path: Path) -> None:
    try:
        # Non-blocking, so that a named pipe without a reader is an error and not a wait.
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise output_error(error.errno, path) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OutputError(f"{path} is not a regular file.", fix="Name a new file.")
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _flush(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise output_error(error.errno, path) from error
