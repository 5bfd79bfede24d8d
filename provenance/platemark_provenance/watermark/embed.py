"""Writing a mark into a clip's luma, one block of frames at a time.

One rule: a frame goes out only with its whole block's pattern in it; number and order of frames never change.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from platemark_provenance.errors import WatermarkError
from platemark_provenance.watermark.carriers import spread_carriers
from platemark_provenance.watermark.front_end import (
    Canvas,
    Luma,
    Plane,
    fit_canvas,
    flatten_texture,
    measure_activity,
    resample,
)
from platemark_provenance.watermark.keys import WatermarkKeys
from platemark_provenance.watermark.payload import WatermarkId, check_mark_id, encode_payload, encode_payloads
from platemark_provenance.watermark.profile import BLACK, BROADCAST_3, MIN_SIDE_PX, WHITE, Loudness, Profile
from platemark_provenance.watermark.search import Evidence, Pose
from platemark_provenance.watermark.visibility import Masking, choose_strength, measure_masking
from platemark_provenance.watermark.waves import add_waves, make_rows

Pattern = NDArray[np.int16]

_STRIP_ROWS: Final = 64

_CUT_STEP: Final = 8
_CUT_LEVELS: Final = 20.0
_CUT_TIMES: Final = 3.0
"""A cut changes frames by 20 grey levels and by three times what the frames before it changed by."""


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """Hold what stays the same for a whole clip: its size, and the pattern before any masking, RMS 1."""

    shape: tuple[int, int]
    boost: float
    canvas: Canvas
    waves: Plane


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Hold the grey levels to add to a block's frames, and how many times louder they open where a scene starts."""

    pattern: Plane
    opening: float


class Embedder:
    """Mark one clip with one id; the same frames, keys and ids give the same bytes.

    What the picture itself happens to say on the waves is as loud as the mark. So, where more than one id was set
    aside for the clip, the one that the first frame already speaks for is written into it: of 4096 ids the best
    starts 3.5 standard deviations ahead, at no cost to the picture.

    Args:
        keys: the publisher's keys; only `carriers` and `mac` are used.
        mark_id: eight bytes from `derive_mark_id`.
        alternatives: further ids that may be used in its place (see `derive_alternatives`).
        profile: pins every number that the detector must know.

    Raises:
        WatermarkError: an id is not eight bytes.

    Source:
        Spread spectrum: Cox et al., "Secure spread spectrum watermarking for multimedia", IEEE Trans. Image
        Processing 6(12), 1997. Choosing among codewords by the picture: Miller, Doerr and Cox, "Applying informed
        coding and embedding to design a robust high-capacity watermark", IEEE Trans. Image Processing 13(6), 2004.
    """

    def __init__(
        self,
        keys: WatermarkKeys,
        mark_id: WatermarkId,
        *,
        alternatives: Sequence[WatermarkId] = (),
        profile: Profile = BROADCAST_3,
    ) -> None:
        self._keys = keys
        self._profile = profile
        self._ids = (mark_id, *alternatives)
        for each in self._ids:
            check_mark_id(each)
        self._chosen: WatermarkId | None = mark_id if not alternatives else None
        self._carriers = spread_carriers(keys.carriers, profile)
        self._levels = _compress_levels(profile.headroom)

    @property
    def mark_id(self) -> WatermarkId:
        """Give the id that is written into the clip.

        Raises:
            WatermarkError: there are alternatives, and no frame has been seen yet.
        """
        if self._chosen is None:
            raise WatermarkError("Which id a clip carries is known after its first frame.", fix="Mark a frame first.")
        return self._chosen

    def mark(self, frames: Iterable[Luma], *, is_loop: bool = False) -> Iterator[Luma]:
        """Give back the frames with the mark in them, luma between 16 and 235.

        At most one block of frames is held. A block's pattern fades in over the last one's, so that nothing
        pops; the pattern itself stands still, and its strength follows the picture from block to block. Where a
        scene starts it is louder for a few frames (see `Opening`).

        Args:
            frames: uint8 (h, w), limited range, all of one size, at least 128 pixels on the short side; a frame
                must not be changed by its owner before its block has come out.
            is_loop: the last frame leads into the first, so the first opens no scene: a louder mark there would
                show as a jump each time round. Cuts further on open as ever.

        Yields:
            uint8 (h, w), one for each frame taken.

        Raises:
            WatermarkError: a frame is smaller than 128 pixels, longer than 4:1, of another size than the
                first, or not an 8-bit plane.
        """
        stage: _Stage | None = None
        before: _Block | None = None
        opens = not is_loop
        for scene, block in self._cut(frames):
            stage = stage or self._set_stage(block[0])
            for frame in block:
                _check_like_first(frame, stage.shape)
            made = self._make_block(block, stage)
            yield from self._mark_block(block, made if opens else replace(made, opening=1.0), None if scene else before)
            before, opens = made, True

    def _cut(self, frames: Iterable[Luma]) -> Iterator[tuple[bool, list[Luma]]]:
        """Cut the clip into blocks; a block that starts a scene is said to."""
        block: list[Luma] = []
        last: Luma | None = None
        scene, since, change = True, 0, 0.0
        for frame in frames:
            now = 0.0 if last is None else _measure_change(last, frame)
            if now > max(_CUT_LEVELS, _CUT_TIMES * change) and since >= 2 * self._profile.block_frames:
                if block:
                    yield scene, block
                block, scene, since = [], True, 0
            block.append(frame)
            last, since, change = frame, since + 1, change + (now - change) / 4
            if len(block) == self._profile.block_frames:
                yield scene, block
                block, scene = [], False
        if block:
            yield scene, block

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
        self._chosen = self._chosen or self._choose_id(frame, canvas)
        symbols = self._carriers.modulate(encode_payload(self._keys.mac, self._chosen, self._profile.family))
        waves = add_waves(
            symbols * math.sqrt(2.0 / self._carriers.count),
            make_rows(x * per_pixel, width),
            make_rows(y * per_pixel, height),
        )
        boost = min(max(1.0, per_pixel), self._profile.small_boost)
        return _Stage(shape=(height, width), boost=boost, canvas=canvas, waves=waves)

    def _choose_id(self, frame: Luma, canvas: Canvas) -> WatermarkId:
        """Pick the id whose codeword the unmarked picture agrees with most."""
        flat = flatten_texture(resample(_look_up(self._levels, frame), canvas.height, canvas.width))
        evidence = Evidence(slots=flat[None], canvas=canvas, carriers=self._carriers)
        soft = self._carriers.read_bits(evidence.observe(Pose()), np.ones(self._carriers.count))
        coded = encode_payloads(self._keys.mac, self._ids, self._profile.family)
        return self._ids[int(np.argmin(coded @ soft.values))]  # a coded 1 counts against positive evidence

    def _make_block(self, block: list[Luma], stage: _Stage) -> _Block:
        """Make the grey levels to add to every frame of a block."""
        canvas = stage.canvas
        chosen = sorted({0, min(1, len(block) - 1), len(block) - 1})
        planes = [resample(_look_up(self._levels, block[i]), canvas.height, canvas.width) for i in chosen]
        # The least gain of the frames looked at: texture that moves away leaves no visible mark behind.
        gain: Plane = np.minimum(measure_activity(planes[0]), measure_activity(planes[-1]))
        masking = measure_masking(planes[0], planes[min(1, len(planes) - 1)], gain)
        strength = self._choose(masking, gain, stage, self._profile.loudness)
        opening = self._profile.opening
        louder = 1.0 if opening is None else self._choose(masking, gain, stage, opening.loudness) / strength
        shaped = resample(gain * np.float32(strength), *stage.shape)
        shaped *= stage.waves
        return _Block(shaped, max(1.0, louder))

    def _choose(self, masking: Masking, gain: Plane, stage: _Stage, loudness: Loudness) -> float:
        """Choose the RMS before gain: what the picture hides, within what the profile allows."""
        hidden = choose_strength(
            masking,
            self._carriers.frequencies,
            octaves=math.log2(min(stage.shape) / self._profile.short_side),
            least_vmaf=loudness.least_vmaf,
        )
        loudest = 255.0 / 10 ** (loudness.least_psnr_db / 20) / float(np.sqrt(np.mean(np.square(gain))))
        return min(hidden, loudest, loudness.flat_rms * stage.boost)

    def _mark_block(self, block: list[Luma], made: _Block, before: _Block | None) -> Iterator[Luma]:
        usual = np.rint(made.pattern).astype(np.int16)
        fade, opening = self._profile.fade_frames, self._profile.opening
        fading = 0 if opening is None or len(block) <= opening.frames else opening.frames
        for index in range(len(block)):
            added = usual
            if before is None and index < fading:  # a still, or a scene as short as one, has no opening
                share = 1 - index / fading
                added = np.rint((1 + (made.opening - 1) * share) * made.pattern).astype(np.int16)
            elif before is not None and index < fade:
                share = (index + 1) / (fade + 1)
                added = np.rint(share * made.pattern + (1 - share) * before.pattern).astype(np.int16)
            yield self._add(added, block.pop(0))  # taken out, so that nobody holds a frame that has gone out

    def _add(self, pattern: Pattern, frame: Luma) -> Luma:
        marked = np.empty_like(frame)
        for rows in _strips(frame):
            sums = self._levels[frame[rows]]
            sums += pattern[rows]
            marked[rows] = np.clip(sums, BLACK, WHITE, out=sums)
        return marked


def _look_up(levels: Pattern, frame: Luma) -> Pattern:
    looked_up = np.empty(frame.shape, np.int16)
    for rows in _strips(frame):
        looked_up[rows] = levels[frame[rows]]
    return looked_up


def _strips(frame: Luma) -> Iterator[slice]:
    """Cut a frame into runs of rows: numpy looks values up through a copy eight times the size of its input."""
    for first in range(0, len(frame), _STRIP_ROWS):
        yield slice(first, first + _STRIP_ROWS)


def _measure_change(before: Luma, after: Luma) -> float:
    """Give the mean difference of two frames, in grey levels, from one pixel in 64."""
    if before.shape != after.shape or before.ndim != 2:
        return 0.0
    one, other = (frame[::_CUT_STEP, ::_CUT_STEP].astype(np.int16) for frame in (before, after))
    return float(np.mean(np.abs(one - other)))


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
