"""`platemark stamp`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from platemark.cli import generation_options as option
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.cli.said import said_options
from platemark.cli.watching import show_progress
from platemark.stamped import SOURCE_TYPES, StampedClip

if TYPE_CHECKING:
    from platemark.making.stamp_asking import StampOptions

_PASSED_ON = (
    *("out", "generator_version", "source_type", "prompt", "label_text"),
    *("actor", "byline", "desk", "recipient", "label_vtt", "overwrite", "tonemap"),
)
"""Options that mean the same to the library, under the same names."""


def stamp(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The clip; it is left as it is.")],
    generator: Annotated[str, typer.Option("--generator", help="What made or changed the clip.")],
    generator_version: Annotated[str, typer.Option(help="Its version, where that is known.")] = "",
    source_type: Annotated[
        str | None,
        typer.Option(help=f"What a clip without a manifest is: {', '.join(SOURCE_TYPES)}. Left out, the first."),
    ] = None,
    prompt: Annotated[str, typer.Option(help="What it was made from; screened, and sealed in the log.")] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The final path, .mp4.")] = None,
    label_text: Annotated[str, typer.Option(help="The label's wording; left out, the language's standard one.")] = "",
    label_lang: option.LabelLang = None,
    label_vtt: option.LabelVtt = None,
    label_icon: option.LabelIcon = None,
    tonemap: Annotated[
        bool, typer.Option("--tonemap", help="Bring HDR, wide gamut and more than 8 bits to standard colours.")
    ] = False,
    allow_source: option.AllowSource = None,
    reason: option.Reason = "",
    actor: option.Actor = "",
    byline: option.Byline = "",
    desk: option.Desk = "",
    recipient: option.Recipient = "",
    overwrite: option.Overwrite = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Label, mark, sign and log a clip that was made elsewhere, or do none of it. Its own manifest stays inside.

    \b
    Example: platemark stamp veo.mp4 --generator "Veo 3" --prompt "a calm blue sea" --out stamped.mp4
             platemark stamp camera.mp4 --generator "Inpainter 2" --source-type compositeWithTrainedAlgorithmicMedia
             platemark stamp agency.mp4 --generator Gen-4 --allow-source untrusted --reason "asked them" --actor jw.kim
    """  # noqa: D301  the backspace is how the command line is told to keep the lines
    # Imported here: FFmpeg takes seconds to load.
    from platemark.studio import Studio

    printer = output(as_json=as_json, lang=lang, quiet=quiet)
    options = _options(context.params)
    with Studio.open(require_home(home).path) as studio, show_progress(printer) as report:
        for leftover in studio.leftovers:
            printer.note("{text}", text=leftover.explain(printer.language))
        options["on_progress"] = report
        made = studio.stamp(file, generator=generator, **options)
    _print(printer, made)


def _options(said: Mapping[str, Any]) -> "StampOptions":
    """Give what was said as the library takes it; what was not said stays out."""
    options: StampOptions = {}
    options.update(said_options(said, _PASSED_ON))  # type: ignore[typeddict-item]
    return options


def _print(printer: Output, clip: StampedClip) -> None:
    printer.data(clip.to_json())
    printer.say("{path}", path=clip.path)
    printer.note("The clip came with the verdict {verdict}.", verdict=clip.source.verdict)
    if clip.source.label == "kept":
        printer.note("Every frame carried the label already; none was drawn over it.")
    if clip.source.sound == "kept":
        printer.note("Its sound was kept as it is.")
    if clip.source.tonemapped:
        printer.note("Colours: {how}. Look at the result.", how=clip.source.tonemapped)
    if clip.source.left_out:
        printer.note("Left behind: {streams}.", streams=", ".join(clip.source.left_out))
