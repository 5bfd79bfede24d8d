"""Trims and joins, through moviepy: the only door to it.

One rule: moviepy finds and composes pictures and sound; what is written goes through `video`, so that a cut
is encoded, tagged and checked like every other clip. moviepy is imported when a cut is made, not before.
"""

import contextlib
import math
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from platemark.errors import MediaError, MissingExtra, RequestError
from platemark.media.destination import output_error, refuse_same_file
from platemark.media.formats import EncodeSettings, VideoFacts
from platemark.media.video import combine, read_video_facts, write_video
from platemark.media.yuv import RGB, YuvFrame, to_yuv420


class _Reader(Protocol):
    """What is used of moviepy's decoders."""

    @property
    def proc(self) -> "subprocess.Popen[bytes] | None":
        """The FFmpeg that decodes, until it is closed."""
        ...


class _Sound(Protocol):
    """What is used of moviepy's audio clips."""

    @property
    def reader(self) -> _Reader:
        """The decoder."""
        ...

    def write_audiofile(self, filename: str, *, codec: str, fps: int, logger: None) -> None:
        """Encode the sound; `fps` is samples a second."""
        ...


class _Movie(Protocol):
    """What is used of moviepy's video clips."""

    @property
    def duration(self) -> float:
        """Seconds."""
        ...

    @property
    def size(self) -> Sequence[int]:
        """Width and height in pixels."""
        ...

    @property
    def audio(self) -> _Sound | None:
        """The sound, if there is any."""
        ...

    @property
    def reader(self) -> _Reader:
        """The decoder."""
        ...

    def get_frame(self, t: float) -> RGB:
        """Decode what is shown at a time in seconds: uint8 (h, w, 3)."""
        ...

    def subclipped(self, start_time: float, end_time: float) -> "_Movie":
        """Give the piece between two times in seconds."""
        ...

    def close(self) -> None:
        """End the decoders."""
        ...


def trim(source: Path, destination: Path, *, start_s: float, end_s: float) -> VideoFacts:
    """Cut a piece out of a clip, with its sound; the picture is encoded anew and turned upright.

    Args:
        source: the clip.
        destination: what is there is replaced; nothing is there if the cut fails.
        start_s: from here, in seconds.
        end_s: to here; at least one frame later and not past the clip's end.

    Raises:
        MediaError: the source cannot be read.
        MissingExtra: moviepy is not installed.
        RequestError: the piece is empty or outside the clip, or source and destination are one file.
        OutputError: the destination cannot be written.
    """
    with _movie(source, destination) as (movie, facts):
        # Containers round durations to their own clock: half a frame past the end is still the end.
        latest_s = movie.duration + float(1 / facts.fps) / 2
        inside = math.isfinite(start_s) and 0 <= start_s < end_s <= latest_s
        if not inside or round((end_s - start_s) * facts.fps) < 1:
            raise RequestError(
                f"A piece lies inside the clip, 0 to {movie.duration:.3f} s, and is at least a frame long; "
                f"got {start_s} to {end_s} s."
            )
        piece = movie.subclipped(start_s, min(end_s, movie.duration))
        return _write(piece, destination, fps=facts.fps)


def join(sources: Sequence[Path], destination: Path) -> VideoFacts:
    """Put clips of one size one after the other, with their sound, at the first one's frame rate.

    Args:
        sources: two clips or more.
        destination: what is there is replaced; nothing is there if the join fails.

    Raises:
        MediaError: a source cannot be read.
        MissingExtra: moviepy is not installed.
        RequestError: fewer than two clips, clips of several sizes, or the destination is one of them.
        OutputError: the destination cannot be written.
    """
    if len(sources) < 2:
        raise RequestError(f"A join takes two clips or more; got {len(sources)}.")
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(_movie(source, destination)) for source in sources]
        sizes = {tuple(movie.size) for movie, _ in opened}
        if len(sizes) > 1:
            found = ", ".join(sorted(f"{width}x{height}" for width, height in sizes))
            raise RequestError(f"Clips that are joined have one size; got {found}.", fix="Scale them first.")
        from moviepy import concatenate_videoclips

        joined = cast(_Movie, concatenate_videoclips([movie for movie, _ in opened], method="chain"))
        return _write(joined, destination, fps=opened[0][1].fps)


@contextlib.contextmanager
def _movie(source: Path, destination: Path) -> Iterator[tuple[_Movie, VideoFacts]]:
    """Open a clip with moviepy, after our own reader has found it to be plain, readable video."""
    refuse_same_file(source, destination)
    facts = read_video_facts(source)
    try:
        from moviepy import VideoFileClip
    except ImportError as error:
        raise MissingExtra(
            "Trimming and joining need moviepy, which is not installed.",
            fix="pip install 'platemark[generate]'",
        ) from error
    # moviepy misses the rotation that newer FFmpeg prints; told the upright size, it does not distort the picture.
    turned = facts.rotation_deg % 180 != 0
    upright = (facts.height, facts.width) if turned else (facts.width, facts.height)
    try:
        movie = cast(_Movie, VideoFileClip(str(source.absolute()), target_resolution=upright))
    except (OSError, ValueError, KeyError) as error:
        raise MediaError(f"{source} cannot be cut: moviepy does not read it.", fix="Convert it to MP4.") from error
    try:
        yield movie, facts
    finally:
        _close(movie)


def _close(movie: _Movie) -> None:
    """Close a clip and its decoders' pipes, which moviepy leaves open where a decoder has ended by itself."""
    readers = [movie.reader] if movie.audio is None else [movie.reader, movie.audio.reader]
    for reader in readers:
        for pipe in (reader.proc.stdout, reader.proc.stderr) if reader.proc else ():
            if pipe is not None:
                pipe.close()
    movie.close()


def _write(movie: _Movie, destination: Path, *, fps: Fraction) -> VideoFacts:
    settings = EncodeSettings(fps=fps)
    if movie.audio is None:
        return write_video(_pictures(movie, fps), destination, settings=settings)
    try:
        folder = tempfile.TemporaryDirectory(prefix=".cut-", dir=destination.parent)
    except OSError as error:
        raise output_error(error.errno, destination) from error
    with folder as name:
        picture, sound = Path(name) / "picture.mp4", Path(name) / "sound.m4a"
        write_video(_pictures(movie, fps), picture, settings=settings)
        try:
            movie.audio.write_audiofile(str(sound), codec="aac", fps=48_000, logger=None)
        except OSError as error:
            raise output_error(error.errno, sound) from error
        return combine(picture, sound, destination)


def _pictures(movie: _Movie, fps: Fraction) -> Iterator[YuvFrame]:
    for index in range(max(1, round(movie.duration * fps))):
        # The middle of a frame's time: its edges could fall to the neighbour by rounding.
        try:
            picture = movie.get_frame(float((index + Fraction(1, 2)) / fps))
        except (OSError, ValueError) as error:
            raise MediaError(f"The clip cannot be read past frame {index}.", fix="Use an undamaged copy.") from error
        height, width = picture.shape[0] & ~1, picture.shape[1] & ~1
        yield to_yuv420(np.ascontiguousarray(picture[:height, :width], dtype=np.uint8))
