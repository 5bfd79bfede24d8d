"""A file that is there whole, or not at all, and that only its owner can read.

One rule: what is taken out of the log is for whoever asked for it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from platemark.errors import OutputError
from platemark_provenance.durable import sync_directory


@contextmanager
def private_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing; it takes its name, in place of an older one, when the block ends well.

    Raises:
        OutputError: it cannot be written there; nothing is left behind.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}).", fix="Name a file in a folder that exists."
        ) from error
    finally:
        part.unlink(missing_ok=True)
