"""`generate --batch` and `jobs`: many clips from one file, in its order, whatever dies on the way."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cli_session import Run

from platemark.batch import read_prompts
from platemark.errors import RequestError

GOOD = {"model": "testcard", "seconds": 0.25, "size": "128x128", "seed": 7}
HELD = "대통령이 사퇴를 발표하는 뉴스 속보 화면"


def prompts_file(folder: Path, rows: Sequence[object]) -> Path:
    path = folder / "prompts.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Two clips and a prompt that must wait for an editor between them."""
    rows = [
        {"id": "sea", "prompt": "a calm blue sea at sunset", **GOOD},
        {"id": "news", "prompt": HELD, **GOOD},
        {"id": "rain", "prompt": "light rain over a park", **GOOD},
    ]
    return prompts_file(tmp_path, rows)


def batch_words(home: Path, prompts: Path, out: Path) -> list[str | Path]:
    return ["generate", "--batch", prompts, "--out", out, "--home", home, "--json"]


def test_a_batch_gives_a_line_a_prompt_in_order_and_the_highest_exit_code(
    run: Run, home_path: Path, three: Path, tmp_path: Path
) -> None:
    ended = run(*batch_words(home_path, three, tmp_path))

    assert ended.code == 8
    assert [(row["position"], row["id"], row["exit_code"]) for row in ended.objects] == [
        (0, "sea", 0), (1, "news", 8), (2, "rain", 0),
    ]  # fmt: skip
    assert ended.objects[0]["path"] == str(tmp_path / "sea.mp4")
    assert ended.objects[1]["verdict"] == "review"
    assert run("verify", tmp_path / "sea.mp4", tmp_path / "rain.mp4", "--home", home_path).code == 0


def test_jobs_are_listed_and_hold_no_prompt(run: Run, home_path: Path, three: Path, tmp_path: Path) -> None:
    run(*batch_words(home_path, three, tmp_path))

    (batch,) = run("jobs", "list", "--home", home_path, "--json").objects
    jobs = run("jobs", "list", batch["batch_id"], "--home", home_path, "--json")

    assert (batch["done"], batch["failed"]) == (2, 1)
    assert [job["state"] for job in jobs.objects] == ["done", "failed", "done"]
    content = b"".join(path.read_bytes() for path in home_path.glob("ledger.sqlite3*"))
    assert b"light rain over a park" not in content


def test_a_batch_for_people_says_what_became_of_each(run: Run, home_path: Path, three: Path, tmp_path: Path) -> None:
    ended = run(*batch_words(home_path, three, tmp_path)[:-1], "--lang", "ko")

    assert "sea.mp4" in ended.out
    assert len(ended.out.splitlines()) == 3


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("not json", "not JSON"),
        ([1], "object with a prompt"),
        ({"id": "x"}, "object with a prompt"),
        ({"prompt": 3}, "object with a prompt"),
        ({"prompt": "x", "sede": 7}, "'sede'"),
        ({"prompt": "x", "seconds": "2"}, "'seconds'"),
        ({"prompt": "x", "seed": True}, "'seed'"),
        ({"prompt": "x", "images": [1]}, "names of files"),
        ({"prompt": "x", "overwrite": True}, "'overwrite'"),
        ({"prompt": "x", "id": "../x"}, "short name"),
        ({"prompt": "x", "id": ".x"}, "short name"),
        ({"prompt": "x" * 70_000}, "bytes"),
    ],
)
def test_a_line_that_is_no_request_is_named_and_nothing_is_queued(
    run: Run, home_path: Path, tmp_path: Path, row: object, said: str
) -> None:
    path = prompts_file(tmp_path, [{"prompt": "fine"}])
    with path.open("a") as file:
        file.write((row if isinstance(row, str) else json.dumps(row)) + "\n")

    ended = run("generate", "--batch", path, "--home", home_path)

    assert ended.code == 2
    assert said in ended.err
    assert "ine 2" in ended.err
    assert run("jobs", "list", "--home", home_path, "--json").objects == []


def test_two_lines_for_one_file_are_refused(run: Run, home_path: Path, tmp_path: Path) -> None:
    path = prompts_file(tmp_path, [{"prompt": "a", "id": "x"}, {"prompt": "b", "id": "x"}])

    ended = run("generate", "--batch", path, "--home", home_path)

    assert (ended.code, "Two lines" in ended.err) == (2, True)


@pytest.mark.parametrize("words", [("a prompt", "--batch", "p.jsonl"), ()])
def test_a_prompt_and_a_batch_are_one_or_the_other(run: Run, home_path: Path, words: tuple[str, ...]) -> None:
    assert run("generate", *words, "--home", home_path).code == 2


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_file_without_lines_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_text(content)

    with pytest.raises(RequestError, match="1 to"):
        read_prompts(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be read"):
        read_prompts(tmp_path / "nowhere.jsonl")


def test_an_impossible_request_fails_alone(run: Run, home_path: Path, tmp_path: Path) -> None:
    rows = [{"prompt": "a calm blue sea", **GOOD, "size": "7x7"}, {"prompt": "a calm blue sea", **GOOD}]

    ended = run(*batch_words(home_path, prompts_file(tmp_path, rows), tmp_path))

    assert ended.code == 2
    assert [row["exit_code"] for row in ended.objects] == [2, 0]
    assert ended.objects[0]["error"]["type"] == "RequestError"


DIES = """
import os, signal, sys
from platemark import batch
from platemark.making import pipeline
stage = sys.argv[1]
if stage == "finish":
    from platemark_provenance.ledger.jobs import JobQueue
    JobQueue.finish = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
else:
    generate = batch._generate
    def dying(studio, claim, cancel, lease_s):
        if claim.request["id"] == "rain":
            os.kill(os.getpid(), signal.SIGKILL)
        return generate(studio, claim, cancel, lease_s)
    batch._generate = dying
from platemark.cli import main
sys.exit(main(sys.argv[2:]))
"""


def killed(stage: str, words: Sequence[str | Path]) -> int:
    command = [sys.executable, "-c", DIES, stage, *map(str, words)]
    return subprocess.run(command, env=dict(os.environ), capture_output=True, check=False).returncode


@pytest.mark.parametrize("stage", ["generate", "finish"])
def test_a_batch_whose_worker_is_killed_is_resumed_and_each_clip_made_once(
    run: Run, home_path: Path, three: Path, tmp_path: Path, stage: str
) -> None:
    assert killed(stage, batch_words(home_path, three, tmp_path)) == -signal.SIGKILL
    (batch,) = run("jobs", "list", "--home", home_path, "--json").objects

    ended = run("jobs", "resume", batch["batch_id"], "--home", home_path, "--json")

    assert ended.code == 8
    assert [row["exit_code"] for row in ended.objects] == [0, 8, 0]
    published = run("audit", "query", "--type", "clip.published", "--home", home_path, "--json")
    assert len(published.objects) == 2
    assert run("verify", tmp_path / "sea.mp4", tmp_path / "rain.mp4", "--home", home_path).code == 0
    assert run("audit", "verify", "--home", home_path).code == 0


def test_a_cancelled_batch_stays_cancelled(run: Run, home_path: Path, three: Path, tmp_path: Path) -> None:
    killed("generate", batch_words(home_path, three, tmp_path))
    (batch,) = run("jobs", "list", "--home", home_path, "--json").objects

    cancelled = run("jobs", "cancel", batch["batch_id"], "--home", home_path, "--json")
    ended = run("jobs", "resume", batch["batch_id"], "--home", home_path, "--json")

    assert cancelled.object["cancelled"] == 1
    assert ended.code == 130
    assert [row["state"] for row in ended.objects] == ["done", "failed", "cancelled"]


@pytest.mark.parametrize("command", ["resume", "cancel"])
def test_a_batch_that_there_is_not_is_a_usage_error(run: Run, home_path: Path, command: str) -> None:
    assert run("jobs", command, "nothing", "--home", home_path).code == 2


@pytest.mark.slow
def test_two_processes_share_a_batch(run: Run, home_path: Path, tmp_path: Path) -> None:
    rows = [{"prompt": "a calm blue sea", **GOOD, "id": f"c{n}"} for n in range(4)]
    words = batch_words(home_path, prompts_file(tmp_path, rows), tmp_path)

    ended = subprocess.run(
        [sys.executable, "-m", "platemark", *map(str, words), "--workers", "2"], capture_output=True, check=False
    )

    lines: list[dict[str, Any]] = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 0, ended.stderr
    assert [line["id"] for line in lines] == ["c0", "c1", "c2", "c3"]
    assert len({line["clip_id"] for line in lines}) == 4
