"""Every task's example runs, in one process and one home, and what it leaves is trusted."""

import runpy
import sys
from pathlib import Path

import pytest

from platemark.cli import main
from platemark.homes.home import init

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"
GUIDE = Path(__file__).parents[2] / "docs" / "tasks.md"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for all examples."""
    return init(tmp_path_factory.mktemp("home") / "newsroom").path


def run(name: str, *words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", [name, *words])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said", "made"),
    [
        ("text_to_video.py", "not expressed: 등대", 2),
        ("animate_a_still.py", "frame 6 kept as given", 4),
        ("go_on_from_a_clip.py", "frames 0 to 5 kept as given", 6),
        ("loop.py", "seam and median step", 1),
        ("edit.py", "at noise level 0.85", 3),
        ("picture.py", "AI 생성 이미지 trusted", 1),
        ("shapes_and_lengths.py", "2.39:1: asked 0.62 s, made 0.583 s at 612x256", 5),
        ("long_clip.py", "'seconds': 6", 1),
        ("rewriting.py", "a calm blue sea in daylight / 낮의 잔잔한 파란색 바다", 1),
        ("sampling.py", "the same frames: True", 3),
    ],
)
def test_an_example_says_what_it_made_and_all_of_it_is_trusted(
    name: str,
    said: str,
    made: int,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = run(name, str(home), str(tmp_path), monkeypatch=monkeypatch, capsys=capsys)

    files = [path for path in tmp_path.iterdir() if path.suffix in (".mp4", ".png")]
    assert said in output
    assert len(files) == made
    assert main(["verify", *map(str, files), "--home", str(home)]) == 0


def test_the_world_example_is_steered_by_the_shipped_weights(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = run("world.py", str(home), str(tmp_path), monkeypatch=monkeypatch, capsys=capsys)

    assert output == "the camera is told: forward*8,left*8,jump*8\n"
    assert main(["verify", str(tmp_path / "world.mp4"), "--home", str(home)]) == 0


def test_patches_come_back_whole_at_odd_sizes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = run("latent_patches.py", monkeypatch=monkeypatch, capsys=capsys)

    assert output.count("whole again: True") == 2


def test_the_guide_names_every_program_and_no_other() -> None:
    text = GUIDE.read_text(encoding="utf-8")

    programs = {path.name for path in EXAMPLES.glob("*.py")}
    assert {name for name in programs if f"`{name}`" in text} == programs
