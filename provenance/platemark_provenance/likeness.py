"""How alike two runs of small grey pictures are, whatever codec, brightness and cutting did to one of them.

One rule: pure functions; where there is nothing to see, likeness is doubted rather than assumed.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

Thumbnails = NDArray[np.float32]
Mask = NDArray[np.bool_]

_BLOCK: Final = 8
_NOISE: Final = 3.0  # grey levels that codecs and marks change a thumbnail by
_FITS: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Say how much two runs of pictures differ.

    Attributes:
        distance: for the whole run, in [0, 1].
        of_each: (n,) for each seen picture.
    """

    distance: float
    of_each: NDArray[np.float64]


def measure_difference(known: Thumbnails, seen: Thumbnails, mask: Mask) -> Difference:
    """Pair the seen pictures with known ones, match their brightness, and compare them block by block.

    By block, so that a caption that many clips share cannot outvote the rest of the picture; each block counts
    by how much there is to see in it.

    Args:
        known: (n, s, s) grey levels, in order of time.
        seen: (m, s, s) grey levels, in order of time.
        mask: (s, s) where `seen` holds picture.
    """
    known, seen = _soften(_between(known), mask), _soften(seen, mask)
    paired = known[_align(known, seen, mask)]
    levels = _match_levels(paired, seen, mask)
    blocks = _compare_blocks(paired, levels.matched, mask)
    doubt = _doubt_level(levels.shift, float(blocks.structure.mean()))
    of_each = 1.0 - (1.0 - blocks.mismatch) * (1.0 - doubt)
    # The small constant lets pictures without structure have a say where all are like that.
    distance = float(np.average(of_each, weights=blocks.structure + 0.05))
    return Difference(distance=distance, of_each=of_each)


def _soften(pictures: Thumbnails, mask: Mask) -> Thumbnails:
    """Average over 3x3 pixels, of those under the mask."""
    share = uniform_filter(mask.astype(np.float32), size=3, mode="nearest")
    sums = uniform_filter(pictures * mask, size=(1, 3, 3), mode="nearest")
    return np.asarray(sums / np.maximum(share, 1e-6), np.float32)


def _between(pictures: Thumbnails) -> Thumbnails:
    """Put the mean of each two neighbours between them, for copies sampled half an interval later."""
    woven = np.repeat(pictures, 2, axis=0)[:-1]
    woven[1::2] = (pictures[:-1] + pictures[1:]) / 2
    return woven


def _align(known: Thumbnails, seen: Thumbnails, mask: Mask) -> NDArray[np.intp]:
    """Pair each seen picture with a known one, never going back in time, so that they correlate best."""
    costs = 1.0 - _standardise(seen[:, mask]) @ _standardise(known[:, mask]).T
    totals = costs[:1]
    steps: list[NDArray[np.intp]] = []
    for cost in costs[1:]:
        best = np.minimum.accumulate(totals[-1])
        reached = np.where(totals[-1] <= best, np.arange(len(best)), 0)
        steps.append(np.maximum.accumulate(reached))
        totals = np.vstack([totals, best + cost])
    path = [int(np.argmin(totals[-1]))]
    for step in reversed(steps):
        path.append(int(step[path[-1]]))
    return np.array(path[::-1], np.intp)


def _standardise(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = rows - rows.mean(axis=1, keepdims=True)
    floor = _NOISE * math.sqrt(rows.shape[1])
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), floor), np.float32)


@dataclass(frozen=True, slots=True)
class _Levels:
    matched: Thumbnails
    shift: float


def _match_levels(known: Thumbnails, seen: Thumbnails, mask: Mask) -> _Levels:
    """Bring the seen pictures to the known ones' brightness and contrast, one pair of numbers for the clip.

    Least squares, repeated with what disagrees counting less (Cauchy weights), so that a banner laid over a
    part of the copy does not pull the rest out of place; nor do pairs that have little in common.
    """
    one, other = known[:, mask].astype(np.float64), seen[:, mask].astype(np.float64)
    likeness = np.sum(_standardise(known[:, mask]) * _standardise(seen[:, mask]), axis=1, dtype=np.float64)
    trust = np.maximum(likeness, 0.1)[:, None] ** 4
    weights = np.broadcast_to(trust, one.shape)
    gain, offset = 1.0, 0.0
    for _ in range(_FITS):
        total = float(weights.sum())
        mean_one, mean_other = float((weights * one).sum()) / total, float((weights * other).sum()) / total
        spread = float((weights * np.square(other - mean_other)).sum()) / total
        shared = float((weights * (one - mean_one) * (other - mean_other)).sum()) / total
        gain = _clamp_gain(shared / spread) if spread > _NOISE**2 / 4 else 1.0
        offset = mean_one - gain * mean_other
        error = np.abs(one - gain * other - offset)
        usual = float(np.median(error[trust[:, 0] >= np.median(trust)]))
        weights = trust / (1.0 + np.square(error / max(_NOISE, 1.5 * usual)))
    matched = np.asarray(seen * gain + offset, np.float32)
    return _Levels(matched=matched, shift=abs(float(np.median(matched[:, mask] - other))))


def _clamp_gain(gain: float) -> float:
    return min(max(gain, 0.5), 2.0)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Hold, for each pair, the mismatch in [0, 1] and how much structure it rests on, in [0, 1]."""

    mismatch: NDArray[np.float64]
    structure: NDArray[np.float64]


def _compare_blocks(known: Thumbnails, seen: Thumbnails, mask: Mask) -> _Blocks:
    inside = _by_block(mask[None].astype(np.float64))
    pixels = inside.sum(axis=-1)
    usable = pixels >= _BLOCK**2 / 2
    area = np.maximum(pixels, 1.0)
    one, other = _by_block(known.astype(np.float64)), _by_block(seen.astype(np.float64))
    error = (np.square(one - other) * inside).sum(axis=-1) / area
    texture = (_variance(one, inside, area) + _variance(other, inside, area)) / 2
    mismatch = error / (error + texture / 2 + _NOISE**2)
    weight = (error + texture) / (error + texture + 4 * _NOISE**2) * usable
    total = weight.sum(axis=-1)
    return _Blocks(
        mismatch=(mismatch * weight).sum(axis=-1) / np.maximum(total, 1e-9),
        structure=total / np.maximum(usable.sum(axis=-1), 1),
    )


def _variance(
    values: NDArray[np.float64], inside: NDArray[np.float64], area: NDArray[np.float64]
) -> NDArray[np.float64]:
    mean = (values * inside).sum(axis=-1) / area
    return np.asarray((np.square(values - mean[..., None]) * inside).sum(axis=-1) / area)


def _by_block(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut (n, s, s) into (n, blocks, pixels of a block)."""
    across = pictures.shape[-1] // _BLOCK
    cut = pictures.reshape(-1, across, _BLOCK, across, _BLOCK).transpose(0, 1, 3, 2, 4)
    return cut.reshape(len(pictures), across * across, _BLOCK * _BLOCK)


def _doubt_level(shift: float, structure: float) -> float:
    """Doubt a change of brightness: late where there is structure to go by, at once where all is flat."""
    certain = min(max((structure - 0.13) / 0.12, 0.0), 1.0)  # a caption alone gives 0.05 to 0.12
    start, end = 6 + 42 * certain, 14 + 82 * certain
    return min(max((shift - start) / (end - start), 0.0), 1.0)
