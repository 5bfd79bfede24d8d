"""Reading the log so that the reading stands in it: who asked, for what, and how much they were shown.

One rule: an answer leaves only after its own event is kept; of a ledger that was opened for reading only, which keeps
none, the caller has to say so. What this class appends is never read to answer the same
question, so that a query does not feed on itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import Appended, Event, EventType, NewEvent
from platemark_provenance.ledger.query import LARGEST_PAGE, Filter, Page
from platemark_provenance.ledger.store import Ledger

_EXPORT_PAGE = 500
"""Events held in memory at once; one has some 1 kB and at most 64."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads the log.

    Args:
        ledger: the open ledger.
        name: who they are; the log keeps a pseudonym.
    """

    ledger: Ledger
    name: str

    def page(self, where: Filter, *, after: str | None = None, limit: int = 100) -> Page:
        """Give one page of the events that fit; see `Ledger.page`.

        Raises:
            LedgerRequestError, LedgerCorrupt: see `Ledger.page`.
            LedgerUnavailable: the reading could not be logged, so nothing is shown.
        """
        page = self.ledger.page(where, after=after, limit=limit)
        self.record("query", found=len(page.events), asked=self.spelled(where))
        return page

    def trace(self, clip_id: str) -> tuple[Event, ...]:
        """Give one clip's whole life; see `Ledger.trace`.

        Raises:
            LedgerCorrupt: an event was changed after it was logged.
            LedgerUnavailable: the reading could not be logged, so nothing is shown.
        """
        events = self.ledger.trace(clip_id)
        self.record("trace", found=len(events), asked={"clip": clip_id})
        return events

    def export(self, where: Filter, *, form: str) -> Iterator[Event]:
        """Give every event that fits, oldest first, as the log stood at the beginning.

        One event is kept before the first is given and one, with their number, after the last: an export that was
        broken off has only the first.

        Args:
            where: which events; its order is not used.
            form: the name of the form they are written in.

        Raises:
            LedgerCorrupt: an event was changed after it was logged.
            LedgerUnavailable: the reading could not be logged.
        """
        asked = {**self.spelled(where), "form": form}
        started = self.record("export", found=None, asked=asked, kind=EventType.AUDIT_EXPORTED)
        count = 0
        for event in self._until(where, self.ledger.head().size if started is None else started.seq):
            count += 1
            yield event
        self.record("export", found=count, asked=asked, kind=EventType.AUDIT_EXPORTED)

    def record(
        self,
        command: str,
        *,
        found: int | None,
        asked: Mapping[str, JsonValue],
        kind: EventType = EventType.AUDIT_QUERIED,
    ) -> Appended | None:
        """Write down that something was read; gives None where the ledger was opened for reading only.

        Args:
            command: what was done, in one word.
            found: how many events were given; None before it is known.
            asked: which, without names and without words searched for.
            kind: `audit.queried` or `audit.exported`.
        """
        if self.ledger.is_read_only:
            return None
        facts: dict[str, JsonValue] = {"command": command, "asked": asked}
        if found is not None:
            facts["found"] = found
        return self.ledger.append(NewEvent(kind, actor=self.name or None, facts=facts))

    def spelled(self, where: Filter) -> dict[str, JsonValue]:
        """Spell a filter for the log: a person as a pseudonym, and of a text only its length."""
        asked: dict[str, JsonValue] = {
            name: value
            for name in ("clip", "desk", "type", "decision", "model")
            if (value := getattr(where, name)) is not None
        }
        for name in ("since", "until"):
            if (moment := getattr(where, name)) is not None:
                asked[name] = moment.isoformat()
        if where.actor is not None:
            asked["actor"] = self.ledger.pseudonym_of(where.actor)
        for name, searched in (("text_characters", where.text), ("words_characters", where.words)):
            if searched is not None:
                asked[name] = len(searched)
        return asked

    def _until(self, where: Filter, end: int) -> Iterator[Event]:
        after: str | None = None
        oldest_first = where.oldest_first()
        while True:
            page = self.ledger.page(oldest_first, after=after, limit=min(_EXPORT_PAGE, LARGEST_PAGE))
            for event in page.events:
                if event.seq >= end:
                    return
                yield event
            if page.next is None:
                return
            after = page.next
