"""Anchors in another directory: a mounted share, a write-once disk, a repository that somebody else pulls.

One rule: a copy is written once, whole, and never replaced.
"""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from platemark_provenance.anchoring.place import AnchorUnavailable, Found, digest_line, file_name, folder_name, size_in
from platemark_provenance.durable import sync_directory
from platemark_provenance.errors import LedgerCorrupt
from platemark_provenance.ledger.anchors import AnchorKind
from platemark_provenance.ledger.checkpoint import read_checkpoint
from platemark_provenance.ledger.note import LARGEST_NOTE_BYTES


@dataclass(frozen=True, slots=True)
class DirectoryPlace:
    """A directory that keeps copies.

    Args:
        path: the directory; it must be there, so that a share that is not mounted is noticed.
    """

    path: Path
    kind: AnchorKind = "directory"

    @property
    def target(self) -> str:
        """Give its path."""
        return str(self.path)

    def keep(self, note: bytes, *, origin: str, size: int) -> bytes:
        """Write a copy; see `Place.keep`."""
        folder = self.path / folder_name(origin)
        final = folder / file_name(size)
        try:
            if not self.path.is_dir():
                raise AnchorUnavailable(
                    f"There is no directory {self.path}.", fix="Mount it, or make it: it is never made here."
                )
            folder.mkdir(exist_ok=True)
            if not final.exists():
                _write_once(final, note)
                sync_directory(self.path)
            return digest_line(self._same(final, note))
        except OSError as error:
            raise AnchorUnavailable(
                f"The copy cannot be written to {folder}: {error.strerror or error}.",
                fix="Give write permission on the directory, or free some space.",
            ) from error

    def newest(self, *, origin: str) -> Found | None:
        """Read the copy of the largest tree; see `Place.newest`."""
        folder = self.path / folder_name(origin)
        try:
            if not self.path.is_dir():
                raise AnchorUnavailable(f"There is no directory {self.path}.", fix="Mount it.")
            if not folder.exists():
                return None
            names = [path for path in folder.iterdir() if size_in(path.name) is not None]
            if not names:
                return None
            newest = max(names, key=lambda path: path.name)
            return Found(str(newest), _read(newest))
        except OSError as error:
            raise AnchorUnavailable(f"The copies in {folder} cannot be read: {error.strerror or error}.") from error

    def _same(self, final: Path, note: bytes) -> bytes:
        """Give what lies there where it is the same tree head; its cosignatures may differ."""
        found = _read(final)
        if found != note and read_checkpoint(found) != read_checkpoint(note):
            raise LedgerCorrupt(
                f"{final} is another tree head of the same size: the log is not the one that was anchored there.",
                fix="Run `platemark audit verify`.",
            )
        return found


def _write_once(final: Path, note: bytes) -> None:
    """Write a file whole beside its name and link it there; a name that is taken meanwhile stays as it is."""
    part = final.with_name(f".{final.name}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        try:
            final.hardlink_to(part)
        except FileExistsError:
            pass  # somebody else was quicker; the caller compares
        except OSError:
            part.rename(final)  # a file system without links
    finally:
        part.unlink(missing_ok=True)
    sync_directory(final.parent)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_NOTE_BYTES + 1)
