"""A table for spreadsheets: UTF-8 with a byte order mark, so that they read Korean, and no cell that they would run."""

import csv
import io
import json
from typing import IO

from platemark_provenance.ledger.event import Event
from platemark_provenance.ledger.exports.writing import ExportSource
from platemark_provenance.ledger.merkle import leaf_hash
from platemark_provenance.spreadsheet import safe_cell

COLUMNS = (
    "seq", "event_id", "at", "type", "clip", "actor", "desk", "decision", "model", "sealed_state", "facts", "leaf",
)  # fmt: skip
"""In this order; more may be added at the end. `facts` is JSON, `at` ISO 8601 in UTC, `leaf` hexadecimal."""


class TableWriter:
    """Write comma-separated rows.

    Args:
        file: where to.
        source: unused.
    """

    def __init__(self, file: IO[bytes], source: ExportSource) -> None:
        del source
        self._file = file
        self._row = io.StringIO(newline="")
        self._rows = csv.writer(self._row)
        file.write(b"\xef\xbb\xbf")
        self._write(COLUMNS)

    def add(self, event: Event) -> None:
        """Write one event's row."""
        fields = event.to_json()
        fields["facts"] = json.dumps(event.facts, ensure_ascii=False, sort_keys=True)
        fields["leaf"] = leaf_hash(event.body).hex()
        self._write(tuple(safe_cell(fields[name]) for name in COLUMNS))

    def finish(self) -> None:
        """Write nothing more: the last row has ended."""

    def _write(self, cells: tuple[str, ...]) -> None:
        self._rows.writerow(cells)
        self._file.write(self._row.getvalue().encode())
        self._row.seek(0)
        self._row.truncate()
