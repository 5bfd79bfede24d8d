"""`platemark train`, as its user meets it."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
import typer

from platemark.cli.train import EXIT_STOPPED, train
from platemark.errors import OutputError, RequestError
from platemark.training import config as presets
from platemark.training.config import TrainingConfig
from platemark.training.saving import RECORD

INSTANT = 0.02
"""Minutes."""


@dataclass(frozen=True)
class Place:
    """Where runs go."""

    path: Path

    @property
    def record(self) -> dict[str, object]:
        """What the run wrote about itself."""
        words: dict[str, object] = json.loads((self.path / RECORD).read_text())
        return words


@pytest.fixture
def place(tiny: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A directory for runs, with a tiny preset beside the real ones; nothing is compiled, which takes a minute."""
    monkeypatch.setattr("platemark.training.compute.which", lambda _: None)
    monkeypatch.setattr(presets, "PRESETS", MappingProxyType({**presets.PRESETS, "tiny": tiny}))
    return Place(tmp_path / "run")


def test_a_run_leaves_weights_and_says_where(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu")

    printed = capsys.readouterr()
    assert printed.out.strip() == str(place.path)
    assert "CPU seconds" in printed.err
    assert "In a second: " in printed.err
    assert (place.path / "tiny-transformer.safetensors").is_file()


def test_json_is_one_object_with_the_cost_and_its_method(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu", as_json=True, quiet=True)

    printed = json.loads(capsys.readouterr().out)
    assert (printed["finished"], printed["stage"], printed["preset"]) == (True, "done", "tiny")
    assert printed["cost"]["method"] != "none"
    assert printed["throughput"]["flops_per_second"] > 0
    assert (printed["throughput"]["device"], printed["throughput"]["utilisation"]) == ("the processor", None)


def test_an_evaluation_can_be_asked_for(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu", evaluate=2, as_json=True)

    assert json.loads(capsys.readouterr().out)["evaluation"]["real"]["clips"] == 2


def test_an_evaluation_is_told_in_words(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu", evaluate=2)

    assert "Right in everything on 2 held-out clips: real" in capsys.readouterr().out


def test_a_seed_can_be_chosen(place: Place) -> None:
    train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu", seed=5, quiet=True)

    config = place.record["config"]
    assert isinstance(config, dict)
    assert config["seed"] == 5


def test_a_directory_that_holds_a_run_is_not_written_over(place: Place) -> None:
    train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu", quiet=True)

    with pytest.raises(OutputError, match="already holds a run") as refusal:
        train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu")

    assert "--resume" in refusal.value.fix


def test_resume_goes_on_and_may_be_the_first_start(place: Place) -> None:
    train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu", resume=True, quiet=True)
    before = place.record

    train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu", resume=True, quiet=True)

    assert place.record == before


@pytest.mark.parametrize(("preset", "seed"), [("nano", None), ("tiny", 9)])
def test_a_run_of_another_kind_is_not_resumed(place: Place, preset: str, seed: int | None) -> None:
    train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu", quiet=True)

    with pytest.raises(RequestError, match="holds a run of tiny with seed 1"):
        train(preset=preset, minutes=INSTANT, out=place.path, device="cpu", resume=True, seed=seed)


def test_a_run_that_is_stopped_says_how_to_go_on(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("platemark.training.run.run", lambda *_, **__: False)

    with pytest.raises(typer.Exit) as left:
        train(preset="tiny", minutes=INSTANT, out=place.path, device="cpu")

    assert left.value.exit_code == EXIT_STOPPED
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize("minutes", [0.0, -1.0, 1e9, float("nan")])
def test_impossible_minutes_are_refused(place: Place, minutes: float) -> None:
    with pytest.raises(RequestError, match="Minutes"):
        train(preset="tiny", minutes=minutes, out=place.path)


@pytest.mark.parametrize("clips", [-1, 4097])
def test_an_impossible_number_of_clips_is_refused(place: Place, clips: int) -> None:
    with pytest.raises(RequestError, match="0 to 4096"):
        train(preset="tiny", minutes=INSTANT, out=place.path, evaluate=clips)


@pytest.mark.parametrize(("preset", "device"), [("huge", "cpu"), ("tiny", "abacus")])
def test_what_is_not_known_is_refused_and_nothing_is_left(place: Place, preset: str, device: str) -> None:
    with pytest.raises(RequestError):
        train(preset=preset, minutes=INSTANT, out=place.path, device=device)

    assert not place.path.exists()
