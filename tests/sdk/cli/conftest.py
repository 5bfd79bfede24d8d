"""Running a command in this process, as its user would."""

from pathlib import Path
from typing import Any

import pytest
from cli_session import Ended, Run

from platemark.cli import main


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `platemark WORDS…`."""

    def runner(*words: str | Path) -> Ended:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return runner


@pytest.fixture
def made(run: Run, home_path: Path, tmp_path: Path) -> dict[str, Any]:
    """The JSON of a test-card clip that was just made."""
    ended = run(
        "generate", "a calm blue sea at sunset", "--model", "testcard", "--seconds", "0.5", "--size", "256x256",
        "--seed", "7", "--out", tmp_path / "clip.mp4", "--home", home_path, "--desk", "weather", "--actor", "jw.kim",
        "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return ended.object
