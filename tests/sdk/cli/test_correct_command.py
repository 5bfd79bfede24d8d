"""`platemark correct` as an editor uses it, and where others see the correction."""

import csv
from pathlib import Path
from typing import Any

import pytest
from cli_session import Ended, Run

REASON = "The caption named the wrong city"


@pytest.fixture
def corrected(run: Run, made: dict[str, Any], home_path: Path) -> Ended:
    """A correction of the clip that was just made."""
    return run("correct", made["path"], "--reason", REASON, "--by", "Lee Sora", "--home", home_path, "--json")


def test_its_json_tells_the_clip_the_correction_and_the_copy(corrected: Ended, made: dict[str, Any]) -> None:
    told = corrected.object

    assert corrected.code == 0
    assert (told["clip_id"], told["already"], told["corrections"][0]["reason"]) == (made["clip_id"], False, REASON)
    assert Path(told["path"]).is_file()
    assert told["ledger"]["seq"] > made["ledger"]["seq"]


def test_people_read_where_the_copy_is_and_what_stays(run: Run, made: dict[str, Any], home_path: Path) -> None:
    ended = run("correct", made["path"], "--reason", REASON, "--by", "Lee Sora", "--home", home_path)

    assert ended.out.splitlines() == [
        f"{made['clip_id']} is corrected: {REASON}",
        str(Path(made["path"]).with_name("clip.corrected.mp4")),
    ]
    assert "stays as it was" in ended.err


def test_in_korean(run: Run, made: dict[str, Any], home_path: Path) -> None:
    ended = run(
        "correct",
        made["path"],
        "--reason",
        "도시가 다릅니다",
        "--by",
        "이소라",
        "--home",
        home_path,
        "--lang",
        "ko",
    )

    assert "정정했습니다: 도시가 다릅니다" in ended.out
    assert "이전 파일은 그대로" in ended.err


def test_without_its_file_only_the_log_is_told(run: Run, made: dict[str, Any], home_path: Path) -> None:
    Path(made["path"]).unlink()

    ended = run("correct", made["clip_id"], "--reason", REASON, "--by", "Lee Sora", "--home", home_path)

    assert ended.code == 0
    assert "no copy was made" in ended.err


def test_verify_shows_it_in_text_json_table_and_page(
    run: Run, corrected: Ended, made: dict[str, Any], home_path: Path, tmp_path: Path
) -> None:
    table, page = tmp_path / "verdicts.csv", tmp_path / "verdicts.html"

    text = run("verify", made["path"], "--home", home_path, "--csv", table, "--html", page)
    told = run("verify", made["path"], "--home", home_path, "--json").object
    with table.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)

    assert "TRUSTED, CORRECTED" in text.out
    assert REASON in text.out
    assert [each["reason"] for each in told["corrections"]] == [REASON]
    assert (row["corrected_reason"], row["corrected_date"][:4]) == (REASON, told["corrections"][0]["date"][:4])
    assert "The publisher has corrected this clip." in page.read_text("utf-8")
    assert REASON in page.read_text("utf-8")


def test_a_bundle_and_every_export_tell_of_it(
    run: Run, corrected: Ended, made: dict[str, Any], home_path: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "clip.zip"
    run("audit", "bundle", made["clip_id"], "--out", bundle, "--home", home_path)

    checked = run("audit", "verify-bundle", bundle)
    forms = ("ninjs", "newsml-g2", "vmh", "mos", "json-ld")
    documents = [run("export", made["clip_id"], "--format", form, "--home", home_path).out for form in forms]

    assert REASON in checked.out
    assert all(REASON in document for document in documents)


def test_the_trace_tells_it_in_a_sentence(run: Run, corrected: Ended, made: dict[str, Any], home_path: Path) -> None:
    ended = run("audit", "trace", made["clip_id"], "--home", home_path)

    assert "The clip was corrected" in ended.out


def test_the_same_correction_again_is_said_to_be_known(
    run: Run, corrected: Ended, made: dict[str, Any], home_path: Path, tmp_path: Path
) -> None:
    ended = run(
        "correct", made["path"], "--reason", REASON, "--by", "Lee Sora", "--out", tmp_path / "b.mp4",
        "--home", home_path,
    )  # fmt: skip

    assert (ended.code, "recorded before" in ended.err) == (0, True)


@pytest.mark.parametrize(("words", "said"), [(("--by", "Lee"), "--reason"), (("--reason", "x"), "--by")])
def test_both_a_reason_and_a_name_are_asked_for(
    run: Run, made: dict[str, Any], home_path: Path, words: tuple[str, ...], said: str
) -> None:
    ended = run("correct", made["path"], *words, "--home", home_path)

    assert (ended.code, said in ended.err) == (2, True)
