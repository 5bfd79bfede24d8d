"""The watermark keys of a home through time: which epoch marks are made in, and all in which they may still be found.

One rule: a new epoch is written into the ledger before it counts, and no epoch is ever given up: marks that are out
there must be found. The file of the epoch is no secret; the master secret that all follow from is never touched.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from platemark.errors import KeyUnavailable
from platemark.homes.home import Home
from platemark_provenance.digest import JsonValue
from platemark_provenance.durable import write_whole
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.watermark.detect import Epoch
from platemark_provenance.watermark.issued_file import IssuedSource, open_issued
from platemark_provenance.watermark.keys import WatermarkKeys
from platemark_provenance.watermark.payload import WatermarkId

if TYPE_CHECKING:
    from platemark_provenance.ledger.store import Ledger

MOST_EPOCHS: Final = 64
"""Every epoch is looked for in every file; one a year is plenty."""


@dataclass(frozen=True, slots=True)
class MarkRotation:
    """A new epoch: the number before, the number now."""

    before: int
    now: int

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object of `keys rotate --watermark --json`."""
        return {"watermark": {"before": self.before, "now": self.now}}


def keys_of_all_epochs(home: Home) -> tuple[WatermarkKeys, ...]:
    """Derive the keys of every epoch, the newest first.

    Raises:
        KeyUnavailable: the master secret or the epoch's file cannot be read.
    """
    return tuple(home.watermark_keys(epoch) for epoch in range(home.watermark_epoch(), 0, -1))


def open_epochs(home: Home, ledger: "Ledger") -> tuple[Epoch, ...]:
    """Give what marks of every epoch are looked for with, the newest first; each has an index in a file of its own.

    Every id is tried under every epoch: the ledger does not say which was issued in which.

    Raises:
        KeyUnavailable: as `keys_of_all_epochs`.
        LedgerError: the issued ids cannot be read.
    """
    registry = ledger.registry
    source = IssuedSource(registry.issued_stamp(), lambda: [WatermarkId(mark) for mark in registry.issued_marks()])
    return tuple(Epoch(keys, open_issued(_index(home, keys), keys, source)) for keys in keys_of_all_epochs(home))


def rotate_watermark(home: Home, *, actor: str | None = None) -> MarkRotation:
    """Start a new epoch: marks from now on lie on other waves. Earlier marks are still found.

    Raises:
        KeyUnavailable: there are too many epochs, or the epoch cannot be read or written.
        LedgerError: the change cannot be written down, so it was not made.
    """
    before = home.watermark_epoch()
    if before >= MOST_EPOCHS:
        raise KeyUnavailable(
            f"A home has at most {MOST_EPOCHS} watermark epochs, and this one has them all.",
            fix="Make a new home; keep this one to find its marks with.",
        )
    facts: dict[str, JsonValue] = {"key": "watermark", "how": "rotate-watermark", "before": before, "now": before + 1}
    with home.open_ledger() as ledger:
        ledger.append(NewEvent(EventType.KEY_ROTATED, actor=actor, facts=facts))
    try:
        write_whole(home.watermark_epoch_path, f"{before + 1}\n".encode())
    except OSError as error:
        raise KeyUnavailable(
            f"The watermark epoch could not be written: {error.strerror}. Marks are made as before.",
            fix=f"Make room in {home.keys} and try again.",
        ) from error
    return MarkRotation(before, before + 1)


def _index(home: Home, keys: WatermarkKeys) -> Path:
    return home.keys / f"watermark-{keys.epoch}.index"
