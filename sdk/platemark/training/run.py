"""A run from its beginning, or its last checkpoint, to its end.

One rule: whatever stops a run — its budget, a signal, an error — the last checkpoint on disk is whole.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from platemark.training.accounting import Clocks, Meter
from platemark.training.optimisation import learning_rate
from platemark.training.saving import export, save_checkpoint
from platemark.training.tally import Budget, Stage, Tally
from platemark.training.trainer import Trainer

SAVE_EVERY_S = 60.0
_REAL_CLOCKS = Clocks()


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """What a listener is told after each step.

    Attributes:
        tally: how far the run has come.
        progress: of the stage, 0 to 1.
        loss: of the last step.
        rate: of learning, in the last step.
        saved: whether a checkpoint was written just now.
    """

    tally: Tally
    progress: float
    loss: float
    rate: float
    saved: bool


def _ignore(_: TrainingProgress) -> None:
    return


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a run asks and tells the outside.

    Attributes:
        on_progress: called after each step.
        should_stop: asked before each step; the run then saves and stops.
        clocks: what time it is.
    """

    on_progress: Callable[[TrainingProgress], None] = _ignore
    should_stop: Callable[[], bool] = _never
    clocks: Clocks = _REAL_CLOCKS


def run(trainer: Trainer, budget: Budget, directory: Path | None, *, hooks: Hooks | None = None) -> bool:
    """Train until the budget is spent or a hook says stop.

    Args:
        trainer: new, or from a checkpoint.
        budget: of both stages, what was spent before a checkpoint included.
        directory: for checkpoints, every minute and at the end, and for the weights; none writes nothing.
        hooks: see `Hooks`.

    Returns:
        Whether the run came to its end; then the weights and the record are in the directory.

    Raises:
        OutputError: the directory cannot be written to.
    """
    hooks = hooks or Hooks()
    saved_at = hooks.clocks.wall()
    meter = _meter(trainer, hooks)
    while trainer.tally.stage is not Stage.DONE:
        progress = budget.progress(trainer.tally)
        if progress >= 1 and trainer.tally.step > 0:
            _next_stage(trainer)
            continue
        if hooks.should_stop():
            _save(trainer, directory)
            return False
        if trainer.tally.stage is Stage.AUTOENCODER and trainer.tally.step == 0:
            trainer.begin_stage()
        loss = trainer.step(progress)
        trainer.tally = trainer.tally.spent(meter.read())
        meter = _meter(trainer, hooks)
        due = hooks.clocks.wall() - saved_at >= SAVE_EVERY_S
        if due:
            _save(trainer, directory)
            saved_at = hooks.clocks.wall()
        hooks.on_progress(TrainingProgress(trainer.tally, progress, loss, _rate(trainer, progress), due))
    _save(trainer, directory)
    if directory is not None:
        export(trainer, directory)
    return True


def _meter(trainer: Trainer, hooks: Hooks) -> Meter:
    return Meter(hooks.clocks, accelerator=trainer.compute.device.type == "cuda")


def _next_stage(trainer: Trainer) -> None:
    trainer.tally = trainer.tally.next_stage()
    if trainer.tally.stage is not Stage.DONE:
        trainer.begin_stage()


def _save(trainer: Trainer, directory: Path | None) -> None:
    if directory is not None:
        save_checkpoint(trainer, directory)


def _rate(trainer: Trainer, progress: float) -> float:
    first = trainer.tally.stage is Stage.AUTOENCODER
    settings = trainer.config.autoencoder_optimiser if first else trainer.config.optimiser
    return learning_rate(settings, step=trainer.tally.step - 1, progress=progress)


@contextmanager
def stop_on_signals(*names: signal.Signals) -> Iterator[Callable[[], bool]]:
    """Turn signals inside the block into a question: has one come? The handlers before it come back after it.

    Must be used on the main thread; Python delivers signals nowhere else.
    """
    came = threading.Event()

    def remember(number: int, frame: FrameType | None) -> None:
        """Note that a signal came; the run looks between two steps."""
        came.set()

    before = {name: signal.signal(name, remember) for name in names}
    try:
        yield came.is_set
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
