"""Contact sheets: evenly spaced frames, first to last, without holding the clip."""

import weakref
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.media.sheet import SheetLayout, contact_sheet

RGB = npt.NDArray[np.uint8]
TINY = SheetLayout(count=8, columns=4, tile_width=16, margin=2)


def numbered(count: int) -> Iterator[RGB]:
    """Frames whose colour is their number."""
    return (np.full((12, 16, 3), (index % 256, index // 256, 255), np.uint8) for index in range(count))


def numbers_on(sheet: RGB, layout: SheetLayout, tiles: int) -> list[int]:
    columns = min(layout.columns, tiles)
    tile_height = round(12 * layout.tile_width / 16)
    places = [
        (
            layout.margin + index // columns * (tile_height + layout.margin) + tile_height // 2,
            layout.margin + index % columns * (layout.tile_width + layout.margin) + layout.tile_width // 2,
        )
        for index in range(tiles)
    ]
    return [int(sheet[place][0]) + 256 * int(sheet[place][1]) for place in places]


def test_a_sheet_has_the_size_of_its_tiles_and_margins() -> None:
    sheet = contact_sheet(numbered(100), layout=SheetLayout(count=6, columns=3, tile_width=32, margin=5))

    assert (sheet.shape, sheet.dtype) == ((2 * (24 + 5) + 5, 3 * (32 + 5) + 5, 3), np.dtype(np.uint8))


@given(st.integers(9, 700))
def test_the_first_and_the_last_frame_are_on_it_and_the_steps_are_even(count: int) -> None:
    shown = numbers_on(contact_sheet(numbered(count), layout=TINY), TINY, 8)

    steps = np.diff(shown)
    assert (shown[0], shown[-1]) == (0, count - 1)
    assert steps.min() > 0
    assert steps.max() - steps.min() <= max(2, count / 14)


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_a_short_clip_shows_every_frame(count: int) -> None:
    sheet = contact_sheet(numbered(count), layout=TINY)

    assert numbers_on(sheet, TINY, count) == list(range(count))


def test_margins_are_neither_black_nor_white() -> None:
    sheet = contact_sheet(numbered(8), layout=TINY)

    assert np.unique(sheet[0]).tolist() == np.unique(sheet[:, 0]).tolist() == [24]


def test_only_small_copies_are_held() -> None:
    alive: weakref.WeakValueDictionary[int, RGB] = weakref.WeakValueDictionary()
    most = 0

    def counted() -> Iterator[RGB]:
        nonlocal most
        for index in range(200):
            frame = np.zeros((120, 160, 3), np.uint8)
            alive[index] = frame
            most = max(most, len(alive))
            yield frame

    contact_sheet(counted(), layout=TINY)

    assert most <= 3


def test_a_clips_pictures_fit_the_standard_layout(pictures: Callable[..., Iterator[RGB]]) -> None:
    sheet = contact_sheet(pictures(20))

    assert sheet.shape == (2 * (213 + 12) + 12, 4 * (320 + 12) + 12, 3)


def test_no_frames_make_no_sheet() -> None:
    with pytest.raises(RequestError, match="at least one frame"):
        contact_sheet([])


@pytest.mark.parametrize(
    "values",
    [
        {"count": 0},
        {"count": 101},
        {"columns": 0},
        {"columns": 21},
        {"tile_width": 15},
        {"tile_width": 4000},
        {"margin": -1},
    ],
    ids=str,
)
def test_a_layout_out_of_range_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(RequestError):
        SheetLayout(**values)
