"""Bring everything that was found about a file to one verdict, without losing the parts.

One rule: pure. Only positive proof leads to a verdict with exit code 0, and the first check that fails decides.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from platemark_provenance.axes import EXIT_CODES, AiUse, Axes, Language, Verdict, WatermarkState
from platemark_provenance.correction import Correction
from platemark_provenance.digest import JsonValue
from platemark_provenance.explanation import Explanation, Findings, explain
from platemark_provenance.history import History
from platemark_provenance.publication import Publication
from platemark_provenance.reading import FETCH_FAILED, ProvenanceReading
from platemark_provenance.recipient import Recipient
from platemark_provenance.trust import ListFacts
from platemark_provenance.withdrawal import Withdrawal

__all__ = ["Axes", "Explanation", "MarkFinding", "Report", "Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class MarkFinding:
    """What looking for a watermark came to.

    `matched`: a mark was found, leads to a record of ours, and the content matches that record. `mismatch`: it leads
    to a record of other content. `watermark_id` is what was found, as 16 hexadecimal digits; `clip_id` and
    `record` are the clip it leads to and that clip's stored manifest; `withdrawn` is that the publisher took it back,
    `corrections` what it corrected since.
    `recipients`: whom the copies were made for whose marks were found, as the home's ledger tells.
    `by_record`: nobody looked, because the file is, byte for byte, the one that was published with that mark.
    `approved`: whether the log tells of a second person's approval of the clip; None where no log was asked.
    """

    state: WatermarkState
    watermark_id: str | None = None
    clip_id: str | None = None
    record: ProvenanceReading | None = None
    withdrawn: Withdrawal | None = None
    by_record: bool = False
    approved: bool | None = None
    corrections: tuple[Correction, ...] = ()
    recipients: tuple[Recipient, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything known about one file, and what it comes to.

    `signed_at` is a trusted time-stamp only where `axes.timestamp` says so. `recovered_from` is the clip id
    of the record that a watermark led to, where the file itself had no manifest. `history` is what the manifest, the
    file's own or the recovered one, says it was made from; `trust_lists` are the stored lists that were used.
    `watermark_by`: whether a mark was found in the pixels, or follows from the record of exactly this file.
    `unsigned_bytes`: how many lie in padding that the signature leaves out, where they are not all zero.
    `manifest_from`: the server that the manifest was fetched from, where somebody asked for that.
    `publication`: whether the clip is a draft or was approved for publication, None where nothing is said about it.
    `corrections`: what the publisher corrected, oldest first; as the log tells, else as the manifest does.
    `recipients`: whom copies with these marks were made for; told to the home's owner only.
    """

    path: Path
    verdict: Verdict
    axes: Axes
    signer: str | None
    generator: str | None
    signed_at: datetime | None
    ai: AiUse
    recovered_from: str | None
    withdrawn: Withdrawal | None
    codes: tuple[str, ...]
    failed_manifest: str | None
    explanation: Explanation
    history: History | None = None
    trust_lists: tuple[ListFacts, ...] = ()
    watermark_by: Literal["pixels", "record"] | None = None
    unsigned_bytes: int = 0
    manifest_from: str | None = None
    publication: Publication | None = None
    corrections: tuple[Correction, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    for_tests_only: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code of a command that reports on this file alone."""
        return EXIT_CODES[self.verdict]

    def explain(self, language: Language = "en") -> str:
        """Give the explanation in English or Korean."""
        return self.explanation.ko if language == "ko" else self.explanation.en

    def to_json(self) -> dict[str, JsonValue]:
        """Give the report as the JSON object of `platemark verify`."""
        axes = self.axes
        return {
            "path": shown_path(self.path),
            "verdict": str(self.verdict),
            "axes": {
                "manifest": axes.manifest,
                "integrity": axes.integrity,
                "signer": axes.signer,
                "timestamp": axes.timestamp,
                "identity": axes.identity,
                "ingredients": axes.ingredients,
                "ai": axes.ai,
                "watermark": axes.watermark,
            },
            "signer": self.signer,
            "generator": self.generator,
            "signed_at": None if self.signed_at is None else self.signed_at.isoformat(),
            "ai": self.ai,
            "recovered_from": self.recovered_from,
            "withdrawn": None if self.withdrawn is None else self.withdrawn.to_json(),
            "publication": self.publication,
            "corrections": [each.to_json() for each in self.corrections],
            "for_tests_only": self.for_tests_only,
            "codes": list(self.codes),
            "failed_manifest": self.failed_manifest,
            "explanation": {"en": self.explanation.en, "ko": self.explanation.ko},
            "history": None if self.history is None else self.history.to_json(),
            "trust_lists": [each.to_json() for each in self.trust_lists],
            "watermark_by": self.watermark_by,
            "unsigned_bytes": self.unsigned_bytes,
            "manifest_from": self.manifest_from,
            "recipients": [each.to_json() for each in self.recipients],
        }


def shown_path(path: Path) -> str:
    """Give a path as text that can be encoded: bytes of a name that are no UTF-8 become replacement characters."""
    return "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in str(path))


def judge(reading: ProvenanceReading, mark: MarkFinding | None = None) -> Report:
    """Bring a reading, and what looking for a watermark came to, to a report.

    1. A manifest that is there but cannot be read: `unreadable`. A watermark does not mend it.
    2. A manifest whose signature, assertions or content do not hold: `tampered`. If it is not even certain
       that they were checked: `unreadable`.
    3. An ingredient whose manifest does not hold: `tampered`.
    4. A watermark that leads to other content, or is not the one the manifest declares: `mismatch`.
    5. No manifest, a watermark that leads to our record, and matching content: `recovered`.
    6. No manifest and no watermark: `none`, or `unreadable` where the file could not even be taken for media.
    7. A trusted signer and no doubtful ingredient: `trusted`. All else that holds: `intact`.

    Not judged here: whether the record a watermark led to is the right one (the caller compares content), and
    whether what is shown is true.

    Args:
        reading: what `read_provenance` found.
        mark: what looking for a watermark came to; None where nobody looked.
    """
    mark = mark or MarkFinding("not_checked")
    state = _mark_state(reading, mark)
    verdict = _verdict(reading, state)
    recovered = mark.record if verdict is Verdict.RECOVERED else None
    told = recovered or reading
    axes = Axes(
        manifest=reading.state,
        integrity=reading.integrity,
        signer=reading.signer,
        timestamp=reading.timestamp,
        identity=reading.identity,
        ingredients=reading.ingredients,
        ai=told.ai,
        watermark=state,
    )
    return Report(
        path=reading.path,
        verdict=verdict,
        axes=axes,
        signer=told.signer_name,
        generator=told.generator,
        signed_at=told.signed_at,
        ai=told.ai,
        recovered_from=mark.clip_id if verdict is Verdict.RECOVERED else None,
        withdrawn=mark.withdrawn,
        codes=reading.codes,
        failed_manifest=reading.failed_manifest,
        explanation=explain(_findings(reading, mark, verdict, axes)),
        history=told.history,
        unsigned_bytes=reading.unsigned_bytes,
        manifest_from=reading.fetched_from,
        publication=_publication(told, mark),
        corrections=_corrections(told, mark),
        recipients=mark.recipients,
        for_tests_only=_for_tests_only(told),
        watermark_by=("record" if mark.by_record else "pixels") if state in ("matched", "mismatch") else None,
    )


def _publication(told: ProvenanceReading, mark: MarkFinding) -> Publication | None:
    """Take the manifest's word where it holds; a log that knows the clip and of no approval overrules it."""
    said = told.own.publication if told.own is not None and told.integrity != "tampered" else None
    if said != "published":
        return said
    if told.signer in ("untrusted", "not_checked"):  # anybody can write that assertion
        return None
    return "draft" if mark.approved is False else said


def _for_tests_only(told: ProvenanceReading) -> bool:
    """Take the manifest's word whoever signed it: it speaks against the clip."""
    return told.own is not None and told.own.for_tests_only


def _corrections(told: ProvenanceReading, mark: MarkFinding) -> tuple[Correction, ...]:
    """Take what the log tells; where none is at hand, the manifest's word, if it holds and somebody vouches for it."""
    believed = told.own is not None and told.integrity != "tampered" and told.signer not in ("untrusted", "not_checked")
    return mark.corrections or (told.own.corrections if told.own is not None and believed else ())


def _mark_state(reading: ProvenanceReading, mark: MarkFinding) -> WatermarkState:
    """Hold the watermark that was found against the manifest's own statement, and its record against itself."""
    if mark.state != "matched":
        return mark.state
    declared = reading.own.watermark_id if reading.own is not None else None
    contradicts = None not in (declared, mark.watermark_id) and declared != mark.watermark_id
    broken_record = mark.record is not None and mark.record.integrity == "tampered"
    return "mismatch" if contradicts or broken_record else "matched"


def _verdict(reading: ProvenanceReading, mark: WatermarkState) -> Verdict:
    if reading.state == "malformed":  # 1
        return Verdict.UNREADABLE
    if reading.state != "present":
        return _without_manifest(reading, mark)
    if reading.integrity != "intact":  # 2
        return Verdict.TAMPERED if reading.integrity == "tampered" else Verdict.UNREADABLE
    if reading.ingredient_fault == "tampered":  # 3
        return Verdict.TAMPERED
    if mark == "mismatch":  # 4
        return Verdict.MISMATCH
    if reading.signer == "trusted" and reading.ingredients != "failed":  # 7
        return Verdict.TRUSTED
    return Verdict.INTACT


def _without_manifest(reading: ProvenanceReading, mark: WatermarkState) -> Verdict:
    if mark == "mismatch":  # 4
        return Verdict.MISMATCH
    if mark == "matched":  # 5
        return Verdict.RECOVERED
    # 6: whoever looked for a watermark and found none could decode the pictures, so the file is media after
    # all.
    unknown_media = not reading.media_recognised and mark == "not_checked"
    return Verdict.UNREADABLE if unknown_media else Verdict.NONE


def _findings(reading: ProvenanceReading, mark: MarkFinding, verdict: Verdict, axes: Axes) -> Findings:
    told = mark.record if verdict is Verdict.RECOVERED and mark.record else reading
    corrections = _corrections(told, mark)
    return Findings(
        verdict=verdict,
        axes=axes,
        signer=reading.signer_name,
        signed_at=None if reading.signed_at is None else f"{reading.signed_at:%Y-%m-%d %H:%M %Z}".strip(),
        clip_id=mark.clip_id,
        withdrawn=None if mark.withdrawn is None else mark.withdrawn.reason,
        withdrawn_at="" if mark.withdrawn is None else f"{mark.withdrawn.at.astimezone(UTC):%Y-%m-%d}",
        on_legacy_list=reading.on_legacy_list,
        ingredient_fault=reading.ingredient_fault,
        media_recognised=reading.media_recognised,
        mark_by_record=mark.by_record,
        unsigned_bytes=reading.unsigned_bytes,
        fetched_from=reading.fetched_from,
        fetch_failed=any(each.startswith(FETCH_FAILED) for each in reading.codes),
        publication=_publication(told, mark),
        for_tests_only=_for_tests_only(told),
        corrections=len(corrections),
        corrected=corrections[-1].reason if corrections else None,
        corrected_at=corrections[-1].day if corrections else "",
        declares_watermark=reading.own is not None and reading.own.watermark_id is not None,
    )
