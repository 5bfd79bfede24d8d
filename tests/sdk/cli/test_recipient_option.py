"""`--recipient`: a copy that was meant to lead back to somebody is not made so that it leads to nobody."""

from pathlib import Path

import pytest
from cli_session import Run

MAKING = ["generate", "a calm blue sea", "--model", "testcard", "--seconds", "0.5", "--size", "128x128"]


@pytest.mark.parametrize("recipient", ["", " ", "\u3000"])
@pytest.mark.parametrize(
    "words", [["watermark", "embed", "{a}", "{b}"], ["stamp", "{a}", "--generator", "g", "--out", "{b}"]]
)
def test_an_empty_recipient_is_refused_before_anything_is_made(
    run: Run, home_path: Path, tmp_path: Path, words: list[str], recipient: str
) -> None:
    paths = {"a": tmp_path / "a.mp4", "b": tmp_path / "b.mp4"}
    (tmp_path / "a.mp4").write_bytes(b"never looked at")

    ended = run(*(word.format(**paths) for word in words), "--recipient", recipient, "--home", home_path)

    assert ended.code == 2
    assert "recipient's name is empty" in ended.err
    assert not paths["b"].exists()


def test_the_refusal_is_in_korean_for_who_asks_in_it(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run(*MAKING, "--out", tmp_path / "a.mp4", "--recipient", "", "--home", home_path, "--lang", "ko")

    assert ended.code == 2
    assert "받는 이의 이름이 비어 있습니다" in ended.err


def test_a_clip_without_the_option_is_made_for_nobody_in_particular(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run(*MAKING, "--out", tmp_path / "a.mp4", "--home", home_path, "--json")

    assert ended.code == 0
    assert (tmp_path / "a.mp4").is_file()
