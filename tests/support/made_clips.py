"""Luma clips made by code, like those the generator makes and unlike them, and what platforms do to clips.

Everything is `uint8 (h, w)` in limited range and the same on every run.
"""

import io
from collections.abc import Sequence

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft
from scipy.ndimage import uniform_filter

Luma = NDArray[np.uint8]
Clip = list[Luma]


def make_flat(level: int, *, side: int = 512, frames: int = 12) -> Clip:
    """One grey all over, with the caption box that every published clip has."""
    return [_caption(np.full((side, side), level, np.uint8)) for _ in range(frames)]


def make_ball(seed: int, *, side: int = 512, frames: int = 24) -> Clip:
    """A soft ball crossing a flat background: size, levels and path follow from the seed."""
    rng = np.random.default_rng([41, seed])
    ground, ball = rng.uniform(40, 210, 2)
    ball = ball if abs(ball - ground) > 40 else (ground + 90) % 200 + 20
    radius, angle = rng.uniform(0.12, 0.2), rng.uniform(0, 2 * np.pi)
    middle, speed = rng.uniform(0.35, 0.65, 2), rng.uniform(0.01, 0.02)
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side
    clip = []
    for index in range(frames):
        along = (index - frames / 2) * speed
        distance = np.hypot(x - middle[0] - along * np.cos(angle), y - middle[1] - along * np.sin(angle))
        share = np.clip(0.5 - (distance - radius) * 40, 0, 1)
        clip.append(_caption(_to_luma((ground + 8 * (y - 0.5)) * (1 - share) + ball * share)))
    return clip


def make_windows(seed: int, *, side: int = 512, frames: int = 24) -> Clip:
    """Rows of lit windows with streaks falling in front: hard edges in a lattice, the worst host for a mark."""
    rng = np.random.default_rng([43, seed])
    lit = rng.random((10, 8)) < 0.5
    front = np.kron(lit, np.pad(np.ones((3, 3)), ((2, 2), (2, 2))))[:64, :56]
    still = np.asarray(45.0 + 150 * np.pad(front, ((0, 64 - front.shape[0]), (4, 4))), np.float64)
    starts = rng.integers(0, 64, (12, 2))
    clip = []
    for index in range(frames):
        small = still.copy()
        for row, column in starts:
            small[(row + 2 * index) % 64 : (row + 2 * index) % 64 + 5, column] += 60
        clip.append(_caption(_enlarge(small, side)))
    return clip


def make_texture(seed: int, *, height: int = 270, width: int = 480, frames: int = 16, slope: float = 1.2) -> Clip:
    """A drifting field with a 1/f spectrum and fresh grain in each frame, as foliage or rock would give."""
    rng = np.random.default_rng([47, seed])
    tall, wide = height + 64, width + 64
    radius = np.hypot(fft.fftfreq(tall)[:, None], fft.rfftfreq(wide)[None])
    radius[0, 0] = 1.0
    field = fft.irfft2(fft.rfft2(rng.normal(size=(tall, wide))) / radius**slope, s=(tall, wide))
    field = 112 + 32 * (field - field.mean()) / field.std()
    return [
        _to_luma(field[i : i + height, 2 * i : 2 * i + width] + rng.normal(size=(height, width)) * 2)
        for i in range(frames)
    ]


def encode_h264(clip: Sequence[Luma], *, crf: int) -> Clip:
    """Send the clip through a real H.264 file and give back its luma as decoded."""
    height, width = (side - side % 2 for side in clip[0].shape)
    grey = np.full((height // 2, width), 128, np.uint8)  # both chroma planes, one under the other
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "medium", "threads": "1"}
        for luma in clip:
            planes = np.concatenate([luma[:height, :width], grey])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    target.seek(0)
    with av.open(target, "r") as source:
        planes_of_each = [frame.to_ndarray() for frame in source.decode(video=0)]
    return [planes[:height].astype(np.uint8) for planes in planes_of_each]


def compress_jpeg(frame: Luma, *, quality: int) -> Clip:
    """One frame as a JPEG still."""
    target = io.BytesIO()
    Image.fromarray(frame).save(target, "JPEG", quality=quality)
    return [np.asarray(Image.open(target))]


def scale(clip: Sequence[Luma], *, height: int, width: int) -> Clip:
    """Resize every frame."""
    return [np.asarray(Image.fromarray(y).resize((width, height), Image.Resampling.BICUBIC)) for y in clip]


def crop(clip: Sequence[Luma], share: float) -> Clip:
    """Cut out a part with the given share of each side, a little off the middle."""
    height, width = clip[0].shape
    rows, columns = (round(side * share) // 2 * 2 for side in (height, width))
    top, left = (height - rows) // 3, (width - columns) // 2
    return [np.ascontiguousarray(y[top : top + rows, left : left + columns]) for y in clip]


def rotate(clip: Sequence[Luma], degrees: float) -> Clip:
    """Turn every frame clockwise about its middle; black where nothing was."""
    return [np.asarray(Image.fromarray(y).rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=16)) for y in clip]


def mirror(clip: Sequence[Luma]) -> Clip:
    """Swap left and right."""
    return [np.ascontiguousarray(y[:, ::-1]) for y in clip]


def letterbox(clip: Sequence[Luma]) -> Clip:
    """Add black bars above and below, a sixth of the height each."""
    bar = clip[0].shape[0] // 6
    return [np.pad(y, ((bar, bar), (0, 0)), constant_values=16) for y in clip]


def relight(clip: Sequence[Luma], *, gain: float = 1.0, offset: float = 0.0) -> Clip:
    """Change contrast about mid-grey, and brightness."""
    return [_to_luma((y.astype(np.float64) - 126.0) * gain + 126.0 + offset) for y in clip]


def estimate_mark(clip: Sequence[Luma]) -> NDArray[np.float64]:
    """What an attacker without keys can learn of a mark: the average over time of what is not smooth."""
    lows = [uniform_filter(uniform_filter(y.astype(np.float64), 9), 9) for y in clip]
    return np.asarray(np.mean([y - low for y, low in zip(clip, lows, strict=True)], axis=0))


def transplant(clip: Sequence[Luma], mark: NDArray[np.float64]) -> Clip:
    """Lay an estimated mark over other content."""
    return [_to_luma(y + mark) for y in clip]


def measure_psnr(clip: Sequence[Luma], other: Sequence[Luma]) -> float:
    """Luma PSNR over the whole clip, peak 255."""
    errors = [np.mean(np.square(a.astype(np.float64) - b)) for a, b in zip(clip, other, strict=True)]
    return float(10 * np.log10(255.0**2 / np.mean(errors)))


def _to_luma(values: NDArray[np.float64]) -> Luma:
    return np.asarray(np.clip(np.rint(values), 16, 235), np.uint8)


def _enlarge(small: NDArray[np.float64], side: int) -> Luma:
    picture = Image.fromarray(_to_luma(small)).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(np.clip(np.asarray(picture), 16, 235), np.uint8)


def _caption(luma: Luma) -> Luma:
    """Put a dark plate with light strokes at the top right."""
    height, width = luma.shape
    tall, wide, top, right = height // 11, width // 3, height // 20, width - width // 20
    captioned = luma.copy()
    plate = captioned[top : top + tall, right - wide : right]
    plate[:] = 30
    strokes = np.arange(wide) % max(4, wide // 10) < max(1, wide // 40)
    plate[tall // 4 : -tall // 4, strokes] = 228
    return captioned
