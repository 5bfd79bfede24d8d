"""The monthly report on the disk: a page, a table and a PDF with the same numbers. The one door to typst.

One rule: all three or none new: each takes its name when it is whole.
"""

import csv
import io
import json
from dataclasses import dataclass
from datetime import tzinfo
from importlib import resources
from pathlib import Path

from platemark.auditing.month_page import month_page
from platemark.auditing.month_words import ReportFrame, arranged, words_of_report
from platemark.errors import GenerationError, MissingExtra, OutputError
from platemark.export_file import private_file
from platemark.zone import month_bounds
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.month import MonthCounts, Span, count_month
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.spreadsheet import safe_cell

COLUMNS = ("section", "name", "outcome", "count")


@dataclass(frozen=True, slots=True)
class MonthFiles:
    """Where a report was written.

    Args:
        page: the HTML page.
        table: the CSV table.
        document: the PDF.
        counts: the numbers.
    """

    page: Path
    table: Path
    document: Path
    counts: MonthCounts

    def to_json(self) -> dict[str, JsonValue]:
        """Give the JSON object of `audit report`."""
        files = {"html": str(self.page), "csv": str(self.table), "pdf": str(self.document)}
        return {"files": files, **self.counts.to_json()}


def write_month(ledger: Ledger, folder: Path, frame: ReportFrame, zone: tzinfo) -> MonthFiles:
    """Count a month and write its report.

    Args:
        ledger: the open ledger.
        folder: where to; made where it is not there.
        frame: the month, whose, and in which words.
        zone: whose midnight begins the month.

    Raises:
        RequestError: it is no month.
        MissingExtra: typst is not installed.
        OutputError: the files cannot be written there.
        LedgerError: the ledger cannot be read.
    """
    counts = count_month(ledger, Span(*month_bounds(frame.month, zone)))
    page = arranged(counts, frame)
    contents = {
        "html": month_page(page, counts, words=words_of_report(frame.language)).encode(),
        "csv": _table(counts),
        "pdf": _document(page),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror}).", fix="Name another folder.") from error
    paths = {ending: folder / f"audit-{frame.month}.{frame.language}.{ending}" for ending in contents}
    for ending, content in contents.items():
        with private_file(paths[ending]) as file:
            file.write(content)
    return MonthFiles(paths["html"], paths["csv"], paths["pdf"], counts)


def _table(counts: MonthCounts) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    rows.writerows([safe_cell(cell) for cell in row] for row in counts.rows())
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _document(page: dict[str, JsonValue]) -> bytes:
    try:
        import typst
    except ImportError as error:
        raise MissingExtra(
            "The PDF needs typst, which is not installed.", fix="Run: pip install 'platemark[reports]'"
        ) from error
    template = resources.files("platemark").joinpath("month.typ").read_bytes()
    with resources.as_file(resources.files("platemark.media") / "fonts") as fonts:
        try:
            found = typst.Fonts(font_paths=[str(fonts)])
            made = typst.compile(
                template, font_paths=found, format="pdf", sys_inputs={"data": json.dumps(page)}, timestamp=0
            )
        except typst.TypstError as error:
            raise GenerationError(f"The PDF could not be set: {str(error)[:200]}.", fix="Report this.") from error
    return made
