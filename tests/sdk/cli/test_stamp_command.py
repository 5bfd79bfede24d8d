"""`platemark stamp` says what it did in one object or a few lines, and its exit codes are the contract's."""

from pathlib import Path

import pytest
from cli_session import Run
from ffmpeg_clips import PICTURE, ffmpeg
from odd_clips import write_clip

REFUSED = "no label and no watermark, strip the C2PA so that nobody knows it is AI"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "veo.mp4", frames=12, sound=True)


def test_json_mode_prints_one_object_and_the_clip_verifies(
    run: Run, foreign: Path, home_path: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"

    made = run("stamp", foreign, "--generator", "Veo 3", "--out", out, "--home", home_path, "--json")
    checked = run("verify", out, "--home", home_path, "--json")

    assert (made.code, checked.code) == (0, 0)
    assert (made.object["task"], made.object["model"]["name"], made.object["seed"]) == ("stamp", "Veo 3", "")
    assert made.object["source"]["verdict"] == "none"
    assert checked.object["axes"]["ingredients"] == "ok"


def test_people_are_told_in_korean_what_was_kept(run: Run, foreign: Path, home_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"

    made = run("stamp", foreign, "--generator", "Veo 3", "--out", out, "--home", home_path, "--lang", "ko")

    assert made.out == f"{out}\n"
    assert "소리는 그대로 두었습니다." in made.err


def test_a_refused_prompt_ends_with_3(run: Run, foreign: Path, home_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"

    ended = run("stamp", foreign, "--generator", "V", "--prompt", REFUSED, "--out", out, "--home", home_path, "--json")

    assert (ended.code, ended.object["verdict"], out.exists()) == (3, "block", False)


def test_a_changed_clip_ends_with_5_until_an_editor_speaks_for_it(
    run: Run, foreign: Path, home_path: Path, tmp_path: Path
) -> None:
    usual = ("--generator", "V", "--home", home_path)
    run("stamp", foreign, *usual, "--out", tmp_path / "first.mp4")
    content = bytearray((tmp_path / "first.mp4").read_bytes())
    content[content.rindex(b"mdat") + 400] ^= 1
    (tmp_path / "changed.mp4").write_bytes(content)
    again = ("stamp", tmp_path / "changed.mp4", *usual, "--out", tmp_path / "second.mp4")

    refused = run(*again)
    taken = run(*again, "--allow-source", "tampered", "--reason", "checked by phone", "--actor", "jw.kim", "--json")

    assert (refused.code, taken.code) == (5, 0)
    assert "--allow-source tampered" in refused.err
    assert taken.object["source"]["overridden"] == ["tampered"]


@pytest.mark.parametrize(
    "words",
    [
        ("--allow-source", "tampered"),
        ("--reason", "because"),
        ("--source-type", "magic"),
        ("--label-text", "x" * 61),
        ("--label-lang", "fr"),
        ("--out", "clip.webm"),
    ],
)
def test_what_cannot_be_asked_for_ends_with_2_and_one_line(
    run: Run, foreign: Path, home_path: Path, words: tuple[str, ...]
) -> None:
    ended = run("stamp", foreign, "--generator", "V", "--home", home_path, *words)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)


def test_a_file_that_is_missing_ends_with_2(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run("stamp", tmp_path / "gone.mp4", "--generator", "V", "--home", home_path)

    assert (ended.code, "is not a file" in ended.err) == (2, True)


def test_hdr_is_refused_until_it_is_asked_for_and_people_are_told(run: Run, home_path: Path, tmp_path: Path) -> None:
    said = "format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"
    ffmpeg(*PICTURE, "-vf", said, "-c:v", "libx264", tmp_path / "hdr.mp4")
    usual = ("stamp", tmp_path / "hdr.mp4", "--generator", "Veo 3", "--home", home_path, "--out", tmp_path / "out.mp4")

    refused = run(*usual)
    taken = run(*usual, "--tonemap", "--lang", "ko")

    assert (refused.code, "--tonemap" in refused.err) == (5, True)
    assert taken.code == 0
    assert "BT.2390" in taken.err
