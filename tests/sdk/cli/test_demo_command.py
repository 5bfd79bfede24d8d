"""`platemark demo`: the tour goes through, in both languages, and touches nothing else."""

from pathlib import Path

import pytest
from cli_session import Run

from platemark.cli.demo import stops
from platemark.i18n import translate


def test_the_tour_goes_through_and_ends_with_a_whole_log(run: Run, tmp_path: Path) -> None:
    ended = run("demo", tmp_path / "tour", "--lang", "ko")

    assert ended.code == 0, ended.err
    assert (tmp_path / "tour/clip.published.corrected.mp4").is_file()
    assert "14." in ended.err
    assert "철회" in ended.out


def test_a_folder_with_something_in_it_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")

    ended = run("demo", tmp_path)

    assert (ended.code, [path.name for path in tmp_path.iterdir()]) == (2, ["mine.txt"])
    assert "empty folder" in ended.err


def test_a_stop_that_ends_otherwise_than_it_should_ends_the_tour(run: Run, tmp_path: Path) -> None:
    ended = run("demo", tmp_path / "tour", "--model", "no-such-model", "--quiet")

    assert ended.code == 1
    assert "stopped at number 2" in ended.err


def test_every_stop_shows_a_command_and_says_in_both_languages_what_for(tmp_path: Path) -> None:
    tour = list(stops(tmp_path, model="testcard"))

    assert len(tour) >= 12
    assert all(translate("ko", stop.told) != stop.told for stop in tour)


@pytest.mark.parametrize(
    "command", ["generate", "verify", "publish", "correct", "withdraw", "comply", "export", "audit"]
)
def test_it_shows_each_of_the_main_commands(command: str, tmp_path: Path) -> None:
    assert command in {stop.words[0] for stop in stops(tmp_path, model="testcard")}
