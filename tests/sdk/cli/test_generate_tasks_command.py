"""`platemark generate` with pictures and clips, as its user meets it."""

from pathlib import Path
from typing import Any

import pytest
from cli_session import Run
from odd_clips import picture, write_clip
from PIL import Image

PROMPT = "a calm blue sea at sunset"
QUICK = ("--model", "testcard", "--seconds", "0.5", "--seed", "7")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture that is wider than the clips made of it."""
    Image.fromarray(picture(400, 256)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_the_task_is_named_where_nobody_named_it(run: Run, home_path: Path, tmp_path: Path, photo: Path) -> None:
    out = ("--out", tmp_path / "made.mp4", "--home", home_path)

    chosen = run("generate", PROMPT, *QUICK, "--image", photo, *out)
    named = run("generate", PROMPT, *QUICK, "--image", photo, "--task", "image-to-video", "--overwrite", *out)

    assert (chosen.code, named.code) == (0, 0)
    assert "The task is image-to-video." in chosen.err
    assert "The task is" not in named.err


def test_what_was_cut_away_and_left_out_is_said(run: Run, home_path: Path, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "loud.mp4", size=(400, 256), sound=True)

    ended = run(
        "generate", PROMPT, *QUICK, "--clip", source, "--size", "256x256", "--out", tmp_path / "made.mp4", "--home",
        home_path,
    )  # fmt: skip

    assert "Of a given clip of 400x256 the middle 256x256 was used." in ended.err
    assert "The sound of the given clip was left out." in ended.err


def test_remarks_are_korean_where_that_was_asked_for(run: Run, home_path: Path, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "loud.mp4", size=(256, 256), sound=True)

    ended = run(
        "generate", "잔잔한 바다", *QUICK, "--clip", source, "--out", tmp_path / "made.mp4", "--home", home_path,
        "--lang", "ko",
    )  # fmt: skip

    assert "작업은 extend입니다." in ended.err
    assert "받은 클립의 소리는 넣지 않았습니다." in ended.err


def test_keyframes_stand_where_the_command_line_puts_them(
    run: Run, home_path: Path, tmp_path: Path, photo: Path
) -> None:
    ended = run(
        "generate", PROMPT, *QUICK, "--image", f"{photo}@0", "--image", f"{photo}@0.25s", "--image", f"{photo}@end",
        "--size", "256x256", "--out", tmp_path / "made.mp4", "--home", home_path, "--json",
    )  # fmt: skip

    assert ended.object["task"] == "keyframes"
    assert ended.object["conditions"] == ["frames 0 to 0 kept", "frames 3 to 3 kept", "frames 5 to 5 kept"]


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (("0", "0s"), "Frame 0 is given twice"),
        (("0", "6"), "Frame 6 is given, but the clip's frames are 0 to 5"),
        (("0", "0.5s"), "Frame 6 is given"),
        (("end", "5"), "Frame 5 is given twice"),
    ],
)
def test_keyframes_that_clash_or_lie_outside_are_refused_with_the_frame(
    run: Run, home_path: Path, tmp_path: Path, photo: Path, places: tuple[str, str], words: str
) -> None:
    images = [word for place in places for word in ("--image", f"{photo}@{place}")]

    ended = run("generate", PROMPT, *QUICK, *images, "--out", tmp_path / "made.mp4", "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert words in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newsroom", "photo.png"]


@pytest.mark.parametrize("fill", ["0-5", "6-7", "4-2", "0s-0.5s"])
def test_a_run_that_is_empty_everything_or_outside_is_refused(
    run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path, fill: str
) -> None:
    words = ("--model", "testcard", "--clip", made["path"], "--fill", fill)

    ended = run("generate", PROMPT, *words, "--out", tmp_path / "filled.mp4", "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "some, not all, of 0 to 5" in ended.err


def test_a_dry_run_prints_the_plan_and_makes_nothing(run: Run, home_path: Path, tmp_path: Path, photo: Path) -> None:
    words = ("--image", photo, "--seed", "7", "--out", tmp_path / "made.mp4", "--home", home_path, "--dry-run")

    for_people, for_programs = run("generate", PROMPT, *words), run("generate", PROMPT, *words, "--json")

    assert "task: image-to-video" in for_people.out
    assert for_programs.object["cost"]["forwards"] > 0
    assert not (tmp_path / "made.mp4").exists()


def test_a_tampered_source_ends_with_5_and_names_the_way_out(
    run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path
) -> None:
    content = bytearray(Path(made["path"]).read_bytes())
    content[content.rindex(b"mdat") + 400] ^= 1
    (tmp_path / "bad.mp4").write_bytes(content)
    words = ("generate", PROMPT, *QUICK, "--clip", tmp_path / "bad.mp4", "--out", tmp_path / "x.mp4")
    editor = ("--allow-source", "tampered", "--reason", "checked by phone", "--actor", "jw.kim")

    refused = run(*words, "--home", home_path)
    allowed = run(*words, *editor, "--home", home_path)

    assert (refused.code, len(refused.err.splitlines())) == (5, 1)
    assert "--allow-source tampered" in refused.err
    assert allowed.code == 0


@pytest.mark.parametrize("name", ["made.mp4", "made.gif", "made"])
def test_a_picture_is_not_written_under_a_clips_name(run: Run, home_path: Path, tmp_path: Path, name: str) -> None:
    ended = run("generate", PROMPT, "--task", "image", "--out", tmp_path / name, "--home", home_path)

    assert ended.code == 2
    assert ".png or .jpg" in ended.err


def test_a_picture_without_a_name_is_named_after_its_seed(
    run: Run, home_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    ended = run("generate", PROMPT, "--model", "testcard", "--task", "image", "--seed", "7", "--home", home_path, "-q")

    assert ended.out == f"{tmp_path / 'image-7.png'}\n"
