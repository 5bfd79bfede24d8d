"""Writing verdicts to files that people open: a table (CSV) and a page (HTML).

One rule: a report is there whole or not at all, and it never takes the place of a file that is being examined.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from platemark.errors import MediaError, OutputError, PlatemarkError, RequestError
from platemark.verifying.observation import draw_contact_sheet
from platemark_provenance.axes import Language
from platemark_provenance.axis_words import AXES
from platemark_provenance.durable import sync_directory, sync_file
from platemark_provenance.report_html import Page, page_article, page_foot, page_head
from platemark_provenance.spreadsheet import safe_cell
from platemark_provenance.verdict import Report, shown_path

COLUMNS = (
    "path", "verdict", "exit_code", *(f"axis_{name}" for name in AXES), "signer", "generator", "signed_at",
    "recovered_from", "withdrawn_date", "withdrawn_reason", "failed_manifest", "codes", "error",
    "corrected_date", "corrected_reason",
)  # fmt: skip
"""The columns of the table, in order; more may be added at the end."""
MOST_SHEETS = 50
"""Contact sheets on one page; each has some 300 kB and costs a second look at the clip."""


class VerdictTable:
    """A table of verdicts that is being written.

    Args:
        file: an open text file, with `newline=""`.
    """

    def __init__(self, file: IO[str]) -> None:
        self._rows = csv.DictWriter(file, COLUMNS, restval="")
        self._rows.writeheader()

    def add(self, report: Report) -> None:
        """Write a file's row."""
        withdrawn = report.withdrawn.to_json() if report.withdrawn is not None else {}
        corrected = report.corrections
        self._write(
            {
                "path": shown_path(report.path),
                "verdict": str(report.verdict),
                "exit_code": str(report.exit_code),
                **{f"axis_{name}": getattr(report.axes, name) for name in AXES},
                "signer": report.signer,
                "generator": report.generator,
                "signed_at": report.signed_at.isoformat() if report.signed_at is not None else None,
                "recovered_from": report.recovered_from,
                "withdrawn_date": withdrawn.get("date"),
                "withdrawn_reason": withdrawn.get("reason"),
                "failed_manifest": report.failed_manifest,
                "codes": " ".join(report.codes),
                "corrected_date": corrected[-1].to_json()["date"] if corrected else None,
                "corrected_reason": corrected[-1].reason if corrected else None,
            }
        )

    def add_error(self, path: Path, error: PlatemarkError) -> None:
        """Write the row of a file that could not be examined."""
        self._write({"path": shown_path(path), "exit_code": str(error.exit_code), "error": str(error)})

    def _write(self, row: Mapping[str, object]) -> None:
        self._rows.writerow({name: safe_cell(value) for name, value in row.items()})


class VerdictPage:
    """A page of verdicts that is being written. Call `finish` at the end.

    Args:
        file: an open text file.
        language: of all that is not a name.
        made_at: when, aware.
    """

    def __init__(self, file: IO[str], *, language: Language, made_at: datetime) -> None:
        self._file = file
        self._language: Language = language
        self._sheets = 0
        file.write(page_head(language, made_at=made_at))

    def add(self, report: Report, content: Path) -> None:
        """Write a file's part, with pictures from `content` where it has any."""
        sheet = _sheet(content) if self._sheets < MOST_SHEETS else None
        self._sheets += 1
        self._file.write(page_article(Page(report, sheet), self._language))

    def finish(self) -> None:
        """Write the end of the page."""
        self._file.write(page_foot(self._language))


@contextmanager
def report_file(path: Path, *, examined: Sequence[Path]) -> Iterator[IO[str]]:
    """Open a file for a report; it takes its name when the block ends well, and leaves nothing when it does not.

    Args:
        path: where the report is to be; an older report there is replaced.
        examined: what is being examined, which must not be replaced.

    Raises:
        RequestError: the report would replace a file that is being examined.
        OutputError: it cannot be written there.
    """
    if any(_same(path, each) for each in examined):
        raise RequestError(f"{path} is being examined; a report cannot take its place.", fix="Name another file.")
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
        sync_file(part)
        part.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise OutputError(
            f"The report {path} cannot be written ({error.strerror}).", fix="Name a file in a folder that exists."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def _sheet(path: Path) -> bytes | None:
    try:
        return draw_contact_sheet(path)
    except MediaError:
        return None  # what cannot be seen is told by the verdict
