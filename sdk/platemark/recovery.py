"""What becomes of a job that did not end by itself: finished where its clip was complete, removed otherwise.

One rule: a file at a final path is finished only if it is, byte for byte, the one the ledger says was signed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platemark.errors import OutputError
from platemark.home import Home
from platemark.media.destination import output_error
from platemark.outputs import OutputPaths, is_running, write_receipt
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.registry import OutputRecord
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
    signed = _signed_sha256(ledger, output.clip_id)
    if signed and paths.final.is_file() and sha256_file(paths.final) == signed:
        return _finish(ledger, output, paths, signed)
    return _remove(ledger, output, paths, reason)


def _signed_sha256(ledger: Ledger, clip_id: str) -> str | None:
    """Give the hash of the finished file as `manifest.signed` recorded it."""
    signed = [event for event in ledger.trace(clip_id) if event.type == EventType.MANIFEST_SIGNED]
    recorded = signed[-1].facts.get("sha256") if signed else None
    return recorded if isinstance(recorded, str) else None


def _settle_or_report(ledger: Ledger, output: OutputRecord) -> Leftover:
    try:
        return settle(ledger, output, reason="interrupted")
    except OutputError as error:
        return Leftover(output.clip_id, output.final_path, "stuck", str(error))


def _finish(ledger: Ledger, output: OutputRecord, paths: OutputPaths, sha256: str) -> Leftover:
    _remove_parts(paths)
    if not any(event.type == EventType.CLIP_PUBLISHED for event in ledger.trace(output.clip_id)):
        facts: dict[str, JsonValue] = {"job": output.job_id, "sha256": sha256, "finished_by": "recovery"}
        ledger.append(NewEvent(type=EventType.CLIP_PUBLISHED, clip=output.clip_id, facts=facts))
    write_receipt(paths.receipt, ledger.receipt(output.clip_id))
    ledger.registry.publish_output(output.job_id, sha256)
    return Leftover(output.clip_id, paths.final, "finished", "")


def _remove(ledger: Ledger, output: OutputRecord, paths: OutputPaths, reason: str) -> Leftover:
    removed = _remove_parts(paths)
    facts: dict[str, JsonValue] = {"job": output.job_id, "reason": reason, "removed": len(removed)}
    with ledger.atomic():
        ledger.append(NewEvent(type=EventType.GENERATION_ABANDONED, clip=output.clip_id, facts=facts))
        ledger.registry.release_mark(output.clip_id)
        ledger.registry.abandon_output(output.job_id)
    return Leftover(output.clip_id, paths.final, "removed", reason)


def _remove_parts(paths: OutputPaths) -> tuple[Path, ...]:
    try:
        return paths.remove_parts()
    except OSError as error:
        raise output_error(error.errno, paths.final) from error
