"""`platemark generate`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.cli.output import Output, stderr_is_terminal
from platemark.clip import Clip
from platemark.errors import RequestError
from platemark.home import find_home, home_directory, init
from platemark.progress import STAGES, JobProgress, ProgressCallback, ignore_progress


def generate(
    prompt: Annotated[str, typer.Argument(help="What to show, in English or Korean.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The clip's final path, ending in .mp4.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length, 0.25 to 60.")] = None,
    size: Annotated[str | None, typer.Option(help="Frame size, for example 512x512 or 1280x720.")] = None,
    fps: Annotated[int | None, typer.Option(help="Frames a second, 1 to 60.")] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same frames.")] = None,
    model: Annotated[str | None, typer.Option(help="See: platemark models list.")] = None,
    task: Annotated[str, typer.Option(help="text_to_video.")] = "text_to_video",
    image: Annotated[Path | None, typer.Option(help="A still to animate (not in this version).")] = None,
    clip: Annotated[list[Path] | None, typer.Option(help="A clip to go on from (not in this version).")] = None,
    actor: Annotated[str, typer.Option(help="Who asks; the log keeps a pseudonym.")] = "",
    byline: Annotated[str, typer.Option(help="Who is named for it; sealed in the log.")] = "",
    desk: Annotated[str, typer.Option(help="The desk it is for.")] = "",
    label_lang: Annotated[str | None, typer.Option("--label-lang", help="Language of the label.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")] = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Make a clip that is screened, labelled, marked, signed and logged, or make none.

    Example: platemark generate "city lights at night, light rain" --seconds 2 --seed 7 --out clip.mp4
    """
    # Imported here: torch and FFmpeg take seconds to load, and no other command needs them.
    from platemark.studio import GenerateOptions, Studio

    printer = output(as_json=as_json, lang=lang, quiet=quiet)
    if image is not None or clip:
        raise RequestError(
            "This version makes clips from a prompt alone; it takes no --image and no --clip.", fix="Leave them out."
        )
    chosen: dict[str, object] = {"seconds": seconds, "size": size, "fps": fps, "seed": seed, "model": model}
    options: GenerateOptions = {"task": task, "actor": actor, "byline": byline, "desk": desk, "overwrite": overwrite}
    options.update({key: value for key, value in chosen.items() if value is not None})  # type: ignore[typeddict-item]
    if out is not None:
        options["out"] = out
    if label_lang is not None:
        options["label_language"] = label_lang
    with Studio.open(_home_or_new(home, printer)) as studio, _progress(printer) as report:
        for leftover in studio.leftovers:
            printer.note("{text}", text=leftover.explain(lang))
        options["on_progress"] = report
        made = studio.generate(prompt, **options)
    _print(printer, made)


def _home_or_new(explicit: Path | None, printer: Output) -> Path:
    found = find_home(explicit)
    if found is not None:
        return found
    made = init(home_directory(None), organisation="Development newsroom")
    printer.note("No home was found, so a development home was made in {path}.", path=made.path)
    return made.path


def _print(printer: Output, clip: Clip) -> None:
    printer.data(clip.to_json())
    printer.say("{path}", path=clip.path)
    printer.note(
        "Made in {seconds} s with {model}, drawn at {native} and scaled to {size}.",
        seconds=f"{sum(clip.timings.values()):.1f}",
        model=clip.model.name,
        native=f"{clip.native_size[0]}x{clip.native_size[1]}",
        size=clip.request.size,
    )
    if clip.ignored_words:
        printer.note("The model could not express: {words}.", words=", ".join(clip.ignored_words))


@contextmanager
def _progress(printer: Output) -> Iterator[ProgressCallback]:
    """Show a bar where a person looks on, and nothing otherwise."""
    if printer.as_json or printer.quiet or not stderr_is_terminal():
        yield ignore_progress
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(STAGES[0], total=None)

        def report(progress: JobProgress) -> None:
            """Move the bar."""
            bar.update(task, description=progress.stage, completed=progress.step, total=progress.total or None)

        yield report
