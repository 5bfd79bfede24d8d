"""That a publisher took a clip back: when, and why.

One rule: a withdrawal is an event in the log and is read from there; nobody keeps a second copy of it. The reason is
shown to whoever holds a copy of the clip, so it names nobody who has not agreed to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.plain_text import plain_text

LONGEST_REASON = 200
"""Characters; a reason stands in one line of a report."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A clip was taken back.

    Args:
        at: when, aware.
        reason: why, as the publisher tells everybody; plain text on one line.
    """

    at: datetime
    reason: str

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that stands in a report under `withdrawn`."""
        return {"date": self.at.astimezone(UTC).isoformat(timespec="seconds"), "reason": self.reason}


def check_reason(reason: str) -> str:
    """Give a reason as it will be shown.

    Raises:
        LedgerRequestError: there is nothing to see in it, or it is too long.
    """
    shown = plain_text(reason, len(reason) + 1)
    if not 1 <= len(shown) <= LONGEST_REASON:
        raise LedgerRequestError(
            f"A reason has 1 to {LONGEST_REASON} visible characters; got {len(shown)}.",
            fix='For example: --reason "Wrong date in the caption"',
        )
    return shown


def read_withdrawal(facts: Mapping[str, JsonValue], at: datetime) -> Withdrawal:
    """Read a withdrawal back from the facts of its event; one without a reason is a withdrawal all the same."""
    reason = facts.get("reason")
    return Withdrawal(at=at, reason=plain_text(reason, LONGEST_REASON) if isinstance(reason, str) else "")
