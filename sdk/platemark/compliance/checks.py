"""The checks that clauses name, each a small question about the evidence.

One rule: pure functions. A check that cannot find its evidence fails; it never passes for want of something to look at.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from platemark.compliance.evidence import Evidence, Situation
from platemark.i18n import mark, translate

Outcome = Literal["pass", "fail", "not_applicable"]
Parameters = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to.

    `seen` is a sentence about what it saw, with `values` to fill in; `fields` names where it looked.
    """

    outcome: Outcome
    seen: str
    fields: tuple[str, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def evidence(self) -> str:
        """Give what was seen, in English."""
        return self.evidence_in("en")

    def evidence_in(self, language: str) -> str:
        """Give what was seen, in a language: `en` or `ko`."""
        values = {
            name: translate(language, each) if isinstance(each, str) else each for name, each in self.values.items()
        }
        return translate(language, self.seen).format(**values)


Check = Callable[[Evidence, Situation, Parameters], Finding]

GENERATED_SOURCES = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "algorithmicMedia",
        "compositeSynthetic",
        "trainedAlgorithmicData",
    }
)
"""Source: IPTC NewsCodes, Digital Source Type, the members that say "made or edited by software"."""
_VERSION = re.compile(r"\d")


def signed_metadata(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for a manifest that holds, is signed by somebody trusted here, and says that the media is generated."""
    axes, source = evidence.report.axes, evidence.claims.digital_source
    values = {"manifest": axes.manifest, "integrity": axes.integrity, "signer": axes.signer, "source": source or "none"}
    seen = mark("manifest {manifest}, integrity {integrity}, signer {signer}, source {source}")
    holds = axes.manifest == "present" and axes.integrity == "intact" and axes.signer in ("trusted", "legacy_trusted")
    fields = ("axes.integrity", "axes.signer", "digitalSourceType")
    return _finding(holds and source in GENERATED_SOURCES, seen, *fields, **values)


def time_stamp(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for a time stamp by an authority that is trusted here."""
    state = evidence.report.axes.timestamp
    return _finding(state == "trusted", "time stamp {state}", "axes.timestamp", state=state)


def watermark(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for a mark in the pixels that leads to a record with this content, and is the one the manifest declares."""
    state = evidence.report.axes.watermark
    return _finding(state == "matched", "watermark {state}", "axes.watermark", state=state)


def fingerprint_or_log(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for a stored fingerprint, or an entry in a log."""
    records = evidence.records
    values = {"fingerprint": _yes(records.fingerprint), "log": _yes(records.logged)}
    seen = mark("fingerprint {fingerprint}, log entry {log}")
    return _finding(records.fingerprint or records.logged, seen, "ledger", **values)


def ingredients_kept(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask that what the clip was made from is named in the manifest and still holds."""
    claims, state = evidence.claims, evidence.report.axes.ingredients
    if claims.unique_id is None:
        return _finding(False, mark("no manifest, so nothing says what it was made from"), "manifest")
    if claims.ingredients == 0:
        return Finding("not_applicable", mark("made from nothing else"), ("ingredients",))
    values = {"named": claims.ingredients, "own": claims.ingredients_with_manifest, "state": state}
    seen = mark("{named} named, {own} with a manifest of their own, state {state}")
    return _finding(state == "ok", seen, "ingredients", **values)


def personal_data_apart(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask that names of people stand, if at all, in the part of the manifest that can be redacted."""
    exposed = evidence.records.names_exposed
    seen = {
        None: mark("nothing is on record here that could be looked for"),
        True: mark("a name or prompt on record stands in the manifest outside cawg.metadata"),
        False: mark("no name or prompt on record stands in the manifest outside cawg.metadata"),
    }
    return _finding(exposed is False, seen[exposed], "manifest", "ledger")


def cross_layer_id(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask that manifest, mark and log name the same clip."""
    claims, records = evidence.claims, evidence.records
    matched = evidence.report.axes.watermark == "matched"
    values = {"id": claims.unique_id or "none", "mark": _yes(matched), "log": _yes(records.logged)}
    together = claims.unique_id is not None and claims.declared_watermark is not None and matched and records.logged
    seen = mark("manifest id {id}, mark {mark}, log {log}")
    return _finding(together, seen, "clip_id", "soft-binding", "ledger", **values)


def latent_disclosure(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for the provider's name, the system with its version, time and date, and an identifier, in the metadata."""
    claims = evidence.claims
    parts = {
        "provider": claims.provider,
        "system": claims.system if claims.system and _VERSION.search(claims.system) else None,
        "time": claims.made_at.isoformat() if claims.made_at else None,
        "identifier": claims.unique_id,
    }
    values = {name: value or "missing" for name, value in parts.items()}
    seen = mark("provider: {provider}; system and version: {system}; time: {time}; identifier: {identifier}")
    return _finding(all(parts.values()), seen, *parts, **values)


def label_throughout(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for the visible label on every frame."""
    label = evidence.label
    return _finding(
        label.whole, "label on {labelled} of {all} frames", "pixels", labelled=label.labelled, all=label.frames
    )


def label_at_opening(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for the label from the first frame, for so many seconds (`seconds`) or to the end of a shorter clip."""
    wanted = _frames(evidence, float(parameters.get("seconds", "0")))
    first = next((past for start, past in evidence.label.spans if start == 0), 0)
    seen = mark("label on the first {first} frames; {wanted} asked for")
    return _finding(first >= wanted, seen, "pixels", first=first, wanted=wanted)


def label_after_breaks(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for the label again at each moment when playback resumes after a break."""
    moments = [second for second in situation.breaks_s if 0 <= second < evidence.seconds]
    if not moments:
        return Finding("not_applicable", mark("no breaks were named"), ("breaks",))
    starts = [math.ceil(second * evidence.fps) for second in moments]
    span = _frames(evidence, float(parameters.get("seconds", "0")))
    missing = [
        second
        for second, start in zip(moments, starts, strict=True)
        if not evidence.label.covers(start, min(start + span, evidence.frames))
    ]
    values = {"followed": len(moments) - len(missing), "all": len(moments)}
    return _finding(not missing, mark("{followed} of {all} breaks followed by the label"), "pixels", "breaks", **values)


def label_wording(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask that the label holds one of some words (`any_of`, separated by |) and, where named, another (`and`)."""
    sighting = evidence.label.sighting
    if sighting is None:
        return _finding(False, mark("no label was found in the picture"), "pixels")
    any_of = parameters.get("any_of", "AI").split("|")
    also = [each for each in parameters.get("and", "").split("|") if each]
    found = any(word in sighting.text for word in any_of) and (not also or any(word in sighting.text for word in also))
    return _finding(found, mark("label reads “{text}”"), "pixels", text=sighting.text)


def label_height(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask that letters are at least a share (`share`) of the short side high, as measured on the picture."""
    sighting, share = evidence.label.sighting, float(parameters.get("share", "0.05"))
    if sighting is None:
        return _finding(False, mark("no label was found in the picture"), "pixels")
    # A pixel is the finest that can be measured: half of one either way is not held against a label.
    tolerance = 0.5 / min(evidence.width, evidence.height)
    values = {
        "height": f"{sighting.letter_height:.1f}",
        "share": f"{sighting.height_share:.1%}",
        "wanted": f"{share:.0%}",
    }
    seen = mark("letters {height} px, {share} of the short side; {wanted} asked for")
    return _finding(sighting.height_share + tolerance >= share, seen, "pixels", **values)


def label_contrast(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for a contrast of letters to plate of at least `ratio`, as measured on the picture."""
    sighting, ratio = evidence.label.sighting, float(parameters.get("ratio", "4.5"))
    if sighting is None:
        return _finding(False, mark("no label was found in the picture"), "pixels")
    values = {"contrast": f"{sighting.contrast:.1f}", "ratio": f"{ratio:g}"}
    return _finding(sighting.contrast >= ratio, mark("contrast {contrast}:1; {ratio}:1 asked for"), "pixels", **values)


def told_beforehand(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask that the audience is told, by the caller's word, or that the label itself tells it."""
    whole = evidence.label.whole
    values = {"told": _yes(situation.told), "whole": _yes(whole)}
    seen = mark("told beforehand, by the caller's word: {told}; label on every frame: {whole}")
    return _finding(situation.told or whole, seen, "situation", "pixels", **values)


def visible_or_told_and_machine_readable(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for a mark that people see; or else one that machines read, after a notice."""
    machine = evidence.report.axes.watermark == "matched" or evidence.claims.digital_source in GENERATED_SOURCES
    whole = evidence.label.whole
    values = {"whole": _yes(whole), "machine": _yes(machine), "told": _yes(situation.told)}
    seen = (
        "label on every frame: {whole}; machine-readable mark: {machine}; told beforehand, by the caller's word: {told}"
    )
    return _finding(whole or (machine and situation.told), seen, "pixels", "axes", "situation", **values)


def sound_is_announced(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask that a clip with sound tells those who do not see the label: by captions beside it."""
    if not evidence.has_audio:
        return Finding("not_applicable", mark("no sound"), ("audio",))
    beside = evidence.has_captions
    return _finding(beside, mark("captions beside the clip: {beside}"), "captions", beside=_yes(beside))


def own_detector_finds_it(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask that our own tool recognises the file: as it is, or by its mark when its metadata is gone."""
    verdict = evidence.report.verdict.value
    return _finding(verdict in ("trusted", "recovered"), "platemark verify: {verdict}", "verdict", verdict=verdict)


def aigc_statement(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask for the `AIGC` field with label 1, the producer and its number."""
    statement = evidence.aigc.tag
    if statement is None:
        return _finding(False, mark("no readable AIGC field"), "AIGC")
    values = {"label": statement.label, "producer": statement.producer, "number": statement.produce_id}
    whole = statement.label == "1" and bool(statement.producer and statement.produce_id)
    return _finding(whole, mark("Label {label}, ContentProducer “{producer}”, ProduceID “{number}”"), "AIGC", **values)


def aigc_in_xmp(evidence: Evidence, situation: Situation, parameters: Parameters) -> Finding:
    """Ask that the XMP packet says the same as the `AIGC` field."""
    tag, xmp = evidence.aigc.tag, evidence.aigc.xmp
    if xmp is None:
        return _finding(False, mark("no readable AIGC statement in XMP"), "XMP")
    same = xmp == tag
    return _finding(same, mark("XMP says the same as the AIGC field: {same}"), "XMP", "AIGC", same=_yes(same))


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        signed_metadata,
        time_stamp,
        watermark,
        fingerprint_or_log,
        ingredients_kept,
        personal_data_apart,
        cross_layer_id,
        latent_disclosure,
        label_throughout,
        label_at_opening,
        label_after_breaks,
        label_wording,
        label_height,
        label_contrast,
        told_beforehand,
        visible_or_told_and_machine_readable,
        sound_is_announced,
        own_detector_finds_it,
        aigc_statement,
        aigc_in_xmp,
    )
}
"""Every check by the name that a profile calls it."""

PARAMETERS = frozenset({"seconds", "any_of", "and", "share", "ratio"})


def _finding(passed: bool, seen: str, *fields: str, **values: object) -> Finding:
    return Finding("pass" if passed else "fail", seen, fields, values)


def _frames(evidence: Evidence, seconds: float) -> int:
    """Give how many frames so many seconds are, at least one, at most all."""
    return max(1, min(evidence.frames, math.ceil(seconds * evidence.fps)))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
