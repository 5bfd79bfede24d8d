"""Remember which signed files still wait for a time-stamp.

One rule: one small file for each waiting clip, written whole or not at all; an entry that cannot be read
is kept and named, never dropped in silence.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from platemark_provenance.digest import JsonValue, Sha256Hex, canonical_json
from platemark_provenance.durable import sync_directory, write_whole
from platemark_provenance.errors import SigningError

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)

_SUFFIX = ".waiting.json"
_MAX_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class WaitingStamp:
    """A signed file without its time-stamp.

    Args:
        path: where it is.
        sha256: of the file as it was signed.
        label: of its manifest.
        since: when it was signed, aware.
        clip_id: the clip it is, empty where it is none of the ledger's.
        attempts: how often an authority was asked in vain since then.
        not_before: when to ask again, aware; None for at once.
    """

    path: Path
    sha256: Sha256Hex
    label: str
    since: datetime
    clip_id: str = ""
    attempts: int = 0
    not_before: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Say whether it is time to ask again."""
        return self.not_before is None or self.not_before <= now

    def after_failure(self, now: datetime) -> "WaitingStamp":
        """Give the entry to keep after an authority was asked in vain: each wait is twice the last, up to six hours."""
        wait = min(FIRST_WAIT * 2 ** min(self.attempts, 30), LONGEST_WAIT)
        return replace(self, attempts=self.attempts + 1, not_before=now + wait)


class StampQueue:
    """The waiting files of one home, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, waiting: WaitingStamp) -> None:
        """Write down that a file waits, in place of what was written down about it before.

        Raises:
            SigningError: the folder cannot be written.
        """
        entry: dict[str, JsonValue] = {
            "schema": 1,
            "path": str(waiting.path),
            "sha256": waiting.sha256,
            "label": waiting.label,
            "since": waiting.since.isoformat(),
            "clip_id": waiting.clip_id,
            "attempts": waiting.attempts,
            "not_before": None if waiting.not_before is None else waiting.not_before.isoformat(),
        }
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            write_whole(self._folder / f"{waiting.sha256}{_SUFFIX}", canonical_json(entry))
        except OSError as error:
            raise SigningError(f"The list of waiting time-stamps could not be written: {error.strerror}.") from error

    def waiting(self) -> tuple[WaitingStamp, ...]:
        """List what waits, the longest first.

        Raises:
            SigningError: an entry cannot be read; it is named.
        """
        found = [_read(each) for each in self._folder.glob(f"*{_SUFFIX}")]
        return tuple(sorted(found, key=lambda each: (each.since, each.sha256)))

    def done(self, waiting: WaitingStamp) -> None:
        """Take an entry off the list, because its file has a stamp now or is gone."""
        (self._folder / f"{waiting.sha256}{_SUFFIX}").unlink(missing_ok=True)
        if self._folder.is_dir():
            sync_directory(self._folder)


def _read(path: Path) -> WaitingStamp:
    try:
        with path.open("rb") as file:
            entry = json.loads(file.read(_MAX_BYTES))
        since = datetime.fromisoformat(entry["since"])
        found = WaitingStamp(
            Path(entry["path"]),
            Sha256Hex(str(entry["sha256"])),
            str(entry["label"]),
            since,
            clip_id=str(entry.get("clip_id") or ""),
            attempts=int(entry.get("attempts") or 0),
            not_before=datetime.fromisoformat(entry["not_before"]) if entry.get("not_before") else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SigningError(f"{path} should name a file that waits for a time-stamp and cannot be read.") from error
    aware = all(each is None or each.tzinfo is not None for each in (found.since, found.not_before))
    if not aware or path.name != f"{found.sha256}{_SUFFIX}":
        raise SigningError(f"{path} does not belong to the file that it names.", fix="Remove it by hand.")
    return found
