"""Conditions look for something, and exceptions take back only what they cover."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from platemark_policy.conditions import (
    AllOf,
    AnyOf,
    Condition,
    HasMetadata,
    InList,
    InWindow,
    Matches,
    Reading,
    excused_spans,
    read_prompt,
)
from platemark_policy.lexicon import Lexicon
from platemark_policy.patterns import compile_pattern

LEXICON = Lexicon({"fruit": ["apple", "pear", "사과"], "colour": ["red", "green"], "phrase": ["apple tree"]})
AT = datetime(2026, 6, 15, tzinfo=UTC)
FRUIT, COLOUR, PHRASE = InList("fruit"), InList("colour"), InList("phrase")


def read(text: str, metadata: Mapping[str, str] | None = None) -> Reading:
    return read_prompt(text, LEXICON, metadata=metadata or {}, at=AT)


def evidence(condition: Condition, text: str) -> list[str] | None:
    spans = condition.evidence(read(text), frozenset())
    return None if spans is None else sorted(text[start:end] for start, end in spans)


@pytest.mark.parametrize(
    ("condition", "text", "words"),
    [
        pytest.param(FRUIT, "an apple and a pear", ["apple", "pear"], id="list"),
        pytest.param(FRUIT, "a plum", None, id="list without a hit"),
        pytest.param(InList("nothing"), "an apple", None, id="list that is empty"),
        pytest.param(FRUIT, "an a p p l e", ["a p p l e"], id="list through a disguise"),
        pytest.param(FRUIT, "사1과", ["사1과"], id="list through a Korean disguise"),
        pytest.param(Matches(compile_pattern(r"\d{3}")), "call 123", ["123"], id="pattern"),
        pytest.param(Matches(compile_pattern(r"\d{3}")), "call 12", None, id="pattern without a hit"),
        pytest.param(Matches(compile_pattern("cast")), "a c@st", ["c@st"], id="pattern through a disguise"),
        pytest.param(AllOf((FRUIT, COLOUR)), "a red apple", ["apple"], id="all, pointing at the first"),
        pytest.param(AllOf((COLOUR, FRUIT)), "a red apple", ["red"], id="all, the other way round"),
        pytest.param(AllOf((FRUIT, COLOUR)), "an apple", None, id="all with one missing"),
        pytest.param(AnyOf((FRUIT, COLOUR)), "a red apple", ["apple", "red"], id="any of both"),
        pytest.param(AnyOf((FRUIT, COLOUR)), "a red wall", ["red"], id="any of one"),
        pytest.param(AnyOf((FRUIT, COLOUR)), "a wall", None, id="any of none"),
        pytest.param(AllOf((InWindow(((AT, AT),)), FRUIT)), "an apple", ["apple"], id="a period points nowhere"),
    ],
)
def test_conditions_answer_with_their_evidence(condition: Condition, text: str, words: list[str] | None) -> None:
    assert evidence(condition, text) == words


@pytest.mark.parametrize(
    ("first", "last", "holds"),
    [
        pytest.param(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), True, id="inside"),
        pytest.param(AT, AT, True, id="on both borders"),
        pytest.param(datetime(2026, 6, 16, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), False, id="before"),
        pytest.param(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 14, tzinfo=UTC), False, id="after"),
    ],
)
def test_a_window_follows_the_clock_of_the_request(first: datetime, last: datetime, holds: bool) -> None:
    found = InWindow(((first, last),)).evidence(read("anything"), frozenset())

    assert (found is not None) is holds


@pytest.mark.parametrize(("metadata", "holds"), [({"task": "edit"}, True), ({"task": "draw"}, False), ({}, False)])
def test_metadata_is_compared_with_the_values_named(metadata: dict[str, str], holds: bool) -> None:
    found = HasMetadata("task", frozenset({"edit"})).evidence(read("anything", metadata), frozenset())

    assert (found is not None) is holds


def test_an_exception_takes_back_the_words_it_covers() -> None:
    reading = read("an apple tree")

    assert FRUIT.evidence(reading, excused_spans(reading, (PHRASE,))) is None


def test_an_exception_leaves_the_same_word_elsewhere() -> None:
    text = "an apple tree and an apple"
    reading = read(text)

    assert FRUIT.evidence(reading, excused_spans(reading, (PHRASE,))) == frozenset({(21, 26)})


def test_an_exception_that_does_not_hold_excuses_nothing() -> None:
    assert excused_spans(read("an apple"), (PHRASE,)) == frozenset()


def test_a_pattern_is_excused_like_a_term() -> None:
    reading = read("an apple tree")

    assert Matches(compile_pattern("apple")).evidence(reading, excused_spans(reading, (PHRASE,))) is None


def test_plain_text_is_read_once() -> None:
    assert len(read("an apple").readings) == 1


def test_disguised_text_is_read_both_ways() -> None:
    assert [reading.text for reading in read("an @pple").readings] == ["an @pple", "an apple"]
