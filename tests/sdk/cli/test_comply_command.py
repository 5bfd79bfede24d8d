"""`platemark comply` on real files: right verdicts, exit code 7, and a page that explains itself."""

from pathlib import Path
from typing import Any

import pytest
from cli_session import Run

from platemark.clip import Size
from platemark.media.video import remux_without_metadata


def outcomes(told: dict[str, Any]) -> dict[str, str]:
    return {clause["id"]: clause["outcome"] for profile in told["profiles"] for clause in profile["clauses"]}


def test_a_clip_made_here_meets_the_korean_and_californian_rules(
    run: Run, made: dict[str, Any], home_path: Path
) -> None:
    ended = run("comply", made["path"], "--profile", "kr-ai-basic,ca-sb942", "--home", home_path, "--json")

    assert ended.code == 0
    assert ended.object["passed"] is True
    assert set(outcomes(ended.object).values()) <= {"pass", "not_applicable"}


def test_a_clip_without_a_time_stamp_fails_the_european_code_and_nothing_else_there(
    run: Run, made: dict[str, Any], home_path: Path
) -> None:
    ended = run("comply", made["path"], "--profile", "eu-art50", "--home", home_path, "--json")

    failed = [name for name, outcome in outcomes(ended.object).items() if outcome == "fail"]
    assert (ended.code, failed) == (7, ["EU-1.1.1-time"])


def test_a_stripped_copy_fails_what_needs_metadata_and_keeps_what_is_in_the_pixels(
    run: Run, made: dict[str, Any], home_path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "stripped.mp4"
    remux_without_metadata(Path(made["path"]), copy)

    ended = run("comply", copy, "--profile", "ca-sb942", "--home", home_path, "--json")

    found = outcomes(ended.object)
    assert ended.code == 7
    assert (found["CA-b1"], found["CA-b3"]) == ("fail", "fail")
    assert (found["CA-a"], found["CA-b2"], found["CA-b4"]) == ("pass", "pass", "pass")


def test_the_page_is_written_and_shows_three_frames(
    run: Run, made: dict[str, Any], home_path: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"

    run("comply", made["path"], "--profile", "kr-ai-basic", "--home", home_path, "--html", page, "--lang", "ko")

    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 3
    assert "인공지능 기본법" in text
    assert 'lang="ko"' in text


def test_the_page_escapes_a_name_made_to_break_it(
    run: Run, made: dict[str, Any], home_path: Path, tmp_path: Path
) -> None:
    nasty = tmp_path / "<script>alert(1)<／script>.mp4"
    nasty.write_bytes(Path(made["path"]).read_bytes())
    page = tmp_path / "page.html"

    run("comply", nasty, "--profile", "kr-ai-basic", "--home", home_path, "--html", page)

    assert "<script" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--profile", "eu-art51"], "Unknown compliance profile"),
        (["--profile", " , "], "No profile was named"),
        (["--role", "boss"], "Unknown role"),
        (["--breaks", "ten"], "Breaks are seconds"),
        (["--breaks", "-4"], "Breaks are seconds"),
        (["--breaks", "nan"], "Breaks are seconds"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_looked_at(
    run: Run, home_path: Path, words: list[str], told: str
) -> None:
    ended = run("comply", "missing.mp4", *words, "--home", home_path)

    assert ended.code == 2
    assert told in ended.err


def test_a_page_never_takes_the_place_of_the_clip(run: Run, made: dict[str, Any], home_path: Path) -> None:
    before = Path(made["path"]).read_bytes()

    ended = run("comply", made["path"], "--profile", "kr-ai-basic", "--home", home_path, "--html", made["path"])

    assert ended.code == 2
    assert Path(made["path"]).read_bytes() == before


def test_people_read_every_clause_in_their_language(run: Run, made: dict[str, Any], home_path: Path) -> None:
    ended = run("comply", made["path"], "--profile", "kr-ai-basic", "--home", home_path, "--lang", "ko")

    assert "충족" in ended.out
    assert "KR-31-3" in ended.out
    assert "법률 자문이 아닙니다" in ended.err


def test_a_still_is_checked_as_one_frame(run: Run, home_path: Path, tmp_path: Path) -> None:
    import numpy as np

    from platemark.media.label import LabelSpec, render_label
    from platemark.media.still import write_still

    picture = render_label(LabelSpec.standard("en"), Size(320, 240)).draw(np.full((240, 320, 3), 90, np.uint8))
    write_still(picture, tmp_path / "still.png")

    ended = run("comply", tmp_path / "still.png", "--profile", "kr-ai-basic", "--home", home_path, "--json")

    assert outcomes(ended.object)["KR-31-3"] == "pass"


def test_the_korean_page_says_yes_no_and_the_role_in_korean(
    run: Run, made: dict[str, Any], home_path: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"

    run("comply", made["path"], "--profile", "kr-ai-basic", "--home", home_path, "--html", page, "--lang", "ko")

    text = page.read_text(encoding="utf-8")
    assert "제공자의 의무로" in text
    assert "모든 프레임의 표시: 예" in text
    assert ": yes" not in text
