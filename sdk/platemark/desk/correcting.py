"""Correcting what was said about a clip: an event that reaches every copy, then a copy that says it by itself.

One rule: the event comes first and stands by itself. Where the file is at hand, a copy of it with an update manifest
repeats every correction for those who have no log; the picture, the sound and the file before it stay as they are.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Required, TypedDict, Unpack

from platemark._version import __version__
from platemark.desk.edition import Edition, beside
from platemark.desk.people import require_allowed
from platemark.desk.withdrawal import find_clip
from platemark.errors import RequestError
from platemark.homes.account import ACCOUNT_FACT, os_account
from platemark.homes.home import Home
from platemark.inputs import STILL_ENDINGS
from platemark.making.outputs import RECEIPT_SUFFIX, check_final_path
from platemark.webhooks.telling import Telling
from platemark_provenance.correction import MOST_CORRECTIONS, Correction
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.ledger.event import Appended, Event, EventType, NewEvent, check_text
from platemark_provenance.ledger.registry import LONGEST_PATH, ClipRecord
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.resigning import Resigner, state_corrections
from platemark_provenance.withdrawal import check_reason

_COPY = re.compile(r"(?<=.)\.corrected(-\d+)?$")
_MOST_COPIES = 1_000


class CorrectOptions(TypedDict, total=False):
    """How a clip is corrected.

    Attributes:
        reason: what was wrong, as every report on the clip will say; 1 to 200 visible characters.
        by: who corrects it, by name; the log keeps a pseudonym.
        out: where the copy goes that says it; beside the file where left out (`clip.mp4`: `clip.corrected.mp4`,
            then `clip.corrected-2.mp4`).
    """

    reason: Required[str]
    by: Required[str]
    out: str | Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A clip that was corrected.

    Args:
        clip_id: the clip.
        corrections: all of them, oldest first.
        recorded: where the event was put; None where the newest correction said the same already.
        path: the copy that says it, None where the clip's file is not at hand.
        sha256: of that copy.
        receipt: beside that copy.
    """

    clip_id: str
    corrections: tuple[Correction, ...]
    recorded: Appended | None
    path: Path | None = None
    sha256: str | None = None
    receipt: Path | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Give the JSON object of `platemark correct`."""
        put = self.recorded
        return {
            "clip_id": self.clip_id,
            "corrections": [each.to_json() for each in self.corrections],
            "already": put is None,
            "path": None if self.path is None else str(self.path),
            "sha256": self.sha256,
            "receipt": None if self.receipt is None else str(self.receipt),
            "ledger": None if put is None else {"seq": put.seq, "event_id": put.event_id, "root": put.root},
        }


def correct(home: Home, ledger: Ledger, clip: str | Path, **options: Unpack[CorrectOptions]) -> Corrected:
    """Correct what was said about a clip. Saying the same twice in a row is one correction.

    Args:
        home: whose clip it is.
        ledger: of that home, open.
        clip: its identifier, or a file that is byte for byte one of the clip's.
        **options: see `CorrectOptions`.

    Raises:
        RequestError: there is no such clip, it was withdrawn, or it was corrected 32 times.
        LedgerRequestError: the reason or the name is empty or too long.
        PublicationRefused: whoever corrects is not on the home's list of approvers.
        OutputError: the copy cannot be written where it should go; nothing was recorded.
        PlatemarkError: the copy could not be made; the correction stands, and the same call again makes the copy.
    """
    check_text("name after --by", options["by"])
    reason = check_reason(options["reason"])
    require_allowed(home, "correct", options["by"], os_account())
    record = find_clip(ledger, str(clip))
    _refuse_what_cannot_be_corrected(record, reason)
    source = _file_at_hand(record, Path(clip))
    final = Path(options.get("out") or _beside(source or record.final_path)).absolute()
    if source is not None:
        check_final_path(final, overwrite=None, endings=(".mp4", *STILL_ENDINGS))
    elif options.get("out"):
        raise RequestError(
            f"The file of clip {record.clip_id} is not at {record.final_path} as it was published.",
            fix="Name the file instead of the identifier, or leave --out away.",
        )
    try:
        recorded = _record(ledger, record, reason, options["by"])
        told = Corrected(clip_id=record.clip_id, corrections=_corrections(ledger, record), recorded=recorded)
        if source is None:
            return told
        return _write_copy(told, Edition(home, ledger, record, source, final, options["by"]))
    finally:
        Telling(home, ledger).deliver_quietly()


def _beside(source: Path) -> Path:
    """Name the copy: `clip.corrected.mp4`, and where a copy was made before, `clip.corrected-2.mp4` and so on."""
    bare = source.with_stem(_COPY.sub("", source.stem))
    words = ("corrected", *(f"corrected-{number}" for number in range(2, _MOST_COPIES)))
    paths = (beside(bare, word) for word in words)
    return next((path for path in paths if not _is_taken(path)), beside(bare, words[0]))


def _is_taken(path: Path) -> bool:
    return os.path.lexists(path) or os.path.lexists(path.with_name(path.name + RECEIPT_SUFFIX))


def _refuse_what_cannot_be_corrected(record: ClipRecord, reason: str) -> None:
    if record.withdrawn is not None:
        raise RequestError(
            f"The clip {record.clip_id} was withdrawn; a correction would not bring it back.",
            fix="Make another clip; a withdrawal stands.",
        )
    if len(record.corrections) >= MOST_CORRECTIONS and not _says_already(record, reason):
        raise RequestError(
            f"The clip {record.clip_id} was corrected {MOST_CORRECTIONS} times, which is the most.",
            fix="Withdraw it, and publish another one.",
        )


def _file_at_hand(record: ClipRecord, named: Path) -> Path | None:
    """Give the file to copy: the one that was named, else the newest one of the clip where it still lies."""
    if len(str(named)) < LONGEST_PATH and named.is_file():
        return named.absolute()
    path = record.final_path
    return path if path.is_file() and sha256_file(path) == record.file_sha256 else None


def _record(ledger: Ledger, record: ClipRecord, reason: str, by: str) -> Appended | None:
    with ledger.atomic():
        now = ledger.registry.record(record.clip_id) or record
        if _says_already(now, reason):
            return None
        return ledger.append(
            NewEvent(
                EventType.CLIP_CORRECTED,
                clip=record.clip_id,
                actor=by,
                facts={"reason": reason},
                sealed={ACCOUNT_FACT: os_account()},
            )
        )


def _says_already(record: ClipRecord, reason: str) -> bool:
    return bool(record.corrections) and record.corrections[-1].reason == reason


def _corrections(ledger: Ledger, record: ClipRecord) -> tuple[Correction, ...]:
    after = ledger.registry.record(record.clip_id)
    if after is None or not after.corrections:  # somebody wrote to the database past the ledger
        raise RequestError(
            f"The correction of {record.clip_id} was logged and cannot be read back.", fix="Run: platemark doctor"
        )
    return after.corrections


def _write_copy(told: Corrected, edition: Edition) -> Corrected:
    home, ledger = edition.home, edition.ledger
    draft = _is_draft(ledger.trace(told.clip_id), edition.record.file_sha256)
    with edition.underway() as name:
        signed = state_corrections(
            edition.source,
            edition.paths.signed,
            resigner=Resigner(home.claim_signer(), home.trust_store(), __version__),
            corrections=told.corrections,
            policy=home.time_stamp_policy(),
        )
        edition.check_source()
        with ledger.atomic():
            edition.record_signed(name, signed, draft=draft)
        edition.put(signed, draft=draft)
    return Corrected(
        clip_id=told.clip_id,
        corrections=told.corrections,
        recorded=told.recorded,
        path=edition.final,
        sha256=signed.sha256,
        receipt=edition.paths.receipt,
    )


def _is_draft(events: tuple[Event, ...], sha256: str) -> bool:
    """Say whether exactly this file is one whose manifest says that it is a draft: a copy of it says so too."""
    signed = (event for event in events if event.type == EventType.MANIFEST_SIGNED)
    return any(event.facts.get("sha256") == sha256 and event.facts.get("draft") is True for event in signed)
