"""The checks on the file and on the policy's decisions, each with one flaw."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from platemark.clip import Clip
from platemark.compliance.assessment import Assessment, assess
from platemark.compliance.evidence import Situation
from platemark.compliance.gathering import gather
from platemark.desk.publication_checks import Standing, check_assessment, check_standing
from platemark.desk.publishing import refuse
from platemark.errors import ProfileFailed, PublicationRefused
from platemark.studio import Studio
from platemark_provenance.ledger.event import Event
from platemark_provenance.verdict import Verdict


@pytest.fixture
def sound(gated: Studio, draft: Clip) -> Assessment:
    """A draft with nothing wrong, held against no profile."""
    return assess(gather(gated.home, draft.path), (), Situation(), on=date(2026, 11, 22))


@pytest.fixture
def standing(gated: Studio, draft: Clip) -> Standing:
    """What the records say of the same draft, with an editor who may approve it."""
    record = gated.ledger.registry.record(draft.clip_id)
    assert record is not None
    return Standing(
        record=record,
        events=gated.ledger.trace(draft.clip_id),
        byline="",
        approver="Lee Sora",
        approver_id=gated.ledger.pseudonym("Lee Sora"),
    )


def test_a_sound_draft_passes_every_check(sound: Assessment, standing: Standing) -> None:
    assert check_assessment(sound) == ()
    assert check_standing(standing) == ()


@pytest.mark.parametrize("verdict", [each for each in Verdict if each is not Verdict.TRUSTED])
def test_any_verdict_but_trusted_fails_the_manifest_check(sound: Assessment, verdict: Verdict) -> None:
    report = replace(sound.evidence.report, verdict=verdict)

    failed = check_assessment(replace(sound, evidence=replace(sound.evidence, report=report)))

    assert [(each.number, each.name, each.detail) for each in failed] == [(8, "manifest", verdict)]


@pytest.mark.parametrize("state", ["absent", "mismatch", "not_checked"])
def test_a_mark_that_does_not_lead_to_the_record_fails_the_watermark_check(sound: Assessment, state: str) -> None:
    report = sound.evidence.report
    report = replace(report, axes=replace(report.axes, watermark=state))

    failed = check_assessment(replace(sound, evidence=replace(sound.evidence, report=report)))

    assert [(each.number, each.name, each.detail) for each in failed] == [(9, "watermark", state)]


@pytest.mark.parametrize(("frames", "labelled"), [(6, 5), (6, 0), (0, 0)])
def test_one_frame_without_its_label_fails_the_label_check(sound: Assessment, frames: int, labelled: int) -> None:
    label = replace(sound.evidence.label, frames=frames, labelled=labelled)

    failed = check_assessment(replace(sound, evidence=replace(sound.evidence, label=label)))

    assert [(each.number, each.name, each.detail) for each in failed] == [(10, "label", f"{labelled}/{frames}")]


def decided(standing: Standing, decision: str) -> Standing:
    """The same records with another decision of the policy on every text and on the frames."""
    events = [
        replace(event, decision=decision) if event.type == "policy.decided" else event for event in standing.events
    ]
    return replace(standing, events=events)


@pytest.mark.parametrize("decision", ["review", "block"])
def test_what_the_policy_stopped_and_nobody_let_pass_fails_the_policy_check(standing: Standing, decision: str) -> None:
    failed = check_standing(decided(standing, decision))

    assert [(each.number, each.name, each.detail) for each in failed] == [(7, "policy", "prompt, frames")]


def test_what_editors_let_pass_passes_the_policy_check(standing: Standing) -> None:
    held = decided(standing, "review")
    applied: list[Event] = [
        replace(event, type="review.applied") for event in held.events if event.type == "policy.decided"
    ]

    assert check_standing(replace(held, events=[*held.events, *applied])) == ()


def test_a_clip_on_which_nothing_was_decided_fails_the_policy_check(standing: Standing) -> None:
    events = [event for event in standing.events if event.type != "policy.decided"]

    assert [each.name for each in check_standing(replace(standing, events=events))] == ["policy"]


def test_an_erased_byline_is_unknown_until_another_is_given(standing: Standing) -> None:
    events = [replace(event, sealed=None, actor_name=None) for event in standing.events]

    assert [each.name for each in check_standing(replace(standing, events=events))] == ["byline"]
    assert check_standing(replace(standing, events=events, byline="Kim")) == ()


def test_an_author_whose_name_was_erased_still_cannot_approve(standing: Standing, gated: Studio) -> None:
    events = [replace(event, sealed=None, actor_name=None) for event in standing.events]
    author = replace(
        standing, events=events, byline="Kim", approver="jw.kim", approver_id=gated.ledger.pseudonym("jw.kim")
    )

    assert [each.name for each in check_standing(author)] == ["approver"]


def test_a_profile_next_to_another_failure_is_a_plain_refusal(sound: Assessment, standing: Standing) -> None:
    profile = check_assessment(replace(sound, evidence=replace(sound.evidence, label=replace(
        sound.evidence.label, labelled=0))))  # fmt: skip
    only = tuple(replace(each, name="profile") for each in profile)

    with pytest.raises(ProfileFailed):
        refuse(only)
    with pytest.raises(PublicationRefused) as caught:
        refuse((*only, *profile))
    assert caught.value.exit_code == 3
    refuse(())


def test_the_evidence_was_of_the_file_itself(sound: Assessment, draft: Clip) -> None:
    assert (sound.evidence.path, sound.evidence.sha256) == (Path(draft.path), draft.sha256)
