"""Text from outside is bounded, on one line, and without anything invisible."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.plain_text import plain_text


@given(st.text(max_size=300), st.integers(1, 50))
def test_nothing_invisible_and_nothing_too_long_comes_out(text: str, limit: int) -> None:
    shown = plain_text(text, limit)

    assert len(shown) <= limit
    assert not [each for each in shown if unicodedata.category(each)[0] == "C"]
    assert shown == shown.strip()


@given(st.text(max_size=300))
def test_making_plain_twice_changes_nothing_more(text: str) -> None:
    once = plain_text(text, 80)

    assert plain_text(once, 80) == once


@pytest.mark.parametrize(
    "text", ["City lights", "도시의 불빛", "都市の灯り", "Ça va — « oui »", "<script>alert(1)</script>", "a & b", "🌧️"]
)
def test_visible_text_is_kept_as_it_is(text: str) -> None:
    assert plain_text(text, 80) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "ab"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("a\nb\tc\u2028d", "a b c d"),
        ("  a   b  ", "a b"),
        ("\ud800a", "a"),
        ("\u200b\u200c\u2066", ""),
        ("\u3164\u115f\uffa0\u2800", ""),
    ],
    ids=["nul", "right to left", "line ends", "spaces", "surrogate", "nothing visible", "letters that show nothing"],
)
def test_tricks_are_dropped(text: str, shown: str) -> None:
    assert plain_text(text, 80) == shown


def test_what_is_cut_ends_with_an_ellipsis() -> None:
    assert plain_text("abcdef", 4) == "abc…"


def test_a_huge_text_is_cut_before_any_work() -> None:
    assert plain_text("a" * 10_000_000, 10) == "a" * 9 + "…"
