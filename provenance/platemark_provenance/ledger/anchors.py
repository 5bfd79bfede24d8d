"""What others gave back for signed tree heads: cosignatures, time-stamps, the places where copies lie.

One rule: rows are kept and never taken away; what one of them proves is checked by whoever reads it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, insert, select, update

from platemark_provenance.ledger.event import from_microseconds, to_microseconds
from platemark_provenance.ledger.postgres import LedgerDatabase
from platemark_provenance.ledger.tables import anchor, checkpoint

AnchorKind = Literal["directory", "s3", "timestamp", "witness"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One copy or confirmation of a signed tree head.

    Args:
        size: of the tree.
        kind: what gave it.
        target: where, or who.
        evidence: what came back.
        note: the checkpoint of that size, as this log signed it.
        at: when it was written down, by this machine's clock.
    """

    size: int
    kind: AnchorKind
    target: str
    evidence: bytes
    note: bytes
    at: datetime


class AnchorRows:
    """The table of anchors.

    Args:
        database: the open ledger.
        clock: gives the time now, aware.
    """

    def __init__(self, database: LedgerDatabase, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def keep(self, size: int, kind: AnchorKind, target: str, evidence: bytes) -> None:
        """Write down what came back for the tree of a size that was signed; later answers replace earlier ones."""
        key = (anchor.c.size == size) & (anchor.c.kind == kind) & (anchor.c.target == target)
        values = {"state": "kept", "evidence": evidence, "changed_us": to_microseconds(self._clock())}
        with self._database.write() as connection:
            if connection.execute(select(anchor.c.size).where(key)).first() is None:
                connection.execute(insert(anchor).values(size=size, kind=kind, target=target, **values))
            else:
                connection.execute(update(anchor).where(key).values(**values))

    def of_size(self, size: int, kind: AnchorKind) -> tuple[Kept, ...]:
        """Give what there is of one kind for the tree of a size."""
        return self._read((anchor.c.size == size) & (anchor.c.kind == kind), limit=1_000)

    def newest(self, kind: AnchorKind, target: str) -> Kept | None:
        """Give the newest from one place or person."""
        found = self._read((anchor.c.kind == kind) & (anchor.c.target == target), limit=1)
        return found[0] if found else None

    def targets(self, kind: AnchorKind) -> tuple[str, ...]:
        """Give every place or person that gave something of a kind."""
        query = select(anchor.c.target).where(anchor.c.kind == kind).distinct().order_by(anchor.c.target)
        with self._database.read() as connection:
            return tuple(connection.execute(query).scalars())

    def listed(self, *, limit: int = 100) -> tuple[Kept, ...]:
        """Give all of any kind, the largest tree first."""
        return self._read(anchor.c.size >= 0, limit=limit)

    def _read(self, where: ColumnElement[bool], *, limit: int) -> tuple[Kept, ...]:
        query = (
            select(anchor, checkpoint.c.note)
            .join(checkpoint, checkpoint.c.size == anchor.c.size)
            .where(where, anchor.c.state == "kept")
            .order_by(anchor.c.size.desc(), anchor.c.kind, anchor.c.target)
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Kept(
                row.size, row.kind, row.target, bytes(row.evidence), bytes(row.note), from_microseconds(row.changed_us)
            )
            for row in rows
        )
