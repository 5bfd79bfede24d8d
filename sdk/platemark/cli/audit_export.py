"""`platemark audit export`: the log, or a part of it, for other programs."""

import sys
from pathlib import Path
from typing import IO, Annotated

import typer

from platemark._version import __version__
from platemark.cli.audit_options import ReaderName, ReadOnly, Zone, open_log, reader_name
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.errors import RequestError
from platemark.export_file import private_file
from platemark.zone import parse_moment, parse_zone
from platemark_provenance.ledger.exports.writing import ExportForm, ExportSource, check_form, write_events
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.reading_log import Reader


def export(
    form: Annotated[str, typer.Option("--format", help="jsonl, csv, parquet, ocsf or prov.")] = "jsonl",
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file; standard output where left out.")
    ] = None,
    clip: Annotated[str | None, typer.Option(help="One clip's events.")] = None,
    actor: Annotated[str | None, typer.Option(help="Events of one person, by name or pseudonym.")] = None,
    desk: Annotated[str | None, typer.Option(help="Events of one desk.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="One kind of event.")] = None,
    since: Annotated[str | None, typer.Option(help="ISO 8601 time or date, included.")] = None,
    until: Annotated[str | None, typer.Option(help="ISO 8601 time or date, not included.")] = None,
    zone: Zone = "UTC",
    reader: ReaderName = None,
    read_only: ReadOnly = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write events out, oldest first: pseudonyms and open facts, never names, prompts or keys.

    Example: platemark audit export --format csv --since 2026-11-01 --out november.csv
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    chosen, here = check_form(form), parse_zone(zone)
    if out_file is None and (as_json or chosen is ExportForm.PARQUET):
        raise RequestError("This needs a file to write to.", fix=f"Name one: --out events.{chosen}")
    wanted = Filter(
        clip=clip,
        actor=actor,
        desk=desk,
        type=type_,
        since=parse_moment("--since", since, here),
        until=parse_moment("--until", until, here),
    )

    def write(file: IO[bytes]) -> int:
        """Write the events that are wanted."""
        with open_log(out, require_home(home), read_only=read_only) as ledger:
            source = ExportSource(ledger.head().origin, __version__)
            events = Reader(ledger, reader_name(reader)).export(wanted, form=chosen)
            return write_events(events, file, form=chosen, source=source)

    if out_file is None:
        write(sys.stdout.buffer)
        return
    with private_file(out_file) as file:
        count = write(file)
    out.data({"path": str(out_file), "format": chosen.value, "events": count})
    out.say("Wrote {count} events to {path}.", count=count, path=out_file)
