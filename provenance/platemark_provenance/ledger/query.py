"""The questions an auditor asks of the log: which events, in pages.

One rule: keyset pages by `seq` only. An offset would read every row before it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias, TypedDict

from sqlalchemy import ColumnElement, Connection, Row, func, select

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import KeyUnavailable, LedgerCorrupt, LedgerRequestError
from platemark_provenance.ledger.dialect import facts_as_text
from platemark_provenance.ledger.event import (
    Event,
    EventType,
    SealedState,
    check_text,
    decode_body,
    derive_columns,
    facts_of,
    from_microseconds,
    sealed_digest,
    to_microseconds,
)
from platemark_provenance.ledger.merkle import leaf_hash
from platemark_provenance.ledger.sealing import SealedPayload, Sealer
from platemark_provenance.ledger.search import has_words
from platemark_provenance.ledger.tables import actor, event, sealed_payload

LARGEST_PAGE = 1_000
LONGEST_TRACE = 10_000

Opener: TypeAlias = Callable[[str, SealedPayload], Mapping[str, JsonValue]]
"""Opens the sealed part of the event with an id."""

_COUNTED = frozenset({"type", "desk", "decision", "model"})
_CURSOR = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)
_PSEUDONYM = re.compile(r"p-[a-z2-7]{16}", re.ASCII)


class Criteria(TypedDict, total=False):
    """The fields of `Filter`, as keyword arguments."""

    clip: str | None
    actor: str | None
    desk: str | None
    type: str | None
    decision: str | None
    model: str | None
    since: datetime | None
    until: datetime | None
    text: str | None
    words: str | None
    order: Literal["newest", "oldest"]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events to give; a field left at None leaves out nothing.

    Args:
        clip: the clip it happened to.
        actor: who did it, by name or by pseudonym.
        desk: the desk it was done for.
        type: what happened, a value of `EventType`.
        decision: the outcome of a decision.
        model: the model that was used.
        since: not before this time.
        until: before this time.
        text: found in the open facts, spelled as JSON; upper and lower case of A to Z are the same.
        words: all found in the sealed part, by the search index; none are found where a home keeps no index.
        order: which end of the log to begin with.

    Raises:
        LedgerRequestError: a field is empty, too long or holds control characters, a time has no zone, or
            there is no such type.
    """

    clip: str | None = None
    actor: str | None = None
    desk: str | None = None
    type: str | None = None
    decision: str | None = None
    model: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    words: str | None = None
    order: Literal["newest", "oldest"] = "newest"

    def __post_init__(self) -> None:
        for name in ("clip", "actor", "desk", "type", "decision", "model", "text", "words"):
            check_text(name, getattr(self, name))
        for moment in (self.since, self.until):
            if moment is not None:
                to_microseconds(moment)
        if self.order not in ("newest", "oldest"):
            raise LedgerRequestError(f"The order is newest or oldest first; got {str(self.order)[:40]!r}.")
        if self.type is not None and self.type not in list(EventType):
            nearest = get_close_matches(self.type, list(EventType), n=1, cutoff=0.4)
            raise LedgerRequestError(
                f"There is no event type {self.type[:60]!r}.",
                fix=f"Did you mean {nearest[0]}?" if nearest else "",
            )

    def oldest_first(self) -> "Filter":
        """Give the same question, answered from the beginning of the log."""
        return replace(self, order="oldest")


@dataclass(frozen=True, slots=True)
class Page:
    """Some events and where the next page begins.

    Args:
        events: in the order asked for.
        next: hand this in as `after` for the next page; None when there is none.
    """

    events: tuple[Event, ...]
    next: str | None


def read_page(connection: Connection, where: Filter, sealer: Sealer, *, after: str | None, limit: int) -> Page:
    """Read one page.

    Raises:
        LedgerRequestError: the cursor or the limit cannot be.
        LedgerCorrupt: an event's bytes are not those that were logged.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise LedgerRequestError(f"A page has 1 to {LARGEST_PAGE} events; asked for {limit}.")
    conditions = _conditions(where, sealer, connection.dialect.name)
    if after is not None:
        if not _CURSOR.fullmatch(after):
            raise LedgerRequestError("The cursor is not one that a page gave.", fix="Pass `next` of the page before.")
        conditions.append(event.c.seq < int(after) if where.order == "newest" else event.c.seq > int(after))
    order = event.c.seq.desc() if where.order == "newest" else event.c.seq.asc()
    if _is_stretch(where):
        # Looked up by time first: the order asked for is that of the log, and walking the log from its end to a stretch
        # far back would read everything in between. The sum keeps a database from walking it nevertheless.
        by_hand = (event.c.seq + 0).desc() if where.order == "newest" else (event.c.seq + 0).asc()
        places = select(event.c.seq).where(*conditions).order_by(by_hand).limit(limit + 1)
        conditions = [event.c.seq.in_(places.correlate(None))]
    # One more than asked for tells whether there is another page.
    rows = connection.execute(_EVENTS.where(*conditions).order_by(order).limit(limit + 1)).all()
    events = tuple(_read_event(row, None) for row in rows[:limit])
    return Page(events, next=str(events[-1].seq) if len(rows) > limit else None)


def all_events(connection: Connection, where: Filter, sealer: Sealer) -> Iterator[Event]:
    """Give every event that fits, page by page, within one transaction.

    Raises:
        LedgerCorrupt: an event's bytes are not those that were logged.
    """
    after: str | None = None
    while True:
        page = read_page(connection, where, sealer, after=after, limit=LARGEST_PAGE)
        yield from page.events
        if page.next is None:
            return
        after = page.next


def read_counts(
    connection: Connection, where: Filter, sealer: Sealer, *, by: tuple[str, ...]
) -> dict[tuple[str | None, ...], int]:
    """Count the events that fit, for each combination of values in some columns.

    Raises:
        LedgerRequestError: one of them is no column to count by.
    """
    if not by or not set(by) <= _COUNTED:
        raise LedgerRequestError(f"Events are counted by {', '.join(sorted(_COUNTED))}.")
    columns = [event.c[name] for name in by]
    query = (
        select(*columns, func.count()).where(*_conditions(where, sealer, connection.dialect.name)).group_by(*columns)
    )
    return {tuple(row[:-1]): int(row[-1]) for row in connection.execute(query)}


def read_trace(connection: Connection, clip: str, opener: Opener) -> tuple[Event, ...]:
    """Read the whole life of one clip, oldest first, with its sealed parts opened.

    Raises:
        LedgerCorrupt: an event's bytes are not those that were logged.
    """
    check_text("clip", clip)
    rows = connection.execute(_EVENTS.where(event.c.clip == clip).order_by(event.c.seq).limit(LONGEST_TRACE))
    return tuple(_read_event(row, opener) for row in rows)


_EVENTS = select(
    event.c.seq,
    event.c.body,
    event.c.leaf,
    actor.c.identity,
    sealed_payload.c.nonce,
    sealed_payload.c.ciphertext,
).select_from(
    event.outerjoin(actor, actor.c.pseudonym == event.c.actor).outerjoin(
        sealed_payload, sealed_payload.c.event_id == event.c.event_id
    )
)


def _conditions(where: Filter, sealer: Sealer, dialect: str) -> list[ColumnElement[bool]]:
    names = ("clip", "desk", "type", "decision", "model")
    equal = {name: getattr(where, name) for name in names}
    conditions: list[ColumnElement[bool]] = [event.c[name] == value for name, value in equal.items() if value]
    if where.actor is not None:
        conditions.append(event.c.actor == known_pseudonym(where.actor, sealer))
    conditions += _within(where)
    if where.text is not None:
        conditions.append(facts_as_text(dialect).ilike(_pattern(where.text), escape="\\"))
    if where.words is not None:
        conditions.append(has_words(where.words))
    return conditions


def _within(where: Filter) -> list[ColumnElement[bool]]:
    """Give the conditions on time."""
    conditions: list[ColumnElement[bool]] = []
    if where.since is not None:
        conditions.append(event.c.ts_us >= to_microseconds(where.since))
    if where.until is not None:
        conditions.append(event.c.ts_us < to_microseconds(where.until))
    return conditions


def _is_stretch(where: Filter) -> bool:
    """Tell whether events are asked for by a time with both ends and nothing else."""
    others = (where.clip, where.actor, where.desk, where.type, where.decision, where.model, where.text, where.words)
    return where.since is not None and where.until is not None and not any(others)


def known_pseudonym(person: str, sealer: Sealer) -> str:
    """Give the pseudonym of a person named either way: by name, or by the pseudonym itself."""
    return person if _PSEUDONYM.fullmatch(person) is not None else sealer.pseudonym(person)


def _pattern(text: str) -> str:
    """Spell the text as it stands inside JSON, with nothing left that LIKE would read as a wildcard."""
    spelled = json.dumps(text, ensure_ascii=False)[1:-1]
    return "%" + re.sub(r"([\\%_])", r"\\\1", spelled) + "%"


def _read_event(row: Row[*tuple[Any, ...]], opener: Opener | None) -> Event:
    body = bytes(row.body)
    if leaf_hash(body) != row.leaf:
        raise LedgerCorrupt(f"Event {row.seq} was changed after it was logged.", fix="Run `platemark audit verify`.")
    decoded = decode_body(body)
    columns = derive_columns(decoded)
    state, sealed = _sealed_part(row, decoded, columns.event_id, opener)
    return Event(
        seq=row.seq,
        event_id=columns.event_id,
        at=from_microseconds(columns.ts_us),
        type=columns.type,
        clip=columns.clip,
        actor=columns.actor,
        actor_name=row.identity,
        desk=columns.desk,
        decision=columns.decision,
        model=columns.model,
        facts=facts_of(decoded),
        sealed_state=state,
        sealed=sealed,
        body=body,
    )


def _sealed_part(
    row: Row[*tuple[Any, ...]],
    decoded: Mapping[str, JsonValue],
    event_id: str,
    opener: Opener | None,
) -> tuple[SealedState, Mapping[str, JsonValue] | None]:
    digest = sealed_digest(decoded)
    if digest is None:
        return SealedState.NONE, None
    if row.ciphertext is None:
        return SealedState.ERASED, None
    if opener is None:
        return SealedState.KEPT, None
    payload = SealedPayload(row.nonce, row.ciphertext)
    try:
        return SealedState.OPENED, opener(event_id, payload)
    except (LedgerCorrupt, KeyUnavailable):
        # One unreadable payload must not hide the rest of the clip's life; `audit verify` says which and why.
        return SealedState.UNREADABLE, None
