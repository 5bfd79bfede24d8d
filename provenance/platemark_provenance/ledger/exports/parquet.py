"""The one door to pyarrow: events as a Parquet table, a thousand rows at a time."""

from typing import IO, Any

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.event import Event
from platemark_provenance.ledger.exports.lines import open_fields
from platemark_provenance.ledger.exports.writing import ExportSource
from platemark_provenance.ledger.merkle import leaf_hash

ROWS_A_GROUP = 1_000


class ParquetFileWriter:
    """Write row groups of a thousand events, compressed with zstd.

    Args:
        file: where to.
        source: its origin goes into the file's metadata.

    Raises:
        LedgerRequestError: pyarrow is not installed.
    """

    def __init__(self, file: IO[bytes], source: ExportSource) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as error:
            raise LedgerRequestError(
                "Parquet needs pyarrow, which is not installed.", fix="Run: pip install 'platemark[exports]'"
            ) from error
        self._arrow: Any = pa
        text = pa.string()
        self._schema = pa.schema(
            [
                pa.field("seq", pa.int64(), nullable=False),
                pa.field("event_id", text, nullable=False),
                pa.field("at", pa.timestamp("us", tz="UTC"), nullable=False),
                pa.field("type", text, nullable=False),
                *(pa.field(name, text) for name in ("clip", "actor", "desk", "decision", "model")),
                pa.field("sealed_state", text, nullable=False),
                pa.field("leaf", pa.binary(32), nullable=False),
                pa.field("body", text, nullable=False),
            ],
            metadata={"org.platemark.origin": source.origin, "org.platemark.version": source.version},
        )
        self._writer: Any = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[dict[str, object]] = []

    def add(self, event: Event) -> None:
        """Keep one event until its row group is full."""
        fields: dict[str, object] = dict(open_fields(event))
        fields |= {"at": event.at, "leaf": leaf_hash(event.body)}
        del fields["facts"]
        self._rows.append(fields)
        if len(self._rows) == ROWS_A_GROUP:
            self._flush()

    def finish(self) -> None:
        """Write the last row group and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []
