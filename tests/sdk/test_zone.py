"""Times at the edge: read and shown in the reader's zone, kept in UTC."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.zone import month_bounds, parse_moment, parse_zone, show_moment

SEOUL = parse_zone("Asia/Seoul")
NEW_YORK = parse_zone("America/New_York")


@pytest.mark.parametrize("name", ["", "Mars/Base", "../../etc/passwd", "KST9", "x" * 300])
def test_a_zone_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match="no time zone"):
        parse_zone(name)


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-11-22", "Asia/Seoul", "2026-11-21T15:00+00:00"),
        ("2026-11-22T09:00", "Asia/Seoul", "2026-11-22T00:00+00:00"),
        ("2026-11-22T09:00+09:00", "UTC", "2026-11-22T00:00+00:00"),
        ("2026-11-22T09:00Z", "Asia/Seoul", "2026-11-22T09:00+00:00"),
        ("2026-03-08", "America/New_York", "2026-03-08T05:00+00:00"),
        ("2026-03-09", "America/New_York", "2026-03-09T04:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_meant_in_the_readers(text: str, zone: str, utc: str) -> None:
    assert parse_moment("--since", text, parse_zone(zone)) == datetime.fromisoformat(utc)


def test_no_time_stays_none() -> None:
    assert parse_moment("--since", None, UTC) is None


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "12:00"])
def test_what_is_no_time_is_refused_with_the_options_name(text: str) -> None:
    with pytest.raises(RequestError, match="--since"):
        parse_moment("--since", text, UTC)


def test_a_moment_is_shown_in_the_readers_zone() -> None:
    assert show_moment(datetime(2026, 11, 21, 15, 0, 5, tzinfo=UTC), SEOUL) == "2026-11-22 00:00:05"


def test_a_month_begins_at_the_midnight_of_its_zone() -> None:
    first, after = month_bounds("2026-11", SEOUL)

    assert first == datetime(2026, 10, 31, 15, tzinfo=UTC)
    assert after == datetime(2026, 11, 30, 15, tzinfo=UTC)


def test_a_month_in_which_clocks_change_is_an_hour_shorter() -> None:
    first, after = month_bounds("2026-03", NEW_YORK)

    assert after.astimezone(UTC) - first.astimezone(UTC) == timedelta(days=31, hours=-1)


@given(st.integers(2, 9998), st.integers(1, 12))
def test_each_month_ends_where_the_next_begins(year: int, month: int) -> None:
    following = f"{year + month // 12:04}-{month % 12 + 1:02}"

    assert month_bounds(f"{year:04}-{month:02}", UTC)[1] == month_bounds(following, UTC)[0]


@pytest.mark.parametrize("month", ["2026", "2026-13", "11-2026", "", "2026-11-01"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(RequestError, match="2026-11"):
        month_bounds(month, UTC)
