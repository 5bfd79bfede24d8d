"""What users come to do, from the first word to the last answer; each test is named by its scenario."""

import json
import sqlite3
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


def test_p1_a_korean_prompt_becomes_a_clip_with_everything_its_receipt_promises(ask: Ask, made: Made) -> None:
    code, report = ask("verify", made["path"])

    assert (code, report["verdict"], made["policy"]["verdict"]) == (0, "trusted", "allow")
    assert Path(made["receipt"]).is_file()
    assert {"clip_id", "sha256", "model", "seed", "label", "watermark", "manifest"} <= made.keys()


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


@pytest.mark.parametrize("form", ["ninjs", "newsml-g2", "vmh", "mos", "json-ld"])
def test_d3_a_clip_is_exported_in_each_format(ask: Ask, made: Made, form: str) -> None:
    code, said = ask("export", made["clip_id"], "--format", form)

    assert code == 0
    assert made["clip_id"] in said["document"]


def test_a1_a_row_changed_by_sql_is_named(ask: Ask, made: Made, tmp_path: Path) -> None:
    before, _ = ask("audit", "verify")
    with sqlite3.connect(tmp_path / "newsroom" / "ledger.sqlite3") as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        database.executescript("".join(f'DROP TRIGGER "{name}";' for name, _ in triggers))
        database.execute("UPDATE event SET desk = 'sports' WHERE seq = 5")
        database.executescript("".join(f"{again};" for _, again in triggers))
    database.close()

    code, report = ask("audit", "verify")

    assert (before, code, report["first_bad_seq"]) == (0, 5, 5)
    assert made["ledger"]["seq"] > 5


def test_e1_the_doctor_finds_a_fresh_home_well(ask: Ask) -> None:
    assert ask("doctor")[0] == 0
