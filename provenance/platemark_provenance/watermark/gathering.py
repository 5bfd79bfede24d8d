"""Collecting evidence from a clip's frames in a fixed amount of memory.

One rule: the first frame is kept by itself. Every encoder starts with a whole picture, and at low rates the frames
after it only drag that picture's mark along with whatever moves.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from platemark_provenance.errors import WatermarkError
from platemark_provenance.watermark.front_end import Canvas, Luma, Plane, fit_canvas, flatten_texture, resample

_MOST_SLOTS: Final = 13
_CLOSE_TOGETHER: Final = 8


class Gatherer:
    """Flatten some of a clip's frames and add them up in slots, in order of time.

    The longer a clip goes on, the fewer of its frames are looked at: all of the first eight, about thirty of the
    first 125, seventy of the first 15,000. When the slots are full, neighbours are joined.

    Args:
        short_side: of the canonical picture.
    """

    def __init__(self, short_side: float) -> None:
        self._short_side = short_side
        self._shape: tuple[int, int] | None = None
        self._sums: list[Plane] = []
        self._counts: list[int] = []
        self._room = 1
        self._fed = 0
        self._next = 0
        self.canvas: Canvas | None = None

    @property
    def used(self) -> int:
        """Count the frames that were looked at."""
        return sum(self._counts)

    def feed(self, frame: Luma) -> None:
        """Take one more frame.

        Args:
            frame: uint8 (h, w), any range, all of one size.

        Raises:
            WatermarkError: the frame is not an 8-bit plane of the first frame's size.
        """
        self._check(frame)
        if self._fed == self._next and self.canvas is not None:
            flat = flatten_texture(resample(frame, self.canvas.height, self.canvas.width))
            self._add(flat)
            self._next += 1 + self._fed // _CLOSE_TOGETHER
        self._fed += 1

    def slots(self) -> NDArray[np.float32]:
        """Give the mean of each slot, (slots, h, w); the first is the first frame's alone."""
        return np.stack([total / np.float32(count) for total, count in zip(self._sums, self._counts, strict=True)])

    def _check(self, frame: Luma) -> None:
        if frame.ndim != 2 or frame.dtype != np.uint8:
            raise WatermarkError(
                f"A frame to be searched must be one 8-bit plane (h, w), got {frame.dtype} of shape {frame.shape}.",
                fix="Hand over the luma plane alone.",
            )
        if self._shape is None:
            self._shape = (frame.shape[0], frame.shape[1])
            self.canvas = fit_canvas(self._shape, self._short_side)
        if frame.shape != self._shape:
            raise WatermarkError(
                f"All frames of a clip must have the size of the first, {self._shape[1]}x{self._shape[0]},"
                f" got {frame.shape[1]}x{frame.shape[0]}.",
                fix="Look for the mark in each part of the file separately.",
            )

    def _add(self, flat: Plane) -> None:
        if len(self._sums) > 1 and self._counts[-1] < self._room:
            self._sums[-1] += flat
            self._counts[-1] += 1
            return
        if len(self._sums) == _MOST_SLOTS:
            pairs = range(1, _MOST_SLOTS, 2)
            self._sums = [self._sums[0], *(self._sums[i] + self._sums[i + 1] for i in pairs)]
            self._counts = [self._counts[0], *(self._counts[i] + self._counts[i + 1] for i in pairs)]
            self._room *= 2
        self._sums.append(flat)
        self._counts.append(1)
