"""Pictures are looked at often enough, and what could not be looked at is never a pass."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy import nudity
from platemark_policy.decision import Verdict
from platemark_policy.engine import Engine
from platemark_policy.errors import PolicyError
from platemark_policy.frames import RGB, FrameFacts
from platemark_policy.nudity import CERTAIN, LIKELY, Looks, NudityWatch, look_for_nudity
from platemark_policy.references import ReferenceFacts, judge_reference

CALM = Looks((0,), (0.01,))
FINE = ReferenceFacts("ab" * 32, CALM, faces=0, has_rights=True)


def grey(level: int, side: int = 48) -> RGB:
    return np.full((side, side, 3), level, dtype=np.uint8)


def watched(frames: list[RGB], look: Callable[[RGB], float], *, fps: float = 24) -> Looks:
    watch = NudityWatch(fps=fps, look=look)
    for frame in frames:
        watch.feed(frame)
    return watch.looks()


def bright(frame: RGB) -> float:
    return float(frame.mean() / 255)


def failing(frame: RGB) -> float:
    raise PolicyError("no network")


def test_every_half_second_and_the_last_frame_are_looked_at() -> None:
    assert watched([grey(10)] * 30, bright).places == (0, 12, 24, 29)


def test_the_first_frame_after_a_cut_is_looked_at() -> None:
    assert 5 in watched([grey(10)] * 5 + [grey(200)] + [grey(200)] * 4, bright).places


def test_one_frame_is_looked_at_once() -> None:
    assert watched([grey(10)], bright).places == (0,)


def test_a_clip_without_frames_was_not_seen() -> None:
    assert watched([], bright) == Looks((), ())


@given(st.integers(1, 90), st.floats(1, 60))
def test_no_half_second_passes_unseen(count: int, fps: float) -> None:
    places = watched([grey(10, side=8)] * count, lambda frame: 0.0, fps=fps).places

    assert places[0] == 0
    assert places[-1] == count - 1
    assert max(np.diff([*places, count - 1]), default=0) <= max(1, round(fps / 2))


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0, 1))
def test_one_more_look_never_makes_a_clip_look_better(scores: list[float], more: float) -> None:
    fewer, all_of_them = Looks((), (0.0, *scores)), Looks((), (0.0, *scores, more))

    assert all_of_them.highest >= fewer.highest
    assert all_of_them.lasts >= fewer.lasts


@pytest.mark.parametrize(
    ("scores", "lasts"),
    [((), False), ((0.9,), True), ((0.9, 0.1), False), ((0.1, 0.9, 0.9), True), ((0.9, 0.1, 0.9), False)],
)
def test_only_what_lasts_is_certain(scores: tuple[float, ...], lasts: bool) -> None:
    assert Looks((), scores).lasts is lasts


def test_a_look_that_fails_is_counted() -> None:
    assert watched([grey(1)] * 13, failing, fps=24).failed == 2


def test_the_network_finds_nothing_in_plain_pictures() -> None:
    assert [look_for_nudity(grey(level, side=64)) < LIKELY for level in (0, 128, 255)] == [True] * 3


def test_the_same_picture_scores_the_same_twice() -> None:
    picture = np.random.default_rng(3).integers(0, 255, (64, 64, 3), dtype=np.uint8)

    assert look_for_nudity(picture) == look_for_nudity(picture)


@pytest.mark.parametrize("picture", [np.zeros((0, 0, 3), np.uint8), np.zeros((4, 4, 7), np.uint8)])
def test_what_is_no_picture_is_an_error_of_ours(picture: RGB) -> None:
    with pytest.raises(PolicyError):
        look_for_nudity(picture)


def test_without_the_network_every_look_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise PolicyError("not installed")

    monkeypatch.setattr(nudity, "_network", absent)

    with pytest.raises(PolicyError, match="not installed"):
        look_for_nudity(grey(0))


def test_a_reference_with_its_records_goes_on() -> None:
    assert judge_reference(FINE) == ()


@pytest.mark.parametrize(
    ("facts", "rule", "action"),
    [
        (ReferenceFacts("a", Looks((0,), (CERTAIN,)), has_rights=True), "V01", Verdict.BLOCK),
        (ReferenceFacts("a", Looks((0,), (LIKELY,)), has_rights=True), "V01", Verdict.REVIEW),
        (ReferenceFacts("a", None, has_rights=True), "V02", Verdict.REVIEW),
        (ReferenceFacts("a", Looks((), ()), has_rights=True), "V02", Verdict.REVIEW),
        (ReferenceFacts("a", Looks((0,), (0.0,), failed=1), has_rights=True), "V02", Verdict.REVIEW),
        (ReferenceFacts("a", CALM, faces=1, has_rights=True), "V03", Verdict.REVIEW),
        (ReferenceFacts("a", CALM), "V04", Verdict.REVIEW),
    ],
)
def test_a_reference_is_objected_to(facts: ReferenceFacts, rule: str, action: Verdict) -> None:
    assert [(finding.rule_id, finding.action) for finding in judge_reference(facts)] == [(rule, action)]


def test_a_face_with_a_record_of_consent_goes_on() -> None:
    assert judge_reference(ReferenceFacts("a", CALM, faces=2, consent_ids=("c-1",), has_rights=True)) == ()


def test_a_decision_about_a_reference_names_the_records(engine: Engine, at: datetime) -> None:
    facts = ReferenceFacts("ab" * 32, CALM, faces=1, consent_ids=("c-1",), has_rights=True)

    decision = engine.screen_reference(facts, at=at, decision_id="d")

    assert (decision.verdict, decision.consent_ids) == (Verdict.ALLOW, ("c-1",))


def test_impossible_facts_about_a_reference_stop_it(engine: Engine, at: datetime) -> None:
    decision = engine.screen_reference(ReferenceFacts("a", CALM, faces=-1, has_rights=True), at=at, decision_id="d")

    assert decision.verdict is Verdict.BLOCK
    assert decision.degraded == ("vision reference: PolicyError",)


MOVING = FrameFacts(frames=48, fps=24, flashing_area=0, flashing_at_s=0, brightest=0.8, largest_step=90)


@pytest.mark.parametrize(
    ("looks", "rules", "verdict"),
    [
        (CALM, [], Verdict.ALLOW),
        (Looks((0, 12), (LIKELY, 0.1)), ["V05"], Verdict.REVIEW),
        (Looks((0, 12), (CERTAIN, CERTAIN)), ["V05"], Verdict.BLOCK),
        (Looks((0, 12), (0.1, 0.1), failed=1), ["V06"], Verdict.BLOCK),
        (Looks((), ()), ["V06"], Verdict.BLOCK),
    ],
)
def test_a_clip_is_judged_by_what_was_seen(
    engine: Engine, at: datetime, looks: Looks, rules: list[str], verdict: Verdict
) -> None:
    decision = engine.screen_frames(MOVING, at=at, decision_id="d", looks=looks)

    assert ([finding.rule_id for finding in decision.findings], decision.verdict) == (rules, verdict)
