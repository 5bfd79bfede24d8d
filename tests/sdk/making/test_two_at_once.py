"""Two programs with one home: both get their clips, nobody cleans up after the living, and the log stays whole."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from platemark.errors import PlatemarkError
from platemark.homes.home import init, open_home
from platemark.progress import JobProgress
from platemark.studio import GenerateOptions, Studio
from platemark.verifying.verifier import verify

PROMPT = "a calm blue sea at sunset"
SHORT: GenerateOptions = {"model": "testcard", "seconds": 0.5, "size": "256x256", "seed": 7}
QUICK = ("--model", "testcard", "--seconds", "0.5", "--size", "256x256", "--seed", "7", "--quiet")
AT_ONE_TIME = """
import importlib, sys, time
from pathlib import Path
from platemark.cli import main

gate, number, *words = sys.argv[1:]
importlib.import_module({"generate": "platemark.studio"}.get(words[0], "platemark.homes.home"))
Path(f"{gate}.{number}").touch()
while not Path(gate).exists():
    time.sleep(0.002)
sys.exit(main(words))
"""
Ended = subprocess.CompletedProcess[str]


def run_at_once(folder: Path, *commands: tuple[str, ...]) -> list[Ended]:
    """Start one process for each command, wait until all are loaded, let them go together."""
    gate = folder / "gate"
    ready = [folder / f"gate.{n}" for n in range(len(commands))]
    start = [sys.executable, "-c", AT_ONE_TIME, str(gate)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": folder}
    jobs = [subprocess.Popen([*start, str(n), *words], **options) for n, words in enumerate(commands)]  # type: ignore[call-overload]  # the options are the same for all
    deadline = time.monotonic() + 60
    while not all(path.exists() for path in ready) and time.monotonic() < deadline:
        time.sleep(0.005)
    gate.touch()
    said = [job.communicate(timeout=90) for job in jobs]
    for path in (gate, *ready):
        path.unlink(missing_ok=True)
    return [Ended(job.args, job.returncode, *texts) for job, texts in zip(jobs, said, strict=True)]


def generate(home: Path, out: Path, *more: str) -> tuple[str, ...]:
    return ("generate", PROMPT, *QUICK, "--out", str(out), "--home", str(home), *more)


def test_two_processes_on_one_home_both_get_a_trusted_clip(home_path: Path, tmp_path: Path) -> None:
    names = [tmp_path / "a.mp4", tmp_path / "b.mp4"]

    ended = run_at_once(tmp_path, *(generate(home_path, name) for name in names))

    assert [(job.returncode, job.stderr) for job in ended] == [(0, ""), (0, "")]
    assert [verify(name, home=home_path).verdict for name in names] == ["trusted", "trusted"]
    with Studio.open(home_path) as studio:
        assert studio.leftovers == ()
        assert studio.ledger.verify().ok
        assert len(list(studio.ledger.query(type="clip.published"))) == 2


def test_two_processes_for_one_name_give_one_whole_clip_and_one_refusal(home_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"

    ended = run_at_once(tmp_path, generate(home_path, out), generate(home_path, out))

    assert sorted(job.returncode for job in ended) == [0, 2]
    assert sorted(len(job.stderr.splitlines()) for job in ended) == [0, 1]
    assert verify(out, home=home_path).verdict == "trusted"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "clip.mp4.tlog-proof", "newsroom"]


def test_the_same_home_made_twice_at_once_is_one_whole_home(tmp_path: Path) -> None:
    home = tmp_path / "newsroom"

    ended = run_at_once(tmp_path, *[("init", str(home), "--org", "Daily Example", "--quiet")] * 3)

    assert [job.returncode for job in ended] == [0, 0, 0], [job.stderr for job in ended]
    assert open_home(home).claim_signer().alg == "es256"


def test_a_start_in_the_middle_of_anothers_job_leaves_that_job_alone(home_path: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    def look_in(progress: JobProgress) -> None:
        with Studio.open(home_path) as visitor:
            seen.append(len(visitor.leftovers))

    with Studio.open(home_path) as studio:
        made = studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4", on_progress=look_in)

    assert set(seen) == {0}
    assert verify(made.path, home=home_path).verdict == "trusted"


def test_an_audit_in_the_middle_of_a_job_finds_the_log_whole(home_path: Path, tmp_path: Path) -> None:
    whole: list[bool] = []

    def look_in(progress: JobProgress) -> None:
        with open_home(home_path).open_ledger() as ledger:
            whole.append(ledger.verify().ok)

    with Studio.open(home_path) as studio:
        studio.generate(PROMPT, **SHORT, out=tmp_path / "clip.mp4", on_progress=look_in)

    assert len(whole) > 9
    assert set(whole) == {True}


def test_a_clip_made_while_another_is_on_its_way_does_not_break_either_receipt(home_path: Path, tmp_path: Path) -> None:
    def make_another(progress: JobProgress) -> None:
        if progress.stage == "publish":
            with Studio.open(home_path) as other:
                other.generate(PROMPT, **SHORT, out=tmp_path / "inner.mp4")

    with Studio.open(home_path) as studio:
        outer = studio.generate(PROMPT, **SHORT, out=tmp_path / "outer.mp4", on_progress=make_another)

        assert studio.ledger.verify().ok
    assert [verify(tmp_path / name, home=home_path).verdict for name in ("inner.mp4", "outer.mp4")] == ["trusted"] * 2
    assert outer.receipt.is_file()


def test_a_home_made_by_somebody_else_in_the_meantime_is_not_given_other_keys(tmp_path: Path) -> None:
    home = init(tmp_path / "newsroom", organisation="Daily Example")
    before = {path.name: path.read_bytes() for path in home.keys.iterdir()}
    (home.path / "platemark.toml").unlink()

    again = init(home.path, organisation="Evening Example")

    assert {path.name: path.read_bytes() for path in again.keys.iterdir()} == before


@pytest.mark.parametrize("name", ["root.pem", "signing.key"])
def test_keys_that_lost_a_part_are_not_completed_with_foreign_ones(tmp_path: Path, name: str) -> None:
    home = init(tmp_path / "newsroom")
    (home.keys / name).unlink()
    (home.path / "platemark.toml").unlink()

    reopened = init(home.path)

    with pytest.raises(PlatemarkError, match=name):
        {"root.pem": reopened.trust_store, "signing.key": reopened.claim_signer}[name]()
