"""A whole run."""

import os
import signal
from pathlib import Path

import pytest

from platemark.training.accounting import Clocks
from platemark.training.run import Hooks, TrainingProgress, run, stop_on_signals
from platemark.training.saving import CHECKPOINT, RECORD
from platemark.training.tally import Budget, Stage
from platemark.training.trainer import Trainer

BUDGET = Budget.of_steps(3, 4)


class _Ticking:
    """A clock on which every look takes a while."""

    def __init__(self, tick: float) -> None:
        self.now = 0.0
        self.tick = tick

    def __call__(self) -> float:
        """Tell the time."""
        self.now += self.tick
        return self.now


def test_a_run_comes_to_its_end_and_leaves_weights_and_record(trainer: Trainer, tmp_path: Path) -> None:
    finished = run(trainer, BUDGET, tmp_path)

    assert finished
    assert trainer.tally.stage is Stage.DONE
    assert {path.name for path in tmp_path.iterdir()} == {
        CHECKPOINT,
        RECORD,
        "tiny-autoencoder.safetensors",
        "tiny-transformer.safetensors",
    }


def test_a_listener_is_told_of_every_step(trainer: Trainer) -> None:
    told: list[TrainingProgress] = []

    run(trainer, BUDGET, None, hooks=Hooks(on_progress=told.append))

    assert [(t.tally.stage.value, t.tally.step) for t in told] == [
        ("autoencoder", 1),
        ("autoencoder", 2),
        ("autoencoder", 3),
        ("transformer", 1),
        ("transformer", 2),
        ("transformer", 3),
        ("transformer", 4),
    ]
    assert [t.progress for t in told] == pytest.approx([0, 1 / 3, 2 / 3, 0, 0.25, 0.5, 0.75])
    assert all(t.rate > 0 for t in told)


def test_a_run_without_a_directory_writes_nothing(
    trainer: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    run(trainer, BUDGET, None)

    assert list(tmp_path.iterdir()) == []


def test_checkpoints_come_every_minute_of_the_clock(trainer: Trainer, tmp_path: Path) -> None:
    told: list[bool] = []
    clocks = Clocks(_Ticking(7.0), _Ticking(1.0))

    run(trainer, BUDGET, tmp_path, hooks=Hooks(lambda t: told.append(t.saved), clocks=clocks))

    assert told == [False, False, True, False, False, True, False]


def test_a_run_that_is_stopped_saves_and_says_so(trainer: Trainer, tmp_path: Path) -> None:
    finished = run(trainer, BUDGET, tmp_path, hooks=Hooks(should_stop=lambda: trainer.tally.step == 2))

    assert not finished
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


def test_an_error_in_a_listener_goes_through(trainer: Trainer) -> None:
    def fail(_: TrainingProgress) -> None:
        raise KeyError("listener")

    with pytest.raises(KeyError, match="listener"):
        run(trainer, BUDGET, None, hooks=Hooks(on_progress=fail))


def test_a_run_on_the_clock_ends_when_its_time_is_over(trainer: Trainer) -> None:
    hooks = Hooks(clocks=Clocks(_Ticking(1.0), _Ticking(1.0)))

    finished = run(trainer, Budget(4.0, 6.0, "seconds"), None, hooks=hooks)

    assert finished
    assert 2 <= trainer.tally.steps_before <= 10


def test_time_and_energy_of_all_steps_are_added_up(trainer: Trainer) -> None:
    hooks = Hooks(clocks=Clocks(_Ticking(1.0), _Ticking(0.5)))

    run(trainer, BUDGET, None, hooks=hooks)

    assert trainer.tally.cost.cpu_seconds == pytest.approx(7 * 0.5)
    assert trainer.tally.cost.joules > 0


def test_a_finished_run_has_nothing_left_to_do(trainer: Trainer, tmp_path: Path) -> None:
    run(trainer, BUDGET, tmp_path)
    told: list[TrainingProgress] = []

    assert run(trainer, BUDGET, tmp_path, hooks=Hooks(on_progress=told.append))
    assert told == []


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_becomes_an_answer_and_the_handler_before_comes_back(name: signal.Signals) -> None:
    before = signal.getsignal(name)

    with stop_on_signals(name) as should_stop:
        quiet = should_stop()
        os.kill(os.getpid(), name)
        answered = should_stop()

    assert (quiet, answered) == (False, True)
    assert signal.getsignal(name) is before


def test_a_run_that_gets_sigterm_leaves_a_whole_checkpoint(trainer: Trainer, tmp_path: Path) -> None:
    def shoot(told: TrainingProgress) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with stop_on_signals(signal.SIGTERM) as should_stop:
        finished = run(trainer, BUDGET, tmp_path, hooks=Hooks(shoot, should_stop))

    assert not finished
    assert trainer.tally.step == 1
    assert (tmp_path / CHECKPOINT).stat().st_size > 10_000
