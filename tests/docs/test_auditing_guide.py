"""Every command of the guide for auditors does what the guide says, in its order."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from platemark.cli import main
from platemark.homes.home import init

GUIDE = (Path(__file__).parents[2] / "docs/auditing.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```console\n(.*?)```", GUIDE, flags=re.DOTALL) for line in block.splitlines()]


def expected(line: str) -> int:
    found = re.search(r"# exit (\d+)$", line)
    return int(found[1]) if found else 0


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home and a published clip, as the guide takes them for granted."""
    folder = tmp_path_factory.mktemp("guide")
    init(folder / "newsroom", organisation="Daily Example")
    words = ["--model", "testcard", "--seconds", "0.5", "--size", "256x256", "--seed", "7", "--desk", "weather"]
    made = ["generate", "a calm blue sea at sunset", *words, "--actor", "jw.kim", "--out", str(folder / "clip.mp4")]
    assert main([*made, "--home", str(folder / "newsroom"), "--quiet"]) == 0
    line = '{"id": "rain", "prompt": "light rain over a park", "model": "testcard", "seconds": 0.25, "size": "128x128"}'
    (folder / "prompts.jsonl").write_text(line + "\n")
    (folder / "clips").mkdir()
    return folder


def test_the_guide_has_commands_to_run() -> None:
    assert len(LINES) > 20
    assert all(line.startswith("$ platemark ") for line in LINES)


def test_the_commands_of_the_guide_end_as_it_says(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(desk, tmp_path / "desk"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PLATEMARK_HOME", str(folder / "newsroom"))

    ended = {line: run(line, capsys) for line in LINES}

    assert ended == {line: expected(line) for line in LINES}


def run(line: str, capsys: pytest.CaptureFixture[str]) -> int:
    """Run one line of the guide; the name of a hold is looked up first."""
    words = shlex.split(line.partition("#")[0])[2:]
    if "HOLD" in words:
        capsys.readouterr()
        main(["audit", "hold", "list", "--json"])
        hold = re.findall(r'"hold_id": "([^"]+)"', capsys.readouterr().out)[0]
        words = [hold if word == "HOLD" else word for word in words]
    return main(words)
