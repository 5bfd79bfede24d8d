"""Words as the search index keeps them: small, folded, and Korean without its particles in the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.search import LONGEST_WORD, MOST_WORDS, has_words, words_of, words_of_sealed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("City Lights, at night!", ("city", "lights", "at", "night")),
        ("비", ("비",)),
        ("서울의 야경", ("서울", "울의", "야경")),
        ("ＡＩ 영상", ("ai", "영상")),
        ("snake_case x2", ("snake", "case", "x2")),
        ("AI영상을", ("ai", "영상", "상을")),
        ("", ()),
        ("!? …", ()),
    ],
)
def test_a_text_is_its_folded_words(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


def test_a_noun_is_found_inside_the_word_that_carries_its_particle() -> None:
    assert set(words_of("서울")) <= set(words_of("서울에서"))


@given(st.text(max_size=3000))
def test_there_are_never_more_or_longer_words_than_the_index_takes(text: str) -> None:
    words = words_of(text)

    assert len(words) <= MOST_WORDS
    assert all(0 < len(word) <= LONGEST_WORD for word in words)


@given(st.text(max_size=100))
def test_folding_a_word_again_changes_nothing_of_a_plain_text(text: str) -> None:
    assert words_of(text) == words_of(text.replace("\n", " \n "))


def test_every_text_of_a_sealed_part_is_searched_and_nothing_else() -> None:
    assert words_of_sealed({"prompt": "rain", "byline": "Kim", "n": 3}) == ("rain", "kim")


@pytest.mark.parametrize("text", ["", "…", " ".join(f"w{n}" for n in range(17))])
def test_a_search_for_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(LedgerRequestError, match="1 to 16"):
        has_words(text)
