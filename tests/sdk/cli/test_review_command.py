"""`platemark review`: what producers and editors type, and what they read."""

from pathlib import Path

import pytest
from cli_session import Ended, Run

PROMPT = "Президент объявляет войну"


@pytest.fixture
def ask(run: Run, home_path: Path, tmp_path: Path) -> "Run":
    """Ask for a clip that waits for an editor."""

    def asking(*more: str) -> Ended:
        return run(
            "generate", PROMPT, "--model", "testcard", "--seconds", "0.5", "--size", "256x256", "--seed", "7",
            "--out", tmp_path / "clip.mp4", "--home", home_path, "--actor", "jw.kim", "--json", *more,
        )  # fmt: skip

    return asking


def test_from_hold_to_clip_in_three_commands(ask: Run, run: Run, home_path: Path, tmp_path: Path) -> None:
    held = ask()
    ticket = held.object["ticket"]

    approved = run("review", "approve", ticket, "--as", "e.park", "--reason", "drill", "--home", home_path, "--json")
    made = ask()

    assert (held.code, held.object["seed"]) == (8, "7")
    assert (approved.code, approved.object["state"]) == (0, "approved")
    assert made.code == 0
    assert (tmp_path / "clip.mp4").is_file()


def test_the_producer_cannot_approve_their_own(ask: Run, run: Run, home_path: Path) -> None:
    ticket = ask().object["ticket"]

    refused = run("review", "approve", ticket, "--as", "jw.kim", "--reason", "mine", "--home", home_path)

    assert refused.code == 3
    assert "cannot approve" in refused.err


def test_list_and_show_speak_korean(ask: Run, run: Run, home_path: Path) -> None:
    ticket = ask().object["ticket"]

    listed = run("review", "list", "--home", home_path, "--lang", "ko")
    shown = run("review", "show", ticket, "--home", home_path, "--lang", "ko")

    assert "대기 중" in listed.out
    assert PROMPT in shown.out
    assert "승인 0/1" in shown.out


def test_an_empty_queue_says_so_and_is_no_error(run: Run, home_path: Path) -> None:
    assert run("review", "list", "--home", home_path).out == "No tickets.\n"
    assert run("review", "list", "--home", home_path, "--json").objects == []


def test_a_rejection_is_shown_in_the_list_of_rejected(ask: Run, run: Run, home_path: Path) -> None:
    ticket = ask().object["ticket"]
    run("review", "reject", ticket, "--as", "e.park", "--reason", "no", "--home", home_path)

    (row,) = run("review", "list", "--state", "rejected", "--home", home_path, "--json").objects

    assert (row["ticket"], row["state"]) == (ticket, "rejected")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["list", "--state", "lost"], 2),
        (["list", "--limit", "0"], 2),
        (["show", "nothing"], 2),
        (["approve", "nothing", "--as", "e.park", "--reason", "x"], 2),
        (["approve", "nothing", "--as", " ", "--reason", "x"], 2),
        (["reject", "nothing", "--as", "e.park", "--reason", " "], 3),
        (["request", "nothing", "--actor", "jw.kim", "--reason", "x"], 2),
    ],
)
def test_wrong_usage_ends_with_its_code_and_a_sentence(run: Run, home_path: Path, words: list[str], code: int) -> None:
    ended = run("review", *words, "--home", home_path)

    assert ended.code == code
    assert ended.err.startswith("platemark: ")
