"""The oracle on real clips, on wrong ones, and on nothing."""

import numpy as np
import pytest
import torch

from platemark.training.measures import (
    centres,
    nearest_colour,
    nearest_tint,
    read_digit,
    runs,
    sideways,
    slope,
    turns,
    way,
    wobble,
)
from platemark.training.oracle import as_measured, measure, score
from platemark.training.world.attributes import COLOURS, FAMILIES, RGB_OF_COLOURS
from platemark.training.world.clips import ClipShape, Part, World

NAMES = [family.name for family in FAMILIES]
SHAPE = ClipShape(64, 64, 17)


@pytest.mark.parametrize("part", list(Part))
@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_is_exact_on_real_clips(name: str, part: Part) -> None:
    batch = World(77, part, name).render(torch.arange(16), SHAPE)

    scores = score(as_measured(batch.video), batch.attributes)

    assert scores.everything >= 15 / 16  # a globe can turn its plain side
    assert {slot: share for slot, share in scores.by_slot.items() if slot != "motion"} == {
        slot: 1.0 for slot in scores.by_slot if slot != "motion"
    }


def test_the_oracle_sees_larger_clips_as_well() -> None:
    batch = World(77).render(torch.arange(16), ClipShape(128, 128, 17))

    assert score(as_measured(batch.video), batch.attributes).everything == 1


def test_the_oracle_does_not_read_the_question() -> None:
    batch = World(77, family="shapes").render(torch.arange(32), SHAPE)
    shuffled = (*batch.attributes[1:], batch.attributes[0])

    assert score(as_measured(batch.video), shuffled).everything < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_grey_pictures_are_measured_without_an_error(name: str) -> None:
    grey = np.full((17, 64, 64, 3), 128, np.uint8)

    assert measure(grey, name).get("motion") is None


@pytest.mark.parametrize("name", NAMES)
def test_noise_is_measured_without_an_error(name: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (17, 64, 64, 3), dtype=np.uint8)

    assert measure(noise, name)


def test_scores_of_nothing_are_nought() -> None:
    assert score([], ()).everything == 0


@pytest.mark.parametrize("name", COLOURS)
def test_every_colour_is_nearest_to_itself_even_a_little_off(name: str) -> None:
    levels = np.array(RGB_OF_COLOURS[COLOURS.index(name)], np.float64)

    assert nearest_colour(levels + 12) == nearest_colour(levels - 12) == name


@pytest.mark.parametrize("name", ["blue", "green", "purple", "cyan"])
@pytest.mark.parametrize("light", [0.3, 1.0])
def test_a_tint_is_known_in_any_light(name: str, light: float) -> None:
    levels = np.array(RGB_OF_COLOURS[COLOURS.index(name)], np.float64) * light

    assert nearest_tint(levels, among=("blue", "green", "purple", "cyan")) == name


@pytest.fixture
def sliding() -> np.ndarray:
    """Noise that moves two pixels to the right in each frame."""
    row = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return np.stack([np.roll(row, 2 * frame, axis=1) for frame in range(6)])


@pytest.mark.parametrize(("apart", "shift"), [(1, 2.0), (2, 4.0), (3, 6.0)])
def test_a_movement_is_measured_in_pixels(sliding: np.ndarray, apart: int, shift: float) -> None:
    assert sideways(sliding, slice(0, 64), apart=apart) == shift
    assert sideways(sliding[::-1], slice(0, 64), apart=apart) == -shift


def test_a_turn_has_a_direction_and_stillness_has_none(sliding: np.ndarray) -> None:
    everywhere = slice(0, 64)

    assert turns(sliding, everywhere, everywhere, apart=1) == 1
    assert turns(sliding[::-1], everywhere, everywhere, apart=1) == -1
    assert turns(np.full((6, 64, 64, 3), 9, np.uint8), everywhere, everywhere, apart=1) == 0


def test_a_slope_is_the_rise_over_the_clip_and_ignores_gaps() -> None:
    values = np.array([0.0, np.nan, 2.0, 3.0, 4.0])

    assert slope(values) == pytest.approx(4)
    assert wobble(values) == pytest.approx(0, abs=1e-9)


def test_too_little_to_fit_has_no_slope() -> None:
    assert slope(np.array([1.0, np.nan, np.nan])) == 0
    assert wobble(np.array([1.0, 2.0, np.nan])) == 0


def test_the_centre_of_nothing_is_not_a_number() -> None:
    x, y = centres(np.zeros((2, 8, 8), np.bool_))

    assert np.isnan([x, y]).all()


@pytest.mark.parametrize(
    ("across", "along", "expected"),
    [
        (10, 3, "moving right"),
        (-10, 3, "moving left"),
        (3, 10, "moving down"),
        (3, -10, "moving up"),
        (3, 3, None),
    ],
)
def test_a_way_has_a_name_once_it_is_far_enough(across: float, along: float, expected: str | None) -> None:
    assert way(across, along, least=5) == expected


@pytest.mark.parametrize(("row", "count"), [("", 0), ("0", 0), ("1", 1), ("0110", 1), ("1011", 2), ("10101", 3)])
def test_runs_are_counted(row: str, count: int) -> None:
    assert runs(np.array([letter == "1" for letter in row], np.bool_)) == count


def test_what_is_no_digit_is_not_read() -> None:
    assert read_digit(np.zeros((64, 64), np.bool_)) is None
