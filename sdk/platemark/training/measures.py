"""Hand-written measures of what a clip shows: colours, directions, areas, digits.

One rule: only pixels are read, never what was asked for. Clips are uint8 (t, 64, 64, 3); see `oracle.as_measured`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from platemark.training.world.attributes import COLOURS, RGB_OF_COLOURS

Clip = NDArray[np.uint8]
Mask = NDArray[np.bool_]
SIDE = 64
FAR = 70.0
"""Levels, summed over three channels, from which on a pixel is not of the ground. The two nearest colours of the
palette are 102 apart."""
_PALETTE = np.array(RGB_OF_COLOURS, np.float64)
_LARGEST_SHIFT = 6


def nearest_colour(levels: NDArray[np.float64], *, among: Sequence[str] = COLOURS) -> str:
    """Name the colour of the palette that is nearest to an RGB triple."""
    rows = _PALETTE[[COLOURS.index(name) for name in among]]
    return among[int(((rows - levels) ** 2).sum(axis=1).argmin())]


def nearest_tint(levels: NDArray[np.float64], *, among: Sequence[str]) -> str:
    """Name the colour of the same hue, whatever the light."""
    rows = _PALETTE[[COLOURS.index(name) for name in among]]
    rows, levels = rows / rows.max(axis=1, keepdims=True), levels / max(levels.max(), 1.0)
    return among[int(((rows - levels) ** 2).sum(axis=1).argmin())]


def ground_rows(clip: Clip) -> NDArray[np.float64]:
    """Give the ground's colour in each row, from the pixels at both edges: (h, 3)."""
    edges = np.concatenate([clip[:, :, :2], clip[:, :, -2:]], axis=2)
    rows: NDArray[np.float64] = np.median(edges, axis=(0, 2)).astype(np.float64)
    return rows


def corner_colour(clip: Clip) -> str:
    """Name the colour of the four corners."""
    corners = [
        clip[:, rows, columns] for rows in (slice(0, 3), slice(-3, None)) for columns in (slice(0, 3), slice(-3, None))
    ]
    return nearest_colour(np.median(np.concatenate([c.reshape(-1, 3) for c in corners]), axis=0))


def subject_mask(clip: Clip) -> Mask:
    """Find what is not ground: (t, h, w)."""
    mask: Mask = np.abs(clip.astype(np.float64) - ground_rows(clip)[:, None]).sum(axis=-1) > FAR
    return mask


def mask_colour(clip: Clip, mask: Mask) -> str | None:
    """Name the median colour under a mask; none where there is nothing."""
    return nearest_colour(np.median(clip[mask], axis=0)) if mask.sum() >= 8 else None


def sideways(clip: Clip, rows: slice, columns: slice = slice(None), *, apart: int = 2) -> float:
    """Measure how far the picture moves to the right between frames, in pixels over `apart` frames; by best match."""
    costs = _match_costs(clip, rows, columns, apart)
    return float(min(costs, key=lambda shift: (costs[shift], abs(shift))))


def turns(clip: Clip, rows: slice, columns: slice, *, apart: int) -> float:
    """Tell which way things move before a light or an outline that stands still: 1 right, -1 left, 0 not at all.

    What stands still would win a search for the best match, so that match is left out.
    """
    costs = _match_costs(clip, rows, columns, apart)
    left, right = (min(cost for shift, cost in costs.items() if shift * side > 0) for side in (-1, 1))
    return 0.0 if left == right else 1.0 if right < left else -1.0


def _match_costs(clip: Clip, rows: slice, columns: slice, apart: int) -> dict[int, float]:
    grey = clip[:, rows, columns].astype(np.float64).sum(axis=-1)
    grey = grey - grey.mean(axis=(1, 2), keepdims=True)
    width, edge = grey.shape[2], _LARGEST_SHIFT
    before = grey[:-apart, :, edge : width - edge]
    return {
        shift: float(((before - grey[apart:, :, edge + shift : width - edge + shift]) ** 2).mean())
        for shift in range(-edge, edge + 1)
    }


def slope(values: NDArray[np.float64]) -> float:
    """Fit a line to values over a clip; give its rise from the first to the last frame, ignoring missing values."""
    at = np.linspace(0, 1, len(values))
    known = ~np.isnan(values)
    return float(np.polyfit(at[known], values[known], 1)[0]) if known.sum() >= 3 else 0.0


def wobble(values: NDArray[np.float64]) -> float:
    """Give the standard deviation around the fitted line."""
    at, known = np.linspace(0, 1, len(values)), ~np.isnan(values)
    if known.sum() < 4:
        return 0.0
    return float((values[known] - np.polyval(np.polyfit(at[known], values[known], 1), at[known])).std())


def centres(mask: Mask) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the centre of a mask in each frame, x and y in pixels; not a number where it is empty."""
    area = mask.sum(axis=(1, 2)).astype(np.float64)
    area[area < 4] = np.nan
    across, along = np.arange(mask.shape[2]), np.arange(mask.shape[1])
    return (mask * across).sum(axis=(1, 2)) / area, (mask * along[:, None]).sum(axis=(1, 2)) / area


def way(across: float, along: float, *, least: float) -> str | None:
    """Name the direction of a movement of so many pixels; none if it is less than `least`."""
    if max(abs(across), abs(along)) < least:
        return None
    if abs(across) >= abs(along):
        return "moving right" if across > 0 else "moving left"
    return "moving down" if along > 0 else "moving up"


def runs(row: NDArray[np.bool_]) -> int:
    """Count the runs of true values in a row."""
    return int((np.diff(np.concatenate([[False], row]).astype(np.int8)) == 1).sum())


def read_digit(mask: NDArray[np.bool_]) -> str | None:
    """Read a seven-segment digit in the middle of a picture as a word; none if it is no digit from 0 to 5."""
    unit = 0.42 * SIDE
    places = ((0.0, -0.5), (0.25, -0.25), (0.25, 0.25), (0.0, 0.5), (-0.25, 0.25), (-0.25, -0.25), (0.0, 0.0))
    lit = "".join(
        "1" if mask[_around(SIDE / 2 + y * unit), _around(SIDE / 2 + x * unit)].mean() > 0.5 else "0" for x, y in places
    )
    digits = {
        "1111110": "nought",
        "0110000": "one",
        "1101101": "two",
        "1111001": "three",
        "0110011": "four",
        "1011011": "five",
    }
    return digits.get(lit)


def _around(place: float) -> slice:
    return slice(round(place) - 1, round(place) + 1)
