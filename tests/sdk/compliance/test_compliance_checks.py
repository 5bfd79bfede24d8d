"""Each check on evidence with exactly one flaw: what is missing is never taken for what is there."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from platemark.compliance.assessment import EXIT_FAILED, assess
from platemark.compliance.checks import CHECKS, Finding
from platemark.compliance.evidence import Claims, Evidence, Records, Situation
from platemark.compliance.profile import PROFILES, load_profile
from platemark.media.aigc import AigcStatement
from platemark.media.label_reading import LabelPresence, LabelSighting
from platemark.media.stating import AigcFound
from platemark_provenance.axes import Axes, Verdict
from platemark_provenance.explanation import Explanation
from platemark_provenance.verdict import Report

AXES = Axes(
    manifest="present",
    integrity="intact",
    signer="trusted",
    timestamp="trusted",
    identity="none",
    ingredients="ok",
    ai="fully",
    watermark="matched",
)
SIGHTING = LabelSighting(
    text="AI生成",
    place="top_right",
    x=100,
    y=10,
    width=60,
    height=14,
    letter_height=13.0,
    height_share=0.0508,
    contrast=12.0,
    score=0.9,
)
REPORT = Report(
    path=Path("clip.mp4"),
    verdict=Verdict.TRUSTED,
    axes=AXES,
    signer="Daily Example",
    generator="platemark 1.0",
    signed_at=None,
    ai="fully",
    recovered_from=None,
    withdrawn=None,
    codes=(),
    failed_manifest=None,
    explanation=Explanation("", ""),
)
GOOD = Evidence(
    path=Path("clip.mp4"),
    sha256="0" * 64,
    kind="clip",
    width=256,
    height=256,
    fps=12.0,
    frames=120,
    has_audio=True,
    has_captions=True,
    report=REPORT,
    claims=Claims(
        provider="Daily Example",
        system="platemark 1.0",
        made_at=datetime(2026, 11, 22, tzinfo=UTC),
        unique_id="01a20447-95bd-7605-b824-f80af1db536f",
        digital_source="trainedAlgorithmicMedia",
        ingredients=1,
        ingredients_with_manifest=1,
        label_text="AI生成",
        declared_watermark="00" * 8,
    ),
    label=LabelPresence(120, 120, ((0, 120),), SIGHTING),
    aigc=AigcFound(AigcStatement("1", "Daily Example", "01a20447"), AigcStatement("1", "Daily Example", "01a20447")),
    records=Records(fingerprint=True, logged=True, names_exposed=False),
)
SITUATION = Situation(breaks_s=(4.0,))
PARAMETERS = {
    "label_at_opening": {"seconds": "2"},
    "label_after_breaks": {"seconds": "2"},
    "label_wording": {"any_of": "AI|人工智能", "and": "生成|合成"},
}


def with_axes(**axes: str) -> Evidence:
    return replace(GOOD, report=replace(REPORT, axes=replace(AXES, **axes)))  # type: ignore[arg-type]


def with_claims(**claims: Any) -> Evidence:
    return replace(GOOD, claims=replace(GOOD.claims, **claims))


def with_label(*spans: tuple[int, int], **sighting: Any) -> Evidence:
    labelled = sum(past - first for first, past in spans)
    seen = replace(SIGHTING, **sighting) if spans else None
    return replace(GOOD, label=LabelPresence(120, labelled, spans, seen))


def run(check: str, evidence: Evidence, situation: Situation = SITUATION) -> Finding:
    return CHECKS[check](evidence, situation, PARAMETERS.get(check, {}))


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_a_clip_with_everything_passes_each_check(check: str) -> None:
    assert run(check, GOOD).outcome == "pass"


FLAWS = {
    "signed_metadata/no-manifest": ("signed_metadata", with_axes(manifest="absent", integrity="unknown")),
    "signed_metadata/tampered": ("signed_metadata", with_axes(integrity="tampered")),
    "signed_metadata/unknown-signer": ("signed_metadata", with_axes(signer="untrusted")),
    "signed_metadata/says-camera": ("signed_metadata", with_claims(digital_source="digitalCapture")),
    "signed_metadata/says-nothing": ("signed_metadata", with_claims(digital_source=None)),
    "time_stamp/none": ("time_stamp", with_axes(timestamp="none")),
    "time_stamp/by-nobody-known": ("time_stamp", with_axes(timestamp="untrusted")),
    "watermark/absent": ("watermark", with_axes(watermark="absent")),
    "watermark/of-another-clip": ("watermark", with_axes(watermark="mismatch")),
    "watermark/not-looked-for": ("watermark", with_axes(watermark="not_checked")),
    "fingerprint_or_log/neither": ("fingerprint_or_log", replace(GOOD, records=Records())),
    "ingredients_kept/broken": ("ingredients_kept", with_axes(ingredients="failed")),
    "ingredients_kept/no-manifest": ("ingredients_kept", with_claims(unique_id=None)),
    "personal_data_apart/a-name-inside": (
        "personal_data_apart",
        replace(GOOD, records=replace(GOOD.records, names_exposed=True)),
    ),
    "personal_data_apart/nothing-known": (
        "personal_data_apart",
        replace(GOOD, records=replace(GOOD.records, names_exposed=None)),
    ),
    "cross_layer_id/no-mark": ("cross_layer_id", with_axes(watermark="absent")),
    "cross_layer_id/no-log": ("cross_layer_id", replace(GOOD, records=Records(fingerprint=True))),
    "cross_layer_id/mark-not-declared": ("cross_layer_id", with_claims(declared_watermark=None)),
    "latent_disclosure/no-provider": ("latent_disclosure", with_claims(provider=None)),
    "latent_disclosure/no-system": ("latent_disclosure", with_claims(system=None)),
    "latent_disclosure/no-version": ("latent_disclosure", with_claims(system="platemark")),
    "latent_disclosure/no-time": ("latent_disclosure", with_claims(made_at=None)),
    "latent_disclosure/no-identifier": ("latent_disclosure", with_claims(unique_id=None)),
    "label_throughout/none": ("label_throughout", with_label()),
    "label_throughout/last-frame-missing": ("label_throughout", with_label((0, 119))),
    "label_throughout/one-gap": ("label_throughout", with_label((0, 60), (61, 120))),
    "label_throughout/no-frames": ("label_throughout", replace(GOOD, label=LabelPresence(0, 0, (), None))),
    "label_at_opening/one-frame-short": ("label_at_opening", with_label((0, 23))),
    "label_at_opening/one-frame-late": ("label_at_opening", with_label((1, 120))),
    "label_after_breaks/gone-after-the-break": ("label_after_breaks", with_label((0, 48))),
    "label_after_breaks/too-short-after-the-break": ("label_after_breaks", with_label((0, 60))),
    "label_wording/no-label": ("label_wording", with_label()),
    "label_wording/no-ai": ("label_wording", with_label((0, 120), text="生成")),
    "label_wording/no-generated": ("label_wording", with_label((0, 120), text="AI")),
    "label_height/too-small": ("label_height", with_label((0, 120), height_share=0.047)),
    "label_height/no-label": ("label_height", with_label()),
    "label_contrast/too-faint": ("label_contrast", with_label((0, 120), contrast=4.4)),
    "label_contrast/no-label": ("label_contrast", with_label()),
    "told_beforehand/neither": ("told_beforehand", with_label((0, 119))),
    "visible_or_told_and_machine_readable/neither": ("visible_or_told_and_machine_readable", with_label((0, 119))),
    "sound_is_announced/no-captions": ("sound_is_announced", replace(GOOD, has_captions=False)),
    "own_detector_finds_it/not-found": (
        "own_detector_finds_it",
        replace(GOOD, report=replace(REPORT, verdict=Verdict.NONE)),
    ),
    "aigc_statement/none": ("aigc_statement", replace(GOOD, aigc=AigcFound())),
    "aigc_statement/only-suspected": (
        "aigc_statement",
        replace(GOOD, aigc=AigcFound(AigcStatement("3", "Daily", "1"))),
    ),
    "aigc_statement/no-producer": ("aigc_statement", replace(GOOD, aigc=AigcFound(AigcStatement("1", "", "1")))),
    "aigc_statement/no-number": ("aigc_statement", replace(GOOD, aigc=AigcFound(AigcStatement("1", "Daily", "")))),
    "aigc_in_xmp/none": ("aigc_in_xmp", replace(GOOD, aigc=AigcFound(GOOD.aigc.tag))),
    "aigc_in_xmp/another-number": (
        "aigc_in_xmp",
        replace(GOOD, aigc=AigcFound(AigcStatement("1", "Daily", "2"), GOOD.aigc.xmp)),
    ),
}


@pytest.mark.parametrize("flaw", sorted(FLAWS))
def test_one_flaw_fails_the_check_that_asks_for_it(flaw: str) -> None:
    check, evidence = FLAWS[flaw]

    finding = run(check, evidence)

    assert finding.outcome == "fail"
    assert "{" not in finding.evidence
    assert finding.fields


@pytest.mark.parametrize("flaw", sorted(FLAWS))
@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_was_seen_can_be_told_in_both_languages(flaw: str, language: str) -> None:
    check, evidence = FLAWS[flaw]

    assert "{" not in run(check, evidence).evidence_in(language)


@pytest.mark.parametrize(
    ("check", "evidence", "situation"),
    [
        ("ingredients_kept", with_claims(ingredients=0), SITUATION),
        ("label_after_breaks", GOOD, Situation()),
        ("label_after_breaks", GOOD, Situation(breaks_s=(99.0,))),
        ("sound_is_announced", replace(GOOD, has_audio=False, has_captions=False), SITUATION),
    ],
)
def test_what_is_not_there_to_be_checked_does_not_apply(check: str, evidence: Evidence, situation: Situation) -> None:
    assert run(check, evidence, situation).outcome == "not_applicable"


def test_a_clip_shorter_than_the_opening_needs_its_label_to_the_end() -> None:
    short = replace(GOOD, frames=6, label=LabelPresence(6, 6, ((0, 6),), SIGHTING))

    assert run("label_at_opening", short).outcome == "pass"


def test_half_a_pixel_is_not_held_against_a_label() -> None:
    assert run("label_height", with_label((0, 120), height_share=0.0485)).outcome == "pass"


def test_telling_people_beforehand_stands_in_for_a_label_that_is_not_throughout() -> None:
    told = replace(SITUATION, told=True)

    assert run("visible_or_told_and_machine_readable", with_label((0, 119)), told).outcome == "pass"
    assert run("told_beforehand", with_label(), told).outcome == "pass"


@pytest.mark.parametrize("name", PROFILES)
def test_a_clip_with_everything_passes_each_profile(name: str) -> None:
    assessment = assess(GOOD, [load_profile(name)], SITUATION, on=date(2026, 11, 22))

    assert assessment.passed
    assert assessment.exit_code == 0


def test_a_clause_does_not_bind_before_its_day() -> None:
    bare = replace(with_axes(manifest="absent", integrity="unknown", watermark="absent"), label=with_label().label)

    early = assess(bare, [load_profile("eu-art50")], SITUATION, on=date(2026, 8, 1))
    late = assess(bare, [load_profile("eu-art50")], SITUATION, on=date(2026, 8, 2))

    assert {each.finding.outcome for each in early.profiles[0].results} == {"not_applicable"}
    assert late.exit_code == EXIT_FAILED


def test_an_optional_clause_that_fails_does_not_fail_its_profile() -> None:
    unlogged = replace(GOOD, records=Records())

    assessment = assess(unlogged, [load_profile("eu-art50")], SITUATION, on=date(2026, 11, 22))

    failing = [each.clause.id for each in assessment.profiles[0].results if each.finding.outcome == "fail"]
    assert failing == ["EU-1.1.3", "EU-1.3", "EU-det"]
    assert assessment.passed


@pytest.mark.parametrize(
    ("situation", "outcome"),
    [(Situation(realistic=True), "fail"), (Situation(realistic=False), "not_applicable"),
     (Situation(role="user"), "not_applicable")],
)  # fmt: skip
def test_the_situation_decides_whether_the_korean_clause_on_realistic_video_binds(
    situation: Situation, outcome: str
) -> None:
    assessment = assess(with_label((0, 119)), [load_profile("kr-ai-basic")], situation, on=date(2026, 11, 22))

    results = {each.clause.id: each.finding.outcome for each in assessment.profiles[0].results}
    assert results["KR-31-3"] == outcome


def test_the_json_names_every_clause_with_its_source_and_that_a_lawyer_has_yet_to_look() -> None:
    told = assess(GOOD, [load_profile(name) for name in PROFILES], SITUATION, on=date(2026, 11, 22)).to_json()

    profiles: Any = told["profiles"]
    clauses = [clause for profile in profiles for clause in profile["clauses"]]
    assert [profile["profile"] for profile in profiles] == list(PROFILES)
    assert all(clause["source"] and clause["needs_legal_review"] is True for clause in clauses)
