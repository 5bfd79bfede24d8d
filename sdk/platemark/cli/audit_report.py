"""`platemark audit report`: a month in numbers, for a meeting or a regulator."""

from pathlib import Path
from typing import Annotated

import typer

from platemark.auditing.month_words import ReportFrame
from platemark.auditing.monthly import write_month
from platemark.cli.audit_options import ReaderName, Zone, reader_name
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.zone import parse_zone
from platemark_provenance.axes import Language
from platemark_provenance.ledger.reading_log import Reader


def report(
    month: Annotated[str, typer.Option("--month", help="The month, such as 2026-11.")],
    out_dir: Annotated[Path, typer.Option("--out", "-o", help="The folder for the three files.")],
    zone: Zone = "UTC",
    reader: ReaderName = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write a month's decisions by desk, outcome and reason as HTML, CSV and PDF, in English or Korean.

    Example: platemark audit report --month 2026-11 --out reports --zone Asia/Seoul --lang ko
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    here = parse_zone(zone)
    opened = require_home(home)
    language: Language = "ko" if lang == "ko" else "en"
    frame = ReportFrame(month, opened.config.publisher.organisation, zone, language)
    with opened.open_ledger() as ledger:
        files = write_month(ledger, out_dir, frame, here)
        Reader(ledger, reader_name(reader)).record("report", found=None, asked={"month": month, "zone": zone})
    out.data(files.to_json())
    for path in (files.page, files.table, files.document):
        out.say("Wrote {path}.", path=path)
