"""`platemark watermark`: the invisible mark alone."""

from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.generation_options import Recipient
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home

app = typer.Typer(help="Embed or find the invisible mark alone.", no_args_is_help=True)


@app.command("embed")
def embed(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A clip or a still.")],
    destination: Annotated[Path, typer.Argument(metavar="OUT", help="Where the marked copy goes.")],
    mark: Annotated[str | None, typer.Option("--id", help="16 hexadecimal digits; random if left out.")] = None,
    recipient: Recipient = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write a marked copy and register its id as issued, so that it can be found again.

    \b
    Example: platemark watermark embed clip.mp4 marked.mp4 --id 00112233445566aa
             platemark watermark embed clip.mp4 for-agency.mp4 --recipient "Agency A"
    """  # noqa: D301  the backspace is how the command line is told to keep the lines
    # Imported here: FFmpeg takes a while to load.
    from platemark.marking import MarkOptions, embed_file

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    options = MarkOptions(mark=mark, overwrite=overwrite, recipient=recipient)
    made = embed_file(require_home(home), source, destination, options=options)
    out.data(made.to_json())
    out.say("{path} carries the mark {mark}.", path=made.path, mark=made.mark_id)


@app.command("detect")
def detect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A clip or a still.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Look for this home's mark in a file.

    Example: platemark watermark detect copy.mp4 --json
    """
    # Imported here: FFmpeg takes a while to load.
    from platemark.marking import trace_file

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    traced = trace_file(require_home(home), file)
    found = traced.detection
    out.data(traced.to_json())
    if found.id is None:
        out.say("No mark of this home was found. That proves nothing about where the file comes from.")
        return 4
    out.say(
        "The mark {mark} is there ({method}, false alarm 10^{fpr}).",
        mark=found.id.hex(),
        method=found.method,
        fpr=f"{found.log10_fpr:.1f}",
    )
    for each in traced.recipients:
        out.say("This copy was made for {name}.", name=each.name or each.pseudonym)
    return 0
