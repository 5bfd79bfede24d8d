"""Only patterns whose work is bounded are compiled."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.errors import RulePackError
from platemark_policy.normalize import normalize
from platemark_policy.patterns import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "hits"),
    [
        pytest.param(r"\b\d{3}-\d{4}\b", "call 555-0100 now", ["555-0100"], id="digits"),
        pytest.param(r"(?:red|blue) ?sea", "a RED sea, a bluesea", ["RED sea", "bluesea"], id="alternatives"),
        pytest.param(r"[가-힣]{2} (?:장관|의원)", "홍길동 의원", ["길동 의원"], id="Hangul"),
        pytest.param(
            r"no (?:visible )?label",
            "no label, no visible label",
            ["no label", "no visible label"],
            id="optional group",
        ),
        pytest.param(r"a.c", "abc", ["abc"], id="any character"),
        pytest.param(r"1\.5", "1.5 and 1x5", ["1.5"], id="escaped dot"),
        pytest.param(r"[^a-z]\d", "x7 87", [" 8"], id="negated class"),
        pytest.param(r"(?:abc){2}", "abcabc", ["abcabc"], id="repeated fixed group"),
        pytest.param(r"x?y?", "zz", [], id="an empty match is no match"),
    ],
)
def test_safe_patterns_find_their_places(pattern: str, text: str, hits: list[str]) -> None:
    spans = compile_pattern(pattern).find(normalize(text))

    assert [text[start:end] for start, end in spans] == hits


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("a*", id="star"),
        pytest.param("a+", id="plus"),
        pytest.param("a{2,}", id="open repeat"),
        pytest.param("a{,3}", id="repeat without a start"),
        pytest.param("a{61}", id="repeat too long"),
        pytest.param("a{3,2}", id="repeat backwards"),
        pytest.param("a{0}", id="repeat of nothing"),
        pytest.param("a{2}{2}", id="repeat of a repeat"),
        pytest.param("a??", id="lazy"),
        pytest.param("(?:a{1,3}){2}", id="repeat inside a repeat"),
        pytest.param("(?:(?:a{1,3})?b){1,5}", id="repeat deep inside a repeat"),
        pytest.param("(a)", id="capturing group"),
        pytest.param("(?=a)", id="look-ahead"),
        pytest.param("(?<!a)b", id="look-behind"),
        pytest.param("(?i)a", id="flags"),
        pytest.param("(?:a", id="open group"),
        pytest.param("a)", id="closed group"),
        pytest.param("(?:)", id="empty group"),
        pytest.param("a|", id="empty alternative"),
        pytest.param("", id="nothing"),
        pytest.param("^a", id="anchor at the start"),
        pytest.param("a$", id="anchor at the end"),
        pytest.param(r"\1", id="back-reference"),
        pytest.param("\\", id="lonely backslash"),
        pytest.param(r"[\b]", id="border inside a class"),
        pytest.param("[]", id="empty class"),
        pytest.param("[a", id="open class"),
        pytest.param("[[a]]", id="class in a class"),
        pytest.param("A", id="upper case"),
        pytest.param(r"\D", id="upper-case escape"),
        pytest.param("?a", id="repeat of nothing at the start"),
        pytest.param("(?:" * 6 + "a" + ")" * 6, id="too deep"),
        pytest.param("a" * 601, id="too long"),
        pytest.param("[a-z]{0,60}[a-z]{0,60}[a-z]{0,60}x", id="too many ways"),
        pytest.param("(?:a|a){60}", id="too many alternatives"),
    ],
)
def test_other_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(RulePackError):
        compile_pattern(pattern)


def test_a_refusal_says_where() -> None:
    with pytest.raises(RulePackError, match="at character 3"):
        compile_pattern("abc*")


PIECES = st.sampled_from(["a", "b", "[ab]", ".", "a?", "b{1,3}", "(?:a|b)", "(?:ab|a){2}", "(?:a{1,3}b)?", r"\w"])


@given(st.lists(PIECES, min_size=1, max_size=7))
def test_whatever_compiles_is_quick_on_its_worst_text(pieces: list[str]) -> None:
    compiled = compile_pattern("".join(pieces))
    started = time.process_time()

    compiled.find(normalize("ab" * 500 + "!"))

    assert time.process_time() - started < 5


@given(st.text(alphabet="ab(?:)|{1,3}[].\\d*+^$", max_size=25))
def test_any_text_is_compiled_or_refused_in_our_words(pattern: str) -> None:
    with suppress(RulePackError):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "ways"),
    [("abc", 1), ("ab?", 2), ("a|b|c", 3), (r"\d{2,4}", 3), ("(?:a|b){2}", 4), ("(?:a|b)?c{1,2}", 6)],
)
def test_the_bound_counts_the_ways(pattern: str, ways: int) -> None:
    assert compile_pattern(pattern).paths == ways
