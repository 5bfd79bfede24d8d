"""From a planned request to an encoded clip or still, one frame at a time.

One rule: every frame passes the same road (screen, label, YUV, mark, fingerprint, encoder) and is then forgotten, so
memory does not grow with the clip's length.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from platemark.errors import GenerationError
from platemark.generation.backend import CancelToken, Progress
from platemark.generation.drift import Drift, DriftMeter, Seam, SeamMeter
from platemark.generation.kept import NOTHING_KEPT, LatentKeeper
from platemark.making.looking import FrameWatch, Seen
from platemark.media.label import RenderedLabel
from platemark.media.luma import luma_of, with_luma
from platemark.media.still import write_still
from platemark.media.video import EncodeSettings, YuvFrame, map_luma, to_yuv420, write_video
from platemark.progress import JobProgress, ProgressCallback, Stopwatch
from platemark.tasks.planned import PlannedClip
from platemark_provenance.digest import JsonValue
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
    keep: LatentKeeper = NOTHING_KEPT

    @property
    def makes_loop(self) -> bool:
        """Whether the last frame is to lead into the first."""
        return self.plan.resolved.request.conditioning.shape == "loop"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on the way, in levels of 255.

    Attributes:
        drift: how far the made frames' look moves, before the label.
        seam: how a loop closes, in the brightness of the labelled and marked frames; none for what is no loop.
    """

    drift: Drift
    seam: Seam | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Give the figures, rounded."""
        seam = None if self.seam is None else {name: round(value, 4) for name, value in asdict(self.seam).items()}
        drift = {"levels": round(self.drift.levels, 3), "at_s": self.drift.at_s, "seconds": self.drift.seconds}
        return {"drift": drift, "seam": seam}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came out: how many frames, their content fingerprint, what the policy gets to see, and what was measured."""

    frames: int
    fingerprint: Fingerprint
    seen: Seen
    measured: Measured | None = None


def render(job: RenderJob, path: Path, *, watch: Stopwatch) -> Rendered:
    """Generate, label, mark and encode a clip into `path`.

    Args:
        job: what to draw and with what.
        path: where the encoded, unsigned clip goes; it may exist and is replaced.
        watch: gets the seconds of `generate`, `label`, `watermark`, `encode` and `look`.

    Raises:
        Cancelled: the caller asked to stop.
        OutputError: the disk is full or read-only.
        GenerationError: the model failed.
    """
    with FrameWatch(fps=float(job.plan.resolved.request.fps), folder=path.parent) as eyes:
        return _render_clip(job, path, eyes, watch)


def _render_clip(job: RenderJob, path: Path, eyes: FrameWatch, watch: Stopwatch) -> Rendered:
    request = job.plan.resolved.request
    sampler = ContentSampler(fps=float(request.fps))
    drift, seam = DriftMeter(request.fps), SeamMeter()
    frames = watch.iterate("generate", _generated(job))
    labelled = watch.iterate("label", map(to_yuv420, _labelled(frames, job.label, (eyes.feed, drift.feed))))
    mark = partial(job.embedder.mark, is_loop=job.makes_loop)
    marked: Iterable[YuvFrame] = watch.iterate("watermark", map_luma(labelled, mark))
    if job.makes_loop:
        marked = seam.watch(marked, picture=lambda frame: frame.y)
    with watch.stage("encode"):
        sampled = sampler.watch(marked, luma=lambda frame: frame.y)
        write_video(sampled, path, settings=EncodeSettings(fps=Fraction(request.fps)))
    measured = Measured(drift.drift, seam.seam if job.makes_loop else None)
    with watch.stage("look"):
        seen = eyes.seen(job.cancel.raise_if_cancelled)
    return Rendered(request.frames, sampler.fingerprint(), seen, measured)


def render_still(job: RenderJob, path: Path, *, watch: Stopwatch) -> Rendered:
    """Generate, label, mark and write a still into `path`, in the format that its ending names.

    Args:
        job: a plan of one frame, and what to draw it with.
        path: where the unsigned still goes; it may exist and is replaced.
        watch: gets the seconds of `generate`, `label`, `watermark`, `encode` and `look`.

    Raises:
        Cancelled: the caller asked to stop.
        OutputError: the disk is full or read-only.
        GenerationError: the model failed.
    """
    with FrameWatch(fps=1.0, folder=path.parent) as eyes:
        return _render_picture(job, path, eyes, watch)


def _render_picture(job: RenderJob, path: Path, eyes: FrameWatch, watch: Stopwatch) -> Rendered:
    sampler = ContentSampler(fps=1.0)
    frames = watch.iterate("generate", _generated(job))
    (picture,) = watch.iterate("label", _labelled(frames, job.label, (eyes.feed,)))
    with watch.stage("watermark"):
        luma = luma_of(picture)
        (marked,) = job.embedder.mark([luma])
        sampler.feed(marked)
    with watch.stage("encode"):
        write_still(with_luma(picture, luma, marked), path)
    with watch.stage("look"):
        seen = eyes.seen(job.cancel.raise_if_cancelled)
    return Rendered(1, sampler.fingerprint(), seen)


def _generated(job: RenderJob) -> Iterator[RGB]:
    total = job.plan.resolved.request.frames

    def pass_on(progress: Progress) -> None:
        """Give the generator's report a name of its own among the pipeline's."""
        job.on_progress(JobProgress(f"render:{progress.stage}", progress.step, progress.total))

    made = 0
    for made, frame in enumerate(job.plan.frames(on_progress=pass_on, cancel=job.cancel, keep=job.keep), start=1):
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


def _labelled(frames: Iterable[RGB], label: RenderedLabel, onlookers: Sequence[Callable[[RGB], None]]) -> Iterator[RGB]:
    """Label each frame; what looks on sees it as the model made it, once it is known to have the right size."""
    for frame in frames:
        labelled = label.draw(frame)
        for look in onlookers:
            look(frame)
        yield labelled
