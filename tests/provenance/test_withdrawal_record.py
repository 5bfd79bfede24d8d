"""A withdrawal says when and why, in words that can be shown to anybody."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.plain_text import plain_text
from platemark_provenance.withdrawal import LONGEST_REASON, Withdrawal, check_reason, read_withdrawal

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def test_a_withdrawal_as_json_has_its_date_in_utc_and_its_reason() -> None:
    seoul = timezone(timedelta(hours=9))

    shown = Withdrawal(datetime(2026, 3, 14, 8, 30, tzinfo=seoul), "wrong date").to_json()

    assert shown == {"date": "2026-03-13T23:30:00+00:00", "reason": "wrong date"}


@pytest.mark.parametrize("reason", ["", " ", "\n\t", "\u202e\u200b", "\u3164", "x" * (LONGEST_REASON + 1)])
def test_a_reason_that_nobody_could_read_is_refused(reason: str) -> None:
    with pytest.raises(LedgerRequestError, match="visible characters"):
        check_reason(reason)


@pytest.mark.parametrize(
    ("given_reason", "kept"),
    [("wrong date", "wrong date"), ("틀린 날짜", "틀린 날짜"), (" a\n b\x00 ", "a b"), ("x" * LONGEST_REASON,) * 2],
)
def test_a_reason_is_kept_as_it_will_be_shown(given_reason: str, kept: str) -> None:
    assert check_reason(given_reason) == kept


@given(st.text(min_size=1, max_size=LONGEST_REASON).filter(lambda reason: plain_text(reason, 1) != ""))
def test_what_is_accepted_is_read_back_unchanged(reason: str) -> None:
    kept = check_reason(reason)

    assert read_withdrawal({"reason": kept}, NOON) == Withdrawal(NOON, kept)


@pytest.mark.parametrize("facts", [{}, {"reason": 5}, {"reason": None}])
def test_an_event_without_a_reason_is_a_withdrawal_all_the_same(facts: dict[str, int | None]) -> None:
    assert read_withdrawal(facts, NOON) == Withdrawal(NOON, "")
