"""The search: poses map frequencies the right way round, and proposals contain the truth."""

import math
from collections.abc import Mapping

import made_clips as made
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_clips import Clip

from platemark_provenance.watermark.carriers import spread_carriers
from platemark_provenance.watermark.front_end import Canvas, fit_canvas, flatten_texture, resample
from platemark_provenance.watermark.keys import WatermarkKeys
from platemark_provenance.watermark.profile import BROADCAST_3
from platemark_provenance.watermark.search import (
    Evidence,
    Pose,
    fit_any_shift,
    fit_shift,
    limit_amplitudes,
    propose_by_power,
    propose_by_sync,
    refine,
    undo_shift,
)
from platemark_provenance.watermark.waves import add_waves, make_rows

stretches = st.floats(0.5, 2.0)


def _gather(keys: WatermarkKeys, clip: Clip) -> Evidence:
    canvas = fit_canvas((clip[0].shape[0], clip[0].shape[1]), BROADCAST_3.short_side)
    assert canvas is not None
    flat = [flatten_texture(resample(frame, canvas.height, canvas.width)) for frame in clip]
    carriers = spread_carriers(keys.carriers, BROADCAST_3)
    return Evidence(slots=np.stack(flat), canvas=canvas, carriers=carriers)


@pytest.fixture(scope="module")
def upright(keys: WatermarkKeys, marked: Mapping[str, Clip]) -> Evidence:
    return _gather(keys, marked["ball"][:4])


@pytest.fixture(scope="module")
def cropped(keys: WatermarkKeys, marked: Mapping[str, Clip]) -> Evidence:
    return _gather(keys, made.crop(marked["ball"][:6], 0.8))


@settings(deadline=None, max_examples=40)
@given(stretches, stretches, st.floats(-0.3, 0.3), st.booleans())
def test_a_pose_maps_frequencies_by_the_inverse_transpose(x: float, y: float, angle: float, mirrored: bool) -> None:
    pose = Pose(stretch_x=x, stretch_y=y, angle=angle, mirrored=mirrored)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    forward = turn @ np.diag([-x if mirrored else x, y])
    frequencies = np.array([[0.1, 0.02], [-0.05, 0.07]])

    mapped = pose.map_frequencies(frequencies)

    np.testing.assert_allclose(mapped, frequencies @ np.linalg.inv(forward), atol=1e-12)


def test_the_upright_pose_changes_no_frequency() -> None:
    frequencies = np.array([[0.1, 0.02], [-0.05, 0.07]])

    np.testing.assert_array_equal(Pose().map_frequencies(frequencies), frequencies)


def test_undoing_a_shift_restores_the_phases() -> None:
    frequencies = np.array([[0.1, 0.02], [-0.05, 0.07]])
    moved = np.exp(-2j * np.pi * (frequencies @ (5.0, -3.0)))

    restored = undo_shift(moved, frequencies, Pose(shift_x=5.0, shift_y=-3.0))

    np.testing.assert_allclose(restored, 1.0, atol=1e-12)


@pytest.mark.parametrize(("shift_x", "shift_y"), [(0.0, 0.0), (41.0, -17.0), (-120.0, 88.0)])
def test_any_shift_of_a_pattern_is_found(keys: WatermarkKeys, shift_x: float, shift_y: float) -> None:
    carriers = spread_carriers(keys.carriers, BROADCAST_3)
    symbols = carriers.modulate(np.zeros(336, np.uint8))
    moved = symbols * np.exp(-2j * np.pi * (carriers.frequencies @ (shift_x, shift_y)))
    rows_x, rows_y = (make_rows(carriers.frequencies[:, axis], 360) for axis in (0, 1))
    plane = add_waves(moved, rows_x, rows_y)
    evidence = Evidence(slots=plane[None], canvas=Canvas(360, 360, 1.0, 1.0), carriers=carriers)

    fit = fit_any_shift(evidence, Pose())

    assert (fit.pose.shift_x, fit.pose.shift_y) == pytest.approx((shift_x, shift_y), abs=0.26)
    assert fit.score > 12


def test_an_upright_mark_scores_high_where_it_is_and_low_elsewhere(upright: Evidence) -> None:
    assert fit_shift(upright, Pose(), reach=3.0).score > 10
    assert fit_shift(upright, Pose(stretch_x=1.1, stretch_y=1.1), reach=3.0).score < 6


def test_glancing_at_the_spectrum_agrees_with_measuring(upright: Evidence) -> None:
    sync = upright.carriers.sync
    exact = upright.observe(Pose(), waves=sync)

    glanced = upright.glance(upright.carriers.frequencies[:sync])

    assert abs(np.vdot(glanced, exact)) > 0.9 * np.linalg.norm(glanced) * np.linalg.norm(exact)


def test_no_single_wave_outvotes_the_rest(upright: Evidence) -> None:
    loud = upright.observe_slots(Pose())[0]
    loud[3] = 100 * np.abs(loud).max()

    limited = np.abs(limit_amplitudes(loud))

    assert limited[3] <= 2.5 * np.sqrt(np.mean(np.square(np.abs(loud)))) * 1.001


def test_power_proposes_the_scale_of_a_crop(cropped: Evidence) -> None:
    proposals = propose_by_power(cropped, count=8)

    nearest = min(proposals, key=lambda pose: abs(pose.stretch_x - 1.25) + abs(pose.stretch_y - 1.25))
    assert nearest.stretch_x == pytest.approx(1.25, rel=0.01)
    assert nearest.stretch_y == pytest.approx(1.25, rel=0.01)
    assert nearest.angle == pytest.approx(0.0, abs=0.01)


def test_sync_proposes_the_scale_of_a_crop_first(cropped: Evidence) -> None:
    first = propose_by_sync(cropped, count=3)[0]

    assert first.stretch_x == pytest.approx(1.25, rel=0.01)
    assert not first.mirrored


def test_proposals_are_not_neighbours_of_one_another(cropped: Evidence) -> None:
    proposals = propose_by_sync(cropped, count=5)

    assert len({(round(math.log(pose.stretch_x) / 0.02), pose.mirrored) for pose in proposals}) == 5


def test_refining_finds_a_better_pose(cropped: Evidence) -> None:
    start = fit_any_shift(cropped, Pose(stretch_x=1.256, stretch_y=1.244, angle=0.004))

    refined = refine(cropped, start)

    assert refined.score > start.score
    assert refined.pose.stretch_x == pytest.approx(1.25, abs=0.005)
    assert refined.pose.angle == pytest.approx(0.0, abs=0.003)


def test_a_wide_picture_gets_a_larger_grid(keys: WatermarkKeys) -> None:
    carriers = spread_carriers(keys.carriers, BROADCAST_3)
    plane = np.zeros((360, 1440), np.float32)

    evidence = Evidence(slots=plane[None], canvas=Canvas(360, 1440, 1.0, 1.0), carriers=carriers)

    assert evidence.grid == 2048
    assert np.isfinite(fit_any_shift(evidence, Pose()).score)


@pytest.mark.parametrize(("top", "left"), [(0, 0), (33, 17), (61, 101)])
def test_sync_proposes_a_crop_at_shifts_that_it_does_not_try_at_first(
    keys: WatermarkKeys, marked: Mapping[str, Clip], top: int, left: int
) -> None:
    corner = [np.ascontiguousarray(frame[top : top + 400, left : left + 400]) for frame in marked["ball"][:4]]

    first = propose_by_sync(_gather(keys, corner), count=2)[0]

    assert first.stretch_x == pytest.approx(512 / 400, rel=0.015)
    assert first.shift_x == pytest.approx((512 / 2 - left - 200) * 360 / 400, abs=3)
    assert first.shift_y == pytest.approx((512 / 2 - top - 200) * 360 / 400, abs=3)
