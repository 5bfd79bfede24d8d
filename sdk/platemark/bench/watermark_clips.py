"""The clips that the mark is measured on: drawn here, one of each difficult kind, or read from a folder.

One rule: a clip is the same on every machine, and none of them is one that the mark was tuned on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift

from platemark.clip import Size
from platemark.errors import RequestError
from platemark.media.video import YuvFrame, read_frames_yuv420

Field = NDArray[np.float32]
Draw = Callable[[np.random.Generator, Size, int], Iterator[Field]]

FPS = 25
VIDEO_ENDINGS = frozenset({".mp4", ".mkv", ".mov", ".webm", ".avi"})


@dataclass(frozen=True, slots=True, eq=False)
class BenchClip:
    """One clip to measure on: its name and its frames, 25 a second."""

    name: str
    frames: tuple[YuvFrame, ...]


def draw_clips(size: Size, frames: int) -> Iterator[BenchClip]:
    """Draw one clip of each kind, one after the other.

    Args:
        size: in pixels, both sides even.
        frames: how many each has.
    """
    for seed, (name, draw) in enumerate(KINDS.items(), start=41):
        rng = np.random.default_rng(seed)
        colour = np.full((size.height // 2, size.width // 2), 128, np.uint8)
        planes = (np.clip(np.rint(field), 16, 235).astype(np.uint8) for field in draw(rng, size, frames))
        yield BenchClip(name, tuple(YuvFrame(plane, colour, colour) for plane in planes))


def read_clips(folder: Path, size: Size, frames: int) -> Iterator[BenchClip]:
    """Read the first frames of every clip in a folder, scaled to one size.

    Raises:
        RequestError: there is no such folder, or no clip in it.
        MediaError: a clip cannot be read.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in VIDEO_ENDINGS)
    if not paths:
        raise RequestError(
            f"There are no clips in {folder}.", fix="Name a folder with .mp4, .mkv, .mov or .webm files."
        )
    for path in paths:
        yield BenchClip(path.stem, tuple(islice(read_frames_yuv420(path, size=size), frames)))


def _clouds(rng: np.random.Generator, shape: tuple[int, int], coarse: float) -> Field:
    field = gaussian_filter(rng.normal(size=shape).astype(np.float32), coarse)
    return np.asarray(field / max(float(field.std()), 1e-6), np.float32)


def _landscape(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Add up structure of every size, as photographs have it."""
    return np.asarray(sum(_clouds(rng, shape, coarse) * coarse**0.6 * 4 for coarse in (0.7, 1.5, 3, 6, 12, 24)))


def _handheld(rng: np.random.Generator, size: Size, frames: int) -> Iterator[Field]:
    width, height = size.width, size.height
    world = _landscape(rng, (height + 80, width + 80))
    walk = gaussian_filter(rng.normal(size=(frames + 20, 2)), (4, 0))[10:-10] * 60
    for y, x in np.clip(walk, -38, 38):
        yield 120 + np.asarray(shift(world, (y, x), order=1))[40 : 40 + height, 40 : 40 + width]


def _film_grain(rng: np.random.Generator, size: Size, frames: int) -> Iterator[Field]:
    scene = 110 + 1.2 * _landscape(rng, (size.height, size.width))
    for _ in range(frames):
        yield scene + 5 * _clouds(rng, (size.height, size.width), 0.6)


def _dark(rng: np.random.Generator, size: Size, frames: int) -> Iterator[Field]:
    scene = np.maximum(18 + 0.35 * _landscape(rng, (size.height, size.width)), 16)
    for index in range(frames):
        lights = scene.copy()
        left = (30 + 5 * index) % (size.width - 24)
        lights[-60:-50, left : left + 20] = 210
        yield lights + rng.normal(size=scene.shape).astype(np.float32) * 1.5


def _cartoon(rng: np.random.Generator, size: Size, frames: int) -> Iterator[Field]:
    width, height = size.width, size.height
    down, across = np.mgrid[:height, :width]
    shapes = [
        (rng.uniform(0, width), rng.uniform(0, height), rng.uniform(20, 90), rng.uniform(40, 220)) for _ in range(12)
    ]
    for index in range(frames):
        field = np.where(down > 0.7 * height, 90.0, 170.0).astype(np.float32)
        for turn, (x, y, radius, grey) in enumerate(shapes):
            distance = np.hypot(across - (x + 2 * index * (turn % 3)) % width, down - y)
            field = np.where(distance < radius, grey, np.where(distance < radius + 3, 20, field)).astype(np.float32)
        yield field


def _title(rng: np.random.Generator, size: Size, frames: int) -> Iterator[Field]:
    field = np.full((size.height, size.width), 50, np.float32)
    for row in range(6):
        widths = np.cumsum(rng.integers(4, 22, 40))
        for start, end in zip(widths[::2], widths[1::2], strict=True):
            field[30 + row * 45 : 52 + row * 45, start + 20 : end + 20] = 225
    for _ in range(frames):
        yield field


def _sky(rng: np.random.Generator, size: Size, frames: int) -> Iterator[Field]:
    width, height = size.width, size.height
    clouds = 5 * _clouds(rng, (height, width + frames), 14)
    fall = np.linspace(200, 120, height, dtype=np.float32)[:, None]
    for index in range(frames):
        noise = rng.normal(0, 0.7, (height, width)).astype(np.float32)
        yield np.asarray(fall + clouds[:, index : index + width] + noise, np.float32)


def _fast(rng: np.random.Generator, size: Size, frames: int) -> Iterator[Field]:
    width, height = size.width, size.height
    world = 120 + 1.5 * _landscape(rng, (height, width + 11 * frames))
    for index in range(frames):
        yield world[:, 11 * index : 11 * index + width]


def _water(rng: np.random.Generator, size: Size, frames: int) -> Iterator[Field]:
    """Texture that boils: new everywhere in every frame, as rain and fire are."""
    before = _landscape(rng, (size.height, size.width))
    for _ in range(frames):
        before = np.asarray(0.8 * before + 0.6 * _landscape(rng, (size.height, size.width)), np.float32)
        yield 110 + before


KINDS: dict[str, Draw] = {
    "handheld": _handheld,
    "film grain": _film_grain,
    "dark": _dark,
    "flat cartoon": _cartoon,
    "static title": _title,
    "clear sky": _sky,
    "fast pan": _fast,
    "water": _water,
}
"""What the drawn clips show; grey, since the mark leaves colour alone."""
