"""Given and made frames, laid one after another into one clip.

One rule: a given frame comes out bit for bit. A made one beside it takes over what the model lost of it, less and less.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from platemark.generation.given import Footage
from platemark.generation.holes import Hole
from platemark.generation.resize import RGB

MAX_SETTLING = 12
"""Frames; a bound on the pictures held in memory."""

_Difference = NDArray[np.int16]


def settling_frames(fps: int) -> int:
    """Choose over how many frames a clip passes from the given picture to the model's: half a second."""
    return max(1, min(MAX_SETTLING, round(fps / 2)))


def compose(
    given: Sequence[Footage], holes: Sequence[Hole], make: Callable[[Hole], Iterator[RGB]], *, settling: int
) -> Iterator[RGB]:
    """Lay out a clip.

    Args:
        given: runs of frames to keep.
        holes: the runs between them.
        make: gives the model's frames of a hole, its versions of the given frame before and after the hole included.
        settling: frames over which the difference between a given frame and the model's version of it fades.

    Yields:
        Frames (h, w, 3) uint8.
    """
    first_frames = {footage.first: footage.pixels[0] for footage in given}
    last_frames = {footage.stop: footage.pixels[-1] for footage in given}
    runs: list[Footage | Hole] = [*given, *holes]
    for run in sorted(runs, key=lambda each: each.first):
        if isinstance(run, Footage):
            yield from run.pixels
        else:
            yield from _settled(run, make(run), last_frames.get(run.first), first_frames.get(run.stop), settling)


def _settled(hole: Hole, made: Iterator[RGB], before: RGB | None, after: RGB | None, settling: int) -> Iterator[RGB]:
    reach = settling
    if before is not None and after is not None:
        reach = min(settling, hole.stop - hole.first + 1)  # both corrections together never exceed one
    lost_before = None if before is None else _difference(before, next(made))
    waiting: deque[RGB] = deque()
    for step in range(1, hole.stop - hole.first + 1):
        frame = next(made)
        if lost_before is not None and step < reach:
            frame = _corrected(frame, lost_before, 1 - step / reach)
        waiting.append(frame)
        if after is None or len(waiting) > reach:
            yield waiting.popleft()
    lost_after = None if after is None else _difference(after, next(made))
    while waiting:
        ahead = len(waiting)
        frame = waiting.popleft()
        yield frame if lost_after is None or ahead >= reach else _corrected(frame, lost_after, 1 - ahead / reach)


def _difference(true: RGB, made: RGB) -> _Difference:
    return true.astype(np.int16) - made


def _corrected(frame: RGB, lost: _Difference, share: float) -> RGB:
    corrected: RGB = np.rint(frame + np.float32(share) * lost).clip(0, 255).astype(np.uint8)
    return corrected
