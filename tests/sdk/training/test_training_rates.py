"""Shares and their intervals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.training.rates import Rate, rate_of


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(78, 100, 0.689, 0.850), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0)]
)
def test_an_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert Rate(hits, of).interval == pytest.approx((low, high), abs=1e-3)


@given(st.integers(0, 400), st.integers(1, 400))
def test_an_interval_holds_the_share_and_lies_from_0_to_1(hits: int, more: int) -> None:
    rate = Rate(hits, hits + more)
    low, high = rate.interval

    assert 0 <= low <= rate.share + 1e-12
    assert rate.share <= high <= 1


def test_nothing_tried_says_nothing() -> None:
    assert math.isnan(rate_of([]).share)
    assert rate_of([]).interval == (0.0, 1.0)


def test_two_samples_go_together() -> None:
    assert rate_of([True, False]).plus(rate_of([True])) == Rate(2, 3)


@pytest.mark.parametrize(("hits", "of"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(hits: int, of: int) -> None:
    with pytest.raises(RequestError, match=f"{hits} of {of}"):
        Rate(hits, of)
