"""How strong a mark may be before a picture is worse for it.

One rule: an estimate that is quick enough to make for every block of frames; the benchmark measures with VMAF itself.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from platemark_provenance.watermark.carriers import Floats
from platemark_provenance.watermark.front_end import Plane

_SCALES: Final = 4
_WINDOW: Final = 9
_NOISE: Final = 2.0
"""Variance of the noise an eye adds. Source: Sheikh and Bovik, "Image information and visual quality", IEEE
Trans. Image Processing 15(2), 2006, section III-C."""
_UNMARKED: Final = 97.5
_PER_LOSS: Final = 22.0
_MOST_FOR_MOTION: Final = 6.0
_LEAST_ALLOWED: Final = 0.03
_GROWTH: Final = 1.4
"""Measured 2026-11-22 on nine clips at 43, 46 and 49 dB: VMAF = 97.5 - 22 x loss, plus 1.5 for each grey level of
motion above a half up to 6, within 2.5; the loss grows with the 1.4th power of the strength."""
_REFINEMENTS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Masking:
    """Hold what a block of frames hides: variances and squared gains at four scales, and how much it moves.

    Attributes:
        variances: four planes, each half the size of the one before.
        gains: four planes of the same sizes, mean squared gain.
        motion: mean difference between neighbouring frames after a slight blur, in grey levels.
    """

    variances: tuple[Plane, ...]
    gains: tuple[Plane, ...]
    motion: float


def measure_masking(plane: Plane, after: Plane, gain: Plane) -> Masking:
    """Measure one block.

    Args:
        plane: (h, w) luma of one frame at canonical size.
        after: (h, w) luma of the next one.
        gain: (h, w) what the pattern will be multiplied by.
    """
    motion = float(np.mean(np.abs(uniform_filter(plane, 3) - uniform_filter(after, 3))))
    variances: list[Plane] = []
    gains: list[Plane] = []
    squared = np.square(gain)
    for _ in range(_SCALES):
        mean = uniform_filter(plane, _WINDOW)
        variances.append(np.maximum(uniform_filter(np.square(plane), _WINDOW) - np.square(mean), 0))
        gains.append(squared)
        plane, squared = _halve(plane), _halve(squared)
    return Masking(tuple(variances), tuple(gains), motion)


def choose_strength(masking: Masking, frequencies: Floats, *, octaves: float, least_vmaf: float) -> float:
    """Choose the RMS, before gain, that brings the estimated VMAF score down to `least_vmaf`.

    Args:
        masking: of the block.
        frequencies: (waves, 2) of the mark, in cycles per canonical unit.
        octaves: how many times the picture's sides are those of the canonical plane, as a power of two.
        least_vmaf: the score to aim at.
    """
    bonus = min(max(1.5 * (masking.motion - 0.5), 0.0), _MOST_FOR_MOTION)
    allowed = max((_UNMARKED + bonus - least_vmaf) / _PER_LOSS, _LEAST_ALLOWED)
    shares = _shares_by_scale(frequencies)
    strength = 1.0
    for _ in range(_REFINEMENTS):
        loss = _estimate_loss(masking, shares, strength, octaves)
        strength *= (allowed / max(loss, 1e-6)) ** (1 / _GROWTH)
    return min(max(strength, 0.1), 20.0)


def _estimate_loss(masking: Masking, shares: Floats, strength: float, octaves: float) -> float:
    """Sum over four scales of the picture the share of its information that the mark drowns."""
    losses = [
        _lost_share(variance, gain * np.float32(strength**2 * share))
        for variance, gain, share in zip(masking.variances, masking.gains, shares, strict=True)
    ]
    wanted = np.arange(_SCALES) - octaves
    known = np.interp(wanted, np.arange(_SCALES), losses)
    finer = np.where(wanted < 0, 1.15, 1.0)  # detail that the canonical plane does not have
    return float(np.sum(known * finer))


def _lost_share(variance: Plane, noise: NDArray[np.float32]) -> float:
    textured = variance > _NOISE
    held = np.log2(1 + variance / _NOISE)
    kept = np.log2(1 + variance / (_NOISE + noise))
    return float(np.sum((held - kept) * textured) / np.sum(np.where(textured, held, 1.0)))


def _shares_by_scale(frequencies: Floats) -> Floats:
    """Tell which share of the mark's variance is left at each scale."""
    squared = np.sum(np.square(frequencies), axis=1)
    spread, shares = 0.0, [1.0]
    for scale in range(1, _SCALES):
        spread += (1.2 * 2 ** (scale - 1)) ** 2
        shares.append(float(np.mean(np.exp(-4 * math.pi**2 * spread * squared))))
    return np.array(shares)


def _halve(plane: Plane) -> Plane:
    height, width = (max(side // 2, 1) for side in plane.shape)
    even = plane[: 2 * height, : 2 * width]
    if min(even.shape) < 2:
        return even
    return np.asarray(even.reshape(height, 2, width, 2).mean(axis=(1, 3)), np.float32)
