"""Terms are found where words begin, with their plurals and particles, and nowhere else."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.disguise import reveal
from platemark_policy.lexicon import Lexicon, term_problem
from platemark_policy.normalize import normalize


def found(text: str, *terms: str) -> list[str]:
    spans = Lexicon({"list": terms}).find(normalize(text)).get("list", set())
    return sorted(text[start:end] for start, end in spans)


@pytest.mark.parametrize(
    ("text", "term", "hits"),
    [
        pytest.param("a Dog runs", "dog", ["Dog"], id="a word"),
        pytest.param("two dogs run", "dog", ["dogs"], id="plural"),
        pytest.param("three boxes", "box", ["boxes"], id="plural with e"),
        pytest.param("the dog's bowl", "dog", ["dog"], id="possessive"),
        pytest.param("a hotdog", "dog", [], id="not inside a word"),
        pytest.param("dogma", "dog", [], id="not at the start of a longer word"),
        pytest.param("dogma", "dog*", ["dog"], id="open end"),
        pytest.param("a big dog", "big dog", ["big dog"], id="two words"),
        pytest.param("a big-dog's", "big dog", ["big-dog"], id="hyphen for a space"),
        pytest.param("big. dog", "big dog", [], id="not across a full stop"),
        pytest.param("big, dog", "big dog", [], id="not across a comma"),
        pytest.param("a big  dog", "big dog", ["big  dog"], id="wide gap"),
        pytest.param("DOG이 달린다", "dog", ["DOG"], id="Korean particle on a Latin word"),
        pytest.param("dog2", "dog", [], id="digit after"),
        pytest.param("on 9/11", "9 11", ["9/11"], id="slash"),
    ],
)
def test_latin_terms(text: str, term: str, hits: list[str]) -> None:
    assert found(text, term) == hits


@pytest.mark.parametrize(
    ("text", "term", "hits"),
    [
        pytest.param("바다 위", "바다", ["바다"], id="a word"),
        pytest.param("바다가 푸르다", "바다", ["바다"], id="particle"),
        pytest.param("바다에서는", "바다", ["바다"], id="two particles"),
        pytest.param("가수들에게도", "가수", ["가수"], id="plural and particles"),
        pytest.param("바다표범", "바다", [], id="not at the start of a longer word"),
        pytest.param("바다표범", "바다*", ["바다"], id="open end"),
        pytest.param("동해바다", "바다", [], id="not inside a word"),
        pytest.param("동해바다에서", "*바다*", ["바다"], id="open start and end"),
        pytest.param("동해바다", "*바다", ["바다"], id="open start"),
        pytest.param("동해바다표범", "*바다", [], id="open start with a closed end"),
        pytest.param("푸른바다", "푸른 바다", ["푸른바다"], id="missing space"),
        pytest.param("푸른 바다", "푸른 바다", ["푸른 바다"], id="given space"),
        pytest.param("큰 푸른바다", "큰 푸른 바다", ["큰 푸른바다"], id="one of two spaces missing"),
        pytest.param("푸른 큰 바다", "푸른 바다", [], id="another word between"),
        pytest.param("8K로 본 ai 그림", "ai 그림", ["ai 그림"], id="mixed scripts"),
    ],
)
def test_korean_terms(text: str, term: str, hits: list[str]) -> None:
    assert found(text, term) == hits


def test_every_place_is_found() -> None:
    assert found("dog, cat and dogs", "dog", "cat") == ["cat", "dog", "dogs"]


def test_lists_are_told_apart() -> None:
    lexicon = Lexicon({"pets": ["dog"], "wild": ["fox"], "all": ["dog", "fox"], "none": ["eel"]})

    hits = lexicon.find(normalize("a dog and a fox"))

    assert {name: sorted(spans) for name, spans in hits.items()} == {
        "pets": [(2, 5)],
        "wild": [(12, 15)],
        "all": [(2, 5), (12, 15)],
    }


def test_terms_are_found_inside_a_long_run_of_spaced_letters() -> None:
    revealed = reveal(normalize("a g o l d e n h o r s e r u n s"))[0]

    hits = Lexicon({"list": ["horse", "old"]}).find(revealed)

    assert len(hits["list"]) == 1


def test_a_spaced_word_is_not_searched_for_words_inside_it() -> None:
    revealed = reveal(normalize("g o l d e n"))[0]

    assert Lexicon({"list": ["olden"]}).find(revealed) == {}


@pytest.mark.parametrize(
    "term", ["dog", "dog*", "big dog", "9 11", "바다", "*바다*", "푸른 바다", "ai 표시*", "ㄱ"][:-1]
)
def test_well_written_terms_pass(term: str) -> None:
    assert term_problem(term) is None


@pytest.mark.parametrize(
    "term",
    ["Dog", "big  dog", " dog", "do*g", "*dog", "*dog*", "d", "big-dog", "dog!", "", "*", "x" * 61, "바다*표", "ㄱㄴ"],
)
def test_badly_written_terms_are_named(term: str) -> None:
    assert term_problem(term) is not None


@given(st.lists(st.sampled_from(["red", "blue", "sea", "바다", "달"]), max_size=8), st.sampled_from(["red", "바다"]))
def test_a_term_is_found_as_often_as_it_stands(words: Sequence[str], term: str) -> None:
    text = ", ".join(words)

    assert len(found(text, term)) == words.count(term)


@given(st.text(max_size=80))
def test_any_text_can_be_searched(text: str) -> None:
    spans = Lexicon({"list": ["a*", "*가*", "be", "나"]}).find(normalize(text)).get("list", set())

    assert all(0 <= start < end <= len(text) for start, end in spans)
