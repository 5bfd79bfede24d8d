"""Loose Hangul letters come together again, whatever block of Unicode they were typed from."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.hangul import Glyph, has_loose_letters, is_syllable, recompose

SYLLABLES = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)


def glyphs(text: str) -> list[Glyph]:
    return [Glyph(char, index, index + 1) for index, char in enumerate(text)]


def recomposed(text: str) -> str:
    return "".join(glyph.char for glyph in recompose(glyphs(text)))


@pytest.mark.parametrize(
    ("loose", "whole"),
    [
        pytest.param("ㅂㅏㄷㅏ", "바다", id="two open syllables"),
        pytest.param("ㅎㅏㄴㄱㅡㄹ", "한글", id="closed syllables"),
        pytest.param("ㄷㅏㄹㄱ", "닭", id="double final typed apart"),
        pytest.param("ㅇㅣㄹㄱㅇㅓ", "읽어", id="double final before another syllable"),
        pytest.param("ㄷㅏㄹㄱㅏ", "달가", id="a final that belongs to the next syllable"),
        pytest.param("ㅇㅗㅐ", "왜", id="double vowel typed apart"),
        pytest.param("ㅇㅙ", "왜", id="double vowel typed together"),
        pytest.param("ㄲㅏ", "까", id="tense consonant"),
        pytest.param("사ㄹ인", "살인", id="a final cut off its syllable"),
        pytest.param("ﾱￂￇ", "마ㅔ", id="half-width letters"),
        pytest.param("\u1112\u1161\u11ab", "한", id="conjoining letters"),
    ],
)
def test_loose_letters_form_syllables(loose: str, whole: str) -> None:
    assert recomposed(loose) == whole


@pytest.mark.parametrize("text", ["ㅋㅋㅋ", "ㅠㅠ", "하ㅋㅋ", "ㄱ", "ㅏ", "a ㄱ b", "바다", ""])
def test_what_forms_no_syllable_stays(text: str) -> None:
    assert recomposed(text) == text


def test_a_syllable_knows_where_its_letters_stood() -> None:
    joined = recompose(glyphs("a ㅎㅏㄴ b"))

    assert joined[2] == Glyph("한", 2, 5)


def test_a_syllable_spans_what_was_dropped_between_its_letters() -> None:
    joined = recompose([Glyph("ㅎ", 0, 1), Glyph("ㅏ", 3, 4)])

    assert joined == [Glyph("하", 0, 4)]


def test_a_final_put_back_widens_the_syllable() -> None:
    joined = recompose(glyphs("사ㄹ인"))

    assert joined[0] == Glyph("살", 0, 2)


@given(SYLLABLES)
def test_every_syllable_survives_being_taken_apart(syllable: str) -> None:
    assert recomposed(unicodedata.normalize("NFD", syllable)) == syllable


@given(st.text(alphabet=st.characters(min_codepoint=0x1100, max_codepoint=0x3190), max_size=20))
def test_recomposition_keeps_places_in_order(text: str) -> None:
    joined = recompose(glyphs(text))

    assert [glyph.start for glyph in joined] == sorted({glyph.start for glyph in joined})
    assert all(glyph.start < glyph.end <= len(text) for glyph in joined)


@pytest.mark.parametrize(
    ("text", "loose"), [("ㄱ", True), ("바ㄷ", True), ("\u1100", True), ("바다", False), ("sea", False)]
)
def test_loose_letters_are_noticed(text: str, loose: bool) -> None:
    assert has_loose_letters(text) is loose


@pytest.mark.parametrize(("char", "whole"), [("가", True), ("힣", True), ("ㄱ", False), ("a", False), ("一", False)])
def test_only_whole_blocks_are_syllables(char: str, whole: bool) -> None:
    assert is_syllable(char) is whole
