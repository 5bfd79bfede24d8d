"""Every task leaves the pipeline with all four layers, its sources as ingredients, and its choices written down."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import platemark
from platemark.clip import Clip
from platemark.media.reencoding import reencode
from platemark.media.video import read_frames_rgb, read_video_facts, remux_without_metadata
from platemark.studio import GenerateOptions, Studio
from platemark_provenance.digest import sha256_file

PROMPT = "a calm blue sea at sunset"
CARD: GenerateOptions = {"model": "testcard", "seed": 7}
MODEL: GenerateOptions = {"model": "embedded", "seed": 7, "steps": 2}


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture that nobody signed, wider than high."""
    blocks = np.random.default_rng(5).integers(30, 220, (6, 9, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("photos") / "photo.png"
    Image.fromarray(blocks).resize((480, 320), Image.Resampling.BICUBIC).save(path)
    return path


def facts_of(studio: Studio, made: Clip, event_type: str) -> dict[str, Any]:
    (event,) = (each for each in studio.ledger.trace(made.clip_id) if each.type == event_type)
    return dict(event.facts)


def frames_of(path: Path) -> list[Any]:
    return list(read_frames_rgb(path))


def options_for(task: str, clip: Clip, photo: Path) -> GenerateOptions:
    given: dict[str, GenerateOptions] = {
        "image-to-video": {**CARD, "images": [photo], "seconds": 0.5, "size": "256x256"},
        "keyframes": {**CARD, "images": [f"{photo}@0", f"{photo}@0.25s", f"{photo}@end"], "seconds": 0.5},
        "extend": {**CARD, "clips": [clip.path], "seconds": 0.5},
        "extend-backward": {**CARD, "clips": [clip.path], "seconds": 0.5},
        "connect": {**CARD, "clips": [clip.path, clip.path], "seconds": 0.25},
        "infill": {**CARD, "clips": [clip.path], "fill": "2-3"},
        "loop": {**MODEL, "seconds": 0.5, "size": "256x256"},
        "edit": {**MODEL, "clips": [clip.path], "strength": 0.6},
        "image": {**MODEL, "size": "256x256"},
    }
    return {**given[task], "task": task}


SEEN = {
    "image-to-video": (6, "256x256", ["inputTo"], "fully"),
    "keyframes": (6, "768x512", ["inputTo"] * 3, "fully"),
    "extend": (12, "256x256", ["parentOf"], "partly"),
    "extend-backward": (12, "256x256", ["parentOf"], "partly"),
    "connect": (15, "256x256", ["parentOf", "componentOf"], "partly"),
    "infill": (6, "256x256", ["parentOf"], "partly"),
    "loop": (6, "256x256", [], "fully"),
    "edit": (6, "256x256", ["parentOf"], "partly"),
}


@pytest.mark.parametrize("task", SEEN)
def test_every_task_makes_a_trusted_clip_whose_stripped_copies_are_recovered(
    studio: Studio, clip: Clip, photo: Path, tmp_path: Path, task: str
) -> None:
    frames, size, relationships, ai = SEEN[task]

    made = studio.generate(PROMPT, **options_for(task, clip, photo), out=tmp_path / "made.mp4")

    remux_without_metadata(made.path, tmp_path / "stripped.mp4")
    reencode(made.path, tmp_path / "again.mp4", crf=28)
    whole = platemark.verify(made.path, home=studio.home.path)
    copies = [platemark.verify(tmp_path / name, home=studio.home.path) for name in ("stripped.mp4", "again.mp4")]
    facts = read_video_facts(made.path)
    assert (whole.verdict, whole.axes.watermark, whole.axes.ai) == ("trusted", "matched", ai)
    assert whole.axes.ingredients == ("ok" if relationships else "none")
    assert [copy.verdict for copy in copies] == ["recovered"] * 2
    # Most frames of a filled or joined clip carry the mark of the clip they came from too; its own must win.
    assert [copy.recovered_from for copy in copies] == [made.clip_id] * 2
    assert (facts.frames, f"{facts.width}x{facts.height}") == (frames, size)
    assert [given["relationship"] for given in made.making.given] == relationships
    assert made.to_json()["task"] == task


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp"])
def test_a_picture_gets_all_four_layers_too(studio: Studio, tmp_path: Path, ending: str) -> None:
    made = studio.generate(PROMPT, **MODEL, size="384x256", out=tmp_path / f"made{ending}")

    with Image.open(made.path) as picture:
        size = picture.size
        picture.convert("RGB").save(tmp_path / "copy.jpg", quality=80)
    report = platemark.verify(made.path, home=studio.home.path)
    copy = platemark.verify(tmp_path / "copy.jpg", home=studio.home.path)
    assert (report.verdict, report.axes.watermark, report.axes.ai) == ("trusted", "matched", "fully")
    assert (copy.verdict, copy.recovered_from) == ("recovered", made.clip_id)
    assert size == (384, 256)
    assert made.receipt.is_file()
    assert studio.ledger.trace(made.clip_id)[-1].type == "clip.published"


def test_a_picture_has_no_length_and_its_korean_label_does_not_call_it_a_clip(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate("해 질 녘의 잔잔한 바다", **MODEL, size="256x256", out=tmp_path / "made.png")

    fields = made.to_json()
    assert (fields["kind"], fields["seconds"], fields["fps"], fields["frames"]) == ("still", None, None, 1)
    assert made.label.text == "AI 생성 이미지"


def test_what_was_given_stands_in_the_log_with_its_hash_and_what_became_of_it(
    studio: Studio, photo: Path, tmp_path: Path
) -> None:
    options: GenerateOptions = {**CARD, "images": [photo], "seconds": 0.5, "size": "256x256"}

    made = studio.generate(PROMPT, **options, out=tmp_path / "made.mp4")

    (submitted,) = facts_of(studio, made, "prompt.submitted")["given"]
    (used,) = facts_of(studio, made, "generation.started")["given"]
    assert submitted["sha256"] == used["sha256"] == sha256_file(photo)
    assert (used["size"], used["scaled_to"]) == ("480x320", "256x256")
    assert used["crop"] == {"x": 80, "y": 0, "width": 320, "height": 320}


def test_what_was_asked_for_and_what_came_out_are_both_written_down(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate(PROMPT, **CARD, seconds=0.53, fps=24, size="480x270", out=tmp_path / "made.mp4")

    started = facts_of(studio, made, "generation.started")
    assert (started["requested_seconds"], started["frames"], started["fps"]) == ("0.53", 13, 24)
    assert made.to_json()["requested_seconds"] == 0.53
    assert made.to_json()["seconds"] == pytest.approx(13 / 24)


def test_given_frames_are_in_the_clip_as_they_were(studio: Studio, clip: Clip, tmp_path: Path) -> None:
    made = studio.generate(PROMPT, **CARD, clips=[clip.path], seconds=0.5, out=tmp_path / "made.mp4")

    before, after = frames_of(clip.path), frames_of(made.path)[: len(frames_of(clip.path))]
    # The mark and a second encoding lie between them, and nothing else.
    assert [float(np.abs(a.astype(int) - b).mean()) < 4 for a, b in zip(before, after, strict=True)] == [True] * 6


def test_a_loop_still_closes_after_label_mark_and_encoder(studio: Studio, tmp_path: Path) -> None:
    loop: GenerateOptions = {**MODEL, "steps": 8, "task": "loop", "seconds": 1, "size": "256x256"}

    made = studio.generate("clouds drifting left in a sky at sunset", **loop, out=tmp_path / "loop.mp4")

    measured = made.to_json()["measured"]
    frames = [frame.astype(int) for frame in frames_of(made.path)]
    steps = [float(np.abs(b - a).mean()) for a, b in itertools.pairwise(frames)]
    # The mark is louder where a scene opens; a loop has no opening, so that its seam (0.8 and 0.95) is no jump.
    assert measured["seam"]["step"] <= 1.1 * measured["seam"]["median"]  # type: ignore[index,call-overload]
    assert float(np.abs(frames[0] - frames[-1]).mean()) <= 1.1 * float(np.median(steps))


def test_the_drift_of_a_clip_is_in_the_result_and_in_the_log(studio: Studio, tmp_path: Path) -> None:
    made = studio.generate(PROMPT, **CARD, seconds=3, size="128x128", out=tmp_path / "made.mp4")

    measured = made.to_json()["measured"]
    assert measured == facts_of(studio, made, "generation.finished")["measured"]
    assert measured["drift"]["seconds"] == 3  # type: ignore[index,call-overload]


@pytest.mark.parametrize("task", ["image-to-video", "extend", "infill", "edit"])
def test_the_same_request_gives_the_same_frames_and_mark(
    studio: Studio, clip: Clip, photo: Path, tmp_path: Path, task: str
) -> None:
    options = options_for(task, clip, photo)

    first = studio.generate(PROMPT, **options, out=tmp_path / "a.mp4")
    second = studio.generate(PROMPT, **options, out=tmp_path / "b.mp4")

    assert first.watermark_id == second.watermark_id
    np.testing.assert_array_equal(frames_of(first.path), frames_of(second.path))


@pytest.mark.parametrize(
    "other",
    [{"steps": 3}, {"guidance": 3.0}, {"shift": 2.0}, {"sampler": "heun"}, {"negative": "rough"}, {"task": "loop"}],
)
def test_another_way_of_sampling_gets_another_mark(studio: Studio, tmp_path: Path, other: GenerateOptions) -> None:
    usual: GenerateOptions = {**MODEL, "seconds": 0.5, "size": "256x256"}

    first = studio.generate(PROMPT, **usual, out=tmp_path / "a.mp4")
    second = studio.generate(PROMPT, **{**usual, **other}, out=tmp_path / "b.mp4")

    assert first.watermark_id != second.watermark_id


def test_another_picture_gets_another_mark(studio: Studio, photo: Path, clip: Clip, tmp_path: Path) -> None:
    Image.fromarray(frames_of(clip.path)[0]).save(tmp_path / "other.png")
    usual: GenerateOptions = {**CARD, "seconds": 0.5, "size": "256x256"}

    first = studio.generate(PROMPT, **usual, images=[photo], out=tmp_path / "a.mp4")
    second = studio.generate(PROMPT, **usual, images=[tmp_path / "other.png"], out=tmp_path / "b.mp4")

    assert first.watermark_id != second.watermark_id


def test_a_plan_makes_nothing_and_logs_nothing(studio: Studio, photo: Path, tmp_path: Path) -> None:
    before = studio.ledger.head()

    plan = studio.plan(PROMPT, **MODEL, images=[photo], seconds=1, out=tmp_path / "made.mp4").to_json()

    assert (plan["task"], plan["frames"], plan["size"]) == ("image-to-video", 12, "768x512")
    assert plan["cost"]["forwards"] > 0  # type: ignore[index,call-overload,operator]
    assert studio.ledger.head() == before
    assert not (tmp_path / "made.mp4").exists()
