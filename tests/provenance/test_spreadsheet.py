"""No text that somebody else chose becomes a formula in a spreadsheet, and none is changed for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.spreadsheet import read_cell, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1+1", "＋1", "－1", "＠x"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["rain", "비 오는 밤", "a=b", "1-2", " =1"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


def test_nothing_is_an_empty_cell() -> None:
    assert safe_cell(None) == ""


@given(st.text())
def test_every_text_comes_back_from_its_cell(text: str) -> None:
    assert read_cell(safe_cell(text)) == text


@given(st.text(min_size=1))
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))
