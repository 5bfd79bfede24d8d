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


def test_a_tour_that_stopped_says_where_to_look_and_what_to_do(run: Run, tmp_path: Path) -> None:
    ended = run("demo", tmp_path / "tour", "--model", "no-such-model")

    assert "There is no model 'no-such-model'" in ended.err
    assert "start again in a new folder" in ended.err
    assert "doctor" not in ended.err


@pytest.mark.parametrize("name", ["file/tour", "file", "loop", "x" * 300])
def test_a_folder_that_cannot_be_made_is_refused_in_a_sentence(name: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("keep")
    (tmp_path / "loop").symlink_to("loop")

    ended = run("demo", tmp_path / name)

    assert ended.code == 2
    assert "internal error" not in ended.err
    assert (tmp_path / "file").read_text() == "keep"


def test_every_stop_that_could_find_a_home_by_itself_is_given_the_tours_own(tmp_path: Path) -> None:
    own = str(tmp_path / "newsroom")

    assert all(own in stop.words for stop in stops(tmp_path, model="testcard"))


def test_quietly_the_commands_of_the_tour_are_quiet_too(run: Run, tmp_path: Path) -> None:
    ended = run("demo", tmp_path / "tour", "--quiet", "--model", "no-such-model")

    assert "development" not in ended.err
    assert len(ended.err.splitlines()) == 2


def test_every_stop_shows_a_command_and_says_in_both_languages_what_for(tmp_path: Path) -> None:
    tour = list(stops(tmp_path, model="testcard"))

    assert len(tour) >= 12
    assert all(translate("ko", stop.told) != stop.told for stop in tour)


@pytest.mark.parametrize(
    "command", ["generate", "verify", "publish", "correct", "withdraw", "comply", "export", "audit"]
)
def test_it_shows_each_of_the_main_commands(command: str, tmp_path: Path) -> None:
    assert command in {stop.words[0] for stop in stops(tmp_path, model="testcard")}
