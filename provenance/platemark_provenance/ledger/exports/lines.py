"""JSON lines: every field of an event, and the exact text of its leaf.

One rule: `body` is the leaf's content to the byte, so that whoever has the lines can build the tree again.
"""

import json
from typing import IO

from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import Event
from platemark_provenance.ledger.exports.writing import ExportSource
from platemark_provenance.ledger.merkle import leaf_hash


class LineWriter:
    """Write one JSON object a line.

    Args:
        file: where to.
        source: unused; the lines say nothing that is not in the log.
    """

    def __init__(self, file: IO[bytes], source: ExportSource) -> None:
        del source
        self._file = file

    def add(self, event: Event) -> None:
        """Write one event."""
        self._file.write(json.dumps(open_fields(event), ensure_ascii=False).encode() + b"\n")

    def finish(self) -> None:
        """Write nothing more: the last line has ended."""


def open_fields(event: Event) -> dict[str, JsonValue]:
    """Give an event without names and sealed parts, with its leaf and the text that hashes to it."""
    fields = event.to_json()
    for name in ("actor_name", "sealed"):
        del fields[name]
    fields["leaf"] = leaf_hash(event.body).hex()
    fields["body"] = event.body.decode()
    return fields
