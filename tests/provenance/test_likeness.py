"""Likeness of thumbnails: blind to lighting and missing pieces, not to a shared caption."""

import numpy as np
import pytest
from numpy.typing import NDArray

from platemark_provenance.likeness import Thumbnails, measure_difference

ALL = np.ones((32, 32), bool)


def _pictures(seed: int, count: int = 6) -> Thumbnails:
    """A soft random scene that drifts by one pixel a picture."""
    rng = np.random.default_rng(seed)
    scene = np.kron(rng.uniform(30, 220, (5, 8)), np.ones((8, 8)))
    return np.stack([scene[:32, i : i + 32] for i in range(count)]).astype(np.float32)


def _distance(known: NDArray[np.float32], seen: NDArray[np.float32]) -> float:
    return measure_difference(known, seen, ALL).distance


def test_the_same_pictures_are_at_distance_zero() -> None:
    assert _distance(_pictures(1), _pictures(1)) < 1e-6


@pytest.mark.parametrize("seed", range(2, 8))
def test_other_pictures_are_far(seed: int) -> None:
    assert _distance(_pictures(1), _pictures(seed)) > 0.5


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 30.0), (0.6, 40.0), (1.6, -40.0)])
def test_brightness_and_contrast_are_undone(gain: float, offset: float) -> None:
    assert _distance(_pictures(1), _pictures(1) * np.float32(gain) + np.float32(offset)) < 0.05


def test_noise_of_a_few_levels_does_not_matter() -> None:
    noise = np.random.default_rng(1).normal(0, 3, (6, 32, 32)).astype(np.float32)

    assert _distance(_pictures(1), _pictures(1) + noise) < 0.05


def test_missing_pictures_are_skipped() -> None:
    assert _distance(_pictures(1), _pictures(1)[[0, 1, 4, 5]]) < 1e-6


def test_one_picture_of_a_run_is_found_in_it() -> None:
    assert _distance(_pictures(1), _pictures(1)[3:4]) < 1e-6


def test_pictures_between_known_ones_are_near() -> None:
    known = _pictures(1)

    assert _distance(known[::2], known[1::2]) < 0.2


def test_pictures_in_reverse_order_are_farther_than_in_order() -> None:
    assert _distance(_pictures(1, 8), _pictures(1, 8)[::-1]) > 0.1


def test_half_foreign_pictures_count_as_half() -> None:
    mixed = np.concatenate([_pictures(1)[:3], _pictures(5)[3:]])

    difference = measure_difference(_pictures(1), mixed, ALL)

    assert difference.of_each[:3].max() < 0.05
    assert difference.of_each[3:].min() > 0.4
    assert 0.2 < difference.distance < 0.6


def test_a_shared_caption_does_not_make_pictures_alike() -> None:
    one, other = _pictures(1), _pictures(2)
    one[:, 2:6, 18:30] = other[:, 2:6, 18:30] = 16
    one[:, 3:5, 20:28:2] = other[:, 3:5, 20:28:2] = 235

    assert _distance(one, other) > 0.4


def test_what_is_outside_the_mask_does_not_count() -> None:
    seen = _pictures(1)
    seen[:, :, :8] = 255
    mask = ALL.copy()
    mask[:, :8] = False

    assert measure_difference(_pictures(1), seen, mask).distance < 1e-6


@pytest.mark.parametrize("level", [16, 60, 200, 235])
def test_pictures_without_structure_match_only_at_their_own_level(level: int) -> None:
    flat = np.full((4, 32, 32), level, np.float32)

    assert _distance(flat, flat + 3) < 0.05
    assert _distance(flat, flat + 20) == 1.0


def test_a_negative_is_not_the_same_picture() -> None:
    assert _distance(_pictures(1), 255 - _pictures(1)) > 0.5


def test_distances_stay_between_zero_and_one() -> None:
    black, white = np.zeros((1, 32, 32), np.float32), np.full((1, 32, 32), 255, np.float32)

    assert _distance(black, white) == 1.0
    assert _distance(_pictures(1), white) <= 1.0
