"""A prompt in the model's own words says all that is shown, in two languages, and lists what it left out."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from platemark.errors import RequestError
from platemark.generation.prompts import choices_of, understand
from platemark.generation.rewriting import in_english, in_korean, rewrite
from platemark.generation.scenes import SCENE_RULES, TIMES, SlotValues


def one_at_a_time(name: str) -> Iterator[SlotValues]:
    """Every value of every slot of a scene, the other slots at their usual values."""
    scene = SCENE_RULES[name]
    usual = scene.defaults
    choices = choices_of(scene)
    colours = {usual.colour, usual.second_colour, usual.background}
    yield usual
    yield from (replace(usual, motion=motion) for motion in dict.fromkeys(scene.motions.values()) if motion)
    yield from (replace(usual, amount=amount) for amount in choices["amount"])
    yield from (replace(usual, shape=shape) for shape in choices["shape"])
    yield from (replace(usual, pattern=pattern) for pattern in choices["pattern"])
    yield from (replace(usual, time=time) for time in TIMES if scene.times)
    yield from (replace(usual, colour=colour) for colour in scene.colours if colour not in colours)
    yield from (replace(usual, second_colour=colour) for colour in scene.second_colours if colour not in colours)
    yield from (replace(usual, background=c) for c in choices["background"] if c not in colours)


ALL = list(dict.fromkeys(itertools.chain.from_iterable(one_at_a_time(name) for name in SCENE_RULES)))


@pytest.mark.parametrize("values", ALL, ids=in_english)
@pytest.mark.parametrize("say", [in_english, in_korean])
def test_what_is_said_is_read_back_as_the_same_scene(say: type, values: SlotValues) -> None:
    reading = understand(say(values))

    assert reading.values == values
    assert (reading.assumed, reading.ignored_words) == ({}, ())


def test_a_vague_prompt_becomes_a_full_one() -> None:
    rewriting = rewrite("the sea at night")

    assert rewriting.english == "a calm blue sea at night"
    assert rewriting.korean == "밤의 잔잔한 파란색 바다"


def test_a_korean_prompt_is_said_in_english_too() -> None:
    assert rewrite("해질녘의 거친 바다").english == "a rough blue sea at sunset"


def test_what_was_said_and_what_was_added_are_kept_apart() -> None:
    rewriting = rewrite("a red circle")

    assert rewriting.understood == {"scene": "a circle", "colour": "red"}
    assert set(rewriting.added) == {"background", "motion"}


def test_what_could_not_be_expressed_is_listed() -> None:
    rewriting = rewrite("the president walks beside a stormy sea")

    assert rewriting.not_expressed == ("president", "walks", "beside")
    assert "president" not in rewriting.english


def test_rewriting_twice_changes_nothing_more() -> None:
    once = rewrite("clouds, please")

    twice = rewrite(once.english)

    assert (twice.english, twice.korean) == (once.english, once.korean)
    assert (twice.added, twice.not_expressed) == ({}, ())


@pytest.mark.parametrize("prompt", ["a rough sea", "폭우가 내리는 도시", "a bar chart with five bars"])
def test_the_same_prompt_is_always_rewritten_alike(prompt: str) -> None:
    assert rewrite(prompt) == rewrite(prompt)


def test_a_prompt_that_names_nothing_we_can_show_is_refused() -> None:
    with pytest.raises(RequestError, match="can show"):
        rewrite("an election night")
