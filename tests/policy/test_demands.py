"""What a home asks of pictures can only make decisions stricter, and what nobody looked at is said."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.decision import Decision, Verdict
from platemark_policy.engine import Engine
from platemark_policy.explanation import explain_record
from platemark_policy.frames import FrameFacts
from platemark_policy.nudity import CERTAIN, LIKELY, Looks
from platemark_policy.pack import RulePack
from platemark_policy.references import NOT_LOOKED_AT, STRICT, Demands, ReferenceFacts

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MOVING = FrameFacts(frames=48, fps=24, flashing_area=0, flashing_at_s=0, brightest=0.8, largest_step=90)
LENIENT = Demands(looks=False, rights=False)
EVERY = [Demands(looks, rights) for looks, rights in itertools.product((False, True), repeat=2)]

looks = st.none() | st.builds(
    lambda scores, failed: Looks(tuple(range(len(scores))), tuple(scores), failed),
    st.lists(st.floats(0, 1), max_size=4),
    st.integers(0, 2),
)
facts = st.builds(
    ReferenceFacts,
    st.just("ab" * 32),
    looks,
    faces=st.none() | st.integers(0, 3),
    consent_ids=st.sampled_from([(), ("record-1",)]),
    has_rights=st.booleans(),
)


def engine(pack: RulePack, demands: Demands) -> Engine:
    return Engine(pack, input_key=b"k" * 32, demands=demands)


def of_reference(pack: RulePack, demands: Demands, given_facts: ReferenceFacts) -> Decision:
    return engine(pack, demands).screen_reference(given_facts, at=AT, decision_id="d")


def of_frames(pack: RulePack, demands: Demands, seen: Looks | None) -> Decision:
    return engine(pack, demands).screen_frames(MOVING, at=AT, decision_id="d", looks=seen)


@given(facts, st.sampled_from(EVERY))
def test_asking_for_more_never_lowers_what_is_decided_about_a_file(
    newsroom: RulePack, given_facts: ReferenceFacts, demands: Demands
) -> None:
    some, strict = of_reference(newsroom, demands, given_facts), of_reference(newsroom, STRICT, given_facts)

    assert some.verdict.severity <= strict.verdict.severity
    assert set(some.findings) <= set(strict.findings)


@given(looks, st.sampled_from(EVERY))
def test_asking_for_more_never_lowers_what_is_decided_about_frames(
    newsroom: RulePack, seen: Looks | None, demands: Demands
) -> None:
    assert of_frames(newsroom, demands, seen).verdict.severity <= of_frames(newsroom, STRICT, seen).verdict.severity


@given(looks)
def test_no_demand_is_so_low_that_nudity_passes(newsroom: RulePack, seen: Looks | None) -> None:
    decision = of_frames(newsroom, LENIENT, seen)
    suspicious = seen is not None and (seen.failed > 0 or not seen.scores or seen.highest >= LIKELY)

    assert (decision.verdict is not Verdict.ALLOW) == suspicious


@given(looks)
def test_whoever_did_not_look_says_so(newsroom: RulePack, seen: Looks | None) -> None:
    decision = of_frames(newsroom, LENIENT, seen)

    assert (NOT_LOOKED_AT in decision.degraded) == (seen is None)


def test_an_engine_that_was_told_nothing_asks_for_everything(newsroom: RulePack) -> None:
    decision = Engine(newsroom, input_key=b"k" * 32).screen_frames(MOVING, at=AT, decision_id="d")

    assert [(finding.rule_id, finding.action) for finding in decision.findings] == [("V06", Verdict.BLOCK)]


def test_frames_that_could_not_be_looked_at_block_whatever_is_asked(newsroom: RulePack) -> None:
    assert of_frames(newsroom, LENIENT, Looks((0,), (0.0,), failed=1)).verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({}, []),
        ({"has_rights": False}, ["V04"]),
        ({"faces": 1}, ["V03"]),
        ({"faces": 1, "consent_ids": ("record-1",)}, []),
        ({"looks": Looks((0,), (LIKELY,))}, ["V01"]),
        ({"looks": Looks((0,), (CERTAIN,)), "consent_ids": ("record-1",)}, ["V01"]),
        ({"looks": None}, ["V02"]),
    ],
)
def test_a_strict_home_names_each_thing_a_file_lacks(
    newsroom: RulePack, change: dict[str, object], rules: list[str]
) -> None:
    fine = ReferenceFacts("ab" * 32, Looks((0,), (0.1,)), faces=0, has_rights=True)

    decision = of_reference(newsroom, STRICT, replace(fine, **change))  # type: ignore[arg-type]

    assert [finding.rule_id for finding in decision.findings] == rules


@pytest.mark.parametrize(("language", "said"), [("en", "Nobody looked at pictures"), ("ko", "확인하지 않았습니다")])
def test_an_explanation_says_what_was_not_looked_at(newsroom: RulePack, language: str, said: str) -> None:
    record = of_frames(newsroom, LENIENT, None).to_json()

    assert any(said in line for line in explain_record(record, language=language))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_an_explanation_names_the_records_that_were_looked_at(newsroom: RulePack, language: str) -> None:
    covered = ReferenceFacts("ab" * 32, Looks((0,), (0.1,)), faces=1, consent_ids=("record-7",), has_rights=True)

    lines = explain_record(of_reference(newsroom, STRICT, covered).to_json(), language=language)

    assert any("record-7" in line for line in lines)
