"""Whatever kills a job: nothing half-made at the final path, a whole ledger, and a next start that explains."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import platemark
from platemark.making.outputs import job_lock
from platemark.making.recovery import Leftover
from platemark.progress import STAGES
from platemark.studio import Studio

KILLED_JOB = """
import os, sys
from pathlib import Path
from platemark.studio import Studio

home, out, stage = sys.argv[1:]

def kill(progress):
    if str(progress) == stage:
        os.kill(os.getpid(), 9)

with Studio.open(home) as studio:
    options = dict(model="testcard", seconds=0.5, size="256x256", seed=7, out=out, on_progress=kill)
    studio.generate("a calm blue sea at sunset", **options)
"""
BEFORE_RESERVATION = ("screen", "plan", "reserve")
DURING = (*STAGES[3:8], "render:frames 3/6")


def kill_at(stage: str, home: Path, out: Path) -> int:
    command = [sys.executable, "-c", KILLED_JOB, str(home), str(out), stage]
    return subprocess.run(command, check=False, timeout=120, capture_output=True).returncode


def files_beside(home: Path) -> list[str]:
    return sorted(path.name for path in home.parent.iterdir() if path.name != home.name)


@pytest.mark.parametrize("stage", BEFORE_RESERVATION)
def test_a_job_killed_before_its_reservation_leaves_nothing_to_clean_up(home_path: Path, stage: str) -> None:
    code = kill_at(stage, home_path, home_path.parent / "clip.mp4")

    assert code == -signal.SIGKILL
    assert files_beside(home_path) == []
    with Studio.open(home_path) as studio:
        assert studio.leftovers == ()
        assert studio.ledger.verify().ok


@pytest.mark.parametrize("stage", DURING)
def test_a_job_killed_on_its_way_is_cleaned_up_and_explained_at_the_next_start(home_path: Path, stage: str) -> None:
    out = home_path.parent / "clip.mp4"

    code = kill_at(stage, home_path, out)
    at_the_final_path = out.exists()

    assert code == -signal.SIGKILL
    assert not at_the_final_path
    with Studio.open(home_path) as studio:
        assert [leftover.action for leftover in studio.leftovers] == ["removed"]
        assert studio.ledger.verify().ok
        assert [event.type for event in studio.ledger.query(type="generation.abandoned")] == ["generation.abandoned"]
    assert files_beside(home_path) == []


def test_a_job_killed_after_the_rename_is_a_whole_clip_and_gets_its_receipt(home_path: Path) -> None:
    out = home_path.parent / "clip.mp4"

    code = kill_at("receipt", home_path, out)

    assert code == -signal.SIGKILL
    assert platemark.verify(out, home=home_path).verdict == "trusted"


def test_a_clip_moved_but_not_yet_published_is_finished_at_the_next_start(home_path: Path) -> None:
    out = home_path.parent / "clip.mp4"
    kill_between_move_and_commit = KILLED_JOB.replace(
        "with Studio.open",
        "import platemark.making.pipeline\n"
        "move = platemark.making.pipeline.move_into_place\n"
        "def move_and_die(*args, **options):\n"
        "    move(*args, **options)\n"
        "    os.kill(os.getpid(), 9)\n"
        "platemark.making.pipeline.move_into_place = move_and_die\n"
        "with Studio.open",
    )
    subprocess.run([sys.executable, "-c", kill_between_move_and_commit, str(home_path), str(out), "-"], check=False)

    with Studio.open(home_path) as studio:
        finished = [leftover.action for leftover in studio.leftovers]
        published = [event.facts["finished_by"] for event in studio.ledger.query(type="clip.published")]

    assert finished == ["finished"]
    assert published == ["recovery"]
    assert files_beside(home_path) == ["clip.mp4", "clip.mp4.tlog-proof"]
    assert platemark.verify(out, home=home_path).verdict == "trusted"


def test_a_second_start_finds_nothing_left_to_do(home_path: Path) -> None:
    kill_at("sign", home_path, home_path.parent / "clip.mp4")

    with Studio.open(home_path):
        pass
    with Studio.open(home_path) as studio:
        assert studio.leftovers == ()


def test_a_job_that_still_runs_is_left_alone(home_path: Path) -> None:
    out = home_path.parent / "clip.mp4"
    kill_at("sign", home_path, out)
    with Studio.open(home_path) as unaware:
        del unaware

    with Studio.open(home_path) as studio:
        studio.ledger.registry.intend_output("job-1", clip_id="clip-1", final_path=out, part_path=out)
        with job_lock(studio.home.jobs, "job-1"), Studio.open(home_path) as other:
            assert other.leftovers == ()
            assert len(other.ledger.registry.open_outputs()) == 1


def test_a_foreign_file_at_the_final_path_is_never_taken_for_ours_and_never_removed(home_path: Path) -> None:
    out = home_path.parent / "clip.mp4"
    kill_at("publish", home_path, out)
    out.write_bytes(b"somebody else's")

    with Studio.open(home_path) as studio:
        actions = [leftover.action for leftover in studio.leftovers]

    assert actions == ["removed"]
    assert out.read_bytes() == b"somebody else's"


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("action", ["finished", "removed", "stuck"])
def test_every_outcome_has_a_sentence_in_both_languages(action: str, language: str) -> None:
    leftover = Leftover("clip-1", Path("clip.mp4"), action, "no room")  # type: ignore[arg-type]  # parametrized

    assert "clip.mp4" in leftover.explain(language)
