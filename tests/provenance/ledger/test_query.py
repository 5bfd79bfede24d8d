"""Every question an auditor asks gives exactly the events that fit, page by page, and odd questions are refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.event import LONGEST_FIELD, EventType, NewEvent
from platemark_provenance.ledger.query import LARGEST_PAGE, Criteria, Filter
from platemark_provenance.ledger.store import Ledger

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
KST = timezone(timedelta(hours=9))


def numbers(ledger: Ledger, **criteria: Any) -> list[int]:
    return [event.seq for event in ledger.query(**criteria)]


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ({}, [6, 5, 4, 3, 2, 1, 0]),
        ({"order": "oldest"}, [0, 1, 2, 3, 4, 5, 6]),
        ({"clip": "clip-a"}, [6, 5, 4, 3, 2, 1]),
        ({"clip": "clip-b"}, []),
        ({"actor": "jw.kim"}, [5, 1]),
        ({"actor": "JW.Kim"}, []),
        ({"desk": "weather"}, [5, 2, 1]),
        ({"type": "clip.published"}, [5]),
        ({"type": EventType.CLIP_PUBLISHED}, [5]),
        ({"decision": "allow"}, [2]),
        ({"decision": "block"}, []),
        ({"desk": "weather", "actor": "jw.kim", "order": "oldest"}, [1, 5]),
        ({"clip": "clip-a", "decision": "allow", "type": "policy.decided"}, [2]),
        ({"clip": "clip-a", "type": "home.created"}, []),
        ({"text": "newsroom"}, [2]),
        ({"text": "a.mp4"}, [5]),
        ({"text": "A.MP4"}, [5]),
        ({"text": "News Example"}, [0]),
        ({"text": "clip-a"}, []),
        ({"text": "rain over"}, []),
    ],
)
def test_a_question_gives_the_events_that_fit(archive: Ledger, criteria: Criteria, found: list[int]) -> None:
    assert numbers(archive, **criteria) == found


def test_an_actor_is_found_by_pseudonym_too(archive: Ledger) -> None:
    assert numbers(archive, actor=archive.pseudonym("jw.kim")) == [5, 1]


@pytest.fixture
def hourly(ledger: Ledger, move_clock: Callable[[float], None]) -> Ledger:
    """Five events, an hour apart, the first at noon."""
    for _ in range(5):
        ledger.append(NewEvent(EventType.AUDIT_QUERIED))
        move_clock(3_600)
    return ledger


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (NOON, None, [0, 1, 2, 3, 4]),
        (NOON + timedelta(microseconds=1), None, [1, 2, 3, 4]),
        (NOON + timedelta(hours=4), None, [4]),
        (NOON + timedelta(hours=5), None, []),
        (None, NOON, []),
        (None, NOON + timedelta(microseconds=1), [0]),
        (NOON + timedelta(hours=1), NOON + timedelta(hours=3), [1, 2]),
        (NOON + timedelta(hours=3), NOON + timedelta(hours=1), []),
        (datetime(2026, 3, 14, 22, 0, tzinfo=KST), None, [1, 2, 3, 4]),
    ],
)
def test_a_span_of_time_begins_with_its_first_moment_and_ends_before_its_last(
    hourly: Ledger, since: datetime | None, until: datetime | None, found: list[int]
) -> None:
    assert numbers(hourly, since=since, until=until, order="oldest") == found


TEXTS = [
    "100%",
    "100 per cent",
    "a_b",
    "aXb",
    "back\\slash",
    'the "quoted" word',
    "서울의 밤",
    "tab\tstop",
    "O'Neill",
    "é",
]


@pytest.fixture
def texts(ledger: Ledger) -> Ledger:
    """One event for each text that could be mistaken for something else."""
    ledger.append_all([NewEvent(EventType.AUDIT_QUERIED, facts={"text": text}) for text in TEXTS])
    return ledger


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("100%", [0]),
        ("100", [0, 1]),
        ("%", [0]),
        ("_", [2]),
        ("a_b", [2]),
        ("\\", [4]),
        ("back\\slash", [4]),
        ('"quoted"', [5]),
        ("THE", [5]),
        ("서울", [6]),
        ("울의", [6]),
        ("o'n", [8]),
        ("' OR 1=1 --", []),
        ("é", [9]),
    ],
)
def test_a_text_is_searched_for_as_it_is(texts: Ledger, text: str, found: list[int]) -> None:
    assert numbers(texts, text=text, order="oldest") == found


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_pages_put_together_are_the_whole_answer(archive: Ledger, order: Any, limit: int) -> None:
    where = Filter(order=order)
    seen: list[int] = []
    after: str | None = None
    for _ in range(10):
        page = archive.page(where, after=after, limit=limit)
        seen += [event.seq for event in page.events]
        after = page.next
        if after is None:
            break

    assert seen == numbers(archive, order=order)


def test_the_last_page_says_that_it_is_the_last(archive: Ledger) -> None:
    assert archive.page(Filter(), limit=7).next is None
    assert archive.page(Filter(), limit=6).next is not None


def test_an_empty_answer_is_one_empty_page(ledger: Ledger) -> None:
    page = ledger.page(Filter())

    assert (page.events, page.next) == ((), None)


def test_events_that_come_in_between_do_not_disturb_the_pages(story: Ledger) -> None:
    first = story.page(Filter(), limit=3)
    story.append(NewEvent(EventType.AUDIT_QUERIED))

    second = story.page(Filter(), after=first.next, limit=10)

    assert [event.seq for event in second.events] == [3, 2, 1, 0]


def test_a_log_is_followed_from_where_one_stopped(story: Ledger) -> None:
    where = Filter(order="oldest")
    last = story.page(where, limit=7).events[-1]
    story.append(NewEvent(EventType.AUDIT_QUERIED))

    new = story.page(where, after=str(last.seq))

    assert [event.seq for event in new.events] == [7]


def test_many_events_come_in_one_go_through_as_many_pages_as_it_takes(ledger: Ledger) -> None:
    ledger.append_all([NewEvent(EventType.AUDIT_QUERIED)] * 1_203)

    assert numbers(ledger, order="oldest") == list(range(1_203))


@pytest.mark.parametrize("limit", [0, -1, LARGEST_PAGE + 1, 10**12])
def test_a_page_of_an_impossible_size_is_refused(archive: Ledger, limit: int) -> None:
    with pytest.raises(LedgerRequestError, match="1 to 1000 events"):
        archive.page(Filter(), limit=limit)


@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "01", "1; DROP TABLE event", "9" * 19, "٣", " 3"])
def test_a_cursor_that_no_page_gave_is_refused(archive: Ledger, after: str) -> None:
    with pytest.raises(LedgerRequestError, match="cursor"):
        archive.page(Filter(), after=after)


@pytest.mark.parametrize("name", ["clip", "actor", "desk", "type", "decision", "text"])
@pytest.mark.parametrize("value", ["", "x" * (LONGEST_FIELD + 1), "a\x00b", "a\nb"])
def test_a_criterion_that_is_no_short_plain_text_is_refused(name: str, value: str) -> None:
    criteria: dict[str, Any] = {name: value}

    with pytest.raises(LedgerRequestError, match=f"The {name} must"):
        Filter(**criteria)


def test_an_unknown_type_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(LedgerRequestError, match=r"no event type 'clip\.publishd'") as caught:
        Filter(type="clip.publishd")

    assert caught.value.fix == "Did you mean clip.published?"


def test_a_type_like_no_other_is_refused_without_a_guess() -> None:
    with pytest.raises(LedgerRequestError) as caught:
        Filter(type="zzzz")

    assert caught.value.fix == ""


@pytest.mark.parametrize("name", ["since", "until"])
def test_a_time_without_a_zone_is_refused(name: str) -> None:
    criteria: dict[str, Any] = {name: datetime(2026, 3, 14)}

    with pytest.raises(LedgerRequestError, match="zone"):
        Filter(**criteria)


def test_an_order_that_is_neither_is_refused() -> None:
    order: Any = "random"

    with pytest.raises(LedgerRequestError, match="newest or oldest"):
        Filter(order=order)


def test_a_bad_question_is_refused_when_asked_and_not_when_read(archive: Ledger) -> None:
    with pytest.raises(LedgerRequestError):
        archive.query(clip="")


@pytest.mark.parametrize("clip", ["", "x" * 300, "a\x00"])
def test_a_trace_of_an_impossible_clip_is_refused(archive: Ledger, clip: str) -> None:
    with pytest.raises(LedgerRequestError, match="clip"):
        archive.trace(clip)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=LONGEST_FIELD))
def test_any_short_plain_text_is_a_valid_question(text: str) -> None:
    assert Filter(text=text).text == text


@pytest.mark.parametrize(
    ("criteria", "index"),
    [
        ({"clip": "a"}, "ix_event_clip"),
        ({"actor": "a"}, "ix_event_actor"),
        ({"desk": "a"}, "ix_event_desk"),
        ({"type": "clip.published"}, "ix_event_type"),
        ({"decision": "allow"}, "ix_event_decision"),
    ],
)
def test_a_question_is_answered_from_an_index(
    story: Ledger, criteria: Criteria, index: str, explain: Callable[[Callable[[], object]], str]
) -> None:
    plan = explain(lambda: story.page(Filter(**criteria)))

    assert f"USING INDEX {index}" in plan
    assert "TEMP B-TREE" not in plan


def test_a_stretch_of_time_is_given_in_the_order_of_the_log_page_by_page(
    ledger: Ledger, move_clock: Callable[[float], None]
) -> None:
    begin = NOON
    for step in (0, 60, -30, 60, 60, -90, 120):
        move_clock(step)
        ledger.append(NewEvent(EventType.HOME_CREATED, facts={"step": step}))
    where = Filter(since=begin, until=begin + timedelta(seconds=91), order="newest")

    first = ledger.page(where, limit=3)
    second = ledger.page(where, after=first.next, limit=10)

    seqs = [event.seq for event in (*first.events, *second.events)]
    assert seqs == sorted(seqs, reverse=True)
    assert seqs == [event.seq for event in ledger.query() if begin <= event.at < begin + timedelta(seconds=91)]
