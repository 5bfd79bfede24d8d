"""From a planned request to an encoded clip, one frame at a time.

One rule: every frame passes the same road (screen, label, YUV, mark, fingerprint, encoder) and is then forgotten, so
memory does not grow with the clip's length.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from platemark.errors import GenerationError
from platemark.generation.backend import CancelToken, Progress
from platemark.media.label import RenderedLabel
from platemark.media.video import EncodeSettings, VideoFacts, YuvFrame, map_luma, to_yuv420, write_video
from platemark.progress import JobProgress, ProgressCallback, Stopwatch
from platemark.tasks.text_to_video import PlannedClip
from platemark_policy.frames import FrameFacts, FrameScreen
from platemark_provenance.fingerprint import ContentSampler, Fingerprint
from platemark_provenance.watermark.embed import Embedder

RGB = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """Everything the stream needs to know."""

    plan: PlannedClip
    label: RenderedLabel
    embedder: Embedder
    on_progress: ProgressCallback
    cancel: CancelToken


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came out: the encoded file's facts, its content fingerprint, and what the frame screen saw."""

    video: VideoFacts
    fingerprint: Fingerprint
    frames: FrameFacts


def render(job: RenderJob, path: Path, *, watch: Stopwatch) -> Rendered:
    """Generate, label, mark and encode a clip into `path`.

    Args:
        job: what to draw and with what.
        path: where the encoded, unsigned clip goes; it may exist and is replaced.
        watch: gets the seconds of `generate`, `label`, `watermark` and `encode`.

    Raises:
        Cancelled: the caller asked to stop.
        OutputError: the disk is full or read-only.
        GenerationError: the model failed.
    """
    fps = Fraction(job.plan.resolved.request.fps)
    screen = FrameScreen(fps=float(fps))
    sampler = ContentSampler(fps=float(fps))
    frames = watch.iterate("generate", _generated(job))
    labelled = watch.iterate("label", _labelled(frames, job.label, screen))
    marked = watch.iterate("watermark", map_luma(labelled, job.embedder.mark))
    with watch.stage("encode"):
        video = write_video(_sampled(marked, sampler), path, settings=EncodeSettings(fps=fps))
    return Rendered(video, sampler.fingerprint(), screen.facts())


def _generated(job: RenderJob) -> Iterator[RGB]:
    total = job.plan.resolved.request.frames

    def pass_on(progress: Progress) -> None:
        """Give the generator's report a name of its own among the pipeline's."""
        job.on_progress(JobProgress(f"render:{progress.stage}", progress.step, progress.total))

    made = 0
    for made, frame in enumerate(job.plan.frames(on_progress=pass_on, cancel=job.cancel), start=1):
        job.cancel.raise_if_cancelled()
        if made > total:
            break
        yield frame
        job.on_progress(JobProgress("render:frames", made, total))
    if made != total:
        raise GenerationError(
            f"The model planned {total} frames and made {'more' if made > total else made}.",
            fix="Report this with the model's name and the seed.",
        )


def _labelled(frames: Iterable[RGB], label: RenderedLabel, screen: FrameScreen) -> Iterator[YuvFrame]:
    for frame in frames:
        screen.feed(frame)
        yield to_yuv420(label.draw(frame))


def _sampled(frames: Iterable[YuvFrame], sampler: ContentSampler) -> Iterator[YuvFrame]:
    for frame in frames:
        sampler.feed(frame.y)
        yield frame
