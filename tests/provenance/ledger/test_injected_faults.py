"""Killed, or told that the disk fails or is full, at any system call of an append or a publication: nothing is torn.

strace injects the faults. `INJECTIONS=600` tries so many and prints a table, a number beyond all calls tries each with
every fault; the normal run tries a sample, spread over all of them. Where strace may not trace, the same places are
reached by tests that fail from inside: `test_database.py`, `test_many_writers.py` and `test_recovery.py`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import fault_stories
import pytest

FAULTS = {"KILL": "signal=KILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
SAMPLE = 16
Told = dict[str, object]
Play = Callable[[str, str | None], tuple[Told, Counter[str]]]


@dataclass(frozen=True)
class Injection:
    """One fault at one call: the n-th of a name in a story."""

    story: str
    call: str
    number: int
    fault: str


@cache
def reason_to_skip() -> str:
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-e", "inject=fsync:error=EIO", "true"], capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()[:80]}"


@pytest.fixture(scope="module")
def play(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Tell a story in a new folder under a fault; gives what came of it and the calls that were made."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    base = tmp_path_factory.mktemp("injected")
    command = [sys.executable, fault_stories.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        yield partial(ask, server, base, migrated)


def ask(
    server: subprocess.Popen[str], base: Path, migrated: Path, story: str, inject: str | None
) -> tuple[Told, Counter[str]]:
    assert server.stdin is not None
    assert server.stdout is not None
    folder, log = base / "folder", base / "log"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy2(migrated, folder / "ledger.db")
    paths = [word for path in fault_stories.watched(folder) for word in ("-P", str(path))]
    strace = [*paths, "-o", str(log), *(() if inject is None else ("-e", f"inject={inject}"))]
    server.stdin.write(json.dumps({"story": story, "folder": str(folder), "strace": strace}) + "\n")
    server.stdin.flush()
    told = json.loads(server.stdout.readline())
    return told, Counter(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def places(play: Play) -> list[Injection]:
    """Every call of every story with every fault, in an order that spreads a sample over all of them."""
    found = [
        Injection(story, call, number, fault)
        for story in fault_stories.STORIES
        for call, times in sorted(play(story, None)[1].items())
        for number in range(1, times + 1)
        for fault in FAULTS
    ]
    every = len(found) // SAMPLE + 1
    step = every if every % 3 else every + 1  # no multiple of three, so that no fault is left out
    return [found[at] for start in range(step) for at in range(start, len(found), step)]


@pytest.mark.parametrize("story", fault_stories.STORIES)
def test_a_story_without_a_fault_ends_well(play: Play, story: str) -> None:
    told, calls = play(story, None)

    assert (told["status"], told["wrong"]) == (0, [])
    assert {"refused", "crashed"}.isdisjoint(line[0] for line in told["said"])  # type: ignore[attr-defined]
    assert sum(calls.values()) > 100


@pytest.mark.timeout(0 if os.environ.get("INJECTIONS") else 120)
def test_a_fault_at_any_system_call_tears_nothing(
    play: Play, places: list[Injection], capsys: pytest.CaptureFixture[str]
) -> None:
    tried = places[: int(os.environ.get("INJECTIONS", SAMPLE))]

    wrong = {
        each: play(each.story, f"{each.call}:{FAULTS[each.fault]}:when={each.number}")[0]["wrong"] for each in tried
    }

    with capsys.disabled():
        sys.stdout.write(table(wrong) if os.environ.get("INJECTIONS") else "")
    assert {each: found for each, found in wrong.items() if found} == {}


def table(wrong: dict[Injection, object]) -> str:
    """Count what was tried and what was wrong by story, call and fault."""
    tried = Counter((each.story, each.call, each.fault) for each in wrong)
    bad = Counter((each.story, each.call, each.fault) for each, found in wrong.items() if found)
    names = sorted({key[:2] for key in tried})
    rows = [
        f"{story:8} {call:12} "
        + " ".join(f"{fault} {tried[story, call, fault]:4} ({bad[story, call, fault]} wrong)" for fault in FAULTS)
        for story, call in names
    ]
    return "\n".join(["", *rows, f"injections {len(wrong)}, wrong {sum(bad.values())}", ""])
