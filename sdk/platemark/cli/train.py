"""`platemark train`: train the embedded model's networks from nothing."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.cli.output import Output, stderr_is_terminal
from platemark.errors import OutputError, RequestError

if TYPE_CHECKING:
    from platemark.training.run import TrainingProgress
    from platemark.training.trainer import Trainer

MAX_MINUTES = 60 * 24 * 30
EXIT_STOPPED = 130


def train(
    preset: Annotated[str, typer.Option(help="nano, small or base.")] = "nano",
    minutes: Annotated[float, typer.Option(help="How long in all, earlier parts of a resumed run included.")] = 30.0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Directory; else training-PRESET.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the clips and of every random choice.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    evaluate: Annotated[int, typer.Option(help="Held-out clips to measure at the end, 0 to 4096.")] = 0,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Train the autoencoder and the transformer; checkpoints come every minute and when the run is stopped.

    Example: platemark train --preset nano --minutes 30 --resume
    """
    # Imported here: torch takes seconds to load, and no other command needs it.
    from platemark.training.run import Hooks, run, stop_on_signals
    from platemark.training.tally import Budget
    from platemark.training.throughput import device_name

    printer = output(as_json=as_json, lang=lang, quiet=quiet)
    if not 0 < minutes <= MAX_MINUTES:
        raise RequestError(f"Minutes must be over 0 and at most {MAX_MINUTES:,}; got {minutes}.")
    if not 0 <= evaluate <= 4096:
        raise RequestError(f"--evaluate takes 0 to 4096 clips; got {evaluate}.")
    directory = out or Path(f"training-{preset}")
    trainer = _trainer(directory, preset=preset, seed=seed, device=device, resume=resume)
    budget = Budget.of_minutes(minutes, autoencoder_share=trainer.config.autoencoder_share)
    used = device_name(trainer.compute.device)
    with stop_on_signals(signal.SIGTERM, signal.SIGINT) as should_stop, _listener(printer, used) as listen:
        finished = run(trainer, budget, directory, hooks=Hooks(listen, should_stop))
    _report(printer, trainer, directory, finished=finished, clips=evaluate)
    if not finished:
        raise typer.Exit(EXIT_STOPPED)


def _trainer(directory: Path, *, preset: str, seed: int | None, device: str, resume: bool) -> "Trainer":
    from platemark.training.compute import choose_compute
    from platemark.training.config import preset_named
    from platemark.training.saving import CHECKPOINT, load_checkpoint
    from platemark.training.trainer import Trainer

    compute, config = choose_compute(device), preset_named(preset)
    if seed is not None:
        config = replace(config, seed=seed)
    there = (directory / CHECKPOINT).exists()
    if there and not resume:
        raise OutputError(
            f"{directory.name} already holds a run.", fix="Add --resume to go on with it, or choose another --out."
        )
    if not there:  # nothing to go on from is a run's first day, so --resume can stand in a script
        return Trainer(config, compute=compute)
    trainer = load_checkpoint(directory, compute=compute)
    if trainer.config.name != config.name or (seed is not None and trainer.config.seed != seed):
        raise RequestError(
            f"{directory.name} holds a run of {trainer.config.name} with seed {trainer.config.seed}.",
            fix="Name the same --preset and --seed, or choose another --out.",
        )
    return trainer


def _report(printer: Output, trainer: "Trainer", directory: Path, *, finished: bool, clips: int) -> None:
    from platemark.training.throughput import device_name, throughput_of

    tally = trainer.tally
    speed = throughput_of(tally, device_name(trainer.compute.device))
    result: dict[str, object] = {
        "path": str(directory),
        "preset": trainer.config.name,
        "finished": finished,
        "stage": tally.stage.value,
        "steps": tally.steps_before + tally.step,
        "cost": asdict(tally.cost),
        "throughput": speed.to_json(),
    }
    if finished and clips:
        result["evaluation"] = _evaluate(printer, trainer, clips)
    printer.data(result)  # type: ignore[arg-type]  # plain values all through
    printer.say("{path}", path=directory)
    printer.note(
        "{steps} steps, {flops} operations, {seconds} CPU seconds, {joules} J ({method}).",
        steps=tally.steps_before + tally.step,
        flops=f"{tally.cost.flops:.2e}",
        seconds=f"{tally.cost.cpu_seconds:.0f}",
        joules=f"{tally.cost.joules:.0f}",
        method=tally.cost.method,
    )
    printer.note("In a second: {speed}.", speed=speed.in_words())
    if not finished:
        printer.note("Stopped; the same command with --resume goes on.")


def _evaluate(printer: Output, trainer: "Trainer", clips: int) -> dict[str, object]:
    from platemark.training.evaluate import Question, evaluate

    network = trainer.autoencoder.cpu()
    found = evaluate(network, trainer.averaged_transformer(), Question(clips, trainer.config.clips))
    printer.say(
        "Right in everything on {clips} held-out clips: real {real}, through the autoencoder {ceiling}, made {made}.",
        clips=clips,
        real=f"{found.real.everything:.0%}",
        ceiling=f"{found.autoencoder.everything:.0%}",
        made=f"{found.generated.everything:.0%}",
    )
    return found.to_json()


@contextmanager
def _listener(printer: Output, device: str) -> Iterator[Callable[["TrainingProgress"], None]]:
    """Show a bar where a person looks on, and a line a minute where a log is kept."""
    from platemark.training.throughput import throughput_of

    if printer.as_json or printer.quiet:
        yield lambda _: None
        return
    if not stderr_is_terminal():
        yield lambda told: _log(printer, told, device)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def show(told: "TrainingProgress") -> None:
            """Move the bar."""
            speed = throughput_of(told.tally, device).in_words()
            words = f"{told.tally.stage.value} {told.tally.step}  loss {told.loss:.4f}  rate {told.rate:.1e}  {speed}"
            bar.update(task, description=words, completed=told.progress)

        yield show


def _log(printer: Output, told: "TrainingProgress", device: str) -> None:
    from platemark.training.throughput import throughput_of

    if told.saved:
        printer.note(
            "{stage}: step {step}, loss {loss}, {share} of this stage, in a second {speed}; saved.",
            speed=throughput_of(told.tally, device).in_words(),
            stage=told.tally.stage.value,
            step=told.tally.step,
            loss=f"{told.loss:.4f}",
            share=f"{told.progress:.0%}",
        )
