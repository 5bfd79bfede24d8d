"""The examples do what they say, with the real model."""

import subprocess
import sys
from pathlib import Path

import pytest

from platemark.homes.home import init
from platemark.media.video import read_video_facts

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *words: str, folder: Path) -> str:
    command = [sys.executable, str(EXAMPLES / name), *words]
    ended = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_the_first_clip_is_made_logged_and_trusted(tmp_path: Path) -> None:
    home = init(tmp_path / "newsroom")

    said = run("first_clip.py", str(home.path), str(tmp_path / "clip.mp4"), folder=tmp_path)

    facts = read_video_facts(tmp_path / "clip.mp4")
    assert (facts.width, facts.height, facts.frames) == (512, 512, 24)
    assert "clip.published" in said
    assert "\ntrusted " in said


@pytest.mark.slow
def test_the_demo_makes_verifies_strips_and_recovers_a_clip(tmp_path: Path) -> None:
    said = run("demo.py", str(tmp_path / "demo"), folder=tmp_path)

    assert said.count("RECOVERED") == 2
    assert "TRUSTED" in said
    assert "The log of" in said
    assert len(list((tmp_path / "demo").glob("clip-*.png"))) == 1
