"""`platemark watermark`: the invisible mark alone."""

from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home

app = typer.Typer(help="Embed or find the invisible mark alone.", no_args_is_help=True)


@app.command("embed")
def embed(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A clip or a still.")],
    destination: Annotated[Path, typer.Argument(metavar="OUT", help="Where the marked copy goes.")],
    mark: Annotated[str | None, typer.Option("--id", help="16 hexadecimal digits; random if left out.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write a marked copy and register its id as issued, so that it can be found again.

    Example: platemark watermark embed clip.mp4 marked.mp4 --id 00112233445566aa
    """
    # Imported here: FFmpeg takes a while to load.
    from platemark.marking import MarkOptions, embed_file

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    made = embed_file(require_home(home), source, destination, options=MarkOptions(mark=mark, overwrite=overwrite))
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
    from platemark.marking import detect_file

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    found = detect_file(require_home(home), file)
    out.data(found.to_json())
    if found.id is None:
        out.say("No mark of this home was found. That proves nothing about where the file comes from.")
        return 4
    out.say(
        "The mark {mark} is there ({method}, false alarm 10^{fpr}).",
        mark=found.id.hex(),
        method=found.method,
        fpr=f"{found.log10_fpr:.1f}",
    )
    return 0
