"""A negative prompt steers away from things, and never takes away what the prompt asks for."""

import pytest

from platemark.errors import RequestError
from platemark.generation.avoiding import Avoidance, avoid
from platemark.generation.scenes import SlotValues
from platemark.generation.text import understand


def against(prompt: str, negative: str) -> Avoidance:
    return avoid(understand(prompt), negative)


def test_without_a_negative_prompt_nothing_changes() -> None:
    reading = understand("a red circle")

    assert avoid(reading, "") == Avoidance(reading, SlotValues(), ())


@pytest.mark.parametrize(
    ("prompt", "negative", "slot", "value"),
    [
        ("a red circle", "green", "colour", "green"),
        ("a red circle", "yellow background", "background", "yellow"),
        ("a red circle", "bouncing", "motion", "bouncing"),
        ("a red circle", "a square", "scene", "square"),
        ("a rough sea at sunset", "night", "time", "night"),
        ("a rough sea at sunset", "calm", "amount", "calm"),
        ("a city in snow", "rain", "scene", "city rain"),
        ("a bar chart with two bars", "five bars", "amount", "five"),
        ("a turning globe", "yellow", "ignored", "yellow"),
        ("해질녘 바다", "밤", "time", "night"),
    ],
)
def test_what_is_unwanted_is_read_in_the_terms_of_the_scene(prompt: str, negative: str, slot: str, value: str) -> None:
    avoidance = against(prompt, negative)

    found = {**{name: getattr(avoidance.unwanted, name) for name in SlotValues.__slots__}}
    found["ignored"] = next(iter(avoidance.ignored_words), None)
    assert found[slot] == value


def test_slots_that_were_not_named_stay_open() -> None:
    assert against("a red circle", "green").unwanted == SlotValues(colour="green")


@pytest.mark.parametrize(
    ("prompt", "negative", "slot"),
    [
        ("clouds in a sky", "day", "time"),
        ("a sea", "calm", "amount"),
        ("a sea", "blue", "colour"),
        ("a red circle", "white background", "background"),
        ("a red circle", "moving right", "motion"),
        ("a turning globe", "green land", "second_colour"),
        ("a chart", "four bars", "amount"),
    ],
)
def test_a_choice_of_the_grammar_gives_way(prompt: str, negative: str, slot: str) -> None:
    usual = understand(prompt)

    avoidance = avoid(usual, negative)

    chosen = getattr(avoidance.reading.values, slot)
    assert chosen not in (None, getattr(usual.values, slot))
    assert avoidance.reading.assumed[slot] == chosen
    assert avoidance.reading.understood == usual.understood


def test_colours_stay_apart_when_one_gives_way() -> None:
    values = against("a red circle", "white background").reading.values

    assert values.background not in (values.colour, "white")


@pytest.mark.parametrize(
    ("prompt", "negative"),
    [("a red circle", "red"), ("a rough sea", "rough"), ("a red circle", "circle"), ("밤 바다", "밤")],
)
def test_asking_for_a_thing_and_against_it_is_refused(prompt: str, negative: str) -> None:
    with pytest.raises(RequestError, match="asks for") as refusal:
        against(prompt, negative)

    assert refusal.value.fix


def test_words_that_name_nothing_of_the_scene_are_listed() -> None:
    assert against("a red circle", "blurry, ugly, green").ignored_words == ("blurry", "ugly")


def test_what_the_reading_was_is_left_alone() -> None:
    reading = understand("a sea")

    avoid(reading, "blue")

    assert reading == understand("a sea")
