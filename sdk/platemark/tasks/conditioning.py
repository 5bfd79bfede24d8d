"""What the tasks with given pictures share: fitting them to the clip, and the record of what that took away.

One rule: a picture is cut to the clip's aspect ratio around its middle and scaled, never stretched, and it is recorded.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from platemark.clip import MAX_FPS, MIN_FPS, Size, check_range
from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest
from platemark.generation.given import MAX_GIVEN_BYTES, STANDARD_CONTROLS, UNCONDITIONED, Conditioning, Controls
from platemark.generation.resize import RGB, resize

DEFAULT_SIZE = Size(512, 512)
_BAND = 64
"""Rows of a large picture that are reduced at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to sample; all have a good default.

    Attributes:
        seed: start of all randomness.
        steps: sampling steps; none leaves the choice to the generator.
        guidance: how strictly to follow the prompt; none leaves the choice to the generator.
        controls: method, shift and negative prompt.
    """

    seed: int = 0
    steps: int | None = None
    guidance: float | None = None
    controls: Controls = STANDARD_CONTROLS


STANDARD_SAMPLING = Sampling()


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRecord:
    """What happened to a given picture or clip before the generator saw it.

    Attributes:
        width: of the picture as it was given, in pixels.
        height: of the picture as it was given, in pixels.
        crop: the part that was used: x, y, width, height in its own pixels.
        size: to which that part was scaled.
        frames_read: how many frames were given.
        frames: how many came of them at the clip's rate.
    """

    width: int
    height: int
    crop: tuple[int, int, int, int]
    size: Size
    frames_read: int = 1
    frames: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenClip:
    """A clip that was given, at the size and rate of the clip to be made. `fit_clip` makes one.

    Attributes:
        pixels: (k, h, w, 3) uint8 RGB.
        fps: frames a second.
        record: what happened to it.
    """

    pixels: RGB = field(repr=False, compare=False)
    fps: int
    record: GivenRecord

    @property
    def size(self) -> Size:
        """Give its frame size."""
        return self.record.size

    def __len__(self) -> int:
        """Count its frames."""
        return len(self.pixels)


def cover(picture: RGB, size: Size) -> tuple[RGB, GivenRecord]:
    """Cut a picture to an aspect ratio, around its middle, and scale it.

    Large pictures are first averaged down in bands, so a picture of 64 million pixels takes little more memory than it
    takes itself. A picture that has the size already comes back as it is.

    Args:
        picture: (h, w, 3) uint8 RGB.
        size: what it shall cover.

    Raises:
        RequestError: it is no such picture.
    """
    _check_picture(picture)
    height, width = picture.shape[:2]
    scale = min(width / size.width, height / size.height)
    crop_width = min(width, max(1, round(size.width * scale)))
    crop_height = min(height, max(1, round(size.height * scale)))
    x, y = (width - crop_width) // 2, (height - crop_height) // 2
    record = GivenRecord(width=width, height=height, crop=(x, y, crop_width, crop_height), size=size)
    part = picture[y : y + crop_height, x : x + crop_width]
    if (crop_width, crop_height) == (size.width, size.height):
        return part, record
    small = _averaged(part, max(1, math.floor(min(crop_width / size.width, crop_height / size.height))))
    scaled = resize(small.astype(np.float32), height=size.height, width=size.width)
    fitted: RGB = np.rint(scaled.clip(0, 255)).astype(np.uint8)
    return fitted, record


def fit_clip(frames: Iterable[RGB], *, source_fps: Fraction | float, size: Size, fps: int) -> GivenClip:
    """Bring a clip to a size and a rate; frames are left out or repeated, never mixed.

    Args:
        frames: (h, w, 3) uint8 RGB of one size, read as a stream.
        source_fps: at which rate they are meant.
        size: of the clip to be made.
        fps: of the clip to be made.

    Raises:
        RequestError: there is no frame, the frames change size, or they take more memory than is allowed.
    """
    check_range("fps", fps, MIN_FPS, MAX_FPS)
    check_range("source_fps", float(source_fps), 0.1, 1000)
    fitted: list[RGB] = []
    record: GivenRecord | None = None
    read = 0
    most = MAX_GIVEN_BYTES // (size.width * size.height * 3)
    for frame, times in _at_rate(frames, Fraction(fps) / Fraction(source_fps)):
        read += 1
        if record is not None and (frame.shape[1], frame.shape[0]) != (record.width, record.height):
            raise RequestError("The given clip changes its frame size.", fix="Use a clip of one size.")
        if times or record is None:
            picture, record = cover(frame, size)
            fitted.extend([picture] * times)
        if len(fitted) > most:
            raise RequestError(
                f"The given clip has more than the {most} frames of {size} that are taken.",
                fix="Give a shorter clip, or ask for a smaller size.",
            )
    if record is None or not fitted:
        raise RequestError("The given clip has no frame.", fix="Give a clip of one frame or more.")
    whole = GivenRecord(
        width=record.width, height=record.height, crop=record.crop, size=size, frames_read=read, frames=len(fitted)
    )
    return GivenClip(pixels=np.stack(fitted), fps=fps, record=whole)


@dataclass(frozen=True, slots=True)
class Format:
    """The outer form of a clip: frame size, number of frames, frames a second."""

    size: Size
    frames: int
    fps: int


def request_for(
    prompt: str, form: Format, sampling: Sampling, *, conditioning: Conditioning = UNCONDITIONED
) -> GenerationRequest:
    """Put a request together.

    Raises:
        RequestError: a value is out of bounds, or given frames do not fit the clip.
    """
    return GenerationRequest(
        prompt=prompt,
        size=form.size,
        frames=form.frames,
        fps=form.fps,
        seed=sampling.seed,
        steps=sampling.steps,
        guidance=sampling.guidance,
        conditioning=conditioning,
        controls=sampling.controls,
    )


def _at_rate(frames: Iterable[RGB], ratio: Fraction) -> Iterator[tuple[RGB, int]]:
    """Say how often each frame is shown when the rate changes by a ratio: those nearest in time are."""
    shown = 0
    for index, frame in enumerate(frames):
        # Frame k of the new clip shows the old frame floor(k / ratio + 1/2), so frame `index` ends before this k:
        stop = math.ceil((Fraction(index) + Fraction(1, 2)) * ratio)
        yield frame, stop - shown
        shown = stop


def _check_picture(picture: RGB) -> None:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise RequestError(
            f"A given picture is uint8 (h, w, 3) RGB; got {picture.dtype} {picture.shape}.",
            fix="Read it with platemark.media.still.read_still.",
        )


def _averaged(picture: RGB, factor: int) -> RGB:
    if factor == 1:
        return picture
    rows, columns = picture.shape[0] // factor, picture.shape[1] // factor
    small = np.empty((rows, columns, 3), np.uint8)
    for first in range(0, rows, _BAND):
        stop = min(first + _BAND, rows)
        band = picture[first * factor : stop * factor, : columns * factor]
        cells = band.reshape(stop - first, factor, columns, factor, 3)
        small[first:stop] = np.rint(cells.mean(axis=(1, 3), dtype=np.float32)).astype(np.uint8)
    return small
