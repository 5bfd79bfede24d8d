"""Taking a published clip back: one event in the log, shown by every verdict on the clip and on its copies.

One rule: nothing is deleted. The clip, its manifest and its mark stay known, so that copies out there can be told.
"""

from dataclasses import dataclass
from pathlib import Path

from platemark.errors import RequestError
from platemark.homes.account import ACCOUNT_FACT, os_account
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.ledger.event import Appended, EventType, NewEvent
from platemark_provenance.ledger.registry import LONGEST_PATH, ClipRecord
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.withdrawal import Withdrawal, check_reason


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A clip that is withdrawn.

    Args:
        clip_id: the clip.
        withdrawal: when and why.
        recorded: where the event was put; None where the clip had been withdrawn before.
    """

    clip_id: str
    withdrawal: Withdrawal
    recorded: Appended | None

    def to_json(self) -> dict[str, JsonValue]:
        """Give the JSON object of `platemark withdraw`."""
        put = self.recorded
        return {
            "clip_id": self.clip_id,
            "withdrawn": self.withdrawal.to_json(),
            "already": put is None,
            "ledger": None if put is None else {"seq": put.seq, "event_id": put.event_id, "root": put.root},
        }


def withdraw(ledger: Ledger, clip: str, *, reason: str, actor: str | None = None) -> Withdrawn:
    """Take a clip back. The first reason stays: withdrawing the same clip again changes nothing.

    Args:
        ledger: the open ledger of the home that published the clip.
        clip: the clip's identifier, or the path of the file as it was published.
        reason: why, as every report on the clip will say; 1 to 200 visible characters.
        actor: who withdraws it.

    Raises:
        RequestError: this home published no such clip.
        LedgerRequestError: the reason is empty or too long.
        LedgerError: the event could not be recorded.
    """
    shown = check_reason(reason)
    clip_id = find_clip(ledger, clip).clip_id
    with ledger.atomic():
        before = ledger.registry.record(clip_id)
        if before is not None and before.withdrawn is not None:
            return Withdrawn(clip_id, before.withdrawn, recorded=None)
        event = NewEvent(
            EventType.CLIP_WITHDRAWN,
            clip=clip_id,
            actor=actor,
            facts={"reason": shown},
            sealed={ACCOUNT_FACT: os_account()},
        )
        recorded = ledger.append(event)
    after = ledger.registry.record(clip_id)
    if after is None or after.withdrawn is None:  # somebody wrote to the database past the ledger
        raise RequestError(
            f"The withdrawal of {clip_id} was logged and cannot be read back.", fix="Run: platemark doctor"
        )
    return Withdrawn(clip_id, after.withdrawn, recorded)


def find_clip(ledger: Ledger, clip: str) -> ClipRecord:
    """Give the record of a clip named by its identifier or by a file that is byte for byte one of its own.

    Raises:
        RequestError: this home made no such clip.
    """
    path = Path(clip)
    if len(clip) < LONGEST_PATH and path.is_file():
        record = ledger.registry.record_for_file(sha256_file(path))
        if record is None:
            raise RequestError(
                f"{path} is not, byte for byte, a clip that this home published.",
                fix=f"Find its identifier with: platemark verify {path} --json",
            )
        return record
    record = ledger.registry.record(clip)
    if record is None:
        raise RequestError(
            f"This home published no clip {clip[:80]!r}.",
            fix="List them with: platemark audit query --type clip.published",
        )
    return record
