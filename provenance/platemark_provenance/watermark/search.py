"""Where in a copy the mark may lie: scaled, squeezed, turned, mirrored, moved.

One rule: a search only proposes poses, judged by the sync waves and by power; it never looks at the waves that
carry data, so that trying many poses cannot make a false id more likely than the bound says.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import uniform_filter

from platemark_provenance.watermark.carriers import Carriers, Complexes, Floats
from platemark_provenance.watermark.front_end import Canvas, Plane
from platemark_provenance.watermark.waves import Rows, make_rows, measure_waves

_LOUDEST: Final = 2.5  # in standard deviations: no single wave may decide
_ENVELOPE_BINS: Final = 41
_NYQUIST_SHARE: Final = 0.45
_LEAST_WAVES: Final = 100
_SHIFT_STEP: Final = 0.25
_SCALES: Final = np.exp(np.arange(math.log(0.40), math.log(2.6), 0.006))
_POWER_SCALES: Final = np.exp(np.arange(math.log(0.40), math.log(2.6), 0.009))
_LOOKED_AT_CLOSELY: Final = 24
_ANGLES: Final = np.deg2rad(np.arange(-10.0, 10.01, 0.4))
_ASPECTS: Final = np.exp(np.arange(-0.36, 0.361, 0.008))


@dataclass(frozen=True, slots=True)
class Pose:
    """Place a mark in a copy: stretched by (x, y), mirrored, turned, then moved; canonical units, radians."""

    stretch_x: float = 1.0
    stretch_y: float = 1.0
    angle: float = 0.0
    mirrored: bool = False
    shift_x: float = 0.0
    shift_y: float = 0.0

    def map_frequencies(self, frequencies: Floats) -> Floats:
        """Tell which frequencies (n, 2) of the copy those of the original become."""
        x = frequencies[:, 0] * (-1.0 if self.mirrored else 1.0) / self.stretch_x
        y = frequencies[:, 1] / self.stretch_y
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)


@dataclass(frozen=True, slots=True)
class Fit:
    """Hold a pose and how well the sync waves agree with it, in standard deviations."""

    pose: Pose
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Hold where a pose puts waves, and how loud pictures are there."""

    per_pixel: Floats
    rows_x: Rows
    rows_y: Rows
    loudness: NDArray[np.float32]


@dataclass(frozen=True)
class Evidence:
    """Hold a clip's flattened pictures and the spectrum of their sum.

    Attributes:
        slots: (slots, h, w) means of `flatten_texture` over stretches of the clip; the first is its first frame.
        canvas: ties their pixels to canonical units.
        carriers: the key's waves.
    """

    slots: NDArray[np.float32]
    canvas: Canvas
    carriers: Carriers

    @cached_property
    def plane(self) -> Plane:
        """Add the first frame, and the mean of all, each brought to the same loudness."""
        both = (self.slots[0], self.slots.mean(axis=0))
        louds = [float(np.sqrt(np.mean(np.square(part)))) + 1e-9 for part in both]
        return np.asarray(sum(part / loud for part, loud in zip(both, louds, strict=True)), np.float32)

    @property
    def grid(self) -> int:
        """Give the side of the padded transform."""
        return 1024 if max(self.plane.shape) <= 1000 else 2048

    @cached_property
    def spectrum(self) -> NDArray[np.complex64]:
        """Transform the plane, zero-padded, to (grid, grid) complex64."""
        return np.asarray(fft.fft2(self.plane, s=(self.grid, self.grid)), np.complex64)

    @cached_property
    def envelope(self) -> NDArray[np.float32]:
        """Smooth the power spectrum: what picture and codec put around each frequency, (grid, grid)."""
        power = np.square(np.abs(self.spectrum))
        return np.asarray(uniform_filter(power, _ENVELOPE_BINS, mode="wrap") + 1e-9, np.float32)

    @cached_property
    def prominence(self) -> NDArray[np.float32]:
        """Give how far each frequency's power stands out, minus 1, flattened (grid * grid,)."""
        return np.minimum(np.square(np.abs(self.spectrum)) / self.envelope, 6.0).ravel() - np.float32(1.0)

    def bins(self, frequencies: Floats) -> NDArray[np.intp]:
        """Find the nearest bins (n, 2) as (row, column) of frequencies in cycles per canonical unit."""
        per_pixel = frequencies * (self.canvas.unit_x, self.canvas.unit_y)
        return np.rint(per_pixel[:, ::-1] * self.grid).astype(np.intp) % self.grid

    def observe(self, pose: Pose, *, waves: int | None = None) -> Complexes:
        """Measure the first so many waves (all by default) where the pose puts them, whitened and limited."""
        place = self._place(pose, waves)
        whitened = measure_waves(self.plane, place.rows_x, place.rows_y) / place.loudness
        return limit_amplitudes(_drop_fine(whitened, place.per_pixel))

    def observe_slots(self, pose: Pose) -> Complexes:
        """Measure all waves in each slot where the pose puts them, whitened, (slots, waves)."""
        place = self._place(pose, None)
        inside = np.abs(place.per_pixel).max(axis=1) <= _NYQUIST_SHARE
        seen = [measure_waves(slot, place.rows_x, place.rows_y) for slot in self.slots]
        return np.asarray(np.stack(seen) * inside / place.loudness, np.complex128)

    def _place(self, pose: Pose, waves: int | None) -> "_Place":
        found = pose.map_frequencies(self.carriers.frequencies[:waves])
        per_pixel = found * (self.canvas.unit_x, self.canvas.unit_y)
        height, width = self.plane.shape
        rows, columns = self.bins(found).T
        return _Place(
            per_pixel=per_pixel,
            rows_x=make_rows(per_pixel[:, 0], width),
            rows_y=make_rows(per_pixel[:, 1], height),
            loudness=np.sqrt(self.envelope[rows, columns]),
        )

    def glance(self, frequencies: Floats) -> Complexes:
        """Read the copy's amplitudes at frequencies (n, 2) off the nearest bins: quick, slightly blurred."""
        per_pixel = frequencies * (self.canvas.unit_x, self.canvas.unit_y)
        rows, columns = self.bins(frequencies).T
        whitened = self.spectrum[rows, columns] / np.sqrt(self.envelope[rows, columns])
        middle_y, middle_x = ((side - 1) / 2 for side in self.plane.shape)
        signed = (np.stack([columns, rows], axis=-1) + self.grid // 2) % self.grid - self.grid // 2
        turns = (signed[:, 0] * middle_x + signed[:, 1] * middle_y) / self.grid
        return limit_amplitudes(_drop_fine(whitened * np.exp(2j * np.pi * turns), per_pixel))


def undo_shift(observed: Complexes, frequencies: Floats, pose: Pose) -> Complexes:
    """Turn observed amplitudes back by the pose's shift; `frequencies` are the copy's."""
    turns = frequencies[:, 0] * pose.shift_x + frequencies[:, 1] * pose.shift_y
    return np.asarray(observed * np.exp(2j * np.pi * turns))


def fit_shift(evidence: Evidence, pose: Pose, *, reach: float) -> Fit:
    """Find the translation near the pose's own that the sync waves like best.

    Args:
        evidence: the clip.
        pose: stretch and angle to keep, and the shift to start from.
        reach: how far to look each way, in canonical units.
    """
    sync = evidence.carriers.sync
    frequencies = pose.map_frequencies(evidence.carriers.frequencies[:sync])
    turned = evidence.carriers.read_sync(evidence.observe(pose, waves=sync))
    return _best_shift(turned, frequencies, pose, reach)


def fit_any_shift(evidence: Evidence, pose: Pose) -> Fit:
    """Find the translation anywhere in the picture that the sync waves like best."""
    sync = evidence.carriers.sync
    frequencies = pose.map_frequencies(evidence.carriers.frequencies[:sync])
    turned = evidence.carriers.read_sync(evidence.observe(pose, waves=sync))
    coarse = _correlate_shifts(turned, frequencies, evidence, pose)
    return _best_shift(turned, frequencies, coarse.pose, 1.0)


def propose_by_power(evidence: Evidence, *, count: int) -> list[Pose]:
    """Propose poses whose wave frequencies stand out in power; needs no translation.

    Two sweeps, each with and without mirroring: one scale with rotation, and unequal scales without.
    """
    fits: list[Fit] = []
    for mirrored in (False, True):
        for angle in _ANGLES:
            fits += _sweep_scales(evidence, Pose(angle=float(angle), mirrored=mirrored))
        for aspect in _ASPECTS:
            fits += _sweep_scales(evidence, Pose(stretch_x=float(aspect), mirrored=mirrored))
    return _pick_apart(fits, count)


def propose_by_sync(evidence: Evidence, *, count: int) -> list[Pose]:
    """Propose scales at which the sync waves agree on one translation; finds weaker marks than power does.

    Every second unit of shift is tried for all scales, and every unit for the best of them.
    """
    sync = evidence.carriers.sync
    fits: list[Fit] = []
    for mirrored in (False, True):
        for scale in _SCALES:
            pose = Pose(stretch_x=float(scale), stretch_y=float(scale), mirrored=mirrored)
            frequencies = pose.map_frequencies(evidence.carriers.frequencies[:sync])
            turned = evidence.carriers.read_sync(evidence.glance(frequencies))
            fits.append(_correlate_shifts(turned, frequencies, evidence, pose, every=2))
    fits.sort(key=lambda fit: fit.score, reverse=True)
    return _pick_apart([_look_closely(evidence, fit.pose) for fit in fits[:_LOOKED_AT_CLOSELY]], count)


def refine(evidence: Evidence, start: Fit) -> Fit:
    """Walk stretch and angle uphill in ever smaller steps, exact transforms only."""
    best = start
    for step in (0.004, 0.002, 0.001, 0.0005):
        for _ in range(2):
            before = best
            for move in _MOVES:
                best = _walk(evidence, best, move, step)
                best = _walk(evidence, best, move, -step)
            if best is before:
                break
    return best


@dataclass(frozen=True, slots=True)
class _Move:
    log_x: float
    log_y: float
    angle: float


_MOVES: Final = (_Move(1, 1, 0), _Move(0, 0, 1), _Move(1, -1, 0))


def _walk(evidence: Evidence, start: Fit, move: _Move, step: float) -> Fit:
    best = start
    for _ in range(4):
        pose = replace(
            best.pose,
            stretch_x=best.pose.stretch_x * math.exp(move.log_x * step),
            stretch_y=best.pose.stretch_y * math.exp(move.log_y * step),
            angle=best.pose.angle + move.angle * step,
        )
        tried = fit_shift(evidence, pose, reach=1.5)
        if tried.score <= best.score:
            return best
        best = tried
    return best


def _best_shift(turned: Complexes, frequencies: Floats, pose: Pose, reach: float) -> Fit:
    offsets = np.arange(-reach, reach + _SHIFT_STEP / 2, _SHIFT_STEP)
    across = np.exp(2j * np.pi * np.outer(frequencies[:, 0], pose.shift_x + offsets))
    down = np.exp(2j * np.pi * np.outer(frequencies[:, 1], pose.shift_y + offsets))
    agreement = ((turned[:, None] * down).T @ across).real
    row, column = np.unravel_index(int(np.argmax(agreement)), agreement.shape)
    moved = replace(
        pose,
        shift_x=pose.shift_x + float(offsets[column]),
        shift_y=pose.shift_y + float(offsets[row]),
    )
    return Fit(pose=moved, score=float(agreement[row, column]) / _noise(turned))


def limit_amplitudes(whitened: Complexes) -> Complexes:
    """Cut amplitudes that are far louder than usual, so that no single wave decides."""
    sizes = np.abs(whitened)
    most = _LOUDEST * math.sqrt(max(float(np.mean(np.square(sizes))), 1e-18))
    return np.asarray(whitened * np.minimum(1.0, most / np.maximum(sizes, 1e-9)), np.complex128)


def _drop_fine(whitened: Complexes, per_pixel: Floats) -> Complexes:
    """Silence the waves that are too fine to be seen in the copy."""
    return np.asarray(np.where(np.abs(per_pixel).max(axis=1) > _NYQUIST_SHARE, 0, whitened), np.complex128)


def _noise(turned: Complexes) -> float:
    """Give the spread the sync sum would have if every phase were arbitrary."""
    return math.sqrt(max(float(np.sum(np.abs(turned) ** 2)) / 2, 1e-9))


def _look_closely(evidence: Evidence, pose: Pose) -> Fit:
    sync = evidence.carriers.sync
    frequencies = pose.map_frequencies(evidence.carriers.frequencies[:sync])
    turned = evidence.carriers.read_sync(evidence.glance(frequencies))
    return _correlate_shifts(turned, frequencies, evidence, pose)


def _correlate_shifts(turned: Complexes, frequencies: Floats, evidence: Evidence, pose: Pose, *, every: int = 1) -> Fit:
    """Score translations of whole canonical units, or of `every` so many, at once, by one inverse transform."""
    longest = max(evidence.plane.shape) / every
    grid = 512 if longest <= 400 else 1024
    bins = np.rint(frequencies[:, ::-1] * (grid * every)).astype(np.intp)
    flip = bins[:, 1] < 0  # a real sum does not change when a wave and its phase are both reversed
    bins[flip] *= -1
    usable = np.abs(bins).max(axis=1) <= grid // 2
    values = np.where(flip, turned.conj(), turned) * np.where(bins[:, 1] == 0, 1.0, 0.5)
    half = np.zeros((grid, grid // 2 + 1), np.complex64)
    np.add.at(half, (bins[usable, 0] % grid, bins[usable, 1]), values[usable])
    sums = fft.irfft2(half, s=(grid, grid), norm="forward")
    reach = int(min(grid // 2 - 1, 0.75 * longest))
    keep = np.r_[0 : reach + 1, grid - reach : grid]
    near = sums[np.ix_(keep, keep)] if 2 * reach + 1 < grid else sums
    row, column = (int(keep[i]) for i in np.unravel_index(int(np.argmax(near)), near.shape))
    shift_y, shift_x = (float(((i + grid // 2) % grid - grid // 2) * every) for i in (row, column))
    moved = replace(pose, shift_x=shift_x, shift_y=shift_y)
    return Fit(pose=moved, score=float(sums[row, column]) / _noise(turned))


def _sweep_scales(evidence: Evidence, pose: Pose) -> list[Fit]:
    """Score one angle and aspect at every scale by power; give the best three."""
    grid = evidence.grid
    per_pixel = pose.map_frequencies(evidence.carriers.frequencies) * (evidence.canvas.unit_x, evidence.canvas.unit_y)
    found = per_pixel.astype(np.float32)[None] / _POWER_SCALES.astype(np.float32)[:, None, None]
    inside = np.abs(found).max(axis=2) < _NYQUIST_SHARE
    bins = np.rint(found * np.float32(grid)).astype(np.int32) & (grid - 1)
    values = evidence.prominence[bins[:, :, 1] * grid + bins[:, :, 0]]
    waves = inside.sum(axis=1)
    scores = np.where(waves >= _LEAST_WAVES, np.sum(values * inside, axis=1) / np.sqrt(np.maximum(waves, 1)), -9.0)
    return [
        Fit(
            pose=replace(pose, stretch_x=pose.stretch_x * float(_POWER_SCALES[i]), stretch_y=float(_POWER_SCALES[i])),
            score=float(scores[i]),
        )
        for i in np.argsort(scores)[-3:]
    ]


def _pick_apart(fits: list[Fit], count: int) -> list[Pose]:
    """Pick the best poses that are not next to a better one."""
    picked: list[Pose] = []
    for fit in sorted(fits, key=lambda fit: fit.score, reverse=True):
        if all(_are_apart(fit.pose, other) for other in picked):
            picked.append(fit.pose)
        if len(picked) == count:
            break
    return picked


def _are_apart(one: Pose, other: Pose) -> bool:
    return (
        one.mirrored != other.mirrored
        or abs(one.angle - other.angle) > 0.02
        or abs(math.log(one.stretch_x / other.stretch_x)) > 0.02
        or abs(math.log(one.stretch_y / other.stretch_y)) > 0.02
    )
