"""Loss against compute for several sizes of transformer on the same latents: short runs, the figure, and its data.

`python -m platemark.training.scaling docs/figures --work scaling-run --minutes 4 --autoencoder-minutes 3`

One rule: the data says how short the runs were. A size that was interrupted goes on where it stopped.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from platemark.training.compute import Compute, choose_compute
from platemark.training.config import NANO, Course, TrainingConfig
from platemark.training.run import Hooks, TrainingProgress, run
from platemark.training.saving import CHECKPOINT, load_checkpoint
from platemark.training.scaling_chart import Series, draw_chart
from platemark.training.tally import Budget, Stage, Tally
from platemark.training.trainer import Trainer

DATA = "scaling.json"
CHART = "scaling.svg"
FIRST_MARK = 20
"""Steps before the first measurement; each later one comes after 1.7 times as many."""


def size_of(name: str, *, width: int, depth: int, heads: int) -> TrainingConfig:
    """Make a size for the comparison: whole clips from the first step, so that losses mean the same all along."""
    transformer = replace(NANO.transformer, width=width, depth=depth, heads=heads)
    return replace(NANO, name=name, transformer=transformer, courses=(Course(0, 16, 1.0),), pool_refresh=16)


SIZES = (
    size_of("tiny", width=64, depth=3, heads=2),
    size_of("micro", width=128, depth=4, heads=2),
    size_of("nano", width=192, depth=6, heads=3),
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The loss on held-out combinations after so many steps and operations, the averaged weights'."""

    step: int
    flops: float
    cpu_seconds: float
    loss: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a comparison works, on what, and how long each part lasts in minutes."""

    work: Path
    compute: Compute
    minutes: float
    autoencoder_minutes: float


def train_autoencoder(config: TrainingConfig, plan: Plan) -> Trainer:
    """Train the autoencoder that all sizes share, or take it from where it was saved."""
    directory = plan.work / "autoencoder"
    if (directory / CHECKPOINT).is_file():
        trainer = load_checkpoint(directory, compute=plan.compute)
    else:
        trainer = Trainer(config, compute=plan.compute)
    settled = Hooks(should_stop=lambda: trainer.tally.stage is Stage.TRANSFORMER)
    run(trainer, Budget(plan.autoencoder_minutes * 60, 1, "seconds"), directory, hooks=settled)
    return trainer


def train_size(config: TrainingConfig, shared: Trainer, plan: Plan) -> tuple[Measurement, ...]:
    """Train one size on the shared latents and measure it on the way, and once more after its anneal."""
    directory = plan.work / config.name
    notes = directory / "measurements.json"
    if (directory / CHECKPOINT).is_file():
        trainer = load_checkpoint(directory, compute=plan.compute)
        measured = [Measurement(**m) for m in json.loads(notes.read_text(encoding="utf-8"))] if notes.is_file() else []
    else:
        trainer = Trainer(config, compute=plan.compute)
        trainer.adopt_autoencoder(shared.autoencoder)
        measured = []
    budget = Budget(1, plan.minutes * 60, "seconds")
    directory.mkdir(parents=True, exist_ok=True)
    while trainer.tally.stage is not Stage.DONE:
        tally = _run_to(next_mark(trainer.tally.step), trainer, budget, directory)
        measured.append(Measurement(tally.step, tally.cost.flops, tally.cost.cpu_seconds, trainer.validation_loss()))
        notes.write_text(json.dumps([asdict(m) for m in measured]), encoding="utf-8")
    return tuple(measured)


def _run_to(mark: int, trainer: Trainer, budget: Budget, directory: Path) -> Tally:
    """Train up to a step, or the end of the budget; give the tally after the last step."""
    reached = trainer.tally

    def note(told: TrainingProgress) -> None:
        """Keep the tally: at the end of the run the trainer's own begins anew."""
        nonlocal reached
        reached = told.tally

    hooks = Hooks(on_progress=note, should_stop=lambda: trainer.tally.step >= mark)
    run(trainer, budget, directory, hooks=hooks)
    return reached


def next_mark(step: int) -> int:
    """Give the step of the next measurement."""
    mark = float(FIRST_MARK)
    while round(mark) <= step:
        mark *= 1.7
    return round(mark)


def compare(plan: Plan, out: Path, *, sizes: Sequence[TrainingConfig] = SIZES) -> None:
    """Run every size and write the data and the chart.

    Args:
        plan: see `Plan`.
        out: the directory for the two files.
        sizes: their autoencoders must be the same.
    """
    shared = train_autoencoder(sizes[0], plan)
    rows = []
    for config in sizes:
        measured = train_size(config, shared, plan)
        trainer = load_checkpoint(plan.work / config.name, compute=plan.compute)
        parameters = sum(p.numel() for p in trainer.transformer.parameters())
        rows.append(
            {
                "name": config.name,
                "parameters": parameters,
                "width": config.transformer.width,
                "depth": config.transformer.depth,
                "points": [asdict(m) for m in measured],
            }
        )
    data = {
        "what": "loss on held-out combinations against floating-point operations of training",
        "caution": f"short runs: {plan.minutes:g} minutes a size on {plan.compute.device.type}, one seed; operations "
        "of the autoencoder are not counted; the last point of each size is after its anneal, the others are before it",
        "clips": asdict(NANO.clips),
        "autoencoder": {"minutes": plan.autoencoder_minutes, "steps": shared.tally.steps_before},
        "sizes": rows,
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / DATA).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    series = [Series(f"{r['name']}, {r['parameters']:,} parameters", _xy(r["points"])) for r in rows]
    (out / CHART).write_text(draw_chart(series, caution=f"short runs: {plan.minutes:g} min a size"), encoding="utf-8")


def _xy(points: object) -> tuple[tuple[float, float], ...]:
    return tuple((p["flops"], p["loss"]) for p in points) if isinstance(points, list) else ()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and compare; see the module's first line."""
    parser = argparse.ArgumentParser(description="Loss against compute for three sizes of transformer.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--work", type=Path, default=Path("scaling-run"))
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--autoencoder-minutes", type=float, default=3.0)
    parser.add_argument("--device", default="auto")
    said = parser.parse_args(arguments)
    compute = choose_compute(said.device)
    compare(Plan(said.work, compute, said.minutes, said.autoencoder_minutes), said.out)


if __name__ == "__main__":
    main()
