"""`platemark generate`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from platemark.cli import generation_options as option
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.cli.output import Output
from platemark.cli.said import said_options
from platemark.cli.watching import show_progress
from platemark.clip import Clip
from platemark.errors import RequestError
from platemark.homes.home import find_home, home_directory, init, open_home
from platemark_provenance.digest import JsonValue

if TYPE_CHECKING:
    from platemark.making.asking import GenerateOptions

_PASSED_ON = (
    *("out", "task", "fill", "actions", "seconds", "size", "fps", "seed", "model", "overwrite"),
    *(
        "strength",
        "negative",
        "steps",
        "guidance",
        "sampler",
        "shift",
        "rewrite",
        "actor",
        "byline",
        "desk",
        "recipient",
        "label_vtt",
    ),
)
"""Options that mean the same to the library, under the same names."""


def generate(
    context: typer.Context,
    prompt: option.Prompt = None,
    out: option.Out = None,
    batch: option.Batch = None,
    workers: option.Workers = 1,
    task: option.TaskName = None,
    images: option.Images = None,
    clips: option.Clips = None,
    fill: option.Fill = None,
    actions: option.Actions = None,
    seconds: option.Seconds = None,
    size: option.FrameSize = None,
    fps: option.Fps = None,
    seed: option.Seed = None,
    model: option.Model = None,
    strength: option.Strength = None,
    negative: option.Negative = "",
    steps: option.Steps = None,
    guidance: option.Guidance = None,
    sampler: option.Sampler = "euler",
    shift: option.Shift = None,
    rewrite: option.Rewrite = False,
    allow_source: option.AllowSource = None,
    reason: option.Reason = "",
    actor: option.Actor = "",
    byline: option.Byline = "",
    desk: option.Desk = "",
    recipient: option.Recipient = "",
    label_lang: option.LabelLang = None,
    label_vtt: option.LabelVtt = None,
    label_icon: option.LabelIcon = None,
    overwrite: option.Overwrite = False,
    dry_run: option.DryRun = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Make a clip or a picture that is screened, labelled, marked, signed and logged, or make none.

    \b
    Example: platemark generate "city lights at night, light rain" --seconds 2 --seed 7 --out clip.mp4
             platemark generate "눈 내리는 밤의 도시" --image photo.jpg --out animated.mp4
             platemark generate "a calm blue sea at sunset" --image a.png@0 --image b.png@1.5s --out keyframes.mp4
             platemark generate "밤의 잔잔한 파란 바다" --clip sea.mp4 --seconds 1 --out longer.mp4
             platemark generate "a calm blue sea" --task extend-backward --clip sea.mp4 --out earlier.mp4
             platemark generate "drifting clouds" --clip sea.mp4 --clip sky.mp4 --out connected.mp4
             platemark generate "a calm blue sea" --clip sea.mp4 --fill 12-20 --out filled.mp4
             platemark generate "해질녘의 거친 주황색 바다" --clip sea.mp4 --strength 0.8 --out edited.mp4
             platemark generate "clouds drifting left" --task loop --out loop.mp4
             platemark generate "해질녘 하늘의 구름" --size 2048x2048 --out picture.png
             platemark generate --batch prompts.jsonl --out clips --json
    """  # noqa: D301  the backspace is how the command line is told to keep the lines
    printer = output(as_json=as_json, lang=lang, quiet=quiet)
    return _run(prompt, context.params, printer)


def _run(prompt: str | None, said: Mapping[str, Any], printer: Output) -> int:
    if (prompt is None) == (said["batch"] is None):
        raise RequestError(
            "One of a prompt and --batch is needed.", fix='For example: platemark generate "rain at night"'
        )
    if prompt is None:
        return _run_batch(said, printer)
    # Imported here: torch and FFmpeg take seconds to load, and no other command needs them.
    from platemark.studio import Studio

    options = _options(said)
    with Studio.open(_home_or_new(said["home"], printer)) as studio, show_progress(printer) as report:
        for leftover in studio.leftovers:
            printer.note("{text}", text=leftover.explain(printer.language))
        options["on_progress"] = report
        if said["dry_run"]:
            _print_plan(printer, studio.plan(prompt, **options).to_json())
            return 0
        made = studio.generate(prompt, **options)
    _print(printer, made, task_was_named=said["task"] is not None)
    return 0


def _run_batch(said: Mapping[str, Any], printer: Output) -> int:
    from platemark.cli.batch import new_batch, work_and_print

    options = dict(_options(said))
    folder, overwrite = said["out"] or Path(), bool(options.pop("overwrite", False))
    options.pop("out", None)
    home = open_home(_home_or_new(said["home"], printer))
    batch = new_batch(home, said["batch"], out_dir=folder, overwrite=overwrite, said=options)
    printer.note("The batch is {batch}; if it is interrupted: platemark jobs resume {batch}", batch=batch)
    return work_and_print(home, batch, workers=said["workers"], printer=printer)


def _options(said: Mapping[str, Any]) -> "GenerateOptions":
    """Give what was said as the library takes it; what was not said stays out."""
    options: GenerateOptions = {}
    options.update(said_options(said, _PASSED_ON))  # type: ignore[typeddict-item]
    options["images"], options["clips"] = tuple(said["images"] or ()), tuple(said["clips"] or ())
    return options


def _home_or_new(explicit: Path | None, printer: Output) -> Path:
    found = find_home(explicit)
    if found is not None:
        return found
    made = init(home_directory(None), organisation="Development newsroom")
    printer.note("No home was found, so a development home was made in {path}.", path=made.path)
    return made.path


def _print(printer: Output, clip: Clip, *, task_was_named: bool) -> None:
    printer.data(clip.to_json())
    printer.say("{path}", path=clip.path)
    if clip.publication == "draft":
        printer.say(
            "A draft: a second person approves it with: platemark publish {path} --approver NAME --reason …",
            path=clip.path,
        )
    if not task_was_named:
        printer.note("The task is {task}.", task=clip.request.task.value)
    printer.note(
        "Made in {seconds} s with {model}, drawn at {native} and scaled to {size}.",
        seconds=f"{sum(clip.timings.values()):.1f}",
        model=clip.model.name,
        native=f"{clip.native_size[0]}x{clip.native_size[1]}",
        size=clip.request.size,
    )
    for given in clip.making.given:
        _note_given(printer, given)
    if clip.making.rewritten is not None:
        printer.note("Rewritten: {words}", words=clip.making.rewritten[clip.request.label_language])
    if clip.ignored_words:
        printer.note("The model could not express: {words}.", words=", ".join(clip.ignored_words))


def _note_given(printer: Output, given: Mapping[str, JsonValue]) -> None:
    """Say what a person would not expect to have been left out."""
    crop, size = given["crop"], given["size"]
    used = f"{crop['width']}x{crop['height']}" if isinstance(crop, Mapping) else ""
    if used != size and given["kind"] == "clip":
        printer.note("Of a given clip of {size} the middle {used} was used.", size=size, used=used)
    elif used != size:
        printer.note("Of a given picture of {size} the middle {used} was used.", size=size, used=used)
    if given.get("sound") == "left out":
        printer.note("The sound of the given clip was left out.")


def _print_plan(printer: Output, plan: Mapping[str, JsonValue]) -> None:
    printer.data(plan)
    for name, value in plan.items():
        printer.say("{name}: {value}", name=name.replace("_", " "), value=_in_words(value))


def _in_words(value: JsonValue) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_in_words(each)}" for name, each in value.items()) or "-"
    if isinstance(value, list | tuple):
        return "; ".join(_in_words(each) for each in value) or "-"
    return "-" if value is None else str(value)
