"""That a publisher corrected what it said about a clip: when, and what was wrong.

One rule: a correction is an event in the log and is read from there; the copy with an update manifest repeats it for
those who have no log. Its words are shown to everybody, so they name nobody who has not agreed to that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.manifest_parts import CORRECTION_LABEL, Json, assertion
from platemark_provenance.plain_text import plain_text
from platemark_provenance.withdrawal import LONGEST_REASON

MOST_CORRECTIONS = 32
"""A clip that needs more is to be withdrawn; a report stays short enough to be read."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction.

    Args:
        at: when, aware.
        reason: what was wrong, as the publisher tells everybody; plain text on one line.
    """

    at: datetime
    reason: str

    @property
    def day(self) -> str:
        """Give the day, in UTC, as reports show it."""
        return f"{self.at.astimezone(UTC):%Y-%m-%d}"

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that stands in a report under `corrections`."""
        return {"date": self.at.astimezone(UTC).isoformat(timespec="seconds"), "reason": self.reason}


def read_correction(facts: Mapping[str, JsonValue], at: datetime) -> Correction:
    """Read a correction back from the facts of its event; one without a reason is a correction all the same."""
    reason = facts.get("reason")
    return Correction(at=at, reason=plain_text(reason, LONGEST_REASON) if isinstance(reason, str) else "")


def correction_statement(corrections: Sequence[Correction]) -> Json:
    """Say what was corrected, oldest first, as one assertion.

    Raises:
        SigningError: there is none, there are over 32, or one has no time zone.
    """
    if not 1 <= len(corrections) <= MOST_CORRECTIONS or any(each.at.tzinfo is None for each in corrections):
        raise SigningError(f"A manifest states 1 to {MOST_CORRECTIONS} corrections, each with its time and zone.")
    return assertion(CORRECTION_LABEL, {"corrections": [each.to_json() for each in corrections]})


def read_corrections(statements: Sequence[Mapping[str, object]]) -> tuple[Correction, ...]:
    """Read the corrections of a manifest back, the first 32 of them; what has no such form is left out.

    Args:
        statements: the contents of all assertions of this label.
    """
    entries = [each for said in statements for each in _list(said.get("corrections"))]
    found = (_read(each) for each in entries[:MOST_CORRECTIONS])
    return tuple(each for each in found if each is not None)


def _read(entry: object) -> Correction | None:
    said = entry if isinstance(entry, dict) else {}
    date, reason = said.get("date"), said.get("reason")
    if not isinstance(date, str) or not isinstance(reason, str):
        return None
    try:
        at = datetime.fromisoformat(date)
    except ValueError:
        return None
    return Correction(at, plain_text(reason, LONGEST_REASON)) if at.tzinfo is not None else None


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
