"""A month's numbers are those of its events, no more and no fewer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.month import MonthCounts, Span, count_month
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.store import Ledger

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
MARCH = Span(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


def decided(desk: str | None, decision: str, *rules: str) -> NewEvent:
    facts = {"decision": {"findings": [{"rule_id": rule} for rule in rules]}}
    return NewEvent(EventType.POLICY_DECIDED, desk=desk, decision=decision, facts=facts)


@pytest.fixture
def counts(ledger: Ledger) -> MonthCounts:
    """The numbers of a month with six decisions and two clips."""
    ledger.append_all(
        [
            decided("weather", "allow"),
            decided("weather", "allow"),
            decided("weather", "block", "R02.1", "R02.1", "R04"),
            decided("정치부", "review", "R04"),
            decided(None, "allow", "R99"),
            decided("정치부", "block", "R04"),
            NewEvent(EventType.CLIP_PUBLISHED, model="embedded"),
            NewEvent(EventType.CLIP_PUBLISHED, model="testcard"),
        ]
    )
    return count_month(ledger, MARCH)


def test_decisions_are_counted_by_outcome_and_by_desk(counts: MonthCounts) -> None:
    assert counts.decisions == {"allow": 3, "review": 1, "block": 2}
    assert counts.desks == {
        "-": {"allow": 1}, "weather": {"allow": 2, "block": 1}, "정치부": {"review": 1, "block": 1},
    }  # fmt: skip


def test_reasons_are_counted_once_a_decision_and_not_where_it_was_allowed(counts: MonthCounts) -> None:
    assert counts.reasons == {"R04": 3, "R02.1": 1}


def test_clips_are_counted_by_model_and_events_by_kind(counts: MonthCounts) -> None:
    assert counts.models == {"embedded": 1, "testcard": 1}
    assert counts.events == {"policy.decided": 6, "clip.published": 2}


def test_the_numbers_say_from_which_log_they_come(counts: MonthCounts, ledger: Ledger) -> None:
    assert (counts.size, counts.root) == (8, ledger.head().root)


def test_every_number_is_a_row(counts: MonthCounts) -> None:
    rows = list(counts.rows())

    assert ("desk", "정치부", "block", 1) in rows
    assert ("reason", "R04", "", 3) in rows
    assert sum(count for section, _, _, count in rows if section == "event") == 8


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(microseconds=-1)])
def test_a_month_ends_before_the_next_begins(ledger: Ledger, offset: timedelta) -> None:
    ledger.append(decided("weather", "allow"))
    until = NOON + offset

    found = count_month(ledger, Span(NOON - timedelta(days=30), until))

    assert found.decisions["allow"] == 0


def test_a_month_begins_with_its_first_moment(ledger: Ledger, move_clock: Callable[[float], None]) -> None:
    ledger.append(decided("weather", "allow"))

    assert count_month(ledger, Span(NOON, NOON + timedelta(days=30))).decisions["allow"] == 1


def test_an_empty_month_is_zeroes(ledger: Ledger) -> None:
    found = count_month(ledger, MARCH)

    assert found.decisions == {"allow": 0, "review": 0, "block": 0}
    assert (found.desks, found.reasons, found.events) == ({}, {}, {})


@pytest.mark.parametrize("by", [(), ("actor",), ("body",), ("desk", "clip")])
def test_events_are_not_counted_by_what_names_people_or_clips(ledger: Ledger, by: tuple[str, ...]) -> None:
    with pytest.raises(LedgerRequestError, match="counted by"):
        ledger.counts(Filter(), by=by)
