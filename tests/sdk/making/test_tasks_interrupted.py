"""Whatever ends a job with given files, or one that makes a picture, leaves the given files and nothing else."""

from pathlib import Path

import pytest
from odd_clips import picture, write_clip
from PIL import Image

from platemark.errors import Cancelled, RequestError
from platemark.generation.backend import CancelToken
from platemark.progress import JobProgress, ProgressCallback
from platemark.studio import GenerateOptions, Studio

PROMPT = "a calm blue sea at sunset"
STAGES = ("screen", "plan", "reserve", "render", "render:frames", "screen_frames", "sign", "record", "publish")


def given_files(folder: Path) -> dict[str, GenerateOptions]:
    clip = write_clip(folder / "given.mp4", size=(256, 192))
    Image.fromarray(picture(256, 192)).save(folder / "given.png")
    card: GenerateOptions = {"model": "testcard", "seed": 7}
    return {
        "image": {**card, "task": "image", "size": "256x192", "out": folder / "made.png"},
        "image-to-video": {**card, "images": [folder / "given.png"], "seconds": 0.5, "out": folder / "made.mp4"},
        "connect": {**card, "clips": [clip, clip], "seconds": 0.5, "out": folder / "made.mp4"},
    }


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def interrupt_at(stage: str) -> ProgressCallback:
    def report(progress: JobProgress) -> None:
        if progress.stage == stage:
            raise KeyboardInterrupt

    return report


def cancel_at(stage: str, token: CancelToken) -> ProgressCallback:
    def report(progress: JobProgress) -> None:
        if progress.stage == stage:
            token.cancel()

    return report


@pytest.mark.parametrize("task", ["image", "image-to-video", "connect"])
@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_at_any_stage_leaves_only_what_was_given(studio: Studio, tmp_path: Path, task: str, stage: str) -> None:
    options = given_files(tmp_path)[task]

    with pytest.raises(KeyboardInterrupt):
        studio.generate(PROMPT, **options, on_progress=interrupt_at(stage))

    assert left_in(tmp_path) == ["given.mp4", "given.png", "newsroom"]
    assert studio.ledger.registry.open_outputs() == ()
    assert list(studio.home.jobs.iterdir()) == []


@pytest.mark.parametrize("task", ["loop", "image", "text-to-video"])
def test_a_job_is_cancelled_between_two_steps_of_the_sampler(studio: Studio, tmp_path: Path, task: str) -> None:
    token = CancelToken()
    steps: list[int] = []
    cancel = cancel_at("render:denoise", token)

    def report(progress: JobProgress) -> None:
        if progress.stage == "render:denoise":
            steps.append(progress.step)
        cancel(progress)

    out = tmp_path / ("x.png" if task == "image" else "x.mp4")
    size: GenerateOptions = {"size": "256x192", "task": task, "steps": 8, "seed": 7, "out": out}
    with pytest.raises(Cancelled):
        studio.generate(PROMPT, **size, on_progress=report, cancel=token)

    assert len(steps) == 1
    assert left_in(tmp_path) == ["newsroom"]


def test_what_was_cancelled_can_be_made_again(studio: Studio, tmp_path: Path) -> None:
    options, token = given_files(tmp_path)["connect"], CancelToken()
    with pytest.raises(Cancelled):
        studio.generate(PROMPT, **options, on_progress=cancel_at("sign", token), cancel=token)

    made = studio.generate(PROMPT, **options)

    assert made.path.is_file()
    assert studio.ledger.verify().ok


@pytest.mark.parametrize("kind", ["clip", "picture", "link"])
def test_a_result_never_replaces_what_it_was_made_from(studio: Studio, tmp_path: Path, kind: str) -> None:
    clip = write_clip(tmp_path / "given.mp4", size=(256, 192))
    Image.fromarray(picture(256, 192)).save(tmp_path / "given.png")
    (tmp_path / "link.mp4").symlink_to(clip)
    before = clip.read_bytes()
    options: dict[str, GenerateOptions] = {
        "clip": {"clips": [clip], "out": clip},
        "picture": {"images": [tmp_path / "given.png"], "out": tmp_path / "given.png"},
        "link": {"clips": [clip], "out": tmp_path / "link.mp4"},
    }

    with pytest.raises(RequestError, match="is the input itself"):
        studio.generate(PROMPT, model="testcard", seconds=0.5, **options[kind], overwrite=True)

    assert clip.read_bytes() == before
