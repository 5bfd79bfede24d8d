"""`publish`, `correct` and `withdraw` where the home lists who may, as somebody else tries them."""

from pathlib import Path
from typing import Any

import pytest
from cli_session import Run

NAME = {"correct": "--by", "withdraw": "--actor"}


@pytest.fixture
def listed(home_path: Path) -> Path:
    config = home_path / "platemark.toml"
    config.write_text(
        config.read_text("utf-8") + '\n[[desk.approvers]]\nname = "Lee Sora"\nmay = ["withdraw"]\n', "utf-8"
    )
    return home_path


@pytest.mark.parametrize(("command", "name"), [("correct", "Lee Sora"), ("correct", "Kim"), ("withdraw", "Kim")])
def test_whoever_may_not_is_refused_with_exit_code_3(
    run: Run, made: dict[str, Any], listed: Path, command: str, name: str
) -> None:
    ended = run(command, made["path"], "--reason", "x", NAME[command], name, "--home", listed, "--json")

    assert ended.code == 3
    assert ended.object["checks"][0]["name"] == "approver"


def test_a_withdrawal_without_a_name_is_refused_there(run: Run, made: dict[str, Any], listed: Path) -> None:
    assert run("withdraw", made["path"], "--reason", "x", "--home", listed).code == 3


def test_whoever_may_does(run: Run, made: dict[str, Any], listed: Path) -> None:
    assert run("withdraw", made["path"], "--reason", "x", "--actor", "lee sora", "--home", listed).code == 0


@pytest.mark.parametrize(
    ("command", "heading", "korean"),
    [("correct", "Not corrected:", "정정하지 않았습니다:"), ("withdraw", "Not withdrawn:", "철회하지 않았습니다:")],
)
def test_the_refusal_names_what_was_not_done_in_both_languages(
    run: Run, made: dict[str, Any], listed: Path, command: str, heading: str, korean: str
) -> None:
    words = (command, made["path"], "--reason", "x", NAME[command], "Kim", "--home", listed)

    english, told = run(*words).err, run(*words, "--lang", "ko").err

    assert heading in english
    assert "is not on this home's list" in english
    assert korean in told
    assert "not on this home's list" not in told
    assert "[Kim]" in told


def test_an_export_that_the_gate_refuses_is_told_in_korean_too(run: Run, made: dict[str, Any], home_path: Path) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("gate = false", "gate = true"), "utf-8")

    ended = run("export", made["path"], "--format", "ninjs", "--home", home_path, "--lang", "ko")

    assert ended.code == 3
    assert "발행하지 않았습니다:" in ended.err
    assert "nobody approved" not in ended.err
