"""How strong a mark may be: less where it would be seen, more where the picture moves."""

from dataclasses import replace

import numpy as np
import pytest

from platemark_provenance.watermark.carriers import spread_carriers
from platemark_provenance.watermark.front_end import Plane
from platemark_provenance.watermark.profile import BROADCAST_3
from platemark_provenance.watermark.visibility import Masking, choose_strength, measure_masking

FREQUENCIES = spread_carriers(b"v" * 32, BROADCAST_3).frequencies
ONES = np.ones((180, 320), np.float32)


def _texture(spread: float, seed: int = 1) -> Plane:
    return (120 + spread * np.random.default_rng(seed).normal(size=(180, 320))).astype(np.float32)


def _choose(masking: Masking, *, octaves: float = 0.0, least_vmaf: float = 95.6) -> float:
    return choose_strength(masking, FREQUENCIES, octaves=octaves, least_vmaf=least_vmaf)


def test_a_picture_that_stands_still_has_no_motion() -> None:
    assert measure_masking(_texture(20), _texture(20), ONES).motion == 0


def test_neighbours_that_differ_move() -> None:
    assert measure_masking(_texture(20), _texture(20, seed=2), ONES).motion > 5


def test_each_scale_is_half_the_size_of_the_one_before() -> None:
    masking = measure_masking(_texture(20), _texture(20), ONES)

    assert [plane.shape for plane in masking.variances] == [(180, 320), (90, 160), (45, 80), (22, 40)]
    assert [plane.shape for plane in masking.gains] == [(180, 320), (90, 160), (45, 80), (22, 40)]


def test_the_variance_is_that_of_the_texture() -> None:
    assert measure_masking(_texture(20), _texture(20), ONES).variances[0].mean() == pytest.approx(400, rel=0.05)


def test_motion_allows_a_stronger_mark() -> None:
    still = measure_masking(_texture(20), _texture(20), ONES)

    assert _choose(replace(still, motion=4.0)) > 1.5 * _choose(still)


def test_a_higher_wanted_score_gives_a_weaker_mark() -> None:
    still = measure_masking(_texture(20), _texture(20), ONES)

    assert _choose(still, least_vmaf=97.0) < 0.8 * _choose(still, least_vmaf=94.0)


def test_twice_the_gain_means_half_the_strength() -> None:
    one, two = (measure_masking(_texture(20), _texture(20), gain) for gain in (ONES, 2 * ONES))

    assert _choose(two) == pytest.approx(_choose(one) / 2, rel=0.02)


def test_a_larger_picture_gets_a_weaker_mark() -> None:
    """The same waves are coarser in pixels there, and coarse patterns are seen at more scales."""
    still = measure_masking(_texture(20), _texture(20), ONES)

    assert _choose(still, octaves=1.0) < _choose(still)


def test_a_flat_picture_hides_no_information_to_lose() -> None:
    flat = np.full((180, 320), 126, np.float32)

    assert _choose(measure_masking(flat, flat, ONES)) == 20.0


@pytest.mark.parametrize("shape", [(16, 16), (7, 64), (1, 1)])
def test_tiny_planes_are_measured_too(shape: tuple[int, int]) -> None:
    plane = np.zeros(shape, np.float32)

    assert 0 < _choose(measure_masking(plane, plane, np.ones(shape, np.float32))) <= 20.0
