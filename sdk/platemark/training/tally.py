"""How far a run has come, and what it has cost: everything that is saved beside the weights.

One rule: plain numbers only, so that a run's record can be read without torch.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from platemark.errors import RequestError
from platemark.training.accounting import NOTHING, Cost

RECORD_EVERY = 10
"""Steps whose mean loss makes one point of the curve."""


class Stage(StrEnum):
    """The parts of a run, in order."""

    AUTOENCODER = "autoencoder"
    TRANSFORMER = "transformer"
    DONE = "done"


FOLLOWING: Mapping[Stage, Stage] = {Stage.AUTOENCODER: Stage.TRANSFORMER, Stage.TRANSFORMER: Stage.DONE}


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the training curve: the mean loss of the last steps, and what had been spent by then."""

    stage: Stage
    step: int
    loss: float
    flops: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a run has come.

    Attributes:
        stage: what is being trained.
        step: steps taken in this stage.
        seconds: by the clock in this stage.
        samples: clips, or snippets of them, trained on in this stage.
        steps_before: steps taken in earlier stages.
        cost: of the whole run.
        recent: sum of the losses since the last point.
        curve: one point for every `RECORD_EVERY` steps.
    """

    stage: Stage = Stage.AUTOENCODER
    step: int = 0
    seconds: float = 0.0
    samples: int = 0
    steps_before: int = 0
    cost: Cost = NOTHING
    recent: float = 0.0
    curve: tuple[Point, ...] = ()

    def after_step(self, loss: float, *, samples: int, flops: float) -> "Tally":
        """Count one step."""
        step, recent = self.step + 1, self.recent + loss
        cost, curve = self.cost.with_flops(flops), self.curve
        if step % RECORD_EVERY == 0:
            curve = (*curve, Point(self.stage, step, recent / RECORD_EVERY, cost.flops, cost.cpu_seconds))
            recent = 0.0
        return replace(self, step=step, samples=self.samples + samples, cost=cost, recent=recent, curve=curve)

    def spent(self, cost: Cost) -> "Tally":
        """Add time and energy."""
        return replace(self, cost=self.cost.plus(cost), seconds=self.seconds + cost.wall_seconds)

    def next_stage(self) -> "Tally":
        """Begin the next stage."""
        following = FOLLOWING[self.stage]
        return Tally(following, steps_before=self.steps_before + self.step, cost=self.cost, curve=self.curve)

    def to_json(self) -> str:
        """Write this tally as JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def tally_from_json(text: str) -> Tally:
    """Read a tally that `Tally.to_json` wrote.

    Raises:
        RequestError: it is not one.
    """
    try:
        return TypeAdapter(Tally).validate_json(text)
    except ValidationError as error:
        raise RequestError("The record of the training run cannot be read.", fix="Begin a new run.") from error


@dataclass(frozen=True, slots=True)
class Budget:
    """How long each stage lasts: in steps, or in seconds by the clock.

    With steps, the same run computes the same weights whenever it is interrupted. With seconds, a run ends in time and
    always anneals; what it computes then depends on how fast the machine is.

    Attributes:
        autoencoder: of the first stage.
        transformer: of the second.
        unit: of both.

    Raises:
        RequestError: a stage has no time.
    """

    autoencoder: float
    transformer: float
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in ("steps", "seconds") or not (self.autoencoder > 0 and self.transformer > 0):
            raise RequestError(f"A budget gives both stages steps or seconds, more than none; got {self}.")

    @classmethod
    def of_steps(cls, autoencoder: int, transformer: int) -> "Budget":
        """Give each stage so many steps."""
        return cls(autoencoder, transformer, "steps")

    @classmethod
    def of_minutes(cls, minutes: float, *, autoencoder_share: float) -> "Budget":
        """Divide minutes between the stages."""
        seconds = minutes * 60
        return cls(seconds * autoencoder_share, seconds * (1 - autoencoder_share), "seconds")

    def progress(self, tally: Tally) -> float:
        """Tell how much of its stage is done, 0 to 1."""
        whole = self.autoencoder if tally.stage is Stage.AUTOENCODER else self.transformer
        return min(1.0, (tally.step if self.unit == "steps" else tally.seconds) / whole)
