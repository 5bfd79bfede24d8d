"""The label's caption file: beside its clip, named by manifest and log, and never left behind without one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from odd_clips import write_clip

import platemark
from platemark.clip import Clip
from platemark.errors import OutputError, RequestError
from platemark.making import pipeline
from platemark.progress import JobProgress
from platemark.studio import Studio
from platemark_provenance.digest import sha256_file
from platemark_provenance.verification import read_provenance

SHORT: dict[str, Any] = {"model": "testcard", "seconds": 0.5, "size": "128x128", "seed": 7}
WHOLE = ["clip.mp4", "clip.mp4.tlog-proof", "clip.vtt"]
DYING = """
import os, sys
import platemark.making.pipeline as pipeline
from platemark.studio import Studio

home, out, overwrite, moves = sys.argv[1:]
move, left = pipeline.move_into_place, [int(moves)]

def move_and_die(*args, **options):
    move(*args, **options)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), 9)

pipeline.move_into_place = move_and_die
with Studio.open(home) as studio:
    options = dict(model="testcard", seconds=0.5, size="128x128", seed=7, out=out, overwrite=overwrite == "yes")
    studio.generate("a calm blue sea", label_vtt=True, **options)
"""


@pytest.fixture
def cued(studio: Studio, tmp_path: Path) -> Clip:
    """A clip with its caption file."""
    return studio.generate("a calm sea", **SHORT, label_vtt=True, out=tmp_path / "clip.mp4")


def beside(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.name != "newsroom")


def stated_cue(clip: Path, studio: Studio) -> str | None:
    own = read_provenance(clip, studio.home.trust_store()).own
    return own.label.cue_sha256 if own and own.label else None


def die_after(moves: int, home: Path, *, overwrite: str = "no") -> None:
    command = [sys.executable, "-c", DYING, str(home), str(home.parent / "clip.mp4"), overwrite, str(moves)]
    assert subprocess.run(command, check=False, timeout=120).returncode == -9


def raise_at(stage: str) -> Any:
    def report(progress: JobProgress) -> None:
        if str(progress) == stage:
            raise RuntimeError("injected")

    return report


def test_it_lies_beside_the_clip_and_holds_the_labels_words_for_its_whole_length(cued: Clip, tmp_path: Path) -> None:
    assert beside(tmp_path) == WHOLE
    assert (tmp_path / "clip.vtt").read_text("utf-8").endswith("00:00:00.000 --> 00:00:00.500\nAI-generated\n")


def test_the_result_the_log_and_the_manifest_name_the_same_hash(cued: Clip, studio: Studio, tmp_path: Path) -> None:
    sha256 = sha256_file(tmp_path / "clip.vtt")
    (signed,) = [each for each in studio.ledger.trace(cued.clip_id) if each.type == "manifest.signed"]

    assert cued.to_json()["label"]["cue"] == {"path": str(tmp_path / "clip.vtt"), "sha256": sha256}  # type: ignore[index,call-overload]
    assert signed.facts["cue"] == {"sha256": sha256, "overwrite": False}
    assert stated_cue(cued.path, studio) == sha256
    assert platemark.verify(cued.path, home=studio.home.path).verdict == "trusted"


def test_without_the_wish_there_is_none_anywhere(clip: Clip, studio: Studio, tmp_path: Path) -> None:
    (signed,) = [each for each in studio.ledger.trace(clip.clip_id) if each.type == "manifest.signed"]

    assert beside(tmp_path) == WHOLE[:2]
    assert clip.label.cue is None
    assert "cue" not in signed.facts


def test_a_home_can_ask_for_it_with_every_clip_and_a_caller_can_leave_it_out(home_path: Path, tmp_path: Path) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("vtt = false", "vtt = true"), "utf-8")

    with Studio.open(home_path) as studio:
        asked = studio.generate("잔잔한 바다", **SHORT, out=tmp_path / "a.mp4")
        without = studio.generate("a calm sea", **SHORT, label_vtt=False, out=tmp_path / "b.mp4")
        still = studio.generate("a calm sea", model="testcard", size="128x128", out=tmp_path / "c.png")

    assert "Language: ko\n" in (tmp_path / "a.vtt").read_text("utf-8")
    assert (without.label.cue, still.label.cue) == (None, None)
    assert asked.label.cue is not None
    assert not {"b.vtt", "c.vtt"} & set(beside(tmp_path))


def test_a_stamped_clip_gets_one_over_its_own_length(studio: Studio, tmp_path: Path) -> None:
    write_clip(tmp_path / "source.mp4", sound=True)

    made = studio.stamp(tmp_path / "source.mp4", generator="V", label_vtt=True, out=tmp_path / "out.mp4")

    seconds = made.frames / made.request.fps
    assert f"--> 00:00:{float(seconds):06.3f}\n" in (tmp_path / "out.vtt").read_text("utf-8")
    assert made.label.cue is not None
    assert made.label.cue.sha256 == sha256_file(tmp_path / "out.vtt")


def test_a_picture_that_is_to_have_captions_is_refused(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no captions"):
        studio.generate("a calm sea", model="testcard", label_vtt=True, out=tmp_path / "still.png")


def test_captions_that_are_there_already_are_not_replaced(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "clip.vtt").write_text("mine", "utf-8")

    with pytest.raises(OutputError, match=r"clip\.vtt exists already"):
        studio.generate("a calm sea", **SHORT, label_vtt=True, out=tmp_path / "clip.mp4")

    assert beside(tmp_path) == ["clip.vtt"]
    assert (tmp_path / "clip.vtt").read_text("utf-8") == "mine"


def test_captions_that_appear_meanwhile_keep_the_clip_back(studio: Studio, tmp_path: Path) -> None:
    def put(progress: JobProgress) -> None:
        (tmp_path / "clip.vtt").write_text("mine", "utf-8")

    with pytest.raises(OutputError, match=r"clip\.vtt exists already"):
        studio.generate("a calm sea", **SHORT, label_vtt=True, out=tmp_path / "clip.mp4", on_progress=put)

    assert beside(tmp_path) == ["clip.vtt"]
    assert studio.ledger.registry.open_outputs() == ()


def test_captions_that_appear_in_the_very_moment_stay_and_the_clip_is_finished(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = pipeline.move_into_place

    def move_and_put(part: Path, final: Path, *, overwrite: bool) -> None:
        move(part, final, overwrite=overwrite)
        (tmp_path / "clip.vtt").write_text("mine", "utf-8")

    monkeypatch.setattr(pipeline, "move_into_place", move_and_put)
    with pytest.raises(OutputError, match="made by somebody else"):
        studio.generate("a calm sea", **SHORT, label_vtt=True, out=tmp_path / "clip.mp4")

    assert beside(tmp_path) == WHOLE
    assert (tmp_path / "clip.vtt").read_text("utf-8") == "mine"
    assert studio.ledger.registry.open_outputs() == ()


def test_with_overwrite_a_new_one_takes_the_olds_place(cued: Clip, studio: Studio, tmp_path: Path) -> None:
    studio.generate("잔잔한 바다", **SHORT, label_vtt=True, out=tmp_path / "clip.mp4", overwrite=True)

    assert beside(tmp_path) == WHOLE
    assert "AI 생성 영상" in (tmp_path / "clip.vtt").read_text("utf-8")


@pytest.mark.parametrize("stage", ["sign", "publish", "receipt"])
def test_a_failed_job_leaves_no_captions_without_their_clip(studio: Studio, tmp_path: Path, stage: str) -> None:
    with pytest.raises(RuntimeError, match="injected"):
        studio.generate("a calm sea", **SHORT, label_vtt=True, out=tmp_path / "clip.mp4", on_progress=raise_at(stage))

    assert beside(tmp_path) == (WHOLE if stage == "receipt" else [])


def test_a_job_killed_between_clip_and_captions_is_finished_with_both(home_path: Path, tmp_path: Path) -> None:
    die_after(1, home_path)
    before = (tmp_path / "clip.vtt").exists()

    with Studio.open(home_path) as studio:
        assert [each.action for each in studio.leftovers] == ["finished"]

    assert not before
    assert beside(tmp_path) == WHOLE
    assert (tmp_path / "clip.vtt").read_text("utf-8").endswith("AI-generated\n")


def test_a_job_killed_after_both_keeps_both(home_path: Path, tmp_path: Path) -> None:
    die_after(2, home_path)

    with Studio.open(home_path) as studio:
        assert [each.action for each in studio.leftovers] == ["finished"]

    assert beside(tmp_path) == WHOLE


@pytest.mark.parametrize(("overwrite", "kept"), [("no", "mine"), ("yes", "AI-generated")])
def test_recovery_replaces_captions_of_others_only_where_the_job_might(
    home_path: Path, tmp_path: Path, overwrite: str, kept: str
) -> None:
    die_after(1, home_path, overwrite=overwrite)
    (tmp_path / "clip.vtt").write_text("mine", "utf-8")

    with Studio.open(home_path):
        pass

    assert beside(tmp_path) == WHOLE
    assert (tmp_path / "clip.vtt").read_text("utf-8").strip().endswith(kept)


def test_recovery_drops_captions_that_are_not_the_ones_in_the_log(home_path: Path, tmp_path: Path) -> None:
    die_after(1, home_path)
    (part,) = tmp_path.glob(".clip.*.cue.part.mp4")
    part.write_text("changed", "utf-8")

    with Studio.open(home_path) as studio:
        assert [each.action for each in studio.leftovers] == ["finished"]

    assert beside(tmp_path) == WHOLE[:2]


def test_the_command_line_passes_the_wish_on(home_path: Path, tmp_path: Path) -> None:
    from platemark.cli import main

    words = ["a calm sea", "--model", "testcard", "--seconds", "0.5", "--size", "128x128", "--home", str(home_path)]
    code = main(["generate", *words, "--label-vtt", "--json", "--out", str(tmp_path / "clip.mp4")])

    assert code == 0
    assert beside(tmp_path) == WHOLE


def test_a_line_of_a_batch_can_ask_for_it(home_path: Path, tmp_path: Path) -> None:
    from platemark.cli import main

    lines = tmp_path / "newsroom" / "lines.jsonl"
    line = {"prompt": "a calm sea", "id": "clip", "label_vtt": True, "model": "testcard", "size": "128x128"}
    lines.write_text(json.dumps({**line, "seconds": 0.5}), "utf-8")

    assert main(["generate", "--batch", str(lines), "--home", str(home_path), "--out", str(tmp_path)]) == 0
    assert beside(tmp_path) == WHOLE
