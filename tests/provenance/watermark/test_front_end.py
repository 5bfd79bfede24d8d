"""Looking at frames: the same at every size, blind to shading, fair to every area."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark_provenance.watermark.front_end import (
    Canvas,
    Plane,
    fit_canvas,
    flatten_texture,
    measure_activity,
    resample,
)
from platemark_provenance.watermark.waves import add_waves, make_rows, measure_waves


def _ramp(height: int, width: int) -> Plane:
    y, x = (np.arange(side, dtype=np.float32) + 0.5 for side in (height, width))
    return np.asarray(60 + 80 * x[None] / width + 40 * y[:, None] / height, np.float32)


@pytest.mark.parametrize(
    ("shape", "canvas"),
    [
        ((512, 512), Canvas(360, 360, 1.0, 1.0)),
        ((1080, 1920), Canvas(360, 640, 1.0, 1.0)),
        ((640, 360), Canvas(640, 360, 1.0, 1.0)),
    ],
)
def test_the_short_side_becomes_360(shape: tuple[int, int], canvas: Canvas) -> None:
    assert fit_canvas(shape, 360.0) == canvas


def test_rounding_to_whole_pixels_is_remembered() -> None:
    canvas = fit_canvas((281, 500), 360.0)

    assert canvas is not None
    assert canvas.width * canvas.unit_x == pytest.approx(500 * 360 / 281)


@pytest.mark.parametrize("shape", [(0, 10), (100, 401), (401, 100)])
def test_a_picture_that_is_empty_or_too_long_has_no_canvas(shape: tuple[int, int]) -> None:
    assert fit_canvas(shape, 360.0) is None


@settings(deadline=None, max_examples=25)
@given(st.integers(8, 90), st.integers(8, 90), st.integers(8, 90), st.integers(8, 90))
def test_resampling_a_grey_picture_gives_the_same_grey(h: int, w: int, height: int, width: int) -> None:
    resized = resample(np.full((h, w), 77, np.uint8), height, width)

    assert resized.shape == (height, width)
    np.testing.assert_allclose(resized, 77.0, atol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(45, 61), (180, 244), (90, 50)])
def test_resampling_keeps_a_ramp_in_place(height: int, width: int) -> None:
    resized = resample(_ramp(90, 122), height, width)

    np.testing.assert_allclose(resized[6:-6, 6:-6], _ramp(height, width)[6:-6, 6:-6], atol=0.35)


def test_shrinking_removes_what_the_smaller_picture_cannot_hold() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))

    shrunk = resample(stripes, 16, 16)

    assert np.ptp(shrunk[:, 3:-3]) < 12


def test_shading_leaves_no_residual() -> None:
    flat = flatten_texture(_ramp(120, 160))

    assert np.abs(flat[40:-40, 40:-40]).max() < 0.01


def test_one_loud_edge_is_brought_down_to_the_size_of_texture() -> None:
    step = np.full((100, 100), 16, np.float32)
    step[:, 50:] = 235
    texture = np.random.default_rng(1).normal(120, 30, (100, 100)).astype(np.float32)

    assert np.abs(flatten_texture(step)).max() < 2 * np.abs(flatten_texture(texture)).max()


def test_what_is_too_fine_or_too_coarse_for_a_mark_is_dropped() -> None:
    across = np.arange(160)
    fine = np.tile(60 * np.sin(2 * np.pi * 0.3 * across), (120, 1)).astype(np.float32)
    middle = np.tile(60 * np.sin(2 * np.pi * 0.08 * across), (120, 1)).astype(np.float32)

    assert flatten_texture(120 + fine).std() < 0.5 * flatten_texture(120 + middle).std()


def test_faint_noise_is_not_blown_up() -> None:
    noise = np.random.default_rng(1).normal(0, 0.3, (120, 120)).astype(np.float32)

    assert flatten_texture(120 + noise).std() < 0.3 * flatten_texture(120 + 100 * noise).std()


def test_contrast_hardly_changes_flattened_texture() -> None:
    texture = np.random.default_rng(1).normal(120, 30, (120, 120)).astype(np.float32)

    full, halved = flatten_texture(texture), flatten_texture(texture * np.float32(0.5))

    assert np.corrcoef(full.ravel(), halved.ravel())[0, 1] > 0.99


def test_activity_is_one_in_a_flat_area_of_medium_brightness() -> None:
    np.testing.assert_allclose(measure_activity(np.full((60, 60), 126, np.float32)), 1.0, atol=1e-5)


def test_activity_is_lower_in_the_dark() -> None:
    np.testing.assert_allclose(measure_activity(np.full((60, 60), 16, np.float32)), 0.75, atol=1e-5)


def test_activity_is_higher_in_texture() -> None:
    texture = 120 + 15 * np.random.default_rng(2).normal(size=(80, 80)).astype(np.float32)

    assert measure_activity(texture).mean() > 2


def test_a_lone_edge_is_not_taken_for_texture() -> None:
    step = np.full((100, 100), 60, np.float32)
    step[:, 50:] = 200

    assert measure_activity(step).max() < 2


def test_waves_are_measured_as_they_were_added() -> None:
    frequencies = np.array([[0.05, 0.08], [-0.07, 0.03], [0.11, 0.01]])
    amplitudes = np.array([1 + 2j, -3j, 0.5 + 0j])
    rows_x, rows_y = make_rows(frequencies[:, 0], 300), make_rows(frequencies[:, 1], 200)

    measured = measure_waves(add_waves(amplitudes, rows_x, rows_y), rows_x, rows_y) * 2 / (300 * 200)

    np.testing.assert_allclose(measured, amplitudes, atol=0.06)


def test_a_wave_of_frequency_zero_is_a_constant() -> None:
    rows_x, rows_y = make_rows(np.zeros(1), 7), make_rows(np.zeros(1), 5)

    np.testing.assert_allclose(add_waves(np.array([3 - 4j]), rows_x, rows_y), np.full((5, 7), 3.0))
