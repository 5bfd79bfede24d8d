"""The road of a clip made elsewhere: decoded, labelled, marked and encoded frame by frame, its sound put beside it.

One rule: nothing is held longer than it takes to mark one block of frames, so memory follows neither the clip's length
nor the number of cores. Measured with `platemark bench stamp`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from platemark.making.looking import FrameWatch
from platemark.making.material import SourceFile
from platemark.making.rendering import Rendered
from platemark.making.stamp_forms import Conversion
from platemark.making.work import Bench
from platemark.media.formats import BT709_LIMITED, ColorTags, is_bt709_matrix
from platemark.media.overlay import LabelOverlay, sample_rgb
from platemark.media.tone_decoding import read_frames_as_standard
from platemark.media.video import (
    EncodeSettings,
    YuvFrame,
    combine,
    map_luma,
    read_frames_as_coded,
    write_video,
)
from platemark.media.yuv import turned
from platemark.progress import JobProgress
from platemark_provenance.fingerprint import ContentSampler

CRF, PRESET, LOOKAHEAD = 17, "faster", 4
"""How a stamped clip is encoded.

Measured on 2026-11-22 on noisy 1080p (55 Mbit/s): medium at CRF 18 with its usual 40 frames of lookahead costs 205 CPU
milliseconds a frame and 400 MiB and keeps VMAF 96.6; faster at CRF 18 with few frames 123 ms, 120 MiB and VMAF 95.3,
in fewer bits. One step of CRF makes up for that.
"""


@dataclass(frozen=True, slots=True)
class StampedPicture:
    """What is done to the picture.

    Attributes:
        file: the clip.
        color: how its colours are coded.
        draw_label: whether the label is drawn; not where every frame carries it already.
        conversion: how its colours are brought to standard ones; none where they are.
    """

    file: SourceFile
    color: ColorTags
    draw_label: bool
    conversion: Conversion | None = None

    @property
    def made_color(self) -> ColorTags:
        """Say how the stamped clip's colours are coded."""
        if self.conversion is not None and self.conversion.wide is not None:
            return BT709_LIMITED
        return ColorTags(self.color.primaries, self.color.transfer, self.color.matrix, "tv")

    def frames(self) -> Iterator[YuvFrame]:
        """Decode it, in standard colours and upright."""
        wide = None if self.conversion is None else self.conversion.wide
        path = self.file.path
        decoded = read_frames_as_coded(path) if wide is None else read_frames_as_standard(path, wide)
        return (turned(frame, self.file.rotation_deg) for frame in decoded)


def render_stamped(picture: StampedPicture, bench: Bench) -> Rendered:
    """Write the labelled and marked clip into `bench.paths.rendered`.

    Raises:
        MediaError: the clip breaks on the way.
        OutputError: it cannot be written.
        Cancelled: the caller asked to stop.
    """
    with FrameWatch(fps=float(picture.file.fps), folder=bench.paths.rendered.parent) as eyes:
        return _render_watched(picture, bench, eyes)


def _render_watched(picture: StampedPicture, bench: Bench, eyes: FrameWatch) -> Rendered:
    file, watch = picture.file, bench.watch
    sampler = ContentSampler(fps=float(file.fps))
    count = _Counter(bench, total=file.frames or 0)
    shown = _shown(picture, eyes, count, bench)
    marked = watch.iterate("watermark", map_luma(shown, bench.embedder.mark))
    silent = bench.paths.signed if _has_tracks(file) else bench.paths.rendered
    with watch.stage("encode"):
        sampled = sampler.watch(marked, luma=lambda frame: frame.y)
        write_video(sampled, silent, settings=_settings(picture))
    if _has_tracks(file):
        with watch.stage("sound"):
            combine(silent, file.path, bench.paths.rendered)
            silent.unlink()
    with watch.stage("look"):
        seen = eyes.seen(bench.cancel.raise_if_cancelled)
    return Rendered(count.frames, sampler.fingerprint(), seen)


def _shown(picture: StampedPicture, eyes: FrameWatch, count: "_Counter", bench: Bench) -> Iterator[YuvFrame]:
    """Give the frames upright and labelled; the policy sees each as it came."""
    file, overlay = picture.file, LabelOverlay(bench.label) if picture.draw_label else None
    is_bt709 = is_bt709_matrix(picture.made_color.matrix, height=file.height)

    def labelled(frames: Iterator[YuvFrame]) -> Iterator[YuvFrame]:
        """Look at each frame, then label it."""
        for frame in frames:
            count.one_more()
            eyes.feed(sample_rgb(frame, is_bt709=is_bt709))
            yield frame if overlay is None else overlay.draw(frame)

    return bench.watch.iterate("label", labelled(bench.watch.iterate("decode", picture.frames())))


def _has_tracks(file: SourceFile) -> bool:
    return file.has_audio or file.captions > 0


def _settings(picture: StampedPicture) -> EncodeSettings:
    settings = EncodeSettings(picture.file.fps, crf=CRF, preset=PRESET, lookahead=LOOKAHEAD, color=picture.made_color)
    return replace(settings, pixel_aspect=picture.file.pixel_aspect)


class _Counter:
    """Counts frames, tells the caller, and stops where the caller asked to."""

    def __init__(self, bench: Bench, *, total: int) -> None:
        self.frames = 0
        self._bench, self._total = bench, total

    def one_more(self) -> None:
        """Take note of the next frame."""
        self._bench.cancel.raise_if_cancelled()
        self.frames += 1
        self._bench.on_progress(JobProgress("render:frames", self.frames, max(self._total, self.frames)))
