"""Write a file that has its name only once it is whole and checked.

One rule: until the last step the file has no name at all, so that a process that is killed leaves nothing behind; and
the last step never replaces a file that is there.
"""

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from platemark_provenance.durable import sync_directory

PIECE_BYTES = 65_536
"""The library reads and writes 8 kB at a time; gathering them saves a tenth of the time to sign 500 MB (measured)."""

_UNNAMED_REFUSED = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
"""What file systems without unnamed files answer; EISDIR and ENOENT come from kernels that do not know the flag."""
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.ENOENT, errno.EXDEV)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file being written. `path` leads to its content for as long as the file is open."""

    file: IO[bytes]
    path: Path
    part: Path | None

    def flush(self) -> None:
        """Make the content written so far durable.

        Raises:
            OSError: it cannot be.
        """
        self.file.flush()
        os.fsync(self.file.fileno())

    @contextlib.contextmanager
    def flushing_early(self) -> Iterator[Callable[[], None]]:
        """Give a function that sends what was written so far to the disk while the block goes on.

        Raises:
            OSError: at the end of the block, where that failed. The system tells of such an error only once, so the
                last `flush` would not hear of it.
        """
        begun: list[Future[None]] = []
        with ThreadPoolExecutor(max_workers=1) as beside:
            yield lambda: begun.append(beside.submit(os.fsync, self.file.fileno()))
        for each in begun:
            each.result()

    def empty(self) -> None:
        """Begin again with an empty file.

        Raises:
            OSError: it cannot be.
        """
        self.file.flush()
        self.file.seek(0)
        self.file.truncate()

    def publish(self, destination: Path) -> None:
        """Give the file its name, which nothing may have, and make the name durable, or take it away again.

        Raises:
            OSError: the name is taken by now (`FileExistsError`), or the directory cannot be written.
        """
        try:
            self._link(destination)
        except FileExistsError:
            raise
        except OSError as error:
            if self.part is None or error.errno not in _NO_LINKS:
                raise
            # A file system without hard links (FAT, some network shares): check, then rename.
            if destination.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(destination)) from error
            self.part.replace(destination)
        try:
            sync_directory(destination.parent)
        except OSError:
            destination.unlink(missing_ok=True)
            raise

    def _link(self, destination: Path) -> None:
        """Link the content itself, not the entry under /proc: Python asks for that only with a directory at hand."""
        folder = os.open(destination.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.link(self.path, destination.name, dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)


@contextlib.contextmanager
def new_file(folder: Path) -> Iterator[NewFile]:
    """Open a file without a name in a folder; where it is not published, nothing is left of it.

    Where the file system knows no unnamed files, a hidden one stands in; only a kill leaves that behind.

    Raises:
        OSError: the folder is missing, read-only or full.
    """
    unnamed = _open_unnamed(folder)
    if unnamed is not None:
        with unnamed as file:
            yield NewFile(file, Path(f"/proc/self/fd/{file.fileno()}"), None)
        return
    part = folder / f".{secrets.token_hex(8)}.part"
    try:
        with part.open("x+b", buffering=PIECE_BYTES) as file:
            yield NewFile(file, part, part)
    finally:
        part.unlink(missing_ok=True)


def _open_unnamed(folder: Path) -> IO[bytes] | None:
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.fdopen(os.open(folder, flag | os.O_RDWR, 0o666), "w+b", buffering=PIECE_BYTES)
    except OSError as error:
        if error.errno in _UNNAMED_REFUSED and folder.is_dir():
            return None
        raise
