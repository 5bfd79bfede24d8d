"""`platemark comply` on real files with one flaw each: the right clause fails, and nothing else does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flawed_clips import FLAWS, NOT_FLAWED, Bench, Flaw, open_bench

from platemark.cli import main

WORDING = "CN-ex-words"


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Where the files are made, once for all of these tests."""
    with open_bench(tmp_path_factory.mktemp("flawed")) as opened:
        yield opened


def comply(bench: Bench, flaw: Flaw, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Make the file, run the command, and give its exit code and what it said."""
    path: Path = flaw.make(bench, flaw.name)
    capsys.readouterr()
    home = str(bench.studio.home.path)
    code = main(["comply", str(path), "--profile", flaw.profile, *flaw.words, "--home", home, "--json"])
    return code, json.loads(capsys.readouterr().out)


def failing(told: dict[str, Any], *, optional: bool) -> set[str]:
    clauses = (clause for profile in told["profiles"] for clause in profile["clauses"])
    found = {each["id"] for each in clauses if each["outcome"] == "fail" and each["optional"] is optional}
    return found - {WORDING}


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.name)
def test_a_file_with_one_flaw_fails_the_clause_that_asks_for_it_and_no_other(
    bench: Bench, flaw: Flaw, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = comply(bench, flaw, capsys)

    assert failing(told, optional=False) == flaw.fails
    assert failing(told, optional=True) == flaw.optional
    assert code == (0 if told["passed"] else 7)
    assert told["passed"] is not bool(flaw.fails) or WORDING in json.dumps(told)


@pytest.mark.parametrize("flaw", NOT_FLAWED, ids=lambda flaw: flaw.name)
def test_where_a_clause_does_not_bind_or_nothing_is_wrong_the_file_passes(
    bench: Bench, flaw: Flaw, capsys: pytest.CaptureFixture[str]
) -> None:
    _, told = comply(bench, flaw, capsys)

    assert failing(told, optional=False) == set()


def test_there_are_at_least_forty_flaws_each_named_by_its_file() -> None:
    names = [flaw.name for flaw in FLAWS]

    assert len(names) == len(set(names)) >= 40


def test_every_binding_clause_of_every_profile_is_failed_by_some_file() -> None:
    from platemark.compliance.profile import PROFILES, load_profile

    binding = {clause.id for name in PROFILES for clause in load_profile(name).clauses if not clause.optional}

    assert binding - set().union(*(flaw.fails for flaw in FLAWS)) == {WORDING}


def test_a_wording_that_is_not_chinas_fails_its_clause(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    flaw = next(each for each in NOT_FLAWED if each.name == "aigc-written.mp4")

    code, told = comply(bench, flaw, capsys)

    outcomes = {clause["id"]: clause["outcome"] for clause in told["profiles"][0]["clauses"]}
    assert (code, outcomes[WORDING]) == (7, "fail")


# What was measured in the pixels


def measured(bench: Bench, name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    flaw = next(each for each in (*FLAWS, *NOT_FLAWED) if each.name == name)
    path = bench.folder / flaw.name
    made = path if path.is_file() else flaw.make(bench, flaw.name)
    capsys.readouterr()
    main(["comply", str(made), "--profile", flaw.profile, "--home", str(bench.studio.home.path), "--json"])
    label: dict[str, Any] = json.loads(capsys.readouterr().out)["label"]
    return label


def test_height_contrast_and_place_are_measured_on_the_picture(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    good = measured(bench, "good.mp4", capsys)["sighting"]

    assert good["place"] == "top_right"
    assert good["height_share"] >= 0.05
    assert good["contrast"] >= 4.5
    x, y, width, height = good["box"]
    assert 0 <= x < x + width <= 128
    assert 0 <= y < y + height <= 64


def test_a_small_and_a_faint_label_measure_as_what_they_are(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    small = measured(bench, "label-too-small.mp4", capsys)["sighting"]
    faint = measured(bench, "label-too-faint.mp4", capsys)["sighting"]

    assert 0.02 < small["height_share"] < 0.045
    assert 1.0 < faint["contrast"] < 3.0


def test_without_a_label_nothing_is_measured(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert measured(bench, "label-missing.mp4", capsys) == {"frames": 6, "labelled": 0, "sighting": None}
