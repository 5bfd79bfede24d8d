"""Corrections as they stand in events and manifests, and as hostile manifests may spell them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.correction import (
    MOST_CORRECTIONS,
    Correction,
    correction_statement,
    read_correction,
    read_corrections,
)
from platemark_provenance.errors import SigningError
from platemark_provenance.own_assertions import OwnAssertions, read_own_assertions
from platemark_provenance.withdrawal import LONGEST_REASON

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
WRONG_CITY = Correction(AT, "The caption named the wrong city")


def entry(correction: Correction) -> dict[str, object]:
    return dict(correction.to_json())


def test_what_is_stated_is_read_back_in_order() -> None:
    said = (WRONG_CITY, Correction(AT + timedelta(hours=1), "날짜가 틀렸습니다"))

    assert read_corrections([correction_statement(said)["data"]]) == said  # type: ignore[list-item]  # a mapping


def test_a_time_in_another_zone_is_shown_by_its_day_in_utc() -> None:
    seoul = timezone(timedelta(hours=9))

    assert Correction(datetime(2026, 1, 1, 3, tzinfo=seoul), "x").day == "2025-12-31"


@pytest.mark.parametrize("count", [0, MOST_CORRECTIONS + 1])
def test_none_and_too_many_cannot_be_stated(count: int) -> None:
    with pytest.raises(SigningError, match="1 to 32"):
        correction_statement([WRONG_CITY] * count)


def test_a_time_without_its_zone_cannot_be_stated() -> None:
    with pytest.raises(SigningError, match="zone"):
        correction_statement([Correction(AT.replace(tzinfo=None), "x")])


@pytest.mark.parametrize(
    "bad",
    [
        {},
        "text",
        None,
        {"date": "2026-11-22T09:30:00+00:00"},
        {"reason": "no date"},
        {"date": "yesterday", "reason": "x"},
        {"date": "2026-11-22T09:30:00", "reason": "no zone"},
        {"date": 7, "reason": "x"},
        {"date": "2026-11-22T09:30:00+00:00", "reason": ["x"]},
    ],
)
def test_an_entry_of_another_form_is_left_out_and_the_others_stay(bad: object) -> None:
    assert read_corrections([{"corrections": [bad, entry(WRONG_CITY)]}]) == (WRONG_CITY,)


@pytest.mark.parametrize("said", [{}, {"corrections": None}, {"corrections": "x"}, {"corrections": {}}])
def test_a_statement_of_another_form_says_nothing(said: dict[str, object]) -> None:
    assert read_corrections([said]) == ()


def test_more_than_are_shown_are_cut_off() -> None:
    assert len(read_corrections([{"corrections": [entry(WRONG_CITY)] * 1_000}])) == MOST_CORRECTIONS


def test_a_long_reason_with_control_characters_becomes_one_plain_line() -> None:
    said = {"date": AT.isoformat(), "reason": "wrong\n\x1b[31m date\u202e " + "x" * 9_999}

    (read,) = read_corrections([{"corrections": [said]}])

    assert len(read.reason) <= LONGEST_REASON
    assert read.reason.isprintable()


@given(st.recursive(st.none() | st.integers() | st.text() | st.floats(allow_nan=False),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12))  # fmt: skip
def test_no_manifest_makes_reading_fail(anything: object) -> None:
    found = read_corrections([{"corrections": anything}, {"corrections": [anything]}])

    assert all(each.at.tzinfo is not None for each in found)


def test_an_event_without_a_reason_is_a_correction_all_the_same() -> None:
    assert read_correction({}, AT) == Correction(AT, "")
    assert read_correction({"reason": "wrong  date"}, AT) == Correction(AT, "wrong date")


def test_they_stand_among_our_own_statements() -> None:
    assertion = {"label": "org.platemark.correction", "data": {"corrections": [entry(WRONG_CITY)]}}

    assert read_own_assertions([assertion]) == OwnAssertions(corrections=(WRONG_CITY,))
