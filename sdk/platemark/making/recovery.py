"""What becomes of a job that did not end by itself: finished where its clip was complete, removed otherwise.

One rule: a file at a final path is finished only if it is, byte for byte, the one the ledger says was signed.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from platemark.errors import LedgerError, OutputError
from platemark.homes.home import Home
from platemark.making.outputs import OutputPaths, is_running, move_into_place, write_receipt
from platemark.media.destination import output_error
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.ledger.event import ISSUED, Event, EventType, NewEvent
from platemark_provenance.ledger.registry import OutputRecord, clip_of
from platemark_provenance.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class Leftover:
    """One interrupted job and what was done about it."""

    clip_id: str
    path: Path
    action: Literal["finished", "removed", "stuck"]
    detail: str

    def explain(self, language: str) -> str:
        """Say it in one sentence, in English or Korean."""
        sentences = {
            ("finished", "en"): f"Finished {self.path}: it was complete when the last run was interrupted.",
            ("finished", "ko"): f"{self.path}: 지난 실행이 중단될 때 이미 완성되어 있어 마무리했습니다.",
            ("removed", "en"): f"Removed what an interrupted run left of {self.path} (clip {self.clip_id}).",
            ("removed", "ko"): f"중단된 실행이 남긴 {self.path}의 조각을 지웠습니다(클립 {self.clip_id}).",
            ("stuck", "en"): f"Could not clean up after an interrupted run of {self.path}: {self.detail}",
            ("stuck", "ko"): f"중단된 실행이 남긴 {self.path}를 정리하지 못했습니다: {self.detail}",
        }
        return sentences[self.action, "ko" if language == "ko" else "en"]


def clean_up(home: Home, ledger: Ledger) -> tuple[Leftover, ...]:
    """Settle every job that no living process works on.

    Raises:
        LedgerError: the ledger cannot be read or written.
    """
    return tuple(
        _settle_or_report(ledger, output)
        for output in ledger.registry.open_outputs()
        if not is_running(home.jobs, output.job_id)
    )


def settle(ledger: Ledger, output: OutputRecord, *, reason: str) -> Leftover:
    """Finish or remove one job's files and write down which.

    Args:
        ledger: the open ledger.
        output: the job's row.
        reason: why the job ended, as a short code for the log.

    Raises:
        OutputError: the directory cannot be written.
        LedgerError: the ledger cannot be written; the files are dealt with all the same.
    """
    paths = OutputPaths(output.final_path, output.job_id)
    signed = _signed(ledger, output)
    sha256 = signed.facts.get("sha256") if signed else None
    if signed and isinstance(sha256, str) and paths.final.is_file() and sha256_file(paths.final) == sha256:
        return _finish(ledger, output, paths, signed)
    return _remove(ledger, output, paths, reason)


class Settling:
    """Deals with the files of one job that ends early, whatever ends it: an error, a refusal, Ctrl-C.

    Args:
        ledger: the open ledger; it is told where it can be.
        job_id: the job.
    """

    def __init__(self, ledger: Ledger, job_id: str) -> None:
        self._ledger = ledger
        self._job_id = job_id

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            return
        # What cannot be settled now (the ledger itself may be what failed) is settled at the next start.
        with suppress(LedgerError, OutputError):
            for output in self._ledger.registry.open_outputs():
                if output.job_id == self._job_id:
                    settle(self._ledger, output, reason=kind.__name__)


def _signed(ledger: Ledger, output: OutputRecord) -> Event | None:
    """Give the event that tells the hash of this job's finished file; a publication's names its job."""
    clip_id = clip_of(output.clip_id)
    job = output.job_id if clip_id != output.clip_id else None
    signed = [event for event in ledger.trace(clip_id) if event.type == EventType.MANIFEST_SIGNED]
    return next((event for event in reversed(signed) if event.facts.get("job") == job), None)


def _settle_or_report(ledger: Ledger, output: OutputRecord) -> Leftover:
    try:
        return settle(ledger, output, reason="interrupted")
    except OutputError as error:
        return Leftover(output.clip_id, output.final_path, "stuck", str(error))


def _finish(ledger: Ledger, output: OutputRecord, paths: OutputPaths, signed: Event) -> Leftover:
    _put_cue(paths, signed)
    _remove_parts(paths)
    clip_id, sha256 = clip_of(output.clip_id), str(signed.facts.get("sha256"))
    kind = EventType.CLIP_DRAFTED if signed.facts.get("draft") is True else EventType.CLIP_PUBLISHED
    if not any(event.type in ISSUED and event.seq > signed.seq for event in ledger.trace(clip_id)):
        facts: dict[str, JsonValue] = {"job": output.job_id, "sha256": sha256, "finished_by": "recovery"}
        ledger.append(NewEvent(type=kind, clip=clip_id, facts=facts))
    write_receipt(paths.receipt, ledger.receipt(clip_id))
    ledger.registry.publish_output(output.job_id, sha256)
    return Leftover(clip_id, paths.final, "finished", "")


def _put_cue(paths: OutputPaths, signed: Event) -> None:
    """Move the label's cue beside its clip, if it is the one that the log names and nothing of others stands there."""
    cue = signed.facts.get("cue")
    if not isinstance(cue, Mapping) or not paths.cue_part.is_file():
        return
    overwrite = cue.get("overwrite") is True
    if sha256_file(paths.cue_part) == cue.get("sha256") and (overwrite or not paths.cue.exists()):
        move_into_place(paths.cue_part, paths.cue, overwrite=overwrite)


def _remove(ledger: Ledger, output: OutputRecord, paths: OutputPaths, reason: str) -> Leftover:
    removed = _remove_parts(paths)
    facts: dict[str, JsonValue] = {"job": output.job_id, "reason": reason, "removed": len(removed)}
    clip_id = clip_of(output.clip_id)
    kind = EventType.GENERATION_ABANDONED if clip_id == output.clip_id else EventType.PUBLICATION_ABANDONED
    with ledger.atomic():
        ledger.append(NewEvent(type=kind, clip=clip_id, facts=facts))
        ledger.registry.release_mark(output.clip_id)
        ledger.registry.abandon_output(output.job_id)
    return Leftover(clip_id, paths.final, "removed", reason)


def _remove_parts(paths: OutputPaths) -> tuple[Path, ...]:
    try:
        return paths.remove_parts()
    except OSError as error:
        raise output_error(error.errno, paths.final) from error
