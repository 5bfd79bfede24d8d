"""Looking at a file's pixels: is our mark there, what does the content look like, and what do people see?

One rule: a file is read once, frame by frame; the detector and the fingerprint see the same frames.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from platemark.errors import MediaError
from platemark.media.luma import luma_of
from platemark.media.sheet import SheetLayout, contact_sheet
from platemark.media.still import is_still, read_still
from platemark.media.video import Luma, read_frames_rgb, read_luma, read_video_facts
from platemark_provenance.fingerprint import ContentSampler, Fingerprint
from platemark_provenance.watermark.detect import Detection, Detector, Epoch
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import WatermarkKeys

STILL_FPS = 1.0
"""A still is a clip of one frame; any rate does."""
MOST_SHEET_FRAMES = 3_000
"""Two minutes at 25 a second. A contact sheet of a longer clip shows its beginning."""
_SHEET = SheetLayout(count=8, columns=4, tile_width=240, margin=8)


@dataclass(frozen=True, slots=True)
class Observation:
    """What a file's pixels say."""

    detection: Detection
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for: the keys of one home, the ids it issued, how hard to try, and its earlier epochs."""

    keys: WatermarkKeys
    issued: IssuedIds | None
    effort: Literal["fast", "full"] = "full"
    earlier: tuple[Epoch, ...] = ()

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """Give all epochs, the newest first."""
        return (Epoch(self.keys, self.issued), *self.earlier)


def observe(path: Path, search: Search, *, watch: Callable[[Luma], object] | None = None) -> Observation:
    """Look for the mark in a clip or a still, and take its fingerprint.

    Args:
        path: a clip or a still.
        search: what to look for.
        watch: sees every frame too, so that nobody need decode the file again.

    Raises:
        MediaError: the file is not readable media, or is over a bound.
    """
    fps = STILL_FPS if _is_still(path) else float(read_video_facts(path).fps)
    detector = Detector(search.keys)
    sampler = ContentSampler(fps=fps)
    for frame in luma_frames(path):
        detector.feed(frame)
        sampler.feed(frame)
        if watch is not None:
            watch(frame)
    return Observation(detector.detect_any(search.epochs, effort=search.effort), sampler.fingerprint())


def luma_frames(path: Path) -> Iterator[Luma]:
    """Give a file's luma planes, as decoded; a still gives one.

    Raises:
        MediaError: the file is not readable media, or is over a bound.
    """
    if _is_still(path):
        yield luma_of(read_still(path))
    else:
        yield from read_luma(path)


def draw_contact_sheet(path: Path) -> bytes:
    """Give a picture (PNG) that shows people what happens in a clip, or what a still shows.

    Raises:
        MediaError: the file is not readable media, or is over a bound.
    """
    frames = iter([read_still(path)]) if _is_still(path) else read_frames_rgb(path, max_frames=MOST_SHEET_FRAMES)
    picture = io.BytesIO()
    Image.fromarray(contact_sheet(frames, layout=_SHEET)).save(picture, "PNG", optimize=True)
    return picture.getvalue()


def _is_still(path: Path) -> bool:
    if path.exists() and not path.is_file():  # opening a pipe would wait for whoever writes to it
        raise MediaError(f"{path} should be a regular file and is not.", fix="Name a clip or a still.")
    return is_still(path)
