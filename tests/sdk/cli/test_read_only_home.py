"""A home that cannot be written, used as its owner would."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_session import Run

from platemark.homes.home import Home
from platemark_provenance.errors import LedgerReadOnly

WORDS = [
    ["query", "--limit", "5"],
    ["verify", "--offline"],
    ["export", "--format", "jsonl"],
]


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The home's ledger opens only for reading, as on a read-only medium."""

    def refuse(home: Home) -> None:
        raise LedgerReadOnly("The ledger is read-only.", fix="Some commands read it with --read-only.")

    monkeypatch.setattr(Home, "open_ledger", refuse)


@pytest.mark.parametrize("words", WORDS)
def test_reading_that_cannot_be_logged_is_refused(run: Run, home_path: Path, read_only: None, words: list[str]) -> None:
    ended = run("audit", *words, "--home", home_path)

    assert ended.code == 1
    assert "--read-only" in ended.err


@pytest.mark.parametrize("words", WORDS)
def test_reading_that_was_asked_for_says_that_it_leaves_no_trace(
    run: Run, home_path: Path, read_only: None, words: list[str]
) -> None:
    ended = run("audit", *words, "--home", home_path, "--read-only", "--quiet")

    assert ended.code == 0
    assert "NOT written" in ended.err


def test_a_trace_is_told_too(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("audit", "trace", made["path"], "--home", home_path, "--read-only", "--lang", "ko")
    events = run("audit", "query", "--type", "audit.queried", "--home", home_path, "--json").objects

    assert ended.code == 0
    assert "기록에 남지 않습니다" in ended.err
    assert events == []


def test_a_file_is_verified_in_a_home_that_cannot_be_written(
    run: Run, home_path: Path, made: dict[str, Any], read_only: None
) -> None:
    ended = run("verify", made["path"], "--home", home_path, "--json")

    assert ended.code == 0
    assert ended.object["verdict"] == "trusted"
    assert ended.object["axes"]["watermark"] == "matched"


def may_mount() -> bool:
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "-rm", "true"], check=False).returncode == 0


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def on_medium(home_path: Path) -> Command:
    """Run a command while the home is a read-only mount."""

    def runner(*words: str | Path) -> "subprocess.CompletedProcess[str]":
        script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
        command = [sys.executable, "-m", "platemark", *map(str, words), "--home", str(home_path)]
        return subprocess.run(
            ["unshare", "-rm", "sh", "-c", script, "sh", str(home_path), *command],
            capture_output=True, text=True, check=False, env=os.environ,
        )  # fmt: skip

    return runner


@pytest.mark.skipif(not may_mount(), reason="this system lets nobody but root make a read-only medium")
def test_on_a_real_read_only_medium(made: dict[str, Any], on_medium: Command) -> None:
    refused = on_medium("audit", "query")
    asked = on_medium("audit", "query", "--read-only", "--json")
    whole = on_medium("audit", "verify", "--read-only")
    verified = on_medium("verify", made["path"])

    assert (refused.returncode, asked.returncode, whole.returncode, verified.returncode) == (1, 0, 0, 0), refused.stderr
    assert "--read-only" in refused.stderr
    assert "NOT written" in asked.stderr
    assert "clip.published" in asked.stdout
