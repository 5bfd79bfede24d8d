"""Where a wording stands in one frame: matched filtering against the label's own letters, at any size and place.

One rule: a place counts by its normalised correlation with light letters on a dark plate, which brightness and contrast
of the copy do not change. Pure functions.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import fft

from platemark.media.label import wording_coverage
from platemark.media.yuv import Luma

Plane = npt.NDArray[np.float32]

_MASTER_HEIGHT = 96
"""Letters are drawn once this high, in pixels, and then shrunk to what is looked for."""
_PAD_X, _PAD_Y = 0.12, 0.30
"""Plate around the letters that belongs to the pattern, in letter heights: what even a cramped label has."""
_SEARCH_SIDE = 176
"""The coarse search looks at frames shrunk to this short side: standard letters are then nine pixels high."""
_SMALLEST_SHARE, _LARGEST_SHARE = 0.036, 0.11
"""Letter heights looked for, as shares of the short side: 0.05 and more is standard, a crop or letterbox moves it."""
_STEP = 1.03
"""From one coarse letter height to the next. Twelve letters then drift by less than half a stroke at their ends."""
_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Match:
    """A wording found at a place.

    `x` and `y` are the top left corner of the letters in frame pixels, `letter_height` the height of a capital A in
    pixels, `score` the correlation in [-1, 1].
    """

    x: float
    y: float
    letter_height: float
    score: float


def best_match(frame: Luma, text: str) -> Match | None:
    """Look for a wording everywhere in a frame.

    Args:
        frame: uint8 (h, w), brightness as decoded.
        text: the label's wording.

    Returns:
        The best place, however bad; None where the frame is too small to hold the wording at all.
    """
    shrink = max(1.0, min(frame.shape) / _SEARCH_SIDE)
    small = _shrunk(frame, shrink)
    coarse = [match for height in _heights(min(small.shape)) if (match := _strongest(small, text, height)) is not None]
    coarse.sort(key=lambda match: -match.score)
    found = [
        refined(frame, text, Match(each.x * shrink, each.y * shrink, each.letter_height * shrink, each.score))
        for each in coarse[:_CANDIDATES]
    ]
    return max(found, key=lambda match: match.score, default=None)


def refined(frame: Luma, text: str, near: Match) -> Match:
    """Find size and place exactly, close to where they are known roughly.

    Returns:
        The best match within a sixth of a letter of `near`, with the size off by at most 4 %.
    """
    reach = max(2.0, near.letter_height / 6)
    best, span = Match(near.x, near.y, near.letter_height, -1.0), 0.04
    for _ in range(3):
        sizes = [best.letter_height * (1 + span * step) for step in (-1.0, -0.5, 0.0, 0.5, 1.0)]
        tried = [match for size in sizes if (match := _near(frame, text, Match(best.x, best.y, size, 0), reach))]
        best = max([best, *tried], key=lambda match: match.score)
        span, reach = span / 2.5, 2.0
    return best


def score_at(frame: Luma, text: str, place: Match) -> float:
    """Give the correlation at a known place, a pixel to either side allowed; -1 where it lies outside the frame."""
    match = _near(frame, text, place, 1.5)
    return match.score if match is not None else -1.0


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """The pattern of a wording at one letter height.

    `coverage` is float32 (h, w) in [0, 1]: how much of each pixel is letter; the plate around the letters is part of
    it. The letters start at (`left`, `top`).
    """

    coverage: Plane
    left: int
    top: int


@lru_cache(maxsize=256)
def template(text: str, letter_height: float) -> Template:
    """Draw the pattern of a wording for letters of a height in pixels, which need not be whole."""
    master, master_height = _master(text)
    scale = letter_height / master_height
    width, height = max(1, round(master.shape[1] * scale)), max(1, round(master.shape[0] * scale))
    small = Image.fromarray(master).resize((width, height), Image.Resampling.BOX)
    left, top = max(1, round(_PAD_X * letter_height)), max(1, round(_PAD_Y * letter_height))
    coverage = np.zeros((height + 2 * top, width + 2 * left), np.float32)
    coverage[top : top + height, left : left + width] = np.asarray(small, dtype=np.float32) / 255
    return Template(coverage, left, top)


@lru_cache(maxsize=16)
def _master(text: str) -> tuple[npt.NDArray[np.uint8], int]:
    return wording_coverage(text, height=_MASTER_HEIGHT)


def _heights(short_side: int) -> Iterator[float]:
    height = max(3.0, short_side * _SMALLEST_SHARE)
    while height <= short_side * _LARGEST_SHARE:
        yield round(height, 2)
        height *= _STEP


def _shrunk(frame: Luma, factor: float) -> Plane:
    size = (max(1, round(frame.shape[1] / factor)), max(1, round(frame.shape[0] / factor)))
    picture = Image.fromarray(frame) if factor == 1 else Image.fromarray(frame).resize(size, Image.Resampling.BOX)
    return np.asarray(picture, dtype=np.float32)


def _strongest(picture: Plane, text: str, height: float) -> Match | None:
    pattern = template(text, height)
    scores = _correlation(picture, pattern.coverage)
    if scores is None:
        return None
    y, x = np.unravel_index(int(np.argmax(scores)), scores.shape)
    return Match(float(x) + pattern.left, float(y) + pattern.top, height, float(scores[y, x]))


def _near(frame: Luma, text: str, near: Match, reach: float) -> Match | None:
    """Correlate in a small window only."""
    pattern = template(text, round(near.letter_height, 2))
    height, width = pattern.coverage.shape
    left, top = near.x - pattern.left, near.y - pattern.top
    first_x, first_y = max(0, math.floor(left - reach)), max(0, math.floor(top - reach))
    last_x, last_y = math.ceil(left + reach) + width, math.ceil(top + reach) + height
    window = frame[first_y:last_y, first_x:last_x]
    found = _strongest(window.astype(np.float32), text, round(near.letter_height, 2))
    return None if found is None else Match(found.x + first_x, found.y + first_y, found.letter_height, found.score)


def _correlation(picture: Plane, pattern: Plane) -> Plane | None:
    """Give the normalised cross-correlation at every place that holds the whole pattern; None where none does.

    Source: J. P. Lewis, Fast Normalized Cross-Correlation, 1995, equation 2, with the sums from integral images.
    """
    (h, w), (ph, pw) = picture.shape, pattern.shape
    if ph > h or pw > w:
        return None
    centred = pattern - pattern.mean()
    shape = (fft.next_fast_len(h, real=True), fft.next_fast_len(w, real=True))
    # Float64 in the sums: the variance of a flat plate is a small difference of large numbers.
    level = float(picture.mean())
    raised = picture.astype(np.float64) - level
    product = fft.irfft2(fft.rfft2(raised, shape) * np.conj(fft.rfft2(centred, shape)), shape)
    inner = product[: h - ph + 1, : w - pw + 1]
    total, squares = _box_sums(raised, ph, pw), _box_sums(raised * raised, ph, pw)
    variance = np.maximum(squares - total * total / (ph * pw), 1e-3)
    norm = math.sqrt(float((centred.astype(np.float64) ** 2).sum()))
    # One grey step of spread over the pattern: below it a flat patch would correlate by chance.
    scores: Plane = (inner / (norm * np.sqrt(variance + ph * pw))).astype(np.float32)
    return scores


def _box_sums(values: npt.NDArray[np.float64], height: int, width: int) -> npt.NDArray[np.float64]:
    sums = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    right, left = sums[:, width:], sums[:, :-width]
    boxes: npt.NDArray[np.float64] = right[height:] - right[:-height] - left[height:] + left[:-height]
    return boxes
