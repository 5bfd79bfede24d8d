"""Write events out, one after the other: JSON lines, a table, Parquet, OCSF, PROV.

One rule: what leaves holds pseudonyms and open facts only. A name or a prompt that left could not be erased any more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import IO, Protocol

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.event import Event


class ExportForm(StrEnum):
    """The forms that events are written in."""

    JSONL = "jsonl"
    """One JSON object a line, with the exact bytes that the tree is built on."""
    CSV = "csv"
    """A table for spreadsheets."""
    PARQUET = "parquet"
    """A table for analysis; needs the extra `exports`."""
    OCSF = "ocsf"
    """One OCSF 1.3 API Activity (class 6003) a line, for security tools."""
    PROV = "prov"
    """One W3C PROV-JSON document."""


@dataclass(frozen=True, slots=True)
class ExportSource:
    """Where the events come from, for the forms that say so.

    Args:
        origin: the log's name.
        version: the version of the program that writes.
    """

    origin: str
    version: str


class EventWriter(Protocol):
    """Writes one form. Nothing but what was added is kept in memory, and of that only a bounded part."""

    def add(self, event: Event) -> None:
        """Write one event."""
        ...

    def finish(self) -> None:
        """Write what belongs at the end; the file stays open."""
        ...


_WRITERS = {
    ExportForm.JSONL: "lines:LineWriter",
    ExportForm.CSV: "table:TableWriter",
    ExportForm.PARQUET: "parquet:ParquetFileWriter",
    ExportForm.OCSF: "ocsf:OcsfWriter",
    ExportForm.PROV: "prov:ProvWriter",
}


def write_events(events: Iterable[Event], file: IO[bytes], *, form: str, source: ExportSource) -> int:
    """Write events in a form and give their number.

    Args:
        events: oldest first.
        file: open for writing; only written forward.
        form: a value of `ExportForm`.
        source: where they come from.

    Raises:
        LedgerRequestError: there is no such form, or what it needs is not installed.
        OSError: the file cannot be written.
    """
    writer = _open_writer(check_form(form), file, source)
    count = 0
    for event in events:
        writer.add(event)
        count += 1
    writer.finish()
    return count


def check_form(form: str) -> ExportForm:
    """Give the form of that name.

    Raises:
        LedgerRequestError: there is none.
    """
    try:
        return ExportForm(form)
    except ValueError as error:
        known = ", ".join(ExportForm)
        raise LedgerRequestError(f"The format must be one of {known}; got {form[:20]!r}.") from error


def _open_writer(form: ExportForm, file: IO[bytes], source: ExportSource) -> EventWriter:
    # Loaded when asked for: one of them needs a library that few have.
    module, name = _WRITERS[form].split(":")
    make: Callable[[IO[bytes], ExportSource], EventWriter] = getattr(
        import_module(f"platemark_provenance.ledger.exports.{module}"), name
    )
    return make(file, source)
