"""A request is checked when it is made."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.clip import MAX_SIDE, MIN_SIDE, ClipRequest, Size, Steering, check_name, check_prompt, whole_frames
from platemark.errors import RequestError
from platemark.inputs import Task


def request(**changes: object) -> ClipRequest:
    values: dict[str, object] = {
        "prompt": "a calm blue sea at sunset",
        "seconds": 2.0,
        "size": Size(256, 256),
        "fps": 12,
        "seed": 7,
        "model": "testcard",
    }
    return ClipRequest(**(values | changes))  # type: ignore[arg-type]  # the point is to pass wrong values too


@given(
    width=st.integers(MIN_SIDE // 2, MAX_SIDE // 2).map(lambda n: 2 * n),
    height=st.integers(MIN_SIDE // 2, MAX_SIDE // 2).map(lambda n: 2 * n),
)
def test_every_even_size_within_bounds_is_written_and_read_back(width: int, height: int) -> None:
    size = Size(width, height)

    assert Size.parse(str(size)) == size


@pytest.mark.parametrize("text", ["512×512", " 512x512 ", "512X512"])
def test_a_size_may_be_written_with_a_cross_spaces_or_capitals(text: str) -> None:
    assert Size.parse(text) == Size(512, 512)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "512",
        "512x",
        "x512",
        "512x512x3",
        "axb",
        "513x512",
        "0x0",
        "-512x512",
        "126x512",
        "2050x512",
        "9" * 40 + "x2",
    ],
)
def test_an_impossible_size_is_refused_with_the_form_or_bounds_it_needs(text: str) -> None:
    with pytest.raises(RequestError, match=r"WIDTHxHEIGHT|even number from 128 to 2048"):
        Size.parse(text)


@given(st.text())
def test_any_text_is_either_a_size_or_a_request_error(text: str) -> None:
    try:
        size = Size.parse(text)
    except RequestError:
        return
    assert MIN_SIDE <= size.width <= MAX_SIDE


def test_a_length_is_counted_in_frames_to_the_nearest_one() -> None:
    assert whole_frames(2.0, 12) == 24
    assert whole_frames(1.04, 24) == 25


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t"])
def test_an_empty_prompt_is_refused(prompt: str) -> None:
    with pytest.raises(RequestError, match="empty"):
        request(prompt=prompt)


def test_a_prompt_of_100_kilobytes_is_refused_with_both_figures_and_without_the_prompt() -> None:
    with pytest.raises(RequestError, match=r"100,000 characters; the limit is 4,000") as caught:
        check_prompt("secret" * 16_666 + "abcd")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("character", "name"),
    [("\x00", "U+0000"), ("\u202e", "U+202E"), ("\u2066", "U+2066"), ("\x1b", "U+001B"), ("\ud800", "U+D800")],
)
def test_a_character_that_hides_or_reorders_text_is_named_with_its_position(character: str, name: str) -> None:
    with pytest.raises(RequestError, match=rf"{name.replace('+', chr(92) + '+')} at position 4"):
        check_prompt("calm" + character + "sea")


def test_line_breaks_and_tabs_are_ordinary_in_a_prompt() -> None:
    check_prompt("first line\n\tsecond line")


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.1, 60.5, 1e9, float("nan"), float("inf")])
def test_an_impossible_duration_is_refused_with_its_bounds(seconds: float) -> None:
    with pytest.raises(RequestError, match=r"seconds must be from 0\.25 to 60"):
        request(seconds=seconds)


@pytest.mark.parametrize("fps", [0, -1, 61])
def test_an_impossible_frame_rate_is_refused(fps: int) -> None:
    with pytest.raises(RequestError, match="fps must be from 1 to 60"):
        request(fps=fps)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_an_impossible_seed_is_refused(seed: int) -> None:
    with pytest.raises(RequestError, match="seed must be from 0"):
        request(seed=seed)


def test_a_length_that_is_not_one_frame_is_refused() -> None:
    with pytest.raises(RequestError, match="is not one frame"):
        request(seconds=0.25, fps=1)


@pytest.mark.parametrize(
    ("steering", "named"),
    [
        ({"steps": 0}, "steps must be from 1 to 250"),
        ({"steps": 251}, "steps must be"),
        ({"guidance": 0.9}, "guidance must be from 1"),
        ({"guidance": float("nan")}, "guidance must be"),
        ({"shift": 0.0}, "shift must be from 0.1 to 20"),
        ({"strength": 1.1}, "strength must be from 0"),
        ({"sampler": "ddim"}, "euler or heun; got 'ddim'"),
        ({"negative": "   "}, "empty"),
        ({"negative": "a\u202eb"}, "U\\+202E"),
        ({"negative": "x" * 4001}, "4,001 characters"),
    ],
)
def test_an_impossible_way_of_sampling_is_refused_with_its_bounds(steering: dict[str, Any], named: str) -> None:
    with pytest.raises(RequestError, match=named):
        Steering(**steering)


def test_a_task_without_what_it_needs_is_refused_rather_than_ignored() -> None:
    with pytest.raises(RequestError, match="extend takes 1 clip; got 0"):
        request(task=Task.EXTEND)


@pytest.mark.parametrize("name", ["actor", "byline", "desk", "label_text"])
def test_a_persons_name_over_its_bound_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match=rf"The {name} has 121 characters"):
        request(**{name: "x" * 121})


def test_a_name_with_a_direction_override_is_refused() -> None:
    with pytest.raises(RequestError, match=r"U\+202E"):
        check_name("byline", "Kim\u202eJi-woo")
