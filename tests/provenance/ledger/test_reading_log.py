"""Reading the log leaves its own trace there: who, what, and how much; and never feeds on itself."""

import json
from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.reading_log import Reader
from platemark_provenance.ledger.store import Ledger


def walk(ledger: Ledger, where: Filter, limit: int) -> list[int]:
    """Give the places of all events that fit, following the cursors."""
    seen: list[int] = []
    page = ledger.page(where, limit=limit)
    while True:
        seen += [event.seq for event in page.events]
        if page.next is None:
            return seen
        page = ledger.page(where, after=page.next, limit=limit)


def test_a_query_is_logged_with_who_asked_for_what_and_how_much_was_given(story: Ledger) -> None:
    reader = Reader(story, "auditor")

    page = reader.page(Filter(clip="clip-a", type="policy.decided"), limit=10)

    (logged,) = story.query(type=EventType.AUDIT_QUERIED)
    assert len(page.events) == 1
    assert logged.actor_name == "auditor"
    assert logged.facts == {
        "command": "query",
        "asked": {"clip": "clip-a", "type": "policy.decided"},
        "found": 1,
    }


def test_a_trace_is_logged(story: Ledger) -> None:
    events = Reader(story, "auditor").trace("clip-a")

    (logged,) = story.query(type=EventType.AUDIT_QUERIED)
    assert logged.facts == {"command": "trace", "asked": {"clip": "clip-a"}, "found": len(events)}


def test_each_query_adds_exactly_one_event_also_when_it_asks_for_queries(story: Ledger) -> None:
    before = story.head().size
    reader = Reader(story, "auditor")

    reader.page(Filter(type="audit.queried"))
    reader.page(Filter(type="audit.queried"))
    last = reader.page(Filter(type="audit.queried"))

    assert story.head().size == before + 3
    assert len(last.events) == 2


def test_a_query_that_cannot_be_adds_no_event(story: Ledger) -> None:
    before = story.head().size

    with pytest.raises(LedgerRequestError):
        Reader(story, "auditor").page(Filter(), limit=0)

    assert story.head().size == before


def test_a_person_and_a_text_asked_for_stand_in_the_log_as_pseudonym_and_length_only(story: Ledger) -> None:
    Reader(story, "auditor").page(Filter(actor="jw.kim", text="rain over"))

    (logged,) = story.query(type=EventType.AUDIT_QUERIED)
    assert logged.facts["asked"] == {"actor": story.pseudonym("jw.kim"), "text_characters": 9}
    assert b"jw.kim" not in logged.body


def test_a_pseudonym_asked_for_is_logged_as_it_is(story: Ledger) -> None:
    known = story.pseudonym("jw.kim")

    assert Reader(story, "").spelled(Filter(actor=known)) == {"actor": known}


def test_times_asked_for_are_logged_with_their_zone(story: Ledger) -> None:
    since = datetime(2026, 3, 1, tzinfo=UTC)

    assert Reader(story, "").spelled(Filter(since=since)) == {"since": "2026-03-01T00:00:00+00:00"}


def test_a_reader_without_a_name_is_logged_without_one(story: Ledger) -> None:
    Reader(story, "").page(Filter())

    (logged,) = story.query(type=EventType.AUDIT_QUERIED)
    assert logged.actor is None


def test_an_export_gives_the_log_as_it_stood_and_is_logged_before_and_after(story: Ledger) -> None:
    size = story.head().size

    events = list(Reader(story, "auditor").export(Filter(), form="jsonl"))

    assert [event.seq for event in events] == list(range(size))
    after, before = story.query(type=EventType.AUDIT_EXPORTED)
    assert before.facts == {"command": "export", "asked": {"form": "jsonl"}}
    assert after.facts == {"command": "export", "asked": {"form": "jsonl"}, "found": size}


def test_an_export_that_is_broken_off_leaves_its_first_event_only(story: Ledger) -> None:
    export = Reader(story, "auditor").export(Filter(), form="jsonl")

    next(export)
    export.close()

    (only,) = story.query(type=EventType.AUDIT_EXPORTED)
    assert "found" not in only.facts


def test_an_export_does_not_give_what_is_appended_while_it_runs(story: Ledger) -> None:
    export = Reader(story, "auditor").export(Filter(), form="jsonl")

    first = next(export)
    story.append(NewEvent(EventType.CLIP_VERIFIED, clip="late"))
    rest = list(export)

    assert [first.seq, *(event.seq for event in rest)] == list(range(7))


@given(limit=st.integers(1, 40), order=st.sampled_from(["newest", "oldest"]))
def test_pages_of_any_size_give_every_event_once_and_in_order(
    archive: Ledger, limit: int, order: Literal["newest", "oldest"]
) -> None:
    seen = walk(archive, Filter(order=order), limit)

    assert seen == sorted(range(7), reverse=order == "newest")


@given(cut=st.integers(1, 6))
def test_two_pages_cut_anywhere_are_the_whole(archive: Ledger, cut: int) -> None:
    first = archive.page(Filter(order="oldest"), limit=cut)

    rest = archive.page(Filter(order="oldest"), after=first.next, limit=100)

    assert [event.seq for event in (*first.events, *rest.events)] == list(range(7))


def test_a_query_by_model_gives_the_events_of_that_model(story: Ledger) -> None:
    events = list(story.query(model="embedded-1"))

    assert [event.type for event in events] == ["generation.finished"]


def test_what_is_logged_is_plain_json(story: Ledger) -> None:
    Reader(story, "auditor").page(Filter(desk="weather"))

    (logged,) = story.query(type=EventType.AUDIT_QUERIED)
    assert json.loads(logged.body)["facts"]["asked"] == {"desk": "weather"}
