"""Many refusals and repeated retries are noticed, from facts that hold no word of any prompt."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.decision import Decision, Verdict
from platemark_policy.engine import Context, Engine
from platemark_policy.history import (
    ALIKE_BITS,
    RETRY_WINDOW,
    SKETCH_BITS,
    History,
    Limits,
    Refusal,
    are_alike,
    sketch_text,
)

KEY = b"k" * 32
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
CALM = "a calm sea at sunset, seen from a cliff"
REFUSED = "Photorealistic video of a derailed subway in Daejeon this morning"
REWORDED = [
    "Photo-realistic clip of a derailed subway in Daejeon this morning",
    "A photorealistic video of a derailed subway in Daejeon, this morning!",
    "PHOTOREALISTIC VIDEO of a derailed subway in daejeon this morn1ng",
]
KOREAN = "오늘 아침 대전 지하철 탈선 사고를 담은 실사 영상"
KOREAN_REWORDED = [
    "오늘 아침에 대전 지하철 탈선 사고를 담은 실사 영상을",
    "오늘아침 대전 지하철 탈선사고 담은 실사영상",
]


def refusal(text: str, *, minutes: float = 5, category: str = "real_event") -> Refusal:
    return Refusal(NOW - timedelta(minutes=minutes), frozenset({category}), sketch_text(text, KEY))


def decide(engine: Engine, text: str, history: History | None) -> Decision:
    return engine.screen_prompt(text, at=NOW, decision_id="d", context=Context(history=history))


def rules_of(decision: Decision) -> set[str]:
    return {finding.rule_id for finding in decision.findings}


def test_nobody_is_suspected_for_nothing(engine: Engine) -> None:
    assert decide(engine, CALM, History()).verdict is Verdict.ALLOW


def test_after_many_refusals_everything_waits(engine: Engine) -> None:
    history = History(tuple(refusal(f"{number} {REFUSED}") for number in range(3)), Limits(refusals=3))

    decision = decide(engine, CALM, history)

    assert (decision.verdict, rules_of(decision)) == (Verdict.REVIEW, {"L01"})
    assert {finding.layer for finding in decision.findings} == {"history"}


def test_one_refusal_fewer_is_usual(engine: Engine) -> None:
    history = History(tuple(refusal(f"{number} {REFUSED}") for number in range(2)), Limits(refusals=3))

    assert decide(engine, CALM, history).verdict is Verdict.ALLOW


def test_refusals_of_an_hour_ago_no_longer_count(engine: Engine) -> None:
    history = History((refusal(REFUSED, minutes=61),) * 5, Limits(refusals=1))

    assert decide(engine, CALM, history).verdict is Verdict.ALLOW


def test_refusals_from_the_future_do_not_count(engine: Engine) -> None:
    history = History((refusal(REFUSED, minutes=-1),) * 5, Limits(refusals=1))

    assert decide(engine, CALM, history).verdict is Verdict.ALLOW


def test_many_refusals_of_one_kind_concern_that_kind(engine: Engine) -> None:
    history = History(
        tuple(refusal(f"{number}", category="named_person") for number in range(2)), Limits(of_category=2)
    )

    assert "L02" in rules_of(decide(engine, "Watercolour of Angela Merkel in a garden", history))
    assert decide(engine, CALM, history).verdict is Verdict.ALLOW


@pytest.mark.parametrize("text", REWORDED)
def test_a_retry_of_what_was_refused_twice_waits_however_it_is_worded(engine: Engine, text: str) -> None:
    history = History((refusal(REFUSED), refusal(REFUSED + "."), refusal("something else entirely, and long")))

    assert "L03" in rules_of(decide(engine, text, history))


@pytest.mark.parametrize("text", KOREAN_REWORDED)
def test_korean_retries_are_noticed(text: str) -> None:
    assert are_alike(sketch_text(KOREAN, KEY), sketch_text(text, KEY))


def test_one_refusal_and_a_new_wording_is_what_people_are_told_to_do(engine: Engine) -> None:
    assert "L03" not in rules_of(decide(engine, REWORDED[0], History((refusal(REFUSED),))))


def test_after_a_day_a_retry_is_a_new_request() -> None:
    late = Refusal(NOW - RETRY_WINDOW - timedelta(seconds=1), frozenset(), sketch_text(REFUSED, KEY))

    assert History((late, refusal(REFUSED))).retries(sketch_text(REFUSED, KEY), at=NOW) == 1


@pytest.mark.parametrize("other", [CALM, KOREAN, "An animated diagram of how subway brakes work", ""])
def test_other_texts_are_not_alike(other: str) -> None:
    assert not are_alike(sketch_text(REFUSED, KEY), sketch_text(other, KEY))


def test_a_sketch_needs_its_key() -> None:
    assert not are_alike(sketch_text(REFUSED, KEY), sketch_text(REFUSED, b"o" * 32))


def test_a_sketch_is_short_whatever_the_text() -> None:
    assert [len(sketch_text(text, KEY)) for text in (REFUSED, REFUSED * 900, KOREAN)] == [SKETCH_BITS // 4] * 3


@pytest.mark.parametrize("text", ["", "   ", "!!!", "\ud800", "🙂"])
def test_a_text_without_words_has_no_sketch_and_is_like_nothing(text: str) -> None:
    sketch = sketch_text(text, KEY)

    assert sketch == ""
    assert not are_alike(sketch, sketch)


@pytest.mark.parametrize("garbled", ["", "zz" * 16, "ab", "0" * 31, "0" * 33])
def test_a_garbled_sketch_is_like_nothing(garbled: str) -> None:
    assert not are_alike(garbled, sketch_text(REFUSED, KEY))


@given(st.text(max_size=200))
def test_a_text_is_like_itself_in_capitals_and_with_spaces(text: str) -> None:
    sketch = sketch_text(text, KEY)

    assert sketch == sketch_text(f"  {text}  ", KEY)
    assert sketch == "" or are_alike(sketch, sketch)


@given(st.integers(0, 2**SKETCH_BITS - 1), st.integers(0, 2**SKETCH_BITS - 1))
def test_likeness_is_a_count_of_bits(one: int, other: int) -> None:
    alike = are_alike(f"{one:032x}", f"{other:032x}")

    assert alike == ((one ^ other).bit_count() <= ALIKE_BITS)
    assert alike == are_alike(f"{other:032x}", f"{one:032x}")


refusals = st.lists(
    st.builds(
        Refusal,
        st.datetimes(datetime(2026, 11, 20), datetime(2026, 11, 23)).map(lambda moment: moment.replace(tzinfo=UTC)),
        st.frozensets(st.sampled_from(["named_person", "real_event", "gore"])),
        st.sampled_from(["", "zz", sketch_text(REFUSED, KEY), sketch_text(CALM, KEY)]),
    ),
    max_size=8,
)


@given(refusals, st.sampled_from([CALM, REFUSED, KOREAN, "Watercolour of Angela Merkel"]))
def test_a_history_can_only_raise_and_its_order_does_not_matter(engine: Engine, past: list[Refusal], text: str) -> None:
    limits = Limits(refusals=2, of_category=1)
    with_history = decide(engine, text, History(tuple(past), limits))

    assert with_history.verdict.severity >= decide(engine, text, None).verdict.severity
    assert with_history == decide(engine, text, History(tuple(reversed(past)), limits))


def test_a_decision_carries_the_sketch_only_where_history_was_looked_at(engine: Engine) -> None:
    assert decide(engine, CALM, History()).to_json()["sketch"] == sketch_text(CALM, KEY)
    assert "sketch" not in decide(engine, CALM, None).to_json()


def test_nothing_of_a_prompt_stands_in_what_is_kept(engine: Engine) -> None:
    kept = str(decide(engine, "Xylophonist Quagmire sleeps", History()).to_json())

    assert "xyloph" not in kept.lower()
    assert "quagmire" not in kept.lower()


class BrokenHistory(History):
    """A history that cannot be read."""

    def retries(self, sketch: str, *, at: datetime) -> int:
        """Fail."""
        raise OSError("gone")


def test_a_history_that_breaks_waits_for_an_editor(engine: Engine) -> None:
    decision = decide(engine, CALM, BrokenHistory())

    assert decision.verdict is Verdict.REVIEW
    assert decision.degraded == ("history refusals: OSError",)
