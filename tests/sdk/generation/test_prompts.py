"""Both readers together: the rules first, the trained one behind them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.generation.prompts import understand
from platemark.generation.scenes import LEARNED_SCENES, SCENE_RULES, SlotValues
from platemark.generation.text import named_colours, split_words
from platemark.generation.text import understand as understand_by_rules


@pytest.mark.parametrize(
    "prompt",
    [
        "city lights at night, light rain",
        "a red circle moving right on a white background",
        "밤하늘에 많은 구름이 왼쪽으로 흐른다",
        "a blue globe with green land rotating left on a black background",
    ],
)
def test_what_the_rules_know_wholly_is_left_to_them(prompt: str) -> None:
    assert understand(prompt) == understand_by_rules(prompt)


@pytest.mark.parametrize(
    ("prompt", "slot", "value"),
    [
        ("a red square getting bigger", "motion", "growing"),
        ("one black square whirling in front of orange", "background", "orange"),
        ("요동치는 파란 바다", "amount", "rough"),
    ],
)
def test_what_the_rules_would_have_assumed_is_read(prompt: str, slot: str, value: str) -> None:
    ruled, both = understand_by_rules(prompt), understand(prompt)

    assert slot in ruled.assumed
    assert getattr(both.values, slot) == value
    assert both.understood[slot] == value
    assert slot not in both.assumed


def test_a_scene_that_the_rules_have_no_word_for_is_found() -> None:
    with pytest.raises(RequestError):
        understand_by_rules("a red orb bouncing")

    reading = understand("a red orb bouncing")

    assert reading.values == SlotValues(scene="circle", colour="red", background="white", motion="bouncing")
    assert reading.assumed == {"background": "white"}


@pytest.mark.parametrize("prompt", ["hello", "a president speaks to the senate", "강아지", "", "12345"])
def test_what_neither_reader_knows_is_refused(prompt: str) -> None:
    with pytest.raises(RequestError, match="Nothing in the prompt"):
        understand(prompt)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("a flag with a red cross", {"second_colour": "red", "pattern": "cross"}),
        ("a red cube", {"colour": "red"}),
        ("왼쪽으로 도는 빨간 큐브", {"colour": "red", "motion": "orbiting left"}),
        ("countdown from three in red on white", {"colour": "red", "background": "white", "amount": "three"}),
        ("다섯부터 세는 카운트다운", {"amount": "five"}),
        ("a red circle moving right behind a blue pillar", {"colour": "red", "second_colour": "blue"}),
        ("a map with a red route going right", {"colour": "red", "motion": "moving right"}),
        ("초록 언덕 위를 나는 장면", {"colour": "green"}),
        ("a falling red line graph", {"colour": "red", "motion": "falling"}),
    ],
)
def test_scenes_that_the_rules_do_not_know_are_read(prompt: str, said: dict[str, str]) -> None:
    reading = understand(prompt)

    assert reading.understood.items() >= said.items()
    assert reading.values.scene in LEARNED_SCENES


@pytest.mark.parametrize(
    ("word", "scene"),
    [
        ("flag", "flag"),
        ("깃발", "flag"),
        ("map", "map"),
        ("지도", "map"),
        ("countdown", "countdown"),
        ("cube", "cube"),
        ("voxels", "voxels"),
        ("line chart", "line chart"),
    ],
)
def test_the_word_for_a_scene_alone_shows_it_as_it_usually_is(word: str, scene: str) -> None:
    assert understand(word).values == SCENE_RULES[scene].defaults


@pytest.mark.parametrize(
    ("prompt", "scene"),
    [
        ("flying birds in the sky", "sky"),
        ("a bird flying over the sea", "sea"),
        ("a block chart", "chart"),
        ("the sun sets behind the sea", "sea"),
        ("a red square", "square"),
    ],
)
def test_a_word_of_another_scene_in_passing_does_not_take_a_prompt_from_the_rules(prompt: str, scene: str) -> None:
    assert understand(prompt).values.scene == scene


@pytest.mark.parametrize(
    ("prompt", "colours"),
    [
        ("a flag with blue and white stripes", ("blue", "white")),
        ("a waving flag with red and yellow stripes", ("red", "yellow")),
        ("빨간색과 노란색 줄무늬 깃발", ("red", "yellow")),
        ("파란색과 흰색 깃발이 펄럭인다", ("blue", "white")),
    ],
)
def test_a_flag_of_two_colours_has_them_in_the_order_they_were_named(prompt: str, colours: tuple[str, str]) -> None:
    reading = understand(prompt)

    assert (reading.values.colour, reading.values.second_colour) == colours
    assert not {word for word, _ in named_colours(split_words(prompt))} & set(reading.ignored_words)


@pytest.mark.parametrize("prompt", ["a red flag against a blue sky", "a red flag on a white background"])
def test_the_colour_behind_a_flag_is_not_taken_for_one_of_its_own(prompt: str) -> None:
    reading = understand(prompt)

    assert reading.values.colour == "red"
    assert reading.values.second_colour not in {"blue", "white"}
    assert reading.values.background in {"blue", "white"}


def test_a_name_that_no_flag_of_ours_can_show_is_reported() -> None:
    assert understand("the flag of France").ignored_words == ("france",)


@pytest.mark.parametrize("prompt", ["no flag", "a map without a route", "깃발 없는 장면"])
def test_what_a_prompt_is_against_is_not_shown(prompt: str) -> None:
    with pytest.raises(RequestError, match="Nothing in the prompt"):
        understand(prompt)


def test_a_word_for_a_scene_among_strangers_still_names_it() -> None:
    reading = understand("quixotic zebras parliament flag committee")

    assert reading.values.scene == "flag"
    assert {"zebras", "parliament"} <= set(reading.ignored_words)


def test_words_that_nobody_made_anything_of_are_reported() -> None:
    reading = understand("a president, a red square getting bigger on white")

    assert reading.values.motion == "growing"
    assert "president" in reading.ignored_words
    assert "bigger" not in reading.ignored_words


@pytest.mark.parametrize("prompt", ["a city without rain", "눈이 안 오는 도시", "a city, no snow"])
def test_a_denial_is_the_rules_alone_to_read(prompt: str) -> None:
    with pytest.raises(RequestError, match="rain or in snow"):
        understand_by_rules(prompt)

    with pytest.raises(RequestError, match="rain or in snow"):
        understand(prompt)


def test_what_the_prompt_says_is_never_overruled() -> None:
    ruled = understand_by_rules("a red circle moving left beside the grand canal")
    both = understand("a red circle moving left beside the grand canal")

    assert {slot: getattr(both.values, slot) for slot in ("colour", "motion")} == {
        slot: getattr(ruled.values, slot) for slot in ("colour", "motion")
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(split_words(
    "a red blue circle square sea sky bars rising night calm heavy rain globe land background on white getting bigger "
    "orb zeppelin president 원 빨간 배경 바다 밤 커지는 대통령 부풀어"
)), max_size=8))  # fmt: skip
def test_every_word_is_understood_or_reported_and_colours_stay_apart(words: list[str]) -> None:
    try:
        reading = understand(" ".join(words))
    except RequestError:
        return
    colours = [reading.values.colour, reading.values.second_colour, reading.values.background]
    named = [colour for colour in colours if colour is not None]

    assert len(set(named)) == len(named)
    assert {"zeppelin", "president", "대통령"} & set(words) <= set(reading.ignored_words)
    assert all(value is not None for value in reading.understood.values())
    assert not set(reading.understood) & set(reading.assumed)
