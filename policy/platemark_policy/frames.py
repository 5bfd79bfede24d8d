"""Look at finished frames for what no prompt can tell: dangerous flashing, a black or a motionless picture.

One rule: frames come one at a time and only a small grid of each is kept, so a clip of any length needs the same
memory. Source: Recommendation ITU-R BT.1702-3, annex 1 (guidance for the reduction of photosensitive epileptic
seizures): a flash is a pair of opposing luminance changes of at least 20 cd/m² where the darker state is below
160 cd/m², on a 200 cd/m² display, that is a tenth and eight tenths of the peak; more than three flashes within any
second over more than a quarter of the picture are potentially harmful. The saturated-red rule is not checked.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from platemark_policy.decision import Finding, Reason, Verdict
from platemark_policy.errors import PolicyError

RGB = npt.NDArray[np.uint8]

_CELLS = 16  # along each side, so that one is a small part of the quarter that counts
_SAMPLES_PER_CELL = 16  # along each side, so that grain and film noise average out: 256 pixels move a mean by 0.02
_CHANGE = 0.1
_DARKER_BELOW = 0.8
_MAX_TRANSITIONS = 6  # three flashes are six opposing changes; one more is too many
_MAX_AREA = 0.25
_BLACK_LUMINANCE = 0.005  # about code value 14 of 255: nothing to be seen in a lit room
_STILL_STEP = 1  # code values; what rounding alone may change
# Rec. ITU-R BT.709-6, item 3.2: luminance from linear red, green and blue.
_LUMINANCE_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
# IEC 61966-2-1, display transfer function.
_CODES = np.arange(256, dtype=np.float32) / 255
_LINEAR = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4).astype(np.float32)


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What was measured over all frames of a clip.

    Args:
        frames: how many were looked at.
        fps: frames per second they were judged at.
        flashing_area: largest share of the picture, 0 to 1, that flashed more than three times within one second.
        flashing_at_s: when that second ended, in seconds from the start; 0 when nothing flashed.
        brightest: largest mean luminance of any part of the picture, 0 to 1 of the display's peak.
        largest_step: largest change of a sampled pixel from one frame to the next, in code values.
    """

    frames: int
    fps: float
    flashing_area: float
    flashing_at_s: float
    brightest: float
    largest_step: int

    @property
    def is_flashing(self) -> bool:
        """Tell whether the clip passes the limit of ITU-R BT.1702."""
        return self.flashing_area > _MAX_AREA

    @property
    def is_black(self) -> bool:
        """Tell whether no part of any frame can be seen."""
        return self.brightest < _BLACK_LUMINANCE

    @property
    def is_still(self) -> bool:
        """Tell whether nothing moves in a clip of more than one frame."""
        return self.frames > 1 and self.largest_step <= _STILL_STEP


class FrameScreen:
    """Measure the frames of one clip as they pass by.

    Args:
        fps: frames per second the clip will be shown at.

    Raises:
        PolicyError: fps is not between 1 and 240.
    """

    def __init__(self, *, fps: float) -> None:
        if not 1 <= fps <= 240:
            raise PolicyError(f"Expected 1 to 240 frames a second, got {fps:g}.")
        self._fps = float(fps)
        self._frames = 0
        self._size: tuple[int, ...] = ()
        self._flashes = _FlashCounter(window=max(1, round(fps)))
        self._worst = (0.0, 0.0)
        self._brightest = 0.0
        self._last_samples: npt.NDArray[np.int16] | None = None
        self._largest_step = 0

    def feed(self, frame: RGB) -> None:
        """Measure the next frame.

        Args:
            frame: uint8 (h, w, 3), RGB, full range; every frame of one size.

        Raises:
            PolicyError: the frame has another shape or type, or another size than the one before.
        """
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
            raise PolicyError(f"Expected a uint8 (h, w, 3) frame, got {frame.dtype} {frame.shape}.")
        if self._size not in {(), frame.shape}:
            raise PolicyError(f"Expected every frame to be {self._size}, got {frame.shape}.")
        self._size = frame.shape
        self._frames += 1
        samples = _sampled(frame)
        self._note_step(samples.astype(np.int16))
        cells = _cell_luminance(samples)
        self._brightest = max(self._brightest, float(cells.max()))
        area = self._flashes.feed(cells)
        if area > self._worst[0]:
            self._worst = (area, self._frames / self._fps)

    def facts(self) -> FrameFacts:
        """Give what was measured so far.

        Raises:
            PolicyError: no frame has been fed.
        """
        if self._frames == 0:
            raise PolicyError("Expected at least one frame, got none.")
        area, at_s = self._worst
        return FrameFacts(self._frames, self._fps, area, at_s, self._brightest, self._largest_step)

    def _note_step(self, samples: npt.NDArray[np.int16]) -> None:
        if self._last_samples is not None:
            step = int(np.abs(samples - self._last_samples).max())
            self._largest_step = max(self._largest_step, step)
        self._last_samples = samples


class _FlashCounter:
    """Count opposing luminance changes of every cell over the last second.

    Each cell remembers the extreme it has reached since its last change of direction; a change counts once it is a
    tenth of the peak away from that extreme, however many frames it took.
    """

    def __init__(self, *, window: int) -> None:
        self._window = window
        self._turns: list[npt.NDArray[np.bool_]] = []
        self._count: npt.NDArray[np.int32] | None = None
        self._low: npt.NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._high: npt.NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._direction: npt.NDArray[np.int8] = np.zeros(0, dtype=np.int8)

    def feed(self, cells: npt.NDArray[np.float32]) -> float:
        """Give the share of cells with more than three flashes in the second that ends here."""
        if self._count is None:
            self._low, self._high = cells.copy(), cells.copy()
            self._direction = np.zeros(cells.shape, dtype=np.int8)
            self._count = np.zeros(cells.shape, dtype=np.int32)
        rises = (self._direction <= 0) & (cells - self._low >= _CHANGE) & (self._low < _DARKER_BELOW)
        falls = (self._direction >= 0) & (self._high - cells >= _CHANGE) & (cells < _DARKER_BELOW)
        turned = rises | falls
        self._direction[rises], self._direction[falls] = 1, -1
        self._low = np.where(turned, cells, np.minimum(self._low, cells))
        self._high = np.where(turned, cells, np.maximum(self._high, cells))
        self._count += turned
        self._turns.append(turned)
        if len(self._turns) > self._window:
            self._count -= self._turns.pop(0)
        return float((self._count > _MAX_TRANSITIONS).mean())


_FLASHING = Reason(
    en="The picture flashes more than three times in a second, which can cause seizures (ITU-R BT.1702).",
    ko="화면이 1초에 세 번 넘게 번쩍여 광과민성 발작을 일으킬 수 있습니다(ITU-R BT.1702).",
)
_BLACK = Reason(
    en="Every frame is black: the generator may have failed.",
    ko="모든 프레임이 검은 화면입니다. 생성에 실패했을 수 있습니다.",
)
_STILL = Reason(
    en="Nothing moves in the clip: the generator may have failed.",
    ko="영상에 움직임이 없습니다. 생성에 실패했을 수 있습니다.",
)


def judge_frames(facts: FrameFacts) -> tuple[Finding, ...]:
    """Give what measured frames are objected to for; these checks hold with every rule pack.

    Raises:
        PolicyError: the facts cannot have been measured. Not a number is on the safe side of every limit, so such facts
            are refused before they are compared with any.
    """
    _refuse_impossible(facts)
    checks = (
        (facts.is_flashing, "F01", "photosensitive", Verdict.BLOCK, _FLASHING),
        (facts.is_black, "F02", "black_picture", Verdict.REVIEW, _BLACK),
        (facts.is_still and not facts.is_black, "F03", "still_picture", Verdict.REVIEW, _STILL),
    )
    return tuple(
        Finding(rule_id, category, action, None, "frame", reason, True, "frames")
        for found, rule_id, category, action, reason in checks
        if found
    )


def _refuse_impossible(facts: FrameFacts) -> None:
    measured = (facts.fps, facts.flashing_area, facts.flashing_at_s, facts.brightest)
    counted = (facts.frames, facts.largest_step)
    if not all(math.isfinite(value) and value >= 0 for value in (*measured, *counted)) or facts.flashing_area > 1:
        raise PolicyError("Expected measured facts about frames, got a value that is no number or out of its range.")


def _sampled(frame: RGB) -> RGB:
    """Take a regular grid of pixels: at most a few for each cell, at least one."""
    rows, columns = (_grid(length) for length in frame.shape[:2])
    return frame[np.ix_(rows, columns)]


def _grid(length: int) -> npt.NDArray[np.intp]:
    count = _CELLS * max(1, min(_SAMPLES_PER_CELL, length // _CELLS))
    return (np.arange(count) * length) // count


def _cell_luminance(samples: RGB) -> npt.NDArray[np.float32]:
    """Give the mean luminance of each cell: (cells, cells) float32 in [0, 1]."""
    luminance = _LINEAR[samples] @ _LUMINANCE_WEIGHTS
    rows, columns = (length // _CELLS for length in luminance.shape)
    by_cell = luminance.reshape(_CELLS, rows, _CELLS, columns)
    means: npt.NDArray[np.float32] = by_cell.mean(axis=(1, 3), dtype=np.float32)
    return means
