"""What every place for anchors has in common: names, errors, and how a copy is told from a wrong one.

One rule: pure functions and definitions; nothing here reads or writes.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from platemark_provenance.errors import LedgerUnavailable
from platemark_provenance.ledger.anchors import AnchorKind

SUFFIX = ".checkpoint"
_NAME = re.compile(r"(\d{19})\.checkpoint", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")


class AnchorUnavailable(LedgerUnavailable):
    """A place could not be reached, or does not keep what it is given; nothing was anchored there."""


@dataclass(frozen=True, slots=True)
class Found:
    """The newest copy at a place.

    Args:
        name: where it lies, for people.
        note: its content; believe nothing before the signature is checked.
    """

    name: str
    note: bytes


class Place(Protocol):
    """Somewhere that keeps signed tree heads."""

    @property
    def kind(self) -> AnchorKind:
        """Give what kind of place it is."""
        ...

    @property
    def target(self) -> str:
        """Give its name, as it was given."""
        ...

    def keep(self, note: bytes, *, origin: str, size: int) -> bytes:
        """Leave a copy, and give what shows that it is there.

        Raises:
            AnchorUnavailable: it cannot be left, or would not be kept.
            LedgerCorrupt: another copy lies in its place.
        """
        ...

    def newest(self, *, origin: str) -> Found | None:
        """Give the copy of the largest tree; None where there is none, or the place remembers nothing.

        Raises:
            AnchorUnavailable: it cannot be read.
        """
        ...


@runtime_checkable
class Stamped(Place, Protocol):
    """A place that keeps nothing itself: what it gave back is the proof."""

    def check(self, evidence: bytes, note: bytes) -> datetime:
        """Check what it gave back for a tree head, and give the time that it tells.

        Raises:
            AnchorUnavailable: it cannot be checked here.
            VerificationError: it is not good.
        """
        ...


def folder_name(origin: str) -> str:
    """Give the name of a log's own folder at a place; readable, and no two logs alike."""
    readable = _UNSAFE.sub("_", origin).strip("._")[:80] or "log"
    return f"{readable}-{hashlib.sha256(origin.encode()).hexdigest()[:8]}"


def file_name(size: int) -> str:
    """Give the name of a copy; names sort as sizes do."""
    return f"{size:019d}{SUFFIX}"


def size_in(name: str) -> int | None:
    """Give the size that a copy's name tells; None for another file's name."""
    match = _NAME.fullmatch(name)
    return None if match is None else int(match[1])


def digest_line(note: bytes) -> bytes:
    """Give the evidence of a plain copy: its SHA-256."""
    return f"sha256:{hashlib.sha256(note).hexdigest()}".encode()


@dataclass(frozen=True, slots=True)
class AbsentPlace:
    """A place that cannot be opened here, for want of a package or a setting.

    Args:
        kind: what kind of place it would be.
        target: its name, as it was given.
        why: what is missing.
    """

    kind: AnchorKind
    target: str
    why: AnchorUnavailable

    def keep(self, note: bytes, *, origin: str, size: int) -> bytes:
        """Say what is missing; see `Place.keep`."""
        raise self.why

    def newest(self, *, origin: str) -> Found | None:
        """Say what is missing; see `Place.newest`."""
        raise self.why
