"""Writing files so that they are there whole or not at all, also after a power cut.

One rule: bytes are flushed before the name appears, and the directory is flushed after. Errors are the operating
system's own; callers say what they mean.
"""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file beside its final name, flush it, and move it into place.

    Raises:
        OSError: the directory cannot be written; nothing is left behind.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_file(path: Path) -> None:
    """Make a file's bytes durable.

    Raises:
        OSError: the file cannot be opened or flushed.
    """
    _sync(path)


def sync_directory(folder: Path) -> None:
    """Make the names in a directory durable.

    Raises:
        OSError: the directory cannot be opened or flushed.
    """
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
