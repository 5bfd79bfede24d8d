"""`platemark publish` as an editor uses it, in English and Korean, and what `generate` and `verify` say of drafts."""

from pathlib import Path
from typing import Any

import pytest
from cli_session import Run


@pytest.fixture
def draft(run: Run, gated_path: Path, tmp_path: Path) -> dict[str, Any]:
    """The JSON of a draft that was just made."""
    ended = run(
        "generate", "a calm blue sea at sunset", "--model", "testcard", "--seconds", "0.5", "--size", "128x128",
        "--out", tmp_path / "draft.mp4", "--home", gated_path, "--actor", "jw.kim", "--byline", "Kim Ji-woo", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return ended.object


def test_generate_says_that_it_made_a_draft(run: Run, draft: dict[str, Any], gated_path: Path, tmp_path: Path) -> None:
    ended = run(
        "generate", "a calm blue sea", "--model", "testcard", "--seconds", "0.5", "--size", "128x128",
        "--out", tmp_path / "b.mp4", "--home", gated_path, "--lang", "ko",
    )  # fmt: skip

    assert draft["publication"] == "draft"
    assert "초안" in ended.out


def test_a_second_person_publishes_and_verify_says_so(
    run: Run, draft: dict[str, Any], gated_path: Path, tmp_path: Path
) -> None:
    ended = run(
        "publish", draft["path"], "--approver", "Lee Sora", "--reason", "checked", "--profile", "kr-ai-basic",
        "--out", tmp_path / "air.mp4", "--home", gated_path, "--json",
    )  # fmt: skip
    told = run("verify", tmp_path / "air.mp4", draft["path"], "--home", gated_path, "--json")

    assert (ended.code, ended.object["publication"], ended.object["clip_id"]) == (0, "published", draft["clip_id"])
    assert [each["publication"] for each in told.objects] == ["published", "draft"]
    assert told.code == 0


def test_a_refusal_numbers_and_names_each_check_with_what_to_do(
    run: Run, draft: dict[str, Any], gated_path: Path
) -> None:
    ended = run("publish", draft["path"], "--approver", "jw.kim", "--reason", "mine", "--home", gated_path, "--json")

    check = ended.object["checks"][0]
    assert (ended.code, ended.object["publication"], check["number"], check["name"]) == (3, "refused", 6, "approver")
    assert check["fix"] == "Ask another editor."
    assert "6 approver" in ended.err


def test_a_refusal_is_told_in_korean(run: Run, draft: dict[str, Any], gated_path: Path) -> None:
    ended = run(
        "publish", draft["path"], "--approver", "jw.kim", "--reason", "mine", "--home", gated_path, "--lang", "ko"
    )

    assert ended.code == 3
    assert "다른 편집자에게 요청하십시오" in ended.err


def test_a_failing_clause_ends_with_exit_code_seven(run: Run, draft: dict[str, Any], gated_path: Path) -> None:
    ended = run(
        "publish", draft["path"], "--approver", "Lee Sora", "--reason", "checked", "--profile", "cn-gb45438",
        "--home", gated_path, "--json",
    )  # fmt: skip

    assert (ended.code, [each["name"] for each in ended.object["checks"]]) == (7, ["profile"])


def test_an_approval_without_a_reason_is_not_one(run: Run, draft: dict[str, Any], gated_path: Path) -> None:
    ended = run("publish", draft["path"], "--approver", "Lee Sora", "--reason", " ", "--home", gated_path)

    assert ended.code == 3


def test_a_file_that_is_not_there_is_an_error_and_no_crash(run: Run, gated_path: Path, tmp_path: Path) -> None:
    ended = run("publish", tmp_path / "no.mp4", "--approver", "Lee", "--reason", "x", "--home", gated_path)

    assert ended.code == 5
