"""Looking at a file's pixels: is our mark there, and what does the content look like?

One rule: a file is read once, frame by frame; the detector and the fingerprint see the same frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platemark.media.still import is_still, read_still
from platemark.media.video import Luma, read_luma, read_video_facts, to_yuv420
from platemark_provenance.fingerprint import ContentSampler, Fingerprint
from platemark_provenance.watermark.detect import Detection, Detector
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import WatermarkKeys

STILL_FPS = 1.0
"""A still is a clip of one frame; any rate does."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a file's pixels say."""

    detection: Detection
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for: the keys of one home, the ids it issued, and how hard to try."""

    keys: WatermarkKeys
    issued: IssuedIds | None
    effort: Literal["fast", "full"] = "full"


def observe(path: Path, search: Search) -> Observation:
    """Look for the mark in a clip or a still, and take its fingerprint.

    Raises:
        MediaError: the file is not readable media, or is over a bound.
    """
    fps = STILL_FPS if is_still(path) else float(read_video_facts(path).fps)
    detector = Detector(search.keys)
    sampler = ContentSampler(fps=fps)
    for frame in luma_frames(path):
        detector.feed(frame)
        sampler.feed(frame)
    return Observation(detector.detect(search.issued, effort=search.effort), sampler.fingerprint())


def luma_frames(path: Path) -> Iterator[Luma]:
    """Give a file's luma planes, as decoded; a still gives one.

    Raises:
        MediaError: the file is not readable media, or is over a bound.
    """
    if is_still(path):
        yield to_yuv420(read_still(path)).y
    else:
        yield from read_luma(path)
