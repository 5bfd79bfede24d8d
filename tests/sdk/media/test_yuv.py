"""RGB to limited-range BT.709 4:2:0, and the road brightness takes through a step that changes it."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import PlatemarkError, RequestError
from platemark.media.yuv import Luma, YuvFrame, map_luma, to_yuv420

Values = npt.NDArray[np.float64]


def flat(color: tuple[int, int, int], *, side: int = 4) -> npt.NDArray[np.uint8]:
    return np.full((side, side, 3), color, np.uint8)


def reference_chroma(picture: npt.NDArray[np.uint8]) -> tuple[Values, Values]:
    """BT.709 in floating point, sampled at the left of each pair: the plain way to write it down."""
    padded = np.pad(picture.astype(np.float64), ((0, 0), (1, 0), (0, 0)), mode="edge")
    across = (padded[:, 0:-2:2] + 2 * padded[:, 1:-1:2] + padded[:, 2::2]) / 4
    red, green, blue = np.moveaxis((across[0::2] + across[1::2]) / 2 / 255, -1, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748


@pytest.mark.parametrize("red", [0, 1, 54, 127, 128, 200, 254, 255])
def test_brightness_is_the_correctly_rounded_value_for_every_green_and_blue(red: int) -> None:
    green, blue = np.mgrid[0:256, 0:256]
    picture = np.stack([np.full_like(green, red), green, blue], axis=-1).astype(np.uint8)

    y = to_yuv420(picture).y

    numerator = 219 * (2126 * red + 7152 * green + 722 * blue)
    expected = 16 + (2 * numerator + 2_550_000) // 5_100_000
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
        ((255, 255, 0), (219, 16, 138)),
    ],
)
def test_primary_colours_have_their_textbook_codes(color: tuple[int, int, int], expected: tuple[int, int, int]) -> None:
    frame = to_yuv420(flat(color))

    assert (int(frame.y[0, 0]), int(frame.u[0, 0]), int(frame.v[0, 0])) == expected


@given(st.integers(0, 2**32 - 1))
def test_colour_planes_are_within_half_a_step_of_the_formula(seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (6, 10, 3), dtype=np.uint8)

    frame = to_yuv420(picture)

    u, v = reference_chroma(picture)
    assert np.abs(frame.u - u).max() <= 0.5 + 1e-9
    assert np.abs(frame.v - v).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("grey", [0, 1, 100, 128, 254, 255])
def test_grey_has_no_colour(grey: int) -> None:
    frame = to_yuv420(flat((grey, grey, grey)))

    assert np.unique(frame.u).tolist() == [128]
    assert np.unique(frame.v).tolist() == [128]


def test_a_colour_edge_on_an_even_column_is_shared_by_the_sample_that_sits_there() -> None:
    picture = np.zeros((2, 8, 3), np.uint8)
    picture[:, 4:, 2] = 255

    u = to_yuv420(picture).u[0].astype(int)

    # Column 4 is blue; its sample sees one black neighbour with a quarter of the weight.
    assert u.tolist() == [128, 128, 212, 240]


def test_rows_are_averaged_in_pairs() -> None:
    picture = np.zeros((4, 2, 3), np.uint8)
    picture[0, :, 2] = 255

    u = to_yuv420(picture).u[:, 0].astype(int)

    assert u.tolist() == [184, 128]


def test_the_picture_itself_is_left_alone() -> None:
    picture = flat((10, 20, 30))

    to_yuv420(picture)

    assert np.array_equal(picture, flat((10, 20, 30)))


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 5, 3), np.uint8),
        np.zeros((3, 4, 3), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
    ],
    ids=["odd-width", "odd-height", "empty", "grey", "with-alpha", "float"],
)
def test_a_picture_of_another_shape_or_type_is_refused(picture: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(RequestError):
        to_yuv420(picture)


@pytest.mark.parametrize(
    ("y", "u", "v"),
    [
        ((4, 5), (2, 2), (2, 2)),
        ((3, 4), (2, 2), (2, 2)),
        ((4, 4), (2, 3), (2, 3)),
        ((4, 4), (2, 2), (1, 2)),
        ((0, 0), (0, 0), (0, 0)),
    ],
    ids=["odd-width", "odd-height", "wide-colour", "unlike-colours", "empty"],
)
def test_planes_that_do_not_belong_together_are_refused(
    y: tuple[int, int], u: tuple[int, int], v: tuple[int, int]
) -> None:
    with pytest.raises(RequestError):
        YuvFrame(np.zeros(y, np.uint8), np.zeros(u, np.uint8), np.zeros(v, np.uint8))


def test_planes_of_more_than_8_bits_are_refused() -> None:
    wide: Any = np.zeros((4, 4), np.uint16)

    with pytest.raises(RequestError, match="8-bit"):
        YuvFrame(wide, np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8))


def numbered(count: int) -> Iterator[YuvFrame]:
    for index in range(count):
        yield YuvFrame(
            np.full((4, 4), index, np.uint8),
            np.full((2, 2), 100 + index, np.uint8),
            np.full((2, 2), 200 + index, np.uint8),
        )


def in_blocks(planes: Iterable[Luma]) -> Iterator[Luma]:
    """Reads three planes before it gives any back."""
    block: list[Luma] = []
    for plane in planes:
        block.append(plane + 50)
        if len(block) == 3:
            yield from block
            block = []
    yield from block


def test_brightness_changes_and_every_frame_keeps_its_own_colour() -> None:
    frames = list(map_luma(numbered(8), in_blocks))

    assert [int(frame.y[0, 0]) for frame in frames] == [50 + index for index in range(8)]
    assert [int(frame.u[0, 0]) for frame in frames] == [100 + index for index in range(8)]
    assert [int(frame.v[0, 0]) for frame in frames] == [200 + index for index in range(8)]


def test_frames_are_taken_only_as_the_step_asks_for_them() -> None:
    taken: list[int] = []

    def noting() -> Iterator[YuvFrame]:
        for index, frame in enumerate(numbered(100)):
            taken.append(index)
            yield frame

    frames = map_luma(noting(), in_blocks)
    next(frames)

    assert taken == [0, 1, 2]


def test_a_step_that_loses_frames_is_an_error() -> None:
    def lossy(planes: Iterable[Luma]) -> Iterator[Luma]:
        return (plane for index, plane in enumerate(planes) if index != 5)

    with pytest.raises(PlatemarkError, match="lost 1 frames"):
        list(map_luma(numbered(6), lossy))


def test_a_step_that_makes_up_frames_is_an_error() -> None:
    def doubling(planes: Iterable[Luma]) -> Iterator[Luma]:
        for plane in planes:
            yield plane
            yield plane

    with pytest.raises(PlatemarkError, match="one plane"):
        list(map_luma(numbered(2), doubling))


def test_a_step_that_changes_the_size_is_an_error() -> None:
    def shrinking(planes: Iterable[Luma]) -> Iterator[Luma]:
        return (plane[::2, ::2] for plane in planes)

    with pytest.raises(PlatemarkError, match="equal size"):
        list(map_luma(numbered(2), shrinking))


def test_an_error_in_the_source_comes_through() -> None:
    def breaking() -> Iterator[YuvFrame]:
        yield from numbered(1)
        raise LookupError("the model failed")

    with pytest.raises(LookupError, match="the model failed"):
        list(map_luma(breaking(), in_blocks))
