"""From decoded groups to finished frames: nothing is lost, invented, or kept longer than needed."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.clip import Size
from platemark.generation.backends.embedded import CARD
from platemark.generation.card import read_card
from platemark.generation.finish import (
    blend_in_time,
    draw_out_background,
    even_out_groups,
    fit_frame,
    smooth_ripples,
)
from platemark.generation.plan import ClipPlan, plan_clip
from platemark.generation.resize import Picture, resize, resize_matrix
from platemark.generation.scenes import SCENE_RULES


def flat(level: float, *, height: int = 6, width: int = 8) -> Picture:
    return np.full((height, width, 3), level, np.float32)


def group(*levels: float) -> Picture:
    return np.stack([flat(level) for level in levels])


def levels(frames: Iterator[Picture]) -> list[float]:
    return [round(float(frame.mean()), 4) for frame in frames]


def plan(*, frames: int, pace: float, last: float, fit: str = "whole") -> ClipPlan:
    base = plan_clip(read_card(CARD), SCENE_RULES["sea"].defaults, Size(512, 512), frames=frames, fps=12)
    return replace(base, pace=pace, last=last, fit=fit)  # type: ignore[arg-type]  # one of the three words


@settings(max_examples=60, deadline=None)
@given(source=st.integers(1, 90), target=st.integers(1, 200))
def test_every_row_of_the_matrix_sums_to_one(source: int, target: int) -> None:
    matrix = resize_matrix(source, target)

    assert matrix.shape == (target, source)
    assert np.allclose(matrix.sum(axis=1), 1, atol=1e-5)


def test_a_line_of_the_same_length_is_left_as_it_is() -> None:
    assert np.allclose(resize_matrix(17, 17), np.eye(17), atol=1e-6)


def test_the_matrix_is_shared_and_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        resize_matrix(4, 8)[0, 0] = 1


@pytest.mark.parametrize(("height", "width"), [(6, 8), (48, 64), (3, 4), (131, 17), (1, 1)])
def test_a_flat_picture_stays_flat_at_every_size(height: int, width: int) -> None:
    resized = resize(flat(93), height=height, width=width)

    assert resized.shape == (height, width, 3)
    assert resized.dtype == np.float32
    assert np.allclose(resized, 93, atol=1e-3)


def test_enlarging_keeps_what_is_left_left_and_what_is_up_up() -> None:
    picture = flat(0)
    picture[0, 0] = 255

    resized = resize(picture, height=48, width=64)

    assert resized[3, 4].mean() > 200
    assert abs(resized[40, 60].mean()) < 1


def test_enlarging_a_slope_gives_a_slope() -> None:
    picture = np.broadcast_to(np.arange(16, dtype=np.float32)[None, :, None], (4, 16, 3))

    resized = resize(picture, height=4, width=128)[0, 24:-24, 0]

    assert np.allclose(np.diff(resized), 1 / 8, atol=0.02)


def test_shrinking_averages_rather_than_picks() -> None:
    picture = flat(0, height=64, width=64)
    picture[:, ::2] = 200

    resized = resize(picture, height=8, width=8)

    assert np.allclose(resized[:, 2:-2], 100, atol=6)


def test_colours_do_not_mix() -> None:
    picture = flat(0)
    picture[..., 1] = 77

    resized = resize(picture, height=30, width=50)

    assert np.allclose(resized, [0, 77, 0], atol=1e-3)


def test_groups_that_agree_are_left_alone() -> None:
    frames = levels(even_out_groups([group(5), group(5, 5, 5, 5)], strength=1.0))

    assert frames == [5, 5, 5, 5, 5]


def test_a_step_between_groups_becomes_a_slope() -> None:
    frames = levels(even_out_groups([group(0, 0, 0, 0), group(8, 8, 8, 8)], strength=1.0))

    assert frames == [0, 0, 1, 3, 5, 7, 8, 8]


def test_half_the_strength_leaves_half_the_step() -> None:
    frames = levels(even_out_groups([group(0, 0, 0, 0), group(8, 8, 8, 8)], strength=0.5))

    assert frames == [0, 0, 0.5, 1.5, 6.5, 7.5, 8, 8]


def test_without_strength_the_frames_pass_unchanged() -> None:
    frames = levels(even_out_groups([group(1), group(4, 6, 2, 8)], strength=0.0))

    assert frames == [1, 4, 6, 2, 8]


def test_what_moves_inside_a_group_stays() -> None:
    frames = levels(even_out_groups([group(0, 2, 0, 2), group(0, 2, 0, 2)], strength=1.0))

    assert frames == [0, 2, 0, 2, 0, 2, 0, 2]


def test_the_first_frame_is_never_changed() -> None:
    frames = levels(even_out_groups([group(0), group(10, 10, 10, 10)], strength=1.0))

    assert frames[0] == 0
    assert frames == sorted(frames)


def test_no_groups_give_no_frames() -> None:
    assert list(even_out_groups([], strength=1.0)) == []


def test_groups_are_read_one_ahead_and_no_further() -> None:
    read: list[int] = []

    def groups() -> Iterator[Picture]:
        for index in range(9):
            read.append(index)
            yield group(0, 0, 0, 0)

    next(even_out_groups(groups(), strength=1.0))

    assert read == [0, 1]


def test_a_small_ripple_is_smoothed() -> None:
    picture = flat(100, height=20, width=20)
    picture[::2] += 4

    smoothed = smooth_ripples(picture, ripple=12)

    assert smoothed[4:-4].std() < 0.5 * picture.std()


def test_an_edge_is_kept() -> None:
    picture = flat(20, height=20, width=20)
    picture[:, 10:] = 220

    smoothed = smooth_ripples(picture, ripple=12)

    assert np.allclose(smoothed, picture, atol=0.5)


def test_smoothing_leaves_a_flat_picture_alone() -> None:
    assert np.allclose(smooth_ripples(flat(42), ripple=6), 42)


@pytest.mark.parametrize(
    ("pace", "last", "expected"),
    [
        (1.0, 4.0, [0, 10, 20, 30, 40]),
        (0.5, 2.0, [0, 5, 10, 15, 20]),
        (2.0, 8.0, [0, 20, 40, 60, 80]),
        (0.75, 3.0, [0, 7.5, 15, 22.5, 30]),
        (1.0, 2.0, [0, 10, 20, 20, 20]),
        (3.0, 4.0, [0, 30, 40, 40, 40]),
    ],
)
def test_frames_are_mixed_by_their_place_in_time(pace: float, last: float, expected: list[float]) -> None:
    native = (flat(10 * index) for index in range(9))

    frames = levels(blend_in_time(native, plan(frames=5, pace=pace, last=last)))

    assert frames == expected


def test_time_is_not_read_beyond_the_last_frame() -> None:
    native = iter([flat(0), flat(10), flat(20), flat(30)])

    list(blend_in_time(native, plan(frames=3, pace=1.0, last=2.0)))

    assert levels(native) == [30]


@pytest.mark.parametrize(("width", "height"), [(512, 512), (130, 128), (1280, 720), (128, 640)])
@pytest.mark.parametrize("fit", ["crop", "background"])
def test_a_finished_frame_has_the_size_asked_for(width: int, height: int, fit: str) -> None:
    frame = fit_frame(flat(99), plan(frames=1, pace=1, last=0, fit=fit), width=width, height=height)

    assert frame.shape == (height, width, 3)
    assert frame.dtype == np.uint8
    assert set(np.unique(frame)) == {99}


def test_levels_outside_the_range_are_clipped() -> None:
    picture = flat(300)
    picture[:, :4] = -50

    frame = fit_frame(picture, plan(frames=1, pace=1, last=0), width=160, height=120)

    assert (frame.min(), frame.max()) == (0, 255)


def test_a_crop_keeps_the_middle() -> None:
    picture = flat(10, height=8, width=24)
    picture[:, 8:16] = 200

    frame = fit_frame(picture, plan(frames=1, pace=1, last=0, fit="crop"), width=128, height=128)

    assert frame[:, 20:-20].mean() > 190


def test_a_drawn_out_background_keeps_the_whole_picture_in_the_middle() -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (10, 10, 3)).astype(np.float32)

    wide = draw_out_background(picture, width=200, height=100)
    tall = draw_out_background(picture, width=100, height=200)

    assert wide.shape == (10, 20, 3)
    assert tall.shape == (20, 10, 3)
    assert np.array_equal(wide[:, 5:15], picture)
    assert np.array_equal(tall[5:15], picture)


def test_a_drawn_out_background_has_the_colour_of_its_edge() -> None:
    picture = flat(50, height=20, width=20)
    picture[6:14, 6:14] = 250

    wide = draw_out_background(picture, width=300, height=100)

    assert np.allclose(wide[:, :20], 50)
    assert np.allclose(wide[:, -20:], 50)


def test_a_square_picture_needs_no_background() -> None:
    picture = flat(50, height=20, width=20)

    assert np.array_equal(draw_out_background(picture, width=64, height=64), picture)
