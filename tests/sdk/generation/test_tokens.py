"""Words and their pieces."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import GenerationError
from platemark.generation.tokens import UNKNOWN, Vocabulary, join, letters_of, vocabulary_from_json
from platemark.training.vocabulary import learn_vocabulary

WORDS = {"lower": 5, "lowest": 2, "newer": 6, "wider": 3, "빨간": 4, "빨강": 3}


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """A vocabulary of six words."""
    return learn_vocabulary(WORDS, merges=12)


def test_the_most_frequent_pair_is_joined_first() -> None:
    assert learn_vocabulary({"ab": 3, "cb": 1}, merges=1).merges == (("a", "b"),) or learn_vocabulary(
        {"ab": 3, "cb": 1}, merges=1
    ).merges == (("\u2581", "a"),)


def test_the_same_words_in_another_order_give_the_same_vocabulary(vocabulary: Vocabulary) -> None:
    assert learn_vocabulary(dict(reversed(WORDS.items())), merges=12) == vocabulary


def test_a_pair_that_comes_once_is_not_joined() -> None:
    assert learn_vocabulary({"ab": 1}, merges=5).merges == ()


def test_learning_stops_when_nothing_is_left_to_join() -> None:
    assert len(learn_vocabulary({"aa": 9}, merges=50).merges) == 2


def test_a_frequent_word_takes_fewer_pieces_than_letters(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.encode("newer")) < len(letters_of("newer"))


def test_korean_syllables_share_their_letters(vocabulary: Vocabulary) -> None:
    red, also_red = vocabulary.encode("빨간"), vocabulary.encode("빨강")

    assert red[0] == also_red[0]
    assert UNKNOWN not in red


def test_a_letter_that_is_not_known_is_one_unknown_piece(vocabulary: Vocabulary) -> None:
    assert vocabulary.encode("ж").count(UNKNOWN) == 1


@given(st.text(max_size=20))
def test_every_word_has_pieces_within_the_vocabulary(word: str) -> None:
    vocabulary = learn_vocabulary(WORDS, merges=12)

    assert all(0 <= piece < vocabulary.size for piece in vocabulary.encode(word))
    assert vocabulary.encode(word)


@given(st.sampled_from(sorted(WORDS)))
def test_pieces_joined_together_are_the_word_again(word: str) -> None:
    vocabulary = learn_vocabulary(WORDS, merges=12)
    ranks = {pair: rank for rank, pair in enumerate(vocabulary.merges)}

    joined = "".join(join(letters_of(word), ranks))

    assert unicodedata.normalize("NFC", joined.removeprefix("\u2581")) == word


def test_upper_case_and_other_forms_of_a_letter_are_the_same(vocabulary: Vocabulary) -> None:
    assert vocabulary.encode("LOWER") == vocabulary.encode("lower")
    assert vocabulary.encode(unicodedata.normalize("NFD", "빨간")) == vocabulary.encode("빨간")


def test_a_vocabulary_is_written_and_read(vocabulary: Vocabulary) -> None:
    assert vocabulary_from_json(vocabulary.to_json()) == vocabulary
    assert vocabulary.words == frozenset(WORDS)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"letters": 3, "merges": [], "words": []}', '{"letters": [], "merges": [1], "words": []}']
)
def test_what_is_no_vocabulary_is_refused(text: str) -> None:
    with pytest.raises(GenerationError, match="vocabulary"):
        vocabulary_from_json(text)
