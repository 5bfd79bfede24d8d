"""The highest signed tree head, kept in a small file outside the database.

One rule: whoever restores an old database, or cuts events off its end, is found out by this file, so it is
written before a checkpoint leaves the ledger and never to a smaller size.
"""

import os
import tempfile
from pathlib import Path

from platemark_provenance.errors import LedgerCorrupt, LedgerUnavailable, VerificationError
from platemark_provenance.ledger.checkpoint import LARGEST_NOTE_BYTES, Checkpoint, Verifiers, open_checkpoint


def read_signed_head(path: Path, verifiers: Verifiers, *, origin: str) -> Checkpoint | None:
    """Read the file; None where there is none yet.

    Raises:
        LedgerUnavailable: it cannot be read.
        LedgerCorrupt: it is not a checkpoint of this log, signed by a key of its.
    """
    try:
        with path.open("rb") as stream:
            note = stream.read(LARGEST_NOTE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerUnavailable(
            f"The ledger's signed head at {path} cannot be read: {error.strerror or error}.",
            fix="Give read permission on the file.",
        ) from error
    try:
        return open_checkpoint(note, verifiers, origin=origin)
    except VerificationError as error:
        raise LedgerCorrupt(
            f"The ledger's signed head at {path} is not one that this ledger signed. {error.message}",
            fix="Restore the file; find out who changed it before removing it.",
        ) from error


def write_signed_head(path: Path, note: bytes) -> None:
    """Replace the file as a whole, readable by its owner only, and wait until it is on the disk.

    Raises:
        LedgerUnavailable: it cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(note)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise LedgerUnavailable(
            f"The ledger's signed head cannot be written to {path}: {error.strerror or error}.",
            fix="Give write permission on the directory, or free some space.",
        ) from error
