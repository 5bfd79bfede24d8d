"""Writing a mark into a clip's luma, one block of frames at a time.

One rule: a frame goes out only with its whole block's pattern in it; number and order of frames never change.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from platemark_provenance.errors import WatermarkError
from platemark_provenance.watermark.carriers import Complexes, spread_carriers
from platemark_provenance.watermark.front_end import (
    Canvas,
    Luma,
    Plane,
    fit_canvas,
    flatten_texture,
    measure_activity,
    measure_response,
    resample,
)
from platemark_provenance.watermark.keys import WatermarkKeys
from platemark_provenance.watermark.payload import WatermarkId, encode_payload
from platemark_provenance.watermark.profile import BLACK, BROADCAST_1, MIN_SIDE_PX, WHITE, Profile
from platemark_provenance.watermark.waves import Rows, add_waves, make_rows, measure_waves

Pattern = NDArray[np.int16]

_CANCEL_LIMIT = 1.5  # of a wave's own amplitude: past that, cancelling costs more than the wave is worth


@dataclass(frozen=True, slots=True)
class _Stage:
    """Hold what depends on the frame size alone."""

    shape: tuple[int, int]
    flat_rms: float
    canvas: Canvas
    rows_x: Rows
    rows_y: Rows
    canvas_rows_x: Rows
    canvas_rows_y: Rows


class Embedder:
    """Mark one clip with one id; the same frames, keys and id give the same bytes.

    Args:
        keys: the publisher's keys; only `carriers` and `mac` are used.
        mark_id: eight bytes from `derive_mark_id`.
        profile: pins every number that the detector must know.

    Raises:
        WatermarkError: the id is not eight bytes.

    Source:
        Spread spectrum: Cox et al., "Secure spread spectrum watermarking for multimedia", IEEE Trans. Image
        Processing 6(12), 1997. Cancelling the picture's own projection: Malvar and Florêncio, "Improved
        spread spectrum", IEEE Trans. Signal Processing 51(4), 2003, eq. 16.
    """

    def __init__(self, keys: WatermarkKeys, mark_id: WatermarkId, *, profile: Profile = BROADCAST_1) -> None:
        self._profile = profile
        self._carriers = spread_carriers(keys.carriers, profile)
        self._symbols = self._carriers.modulate(encode_payload(keys.mac, mark_id, profile.name))
        self._levels = _compress_levels(profile.headroom)

    def mark(self, frames: Iterable[Luma]) -> Iterator[Luma]:
        """Give back the frames with the mark in them, luma between 16 and 235.

        At most one block of frames is held. A block's pattern fades in over the last one's, so that nothing
        pops; the pattern follows what moves from block to block only.

        Args:
            frames: uint8 (h, w), limited range, all of one size, at least 128 pixels on the short side; a frame
                must not be changed by its owner before its block has come out.

        Yields:
            uint8 (h, w), one for each frame taken.

        Raises:
            WatermarkError: a frame is smaller than 128 pixels, longer than 4:1, of another size than the
                first, or not an 8-bit plane.
        """
        stage: _Stage | None = None
        pattern: Pattern | None = None
        block: list[Luma] = []
        for frame in frames:
            stage = stage or self._set_stage(frame)
            _check_like_first(frame, stage.shape)
            block.append(frame)
            if len(block) == self._profile.block_frames:
                before, pattern = pattern, self._make_pattern(block, stage)
                yield from self._mark_block(block, pattern, before)
                block = []
        if block and stage is not None:
            yield from self._mark_block(block, self._make_pattern(block, stage), pattern)

    def _set_stage(self, frame: Luma) -> _Stage:
        canvas = fit_canvas(_check_plane(frame), self._profile.short_side)
        if canvas is None or min(frame.shape) < MIN_SIDE_PX:
            raise WatermarkError(
                f"A frame to be marked must be at least {MIN_SIDE_PX} pixels on its short side and at most 4:1"
                f" long, got {frame.shape[1]}x{frame.shape[0]}.",
                fix="Choose a larger output size.",
            )
        height, width = frame.shape
        per_pixel = self._profile.short_side / min(height, width)
        x, y = self._carriers.frequencies.T
        return _Stage(
            shape=(height, width),
            flat_rms=self._profile.flat_rms * min(max(1.0, per_pixel), self._profile.small_boost),
            canvas=canvas,
            rows_x=make_rows(x * per_pixel, width),
            rows_y=make_rows(y * per_pixel, height),
            canvas_rows_x=make_rows(x * canvas.unit_x, canvas.width),
            canvas_rows_y=make_rows(y * canvas.unit_y, canvas.height),
        )

    def _make_pattern(self, block: list[Luma], stage: _Stage) -> Pattern:
        """Make the grey levels to add to every frame of a block."""
        canvas = stage.canvas
        chosen = sorted({0, len(block) // 2, len(block) - 1})
        planes = [resample(self._levels[block[i]], canvas.height, canvas.width) for i in chosen]
        # The least gain of the frames looked at: texture that moves away leaves no visible mark behind.
        gain: Plane = np.min([measure_activity(plane) for plane in planes], axis=0)
        wanted_rms = 255.0 / 10 ** (self._profile.psnr_db / 20)
        strength = min(stage.flat_rms, wanted_rms / float(np.sqrt(np.mean(np.square(gain)))))
        amplitudes = self._symbols * strength * math.sqrt(2.0 / self._carriers.count)
        amplitudes = amplitudes + self._cancel_picture(planes, gain, strength, stage)
        # Cancelling is paid for out of the same budget: the total never exceeds the strength.
        amplitudes *= strength / max(strength, float(np.sqrt(np.sum(np.abs(amplitudes) ** 2) / 2)))
        waves = add_waves(amplitudes, stage.rows_x, stage.rows_y)
        waves *= resample(gain, *stage.shape)
        return np.rint(waves).astype(np.int16)

    def _cancel_picture(self, planes: list[Plane], gain: Plane, strength: float, stage: _Stage) -> Complexes:
        """Work out the amplitudes that undo part of what the picture itself says on each wave."""
        seen: Plane = np.mean([flatten_texture(plane) for plane in planes], axis=0)
        projection = measure_waves(seen, stage.canvas_rows_x, stage.canvas_rows_y) * (2.0 / seen.size)
        response = measure_response(planes[len(planes) // 2], gain)
        correction: Complexes = -self._profile.cancellation * projection / response
        limit = _CANCEL_LIMIT * strength * math.sqrt(2.0 / self._carriers.count)
        worthwhile = np.maximum(0.0, 1.0 - np.square(np.abs(correction) / limit))
        return np.asarray(correction * worthwhile)

    def _mark_block(self, block: list[Luma], pattern: Pattern, before: Pattern | None) -> Iterator[Luma]:
        for index, frame in enumerate(block):
            added = pattern
            if before is not None and index < self._profile.fade_frames:
                share = (index + 1) / (self._profile.fade_frames + 1)
                added = np.rint(share * pattern + (1 - share) * before).astype(np.int16)
            yield np.clip(self._levels[frame] + added, BLACK, WHITE).astype(np.uint8)


def _compress_levels(headroom: int) -> Pattern:
    """Tabulate luma with the ends drawn in, so that the pattern fits below white and above black.

    Only the outer `2 * headroom` levels at each end move; without this a pattern on pure black would lose
    its negative half.
    """
    levels = np.clip(np.arange(256, dtype=np.float64), BLACK, WHITE)
    raised = np.maximum(levels, BLACK + headroom + (levels - BLACK) / 2)
    lowered = np.minimum(raised, WHITE - headroom - (WHITE - levels) / 2)
    return np.rint(lowered).astype(np.int16)


def _check_plane(frame: Luma) -> tuple[int, int]:
    if frame.ndim != 2 or frame.dtype != np.uint8:
        raise WatermarkError(
            f"A frame to be marked must be one 8-bit plane (h, w), got {frame.dtype} of shape {frame.shape}.",
            fix="Hand over the luma plane alone.",
        )
    return frame.shape[0], frame.shape[1]


def _check_like_first(frame: Luma, shape: tuple[int, int]) -> None:
    if _check_plane(frame) != shape:
        raise WatermarkError(
            f"All frames of a clip must have the size of the first, {shape[1]}x{shape[0]},"
            f" got {frame.shape[1]}x{frame.shape[0]}.",
            fix="Scale the frames to one size before marking.",
        )
