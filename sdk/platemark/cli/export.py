"""`platemark export`: tell newsroom systems about a clip, in the format they read."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.audit_options import ReaderName, reader_name
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.export_file import private_file
from platemark.newsroom.formats import export_clip
from platemark_provenance.digest import sha256_bytes


def export(
    clip: Annotated[str, typer.Argument(help="A clip's identifier, or the file as it was published.")],
    form: Annotated[str, typer.Option("--format", help="ninjs, newsml-g2, vmh, mos or json-ld.")],
    out_file: Annotated[Path | None, typer.Option("--out", "-o", help="Write here, not on standard output.")] = None,
    with_names: Annotated[
        bool, typer.Option("--with-names", help="Also say who made and approved it, and what was asked for.")
    ] = False,
    reader: ReaderName = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write what newsroom systems are to know of a published clip. A withdrawn one says so in every format.

    Example: platemark export clip.mp4 --format ninjs --out clip.ninjs.json
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    opened = require_home(home)
    with opened.open_ledger() as ledger:
        document = export_clip(opened, ledger, clip, form, reader=reader_name(reader), with_names=with_names)
    if out_file is not None:
        with private_file(out_file) as file:
            file.write(document)
    out.data(
        {
            "format": form,
            "path": None if out_file is None else str(out_file),
            "sha256": sha256_bytes(document),
            "with_names": with_names,
            "document": document.decode() if out_file is None else None,
        }
    )
    if out_file is not None:
        out.say("Wrote {path}.", path=out_file)
    elif not as_json:
        sys.stdout.write(document.decode())
    if with_names:
        out.note("It names people: hand it only to those who may know them.")
