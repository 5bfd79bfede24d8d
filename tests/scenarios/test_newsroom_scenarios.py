"""What users come to do, from the first word to the last answer; each test is named by its scenario."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from platemark.cli import main

PROMPT = "비 오는 서울 야경, 설명용 재현 화면"
Made = dict[str, Any]
Ask = Callable[..., tuple[int, Made]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Ask:
    """Run a command with `--json` in one home, and give its exit code and its first object."""
    home = tmp_path / "newsroom"
    main(["init", str(home), "--org", "Daily Example", "--quiet"])
    capsys.readouterr()

    def asked(*words: str | Path) -> tuple[int, Made]:
        code = main([*map(str, words), "--json", "--home", str(home)])
        lines = capsys.readouterr().out.splitlines()
        return code, json.loads(lines[0])

    return asked


@pytest.fixture
def made(ask: Ask, tmp_path: Path) -> Made:
    """The clip of scenario P1, shorter."""
    words = ("--model", "testcard", "--seconds", "0.5", "--size", "256x256", "--seed", "7", "--desk", "politics")
    code, said = ask("generate", PROMPT, *words, "--out", tmp_path / "clip.mp4")
    assert code == 0
    return said


def test_v3_one_byte_flipped_is_tampered(ask: Ask, made: Made) -> None:
    path = Path(made["path"])
    content = bytearray(path.read_bytes())
    content[content.rindex(b"mdat") + 200] ^= 1
    path.write_bytes(content)

    code, report = ask("verify", path)

    assert (code, report["verdict"]) == (5, "tampered")


def test_s4_a_withdrawn_clip_says_so_with_its_reason(ask: Ask, made: Made) -> None:
    ask("withdraw", made["clip_id"], "--reason", "Wrong date")

    _, report = ask("verify", made["path"])

    assert report["withdrawn"]["reason"] == "Wrong date"
    assert report["withdrawn"]["date"].startswith("20")
