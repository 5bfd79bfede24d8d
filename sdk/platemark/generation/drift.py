"""Measures of a finished clip: how far its look has moved, and how well a loop closes.

One rule: a stream. Frames are looked at once and forgotten.
"""

import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from platemark.generation.resize import RGB, Picture

F = TypeVar("F")
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Drift:
    """How a clip's look moves, in levels of 255.

    Attributes:
        levels: the largest distance of any second's mean colour from the first second's, over R, G and B.
        at_s: the second in which that was.
        seconds: how many were compared; with less than two there is nothing to compare, and the drift is 0.
    """

    levels: float
    at_s: int
    seconds: int


class DriftMeter:
    """Watch a clip go by; long clips are made window after window, and what moves slowly adds up.

    Args:
        fps: frames a second.
    """

    def __init__(self, fps: int) -> None:
        self._fps = fps
        self._count = 0
        self._sum: Picture = np.zeros(3, np.float32)
        self._first: Picture | None = None
        self._drift = Drift(0.0, 0, 0)

    def feed(self, frame: RGB) -> None:
        """Look at the next frame, (h, w, 3) uint8."""
        self._sum = self._sum + frame.mean(axis=(0, 1), dtype=np.float32)
        self._count += 1
        if self._count % self._fps == 0:
            self._close_second(self._sum / np.float32(self._fps))
            self._sum = np.zeros(3, np.float32)

    @property
    def drift(self) -> Drift:
        """Give the drift over the whole seconds seen so far."""
        return self._drift

    def _close_second(self, mean: Picture) -> None:
        second = self._drift.seconds
        if self._first is None:
            self._first = mean
        levels = float(np.abs(mean - self._first).max())
        farther = levels > self._drift.levels
        self._drift = Drift(
            levels if farther else self._drift.levels, second if farther else self._drift.at_s, second + 1
        )


@dataclass(frozen=True, slots=True)
class Seam:
    """How a loop closes: the step from its last frame to its first, and the median step; mean levels of 255."""

    step: float
    median: float


class SeamMeter:
    """Watch a loop go by; it holds the first frame and the last one, and one figure a frame."""

    def __init__(self) -> None:
        self._steps: list[float] = []
        self._first: Pixels | None = None
        self._last: Pixels | None = None

    def feed(self, frame: Pixels) -> None:
        """Look at the next frame: uint8, of any shape, always the same one."""
        if self._last is None:
            self._first = frame
        else:
            self._steps.append(_distance(self._last, frame))
        self._last = frame

    def watch(self, frames: Iterable[F], *, picture: Callable[[F], Pixels]) -> Iterator[F]:
        """Pass frames on, looking at the part of each that `picture` gives."""
        for frame in frames:
            self.feed(picture(frame))
            yield frame

    @property
    def seam(self) -> Seam:
        """Give the seam of the frames seen so far; of less than two there is none."""
        if self._first is None or self._last is None or not self._steps:
            return Seam(0.0, 0.0)
        return Seam(_distance(self._last, self._first), statistics.median(self._steps))


def measure_seam(frames: Iterable[Pixels]) -> Seam:
    """Measure a loop's seam.

    Args:
        frames: (h, w, 3) uint8, two or more.
    """
    meter = SeamMeter()
    for frame in frames:
        meter.feed(frame)
    return meter.seam


def _distance(one: Pixels, other: Pixels) -> float:
    return float(np.mean(np.abs(one.astype(np.float32) - other)))
