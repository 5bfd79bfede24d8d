"""From frames to an encoded clip, one at a time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from platemark.clip import Size
from platemark.errors import Cancelled, GenerationError, OutputError, PlatemarkError
from platemark.generation.backend import CancelToken, Progress, ResolvedRequest, open_generator
from platemark.generation.kept import LatentKeeper
from platemark.making import looking
from platemark.making.rendering import RenderJob, render
from platemark.media.label import LabelSpec, render_label
from platemark.media.video import RGB, read_frames_rgb, read_luma, read_video_facts
from platemark.progress import JobProgress, ProgressCallback, Stopwatch, ignore_progress
from platemark.tasks.text_to_video import PlannedClip, TextToVideo, plan_text_to_video
from platemark_provenance.fingerprint import ContentSampler
from platemark_provenance.watermark.detect import Detector
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.keys import derive_keys
from platemark_provenance.watermark.payload import WatermarkId

KEYS = derive_keys(b"a master secret for these tests!")
MARK = WatermarkId(bytes.fromhex("00112233445566aa"))
SIZE = Size(256, 256)


class Scripted:
    """A generator whose frames a test hands out, and which remembers when each was taken."""

    def __init__(self, frames: Callable[[], Iterator[RGB]]) -> None:
        self.inner = open_generator("testcard")
        self.info, self.resolve, self.estimate = self.inner.info, self.inner.resolve, self.inner.estimate
        self._frames = frames

    def generate(
        self,
        resolved: ResolvedRequest,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
        keep: LatentKeeper | None = None,
    ) -> Iterator[RGB]:
        """Give the scripted frames."""
        return self._frames()


def planned(*, seconds: float = 0.5) -> PlannedClip:
    task = TextToVideo(prompt="a calm sea", seconds=seconds, size=SIZE, fps=12, seed=7)
    return plan_text_to_video(open_generator("testcard"), task)


def job(plan: PlannedClip | None = None, *, report: ProgressCallback = ignore_progress) -> RenderJob:
    return RenderJob(
        plan=plan or planned(),
        label=render_label(LabelSpec.standard("en"), SIZE),
        embedder=Embedder(KEYS, MARK),
        on_progress=report,
        cancel=CancelToken(),
    )


def scripted(frames: Callable[[], Iterator[RGB]], *, seconds: float = 0.5) -> RenderJob:
    plan = planned(seconds=seconds)
    return job(PlannedClip(Scripted(frames), plan.resolved, plan.cost))


def test_the_encoded_clip_has_the_size_rate_and_count_that_were_planned(tmp_path: Path) -> None:
    rendered = render(job(), tmp_path / "clip.mp4", watch=Stopwatch())

    facts = read_video_facts(tmp_path / "clip.mp4")
    assert rendered.frames == 6
    assert (facts.width, facts.height, facts.fps, facts.frames) == (256, 256, 12, 6)


def test_every_frame_carries_the_label(tmp_path: Path) -> None:
    made = job()

    render(made, tmp_path / "clip.mp4", watch=Stopwatch())

    x, y, width, height = made.label.box
    plates = [frame[y : y + height, x : x + width] for frame in read_frames_rgb(tmp_path / "clip.mp4")]
    assert [int(plate.max()) > 200 and float(np.median(plate)) < 90 for plate in plates] == [True] * 6


def test_the_mark_lies_over_the_label_and_survives_the_encoding(tmp_path: Path) -> None:
    render(job(), tmp_path / "clip.mp4", watch=Stopwatch())
    detector = Detector(KEYS)
    for frame in read_luma(tmp_path / "clip.mp4"):
        detector.feed(frame)

    assert detector.detect(effort="fast").id == MARK


def test_the_fingerprint_is_taken_before_the_encoder_and_fits_what_comes_out(tmp_path: Path) -> None:
    rendered = render(job(), tmp_path / "clip.mp4", watch=Stopwatch())
    sampler = ContentSampler(fps=12.0)
    for frame in read_luma(tmp_path / "clip.mp4"):
        sampler.feed(frame)

    difference = sampler.fingerprint().read_thumbnails() - rendered.fingerprint.read_thumbnails()
    assert np.abs(difference).mean() < 3


def test_equal_jobs_give_equal_bytes(tmp_path: Path) -> None:
    render(job(), tmp_path / "a.mp4", watch=Stopwatch())
    render(job(), tmp_path / "b.mp4", watch=Stopwatch())

    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_every_frame_is_reported_once_in_order_and_so_is_the_generators_own_progress(tmp_path: Path) -> None:
    seen: list[JobProgress] = []

    render(job(report=seen.append), tmp_path / "clip.mp4", watch=Stopwatch())

    frames = [(report.step, report.total) for report in seen if report.stage == "render:frames"]
    assert frames == [(n, 6) for n in range(1, 7)]
    assert {report.stage for report in seen} == {"render:frames", "render:decode"}


def test_the_stopwatch_gets_the_five_parts_of_the_work(tmp_path: Path) -> None:
    watch = Stopwatch()

    render(job(), tmp_path / "clip.mp4", watch=watch)

    assert set(watch.seconds) == {"generate", "label", "watermark", "encode", "look"}
    assert all(seconds > 0 for seconds in watch.seconds.values())


def test_a_long_clip_is_never_held_in_memory(tmp_path: Path) -> None:
    alive: set[int] = set()
    most: list[int] = []

    class Frame(np.ndarray[tuple[int, ...], np.dtype[np.uint8]]):
        def __del__(self) -> None:
            alive.discard(id(self))

    def frames() -> Iterator[RGB]:
        for shade in range(60):
            frame = np.full((256, 256, 3), 2 * shade, np.uint8).view(Frame)
            alive.add(id(frame))
            most.append(len(alive))
            yield frame
            del frame

    render(scripted(frames, seconds=5), tmp_path / "clip.mp4", watch=Stopwatch())

    assert len(most) == 60
    assert max(most) <= 3


def test_a_cancelled_job_takes_no_further_frame_and_leaves_no_file(tmp_path: Path) -> None:
    taken: list[int] = []
    token = CancelToken()

    def frames() -> Iterator[RGB]:
        for index in range(60):
            taken.append(index)
            token.cancel()
            yield np.zeros((256, 256, 3), np.uint8)

    with pytest.raises(Cancelled):
        render(replace(scripted(frames), cancel=token), tmp_path / "clip.mp4", watch=Stopwatch())

    assert taken == [0]
    assert list(tmp_path.iterdir()) == []


def test_a_generator_that_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    def frames() -> Iterator[RGB]:
        yield np.zeros((256, 256, 3), np.uint8)
        raise RuntimeError("the model failed")

    with pytest.raises(RuntimeError, match="the model failed"):
        render(scripted(frames), tmp_path / "clip.mp4", watch=Stopwatch())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(255, 256, 3), (256, 128, 3), (256, 256, 4), (256, 256)])
def test_a_frame_of_another_size_than_planned_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    def frames() -> Iterator[RGB]:
        yield np.zeros(shape, np.uint8)

    with pytest.raises(PlatemarkError):
        render(scripted(frames), tmp_path / "clip.mp4", watch=Stopwatch())

    assert list(tmp_path.iterdir()) == []


def test_a_generator_that_gives_nothing_is_refused(tmp_path: Path) -> None:
    def frames() -> Iterator[RGB]:
        return iter(())

    with pytest.raises(GenerationError, match="made 0"):
        render(scripted(frames), tmp_path / "clip.mp4", watch=Stopwatch())


@pytest.mark.parametrize("count", [1, 5, 7])
def test_a_generator_that_gives_another_number_of_frames_than_planned_is_refused(tmp_path: Path, count: int) -> None:
    def frames() -> Iterator[RGB]:
        return (np.full((256, 256, 3), 90, np.uint8) for _ in range(count))

    with pytest.raises(GenerationError, match="frames"):
        render(scripted(frames), tmp_path / "clip.mp4", watch=Stopwatch())

    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_gone_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        render(job(), tmp_path / "gone" / "clip.mp4", watch=Stopwatch())


def test_flashes_in_the_frames_are_seen_before_the_clip_is_signed(tmp_path: Path) -> None:
    def frames() -> Iterator[RGB]:
        return (np.full((256, 256, 3), 235 * (n % 2), np.uint8) for n in range(12))

    rendered = render(scripted(frames, seconds=1), tmp_path / "clip.mp4", watch=Stopwatch())

    assert rendered.seen.facts.is_flashing
    assert rendered.seen.facts.frames == 12


def test_the_network_looks_once_the_clip_is_encoded_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int | None] = []

    def look(picture: RGB) -> float:
        encoded.append(read_video_facts(tmp_path / "clip.mp4").frames)
        return 0.0

    monkeypatch.setattr(looking, "look_for_nudity", look)

    rendered = render(job(), tmp_path / "clip.mp4", watch=Stopwatch())

    assert rendered.seen.looks is not None
    assert rendered.seen.looks.places == (0, 5)
    assert encoded == [6, 6]


def test_whoever_cancels_while_pictures_are_looked_at_waits_for_one_look_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, looks = job(), []

    def look(picture: RGB) -> float:
        made.cancel.cancel()
        looks.append(picture.shape)
        return 0.0

    monkeypatch.setattr(looking, "look_for_nudity", look)

    with pytest.raises(Cancelled):
        render(made, tmp_path / "clip.mp4", watch=Stopwatch())

    assert len(looks) == 1


def test_no_picture_that_waits_for_a_look_has_a_name_while_frames_pass(tmp_path: Path) -> None:
    names: set[str] = set()

    def report(progress: JobProgress) -> None:
        names.update(each.name for each in tmp_path.iterdir())

    render(job(report=report), tmp_path / "clip.mp4", watch=Stopwatch())

    assert names <= {"clip.mp4", "clip.partial.mp4"}
