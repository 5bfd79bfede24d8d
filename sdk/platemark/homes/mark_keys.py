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
from platemark_provenance.ledger.query import Filter
from platemark_provenance.watermark.detect import Epoch
from platemark_provenance.watermark.issued_file import IssuedSource, open_issued
from platemark_provenance.watermark.keys import WatermarkKeys
from platemark_provenance.watermark.payload import WatermarkId

if TYPE_CHECKING:
    from platemark_provenance.ledger.store import Ledger

MOST_EPOCHS: Final = 64
"""Every epoch is looked for in every file; one a year is plenty."""

MOST_ROTATIONS: Final = 1_000
"""The newest so many changes of keys are asked for the epochs that were started."""


@dataclass(frozen=True, slots=True)
class MarkRotation:
    """A new epoch: the number before, the number now."""

    before: int
    now: int

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object of `keys rotate --watermark --json`."""
        return {"watermark": {"before": self.before, "now": self.now}}


def newest_epoch(home: Home, ledger: "Ledger") -> int:
    """Give the newest epoch that the home's file or its ledger knows of: a file that was lost hides no mark.

    Raises:
        KeyUnavailable: the epoch's file is garbled.
        LedgerError: the rotations cannot be read.
    """
    rotations = ledger.page(Filter(type=EventType.KEY_ROTATED.value), limit=MOST_ROTATIONS).events
    logged = (event.facts.get("now") for event in rotations if event.facts.get("key") == "watermark")
    started = (now for now in logged if isinstance(now, int) and now <= MOST_EPOCHS)
    return max((home.watermark_epoch(), *started))


def keys_of_all_epochs(home: Home, *, newest: int | None = None) -> tuple[WatermarkKeys, ...]:
    """Derive the keys of every epoch, the newest first.

    Args:
        home: with the master secret.
        newest: where to begin; the epoch in the home's file where it is left out.

    Raises:
        KeyUnavailable: the master secret or the epoch's file cannot be read.
    """
    return tuple(home.watermark_keys(epoch) for epoch in range(newest or home.watermark_epoch(), 0, -1))


def open_epochs(home: Home, ledger: "Ledger") -> tuple[Epoch, ...]:
    """Give what marks of every epoch are looked for with, the newest first; each has an index in a file of its own.

    Every id is tried under every epoch: the ledger does not say which was issued in which.

    Raises:
        KeyUnavailable: as `keys_of_all_epochs`.
        LedgerError: the issued ids cannot be read.
    """
    registry = ledger.registry
    source = IssuedSource(registry.issued_stamp(), lambda: [WatermarkId(mark) for mark in registry.issued_marks()])
    every = keys_of_all_epochs(home, newest=newest_epoch(home, ledger))
    return tuple(Epoch(keys, open_issued(_index(home, keys), keys, source)) for keys in every)


def rotate_watermark(home: Home, *, actor: str | None = None) -> MarkRotation:
    """Start a new epoch: marks from now on lie on other waves. Earlier marks are still found.

    Raises:
        KeyUnavailable: there are too many epochs, or the epoch cannot be read or written.
        LedgerError: the change cannot be written down, so it was not made.
    """
    with home.open_ledger() as ledger:
        before, now = home.watermark_epoch(), newest_epoch(home, ledger) + 1
        if now > MOST_EPOCHS:
            raise KeyUnavailable(
                f"A home has at most {MOST_EPOCHS} watermark epochs, and this one has them all.",
                fix="Make a new home; keep this one to find its marks with.",
            )
        facts: dict[str, JsonValue] = {"key": "watermark", "how": "rotate-watermark", "before": before, "now": now}
        ledger.append(NewEvent(EventType.KEY_ROTATED, actor=actor, facts=facts))
    try:
        write_whole(home.watermark_epoch_path, f"{now}\n".encode())
    except OSError as error:
        raise KeyUnavailable(
            f"The watermark epoch could not be written: {error.strerror}. Marks are made as before.",
            fix=f"Make room in {home.keys} and try again.",
        ) from error
    return MarkRotation(before, now)


def _index(home: Home, keys: WatermarkKeys) -> Path:
    return home.keys / f"watermark-{keys.epoch}.index"
