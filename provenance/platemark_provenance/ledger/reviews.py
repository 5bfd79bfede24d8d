"""Tickets of the review queue as rows: what is waiting, and who has decided.

One rule: rows find and count, the log tells. A vote is a row here and an event in the log, written together, and the
database itself refuses the vote of the person who asked.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from platemark_provenance.digest import Sha256Hex
from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.event import check_text, from_microseconds, to_microseconds
from platemark_provenance.ledger.postgres import LedgerDatabase
from platemark_provenance.ledger.tables import review, review_vote

MOST_TICKETS = 1_000
"""Tickets given at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """One ticket.

    Args:
        ticket: the id of the decision it is about.
        clip_id: the clip whose life tells the rest.
        binding: digest of exactly what was asked for.
        requester: pseudonym of who asked, empty where nobody was named.
        desk: for which desk, empty where none was named.
        created_at: when it was opened.
        expires_at: until when it counts.
        claimed_by: pseudonym of the editor who is looking at it.
        claimed_until: when that ends.
    """

    ticket: str
    clip_id: str
    binding: Sha256Hex
    requester: str
    desk: str
    created_at: datetime
    expires_at: datetime
    claimed_by: str | None = None
    claimed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One vote. `ballot` is `approve` or `reject`; `event_id` names its event in the log."""

    voter: str
    ballot: str
    event_id: str


class ReviewRows:
    """Read and write the tickets of an open ledger. Changes join the block of `Ledger.atomic()` they stand in."""

    def __init__(self, database: LedgerDatabase) -> None:
        self._database = database

    def open(self, row: TicketRow) -> None:
        """Keep a ticket; one that is known stays as it is.

        Raises:
            LedgerRequestError: a field is too long.
        """
        for name in ("ticket", "clip_id", "binding"):
            check_text(name, getattr(row, name))
        with self._database.write() as connection:
            if connection.execute(select(review.c.ticket).where(review.c.ticket == row.ticket)).first() is None:
                connection.execute(
                    insert(review).values(
                        ticket=row.ticket,
                        clip_id=row.clip_id,
                        binding=row.binding,
                        requester=row.requester,
                        desk=row.desk,
                        created_us=to_microseconds(row.created_at),
                        expires_us=to_microseconds(row.expires_at),
                    )
                )

    def find(self, ticket: str) -> TicketRow | None:
        """Give a ticket; None where it is unknown."""
        with self._database.read() as connection:
            row = connection.execute(select(review).where(review.c.ticket == ticket)).first()
            return None if row is None else _ticket(row)

    def about(self, binding: str) -> tuple[TicketRow, ...]:
        """Give the tickets about one request, newest first."""
        query = select(review).where(review.c.binding == binding).order_by(review.c.created_us.desc(), review.c.ticket)
        with self._database.read() as connection:
            return tuple(_ticket(row) for row in connection.execute(query.limit(MOST_TICKETS)))

    def all(self, *, desk: str | None = None, limit: int = 100) -> tuple[TicketRow, ...]:
        """Give tickets, newest first.

        Args:
            desk: only those of one desk.
            limit: 1 to 1000.

        Raises:
            LedgerRequestError: the limit cannot be.
        """
        if not 1 <= limit <= MOST_TICKETS:
            raise LedgerRequestError(f"Between 1 and {MOST_TICKETS} tickets can be listed at once; got {limit}.")
        query = select(review).order_by(review.c.created_us.desc(), review.c.ticket).limit(limit)
        if desk is not None:
            query = query.where(review.c.desk == desk)
        with self._database.read() as connection:
            return tuple(_ticket(row) for row in connection.execute(query))

    def claim(self, ticket: str, editor: str, *, until: datetime) -> None:
        """Give a ticket to an editor for a while."""
        change = update(review).where(review.c.ticket == ticket)
        with self._database.write() as connection:
            connection.execute(change.values(claimed_by=editor, claimed_us=to_microseconds(until)))

    def vote(self, row: TicketRow, vote: VoteRow) -> None:
        """Keep a vote.

        Raises:
            LedgerRequestError: the database refuses it: the voter asked for the clip, or has voted before.
        """
        values = {"ticket": row.ticket, "requester": row.requester, "voter": vote.voter}
        with self._database.write() as connection:
            try:
                connection.execute(insert(review_vote).values(**values, ballot=vote.ballot, event_id=vote.event_id))
            except IntegrityError as error:
                raise LedgerRequestError(
                    "The database refuses this vote: one vote a person, and not the asker's."
                ) from error
            connection.execute(
                update(review).where(review.c.ticket == row.ticket).values(claimed_by=None, claimed_us=None)
            )

    def votes(self, ticket: str) -> tuple[VoteRow, ...]:
        """Give the votes on a ticket."""
        query = select(review_vote).where(review_vote.c.ticket == ticket).order_by(review_vote.c.event_id)
        with self._database.read() as connection:
            return tuple(VoteRow(row.voter, row.ballot, row.event_id) for row in connection.execute(query))


def _ticket(row: Row[*tuple[Any, ...]]) -> TicketRow:
    return TicketRow(
        ticket=row.ticket,
        clip_id=row.clip_id,
        binding=Sha256Hex(row.binding),
        requester=row.requester,
        desk=row.desk,
        created_at=from_microseconds(row.created_us),
        expires_at=from_microseconds(row.expires_us),
        claimed_by=row.claimed_by,
        claimed_until=None if row.claimed_us is None else from_microseconds(row.claimed_us),
    )
