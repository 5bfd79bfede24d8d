"""What a clip looks like, in a few kilobytes, so that a mark moved onto other content is noticed.

One rule: a mark says where a record is, and only the picture says whether the record is about this clip. When
there is too little picture to tell, the answer is no.
"""

import math
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from platemark_provenance.errors import VerificationError
from platemark_provenance.likeness import Thumbnails, measure_difference
from platemark_provenance.watermark.detect import Geometry
from platemark_provenance.watermark.front_end import Luma, resample

F = TypeVar("F")

SIDE: Final = 32
MOST_SAMPLES: Final = 240
MATCH_LIMIT: Final = 0.15
"""Distances up to this are the same content.

Measured 2026-11-22 on made clips (see `tests/provenance/test_fingerprint.py` for the kind): re-encoded, scaled,
cropped, turned, mirrored, relit and cut copies came to at most 0.092 (273), different clips of one generator to
at least 0.211 (4970 pairs; 1 % under 0.47).
"""

_RATE_HZ: Final = 8.0
_MAGIC: Final = b"PMFP"
_VERSION: Final = 1
_HEADER: Final = struct.Struct(">4sBHHH")
_LAST_MS: Final = 2**32 - 1
_FINE: Final = 4  # points a thumbnail pixel is sampled at, each way, when a geometry is undone
_LEAST_VISIBLE: Final = 0.04
_MOST_ADDED: Final = 0.1
_PLAIN: Final = 10.0  # grey levels within which the surroundings count as plain bars


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hold small grey pictures of a clip and when they were taken.

    Attributes:
        width: of the frames, in pixels; the thumbnails are square whatever the frame's shape.
        height: of the frames, in pixels.
        times_ms: increasing, from the clip's start.
        pixels: 32*32 bytes for each time.
    """

    width: int
    height: int
    times_ms: tuple[int, ...]
    pixels: bytes

    def __len__(self) -> int:
        return len(self.times_ms)

    def to_bytes(self) -> bytes:
        """Pack the fingerprint: a header, the times (32 bit, big-endian), then the pixels."""
        header = _HEADER.pack(_MAGIC, _VERSION, self.width, self.height, len(self.times_ms))
        return header + struct.pack(f">{len(self.times_ms)}I", *self.times_ms) + self.pixels

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Unpack a stored fingerprint, trusting none of its fields.

        Raises:
            VerificationError: it is not a fingerprint, of another version, or its parts contradict each other.
        """
        if len(packed) < _HEADER.size:
            raise _damaged(f"at least {_HEADER.size} bytes", f"{len(packed)}")
        magic, version, width, height, count = _HEADER.unpack_from(packed)
        if magic != _MAGIC or version != _VERSION:
            raise _damaged(f"a header {_MAGIC!r} of version {_VERSION}", f"{magic!r} of version {version}")
        if not width or not height or count > MOST_SAMPLES:
            raise _damaged(f"a size and at most {MOST_SAMPLES} samples", f"{width}x{height}, {count} samples")
        expected = _HEADER.size + count * (4 + SIDE * SIDE)
        if len(packed) != expected:
            raise _damaged(f"{expected} bytes", f"{len(packed)}")
        times: tuple[int, ...] = struct.unpack_from(f">{count}I", packed, _HEADER.size)
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise _damaged("increasing times", "times that stand still or go back")
        return cls(width, height, times, packed[_HEADER.size + 4 * count :])

    def read_thumbnails(self) -> Thumbnails:
        """Give the pictures as (n, 32, 32) float32 grey levels."""
        return np.frombuffer(self.pixels, np.uint8).reshape(-1, SIDE, SIDE).astype(np.float32)


@dataclass(frozen=True, slots=True)
class ContentMatch:
    """Say how far an observed clip is from a stored one.

    Attributes:
        distance: 0 for the same pictures, near 1 for unrelated ones.
        matches: the distance is within the limit, there was enough to compare, and hardly anything was put
            around the picture but plain bars.
        overlap: share of what was observed, in time and in area, that the stored clip accounts for.
    """

    distance: float
    matches: bool
    overlap: float


class ContentSampler:
    """Take a fingerprint while a clip goes by: eight thumbnails a second, fewer in clips over half a minute.

    Args:
        fps: frames a second; 1 for a still.

    Raises:
        VerificationError: the frame rate is not a positive number.
    """

    def __init__(self, *, fps: float) -> None:
        if not (math.isfinite(fps) and fps > 0):
            raise VerificationError(
                f"A frame rate must be a positive number, got {fps}.", fix="Re-wrap the file with a valid frame rate."
            )
        self._fps = fps
        self._interval_s = 1.0 / _RATE_HZ
        self._fed = 0
        self._next_s = 0.0
        self._size: tuple[int, int] | None = None
        self._times_ms: list[int] = []
        self._thumbnails: list[bytes] = []

    def feed(self, frame: Luma) -> None:
        """Take one more frame.

        Args:
            frame: uint8 (h, w); the size of the first one is kept.

        Raises:
            VerificationError: the frame is not an 8-bit plane with pixels in it.
        """
        if frame.ndim != 2 or frame.dtype != np.uint8 or not frame.size:
            raise VerificationError(
                f"A frame must be one 8-bit plane (h, w), got {frame.dtype} of shape {frame.shape}.",
                fix="Hand over the luma plane alone.",
            )
        self._size = self._size or (frame.shape[0], frame.shape[1])
        time_s = self._fed / self._fps
        self._fed += 1
        if time_s < self._next_s - 1e-9 or round(time_s * 1000) > _LAST_MS:
            return
        small = np.clip(np.rint(resample(frame, SIDE, SIDE)), 0, 255).astype(np.uint8)
        self._times_ms.append(round(time_s * 1000))
        self._thumbnails.append(small.tobytes())
        if len(self._times_ms) == MOST_SAMPLES:
            self._times_ms, self._thumbnails = self._times_ms[::2], self._thumbnails[::2]
            self._interval_s *= 2
        self._next_s = self._times_ms[-1] / 1000 + self._interval_s

    def watch(self, frames: Iterable[F], *, luma: Callable[[F], Luma]) -> Iterator[F]:
        """Pass frames on, taking each one's brightness plane on the way."""
        for frame in frames:
            self.feed(luma(frame))
            yield frame

    def fingerprint(self) -> Fingerprint:
        """Give the fingerprint of the frames fed so far.

        Raises:
            VerificationError: no frame was fed.
        """
        if self._size is None:
            raise VerificationError("A fingerprint needs at least one frame, got none.", fix="Check the file.")
        height, width = self._size
        return Fingerprint(min(width, 65535), min(height, 65535), tuple(self._times_ms), b"".join(self._thumbnails))


def compare(stored: Fingerprint, observed: Fingerprint, *, geometry: Geometry | None = None) -> ContentMatch:
    """Compare what a copy shows with what was published.

    The copy is put back to where the mark says it was; then see `likeness.measure_difference`. Pieces may be
    missing from the copy, but none may be out of order. A copy with much laid over it does not match, nor does
    a copy of a picture without structure whose brightness was changed: in doubt the answer is no.

    Args:
        stored: of the clip as it was marked.
        observed: of the copy.
        geometry: from the detection; without it the copy is taken to show the whole picture, stretched to its frame.
    """
    if not len(stored) or not len(observed):
        return ContentMatch(distance=1.0, matches=False, overlap=0.0)
    geometry = geometry or _stretch_to_fit(stored, observed)
    seen, mask = _undo_geometry(observed, stored, geometry)
    if float(mask.mean()) < _LEAST_VISIBLE:
        return ContentMatch(distance=1.0, matches=False, overlap=0.0)
    difference = measure_difference(stored.read_thumbnails(), seen, mask)
    added = _measure_added(observed, stored, geometry)
    return ContentMatch(
        distance=difference.distance,
        matches=difference.distance <= MATCH_LIMIT and added <= _MOST_ADDED,
        overlap=float(np.mean(difference.of_each <= MATCH_LIMIT)) * (1.0 - added),
    )


def _damaged(expected: str, found: str) -> VerificationError:
    return VerificationError(
        f"A stored fingerprint should have {expected}, found {found}.",
        fix="Run `platemark audit verify`; restore the database if it was changed.",
    )


def _stretch_to_fit(stored: Fingerprint, observed: Fingerprint) -> Geometry:
    one, other = min(stored.width, stored.height), min(observed.width, observed.height)
    return Geometry(
        scale_x=observed.width / other / (stored.width / one),
        scale_y=observed.height / other / (stored.height / one),
    )


def _undo_geometry(
    observed: Fingerprint, stored: Fingerprint, geometry: Geometry
) -> tuple[Thumbnails, NDArray[np.bool_]]:
    """Show the observed thumbnails as the stored picture saw them, and which pixels they cover."""
    ticks = (np.arange(SIDE * _FINE) + 0.5) / (SIDE * _FINE) - 0.5
    x, y = np.meshgrid(ticks, ticks)
    unit = min(stored.width, stored.height)
    x = x * (stored.width / unit) * geometry.scale_x * (-1 if geometry.mirrored else 1)
    y = y * (stored.height / unit) * geometry.scale_y
    cosine, sine = (f(math.radians(geometry.rotation_deg)) for f in (math.cos, math.sin))
    unit = min(observed.width, observed.height)
    column = ((cosine * x - sine * y + geometry.shift_x) * unit / observed.width + 0.5) * SIDE - 0.5
    row = ((sine * x + cosine * y + geometry.shift_y) * unit / observed.height + 0.5) * SIDE - 0.5
    # Where the copy was cut or padded, its border pixels hold a mixture; they are kept only for a plain resize.
    border = 1.0 if _is_reframed(stored, observed, geometry) else 0.0
    first, last = border - 0.5, SIDE - 0.5 - border
    inside = (column >= first) & (column <= last) & (row >= first) & (row <= last)
    pictures = observed.read_thumbnails()
    sampled = _interpolate(pictures, np.clip(row, 0, SIDE - 1), np.clip(column, 0, SIDE - 1))
    cells = (SIDE, _FINE, SIDE, _FINE)
    mask = inside.reshape(cells).mean(axis=(1, 3)) > 0.75
    if border:
        mask[[0, -1], :] = mask[:, [0, -1]] = False
    return sampled.reshape(-1, *cells).mean(axis=(2, 4)), mask


def _measure_added(observed: Fingerprint, stored: Fingerprint, geometry: Geometry) -> float:
    """Tell what share of the copy lies outside the stored picture and is not just plain bars.

    Without this, a marked clip shown small inside another one would vouch for all of it.
    """
    ticks = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    column, row = np.meshgrid(ticks, ticks)
    unit = min(observed.width, observed.height)
    x, y = column * observed.width / unit - geometry.shift_x, row * observed.height / unit - geometry.shift_y
    cosine, sine = (f(math.radians(geometry.rotation_deg)) for f in (math.cos, math.sin))
    unit = min(stored.width, stored.height)
    across = (cosine * x + sine * y) / geometry.scale_x * unit / stored.width
    down = (cosine * y - sine * x) / geometry.scale_y * unit / stored.height
    margin_x, margin_y = 1.5 / SIDE / geometry.scale_x, 1.5 / SIDE / geometry.scale_y
    outside = (np.abs(across) > 0.5 + margin_x) | (np.abs(down) > 0.5 + margin_y)
    if not outside.any():
        return 0.0
    around = observed.read_thumbnails()[:, outside]
    busy = np.abs(around - np.median(around)) > _PLAIN
    return float(busy.mean() * outside.mean())


def _is_reframed(stored: Fingerprint, observed: Fingerprint, geometry: Geometry) -> bool:
    aspect = stored.width * observed.height / (stored.height * observed.width)
    moved = (geometry.scale_x - 1, geometry.scale_y - 1, geometry.shift_x, geometry.shift_y, aspect - 1)
    return max(map(abs, moved)) > 0.005 or abs(geometry.rotation_deg) > 0.3


def _interpolate(pictures: Thumbnails, row: NDArray[np.float64], column: NDArray[np.float64]) -> Thumbnails:
    top, left = np.minimum(row.astype(np.intp), SIDE - 2), np.minimum(column.astype(np.intp), SIDE - 2)
    down, across = (row - top).astype(np.float32), (column - left).astype(np.float32)
    upper = pictures[:, top, left] * (1 - across) + pictures[:, top, left + 1] * across
    lower = pictures[:, top + 1, left] * (1 - across) + pictures[:, top + 1, left + 1] * across
    return np.asarray(upper * (1 - down) + lower * down, np.float32)
