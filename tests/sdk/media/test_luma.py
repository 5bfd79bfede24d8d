"""A still's brightness goes out and back without touching its colours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from platemark.media.luma import luma_of, with_luma
from platemark.media.yuv import to_yuv420

PICTURES = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda size: arrays.arrays(np.uint8, (*size, 3)))


@pytest.mark.parametrize(("grey", "luma"), [(0, 16), (255, 235), (128, 126)])
def test_black_white_and_grey_have_the_brightness_that_the_standard_says(grey: int, luma: int) -> None:
    picture = np.full((3, 5, 3), grey, np.uint8)

    np.testing.assert_array_equal(luma_of(picture), np.full((3, 5), luma, np.uint8))


def test_a_still_and_a_video_frame_have_the_same_brightness() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (16, 24, 3), dtype=np.uint8)

    difference = luma_of(picture).astype(int) - to_yuv420(picture).y
    assert np.abs(difference).max() <= 1


@given(PICTURES)
def test_an_unchanged_brightness_changes_no_pixel_at_any_size(picture: np.ndarray) -> None:
    luma = luma_of(picture)

    np.testing.assert_array_equal(with_luma(picture, luma, luma), picture)


def test_a_brighter_plane_makes_every_channel_brighter_by_the_same() -> None:
    picture = np.full((4, 4, 3), (100, 120, 140), np.uint8)
    luma = luma_of(picture)

    np.testing.assert_array_equal(with_luma(picture, luma, luma + np.uint8(6)), picture + np.uint8(7))


def test_nothing_wraps_around_at_black_or_white() -> None:
    picture = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    luma = luma_of(picture)

    changed = with_luma(picture, luma, np.array([[10, 240]], np.uint8))

    np.testing.assert_array_equal(changed, picture)
