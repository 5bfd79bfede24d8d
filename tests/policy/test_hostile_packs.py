"""A rule pack from a stranger is refused in our words, quickly, whatever is in it; nothing of it is ever run."""

import re
import time
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark_policy.document import MAX_FILE_BYTES, Entry, read_document
from platemark_policy.errors import RulePackError
from platemark_policy.lexicon import term_problem
from platemark_policy.normalize import normalize
from platemark_policy.pack import PackFiles
from platemark_policy.pack_parser import parse_pack
from platemark_policy.patterns import compile_pattern
from platemark_policy.rules import load_pack

PACK = """\
id: tiny
version: "1"
lists:
  fruit: {en: [apple], ko: [사과]}
periods:
  summer:
    - {from: "2026-06-01T00:00:00Z", to: "2026-09-01T00:00:00Z", what: holidays}
rules:
  - id: T1
    category: fruit
    action: review
    overridable: true
    when: {any: [{list: fruit}, {regex: 'pl?um'}, {words: [pear tree]}, {metadata: {task: [edit]}}, {period: summer}]}
    unless: [{words: [apple pie]}]
    reason: {en: No fruit., ko: 과일 금지.}
    source: test
    examples: {match: [an apple, 사과 하나, a pear tree], no_match: [a cherry, an apple pie]}
"""


def read(content: bytes | str) -> Entry:
    return read_document(content.encode() if isinstance(content, str) else content, name="x.yaml")


def parse(text: str) -> None:
    parse_pack(PackFiles(("x.yaml",), (text.encode("utf-8", "surrogatepass"),)))


# -- YAML --------------------------------------------------------------------------------------------------------------


def test_the_pack_these_tests_spoil_is_a_good_one(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(PACK, encoding="utf-8")

    assert load_pack(path).failing_examples() == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: &x [b]\n", id="anchor on a list"),
        pytest.param("a: &x {b: c}\n", id="anchor on a map"),
        pytest.param("&x a: b\n", id="anchor on a key"),
        pytest.param("&x\na: b\n", id="anchor on the document"),
        pytest.param("a: &x b\n*x : c\n", id="alias as a key"),
        pytest.param("a: &x [1]\nb: [*x, *x, *x]\n", id="aliases in a list"),
        pytest.param("a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nd: [*c,*c,*c]\n", id="billion laughs"),
        pytest.param("a: &x\n  b: *x\n", id="a map inside itself"),
        pytest.param("base: &x {a: b}\nmore:\n  <<: *x\n", id="merge key"),
    ],
)
def test_anchors_and_aliases_are_refused_wherever_they_stand(text: str) -> None:
    with pytest.raises(RulePackError, match="anchors and aliases"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/name:os.system x\n",
        "a: !!python/object/new:os.system [ls]\n",
        "a: !!python/object/apply:builtins.eval ['1']\n",
        "!!python/module:os a\n",
        "a: !!binary aGk=\n",
        "a: !!set {x, y}\n",
        "a: !!timestamp 2026-11-22\n",
        "a: !!str b\n",
        "a: !local b\n",
        "a: ! b\n",
        "a: !<tag:yaml.org,2002:str> b\n",
        "!!map {a: b}\n",
        "a: !!seq [b]\n",
        "!!str a: b\n",
        "%TAG ! tag:evil.example,2026:\n---\na: !x b\n",
    ],
)
def test_tags_are_refused_wherever_they_stand(text: str) -> None:
    with pytest.raises(RulePackError, match=r"tags are not allowed|YAML"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: 2\na: 3\n",
        '"a": 1\na: 2\n',
        "'a': 1\n\"a\": 2\n",
        'a : 1\n"a ": 2\n',
        "x: {a: 1, a: 2}\n",
        "- {a: 1, a: 1}\n",
    ],
)
def test_a_key_that_stands_twice_is_refused_however_it_is_written(text: str) -> None:
    with pytest.raises(RulePackError, match="'a' appears twice"):
        read(text)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("a: 사과".encode("utf-16"), id="UTF-16"),
        pytest.param("a: 사과".encode("utf-16-be"), id="UTF-16 without a mark"),
        pytest.param("a: 사과".encode("utf-32"), id="UTF-32"),
        pytest.param("a: 사과".encode("euc-kr"), id="EUC-KR"),
        pytest.param("a: é".encode("latin-1"), id="Latin-1"),
        pytest.param(b"a: \xc0\xaf", id="overlong"),
        pytest.param(b"a: \xed\xa0\x80", id="half a surrogate pair"),
        pytest.param(b"a: \xf5\x80\x80\x80", id="beyond Unicode"),
        pytest.param(b"a: b\x00c", id="NUL"),
        pytest.param(b'a: "\\ud800"', id="escaped surrogate"),
        pytest.param(b"a: \x1b[31mred", id="terminal escape"),
    ],
)
def test_bytes_that_are_not_plain_utf8_are_refused(content: bytes) -> None:
    with pytest.raises(RulePackError):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("[" * 40_000, id="open lists"),
        pytest.param("[" * 40_000 + "]" * 40_000, id="closed lists"),
        pytest.param("{a: " * 25_000, id="open maps"),
        pytest.param("- " * 21_000 + "x", id="lists in block style"),
        pytest.param("? " * 21_000 + "x", id="keys of keys"),
        pytest.param("[" + "a," * 120_000 + "]", id="many members"),
        pytest.param("".join(f"k{index}: v\n" for index in range(24_000)), id="many keys"),
        pytest.param("a: " + '"\\x41' * 50_000, id="a scalar that never ends"),
        pytest.param("&" * 200_000, id="anchors only"),
        pytest.param("#" * 200_000 + "\n", id="a comment only"),
        pytest.param("---\n" * 20_000, id="documents only"),
    ],
)
@pytest.mark.timeout(20)
def test_a_file_made_to_be_heavy_is_refused_soon(content: str) -> None:
    started = time.process_time()

    with pytest.raises(RulePackError):
        read(content)

    # Tens of milliseconds on an idle machine; what this guards against takes minutes.
    assert time.process_time() - started < 5


def test_one_huge_text_within_the_bound_is_just_a_text() -> None:
    text = "x" * (MAX_FILE_BYTES - 3)

    assert read(f"a: {text}").fields(("a",))["a"].text() == text


@pytest.mark.parametrize("depth", [11, 12])
def test_values_may_be_as_deep_as_the_limit_says(depth: int) -> None:
    assert read("[" * depth + "x" + "]" * depth).place


def test_an_utf8_mark_and_a_yaml_version_are_read_over() -> None:
    assert set(read(b"\xef\xbb\xbf%YAML 1.1\n---\na: b\n...\n").mapping()) == {"a"}


def test_a_merge_key_without_an_alias_is_a_key_like_any_other() -> None:
    with pytest.raises(RulePackError, match="unknown key '<<'"):
        read("<<: {id: x}\nid: y\n").fields(("id",))


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.text(
            alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Co", "Cn"]), min_size=1, max_size=8
        ),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_what_yaml_writes_is_read_back_as_text_or_refused(value: object) -> None:
    written = yaml.safe_dump(value, allow_unicode=True, default_style='"')

    with suppress(RulePackError):
        assert _plain(read(re.sub(r"!!\w+ ", "", written))) == value


def _plain(entry: Entry) -> object:
    if isinstance(entry.content, str):
        return entry.content
    if isinstance(entry.content, tuple):
        return [_plain(item) for item in entry.content]
    return {key: _plain(item) for key, item in entry.content.items()}


# -- packs -------------------------------------------------------------------------------------------------------------


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_pack_with_a_piece_cut_out_is_read_or_refused_in_our_words(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(PACK)))
    end = data.draw(st.integers(start, min(len(PACK), start + 30)))
    inserted = data.draw(st.text(alphabet="{}[]:,'\"\n -&*!?|>%@`a1가#", max_size=6))

    with suppress(RulePackError):
        parse(PACK[:start] + inserted + PACK[end:])


@settings(max_examples=150, deadline=None)
@given(st.permutations(PACK.splitlines(keepends=True)), st.integers(0, 18))
def test_a_pack_with_its_lines_shuffled_is_read_or_refused_in_our_words(lines: list[str], keep: int) -> None:
    with suppress(RulePackError):
        parse("".join([*PACK.splitlines(keepends=True)[:keep], *lines]))


SCALARS = ["id", "version", "category", "action", "overridable", "source"]


@pytest.mark.parametrize("field", SCALARS)
@pytest.mark.parametrize("value", ["[]", "{}", "''", "[a]", "{a: b}", "~x: y"])
def test_a_field_that_is_no_text_is_refused_with_its_line(field: str, value: str) -> None:
    spoilt = re.sub(rf"(?m)^(\s*(?:- )?){field}: .*$", rf"\g<1>{field}: {value}", PACK, count=1)
    assert spoilt != PACK

    with pytest.raises(RulePackError, match=r"x\.yaml"):
        parse(spoilt)


@pytest.mark.parametrize("key", ["id", "category", "action", "overridable", "when", "reason", "source", "examples"])
def test_a_rule_without_one_of_its_parts_is_refused_and_the_part_is_named(key: str) -> None:
    head, rule = PACK.split("rules:\n")
    lines = [line for line in rule.splitlines(keepends=True) if not line.lstrip("- ").startswith(f"{key}:")]
    lines[0] = "  - " + lines[0].lstrip("- ")

    with pytest.raises(RulePackError, match=f"missing {key}"):
        parse(f"{head}rules:\n{''.join(lines)}")


@pytest.mark.parametrize(
    "when",
    [
        "{any: {list: fruit}}",
        "{all: x}",
        "{list: {fruit: x}}",
        "{list: []}",
        "{list: [[fruit]]}",
        "{words: apple}",
        "{words: [{a: b}]}",
        "{regex: []}",
        "{regex: [[a]]}",
        "{metadata: [task]}",
        "{metadata: {task: edit}}",
        "{metadata: {task: []}}",
        "{period: [summer]}",
        "{period: ''}",
        "{not: {list: fruit}}",
        "[{list: fruit}]",
        "fruit",
        "{any: [fruit]}",
    ],
)
def test_a_condition_of_another_form_is_refused(when: str) -> None:
    spoilt = re.sub(r"(?m)^    when: .*$", f"    when: {when}", PACK)

    with pytest.raises(RulePackError):
        parse(spoilt)


@pytest.mark.parametrize("action", ["allow", "ALLOW", "Block", "deny", "none", "review block"])
def test_no_rule_can_be_written_to_let_something_pass(action: str) -> None:
    with pytest.raises(RulePackError, match="expected one of review, block"):
        parse(PACK.replace("action: review", f"action: {action}"))


@pytest.mark.parametrize("moment", ["2026-06-01", "2026-06-01T00:00:00", "soon", "2026-13-01T00:00:00Z", "1", "Z"])
def test_a_period_without_an_exact_instant_is_refused(moment: str) -> None:
    with pytest.raises(RulePackError, match="a time"):
        parse(PACK.replace("2026-06-01T00:00:00Z", moment))


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(RulePackError, match="ends before it begins"):
        parse(PACK.replace("2026-06-01", "2027-06-01"))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=70))
def test_a_term_that_passes_is_found_in_its_own_text(term: str) -> None:
    bare = term.strip("*")

    assert term_problem(term) is not None or normalize(bare).text == bare


# -- patterns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("[z-a]", id="range backwards"),
        pytest.param(r"[\d-z]", id="range from a class"),
        pytest.param(r"[a-\d]", id="range to a class"),
        pytest.param("[a--b]", id="range to a dash"),
        pytest.param(r"\b?", id="a border that may be missing"),
        pytest.param(r"\b{2}", id="a border twice"),
    ],
)
def test_a_pattern_python_does_not_take_is_refused_in_our_words(pattern: str) -> None:
    with pytest.raises(RulePackError):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["[a&&b]", "[a||b]", "[a~~b]", "[&&&]"])
def test_a_class_that_will_mean_something_else_in_a_later_python_is_refused(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        with pytest.raises(RulePackError):
            compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["a{\u0663}", "a{\uff13}", "x{1,\u0663}"])
def test_a_repeat_counted_in_other_digits_is_refused_since_python_reads_it_literally(pattern: str) -> None:
    with pytest.raises(RulePackError):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(?P<x>a)", "(?P=x)", "(?#note)a", "(?>a)", "(?!a)b", "(?<=a)b", "(?s:.)", "(?-i:a)", "(?(1)a)", "a*?", "a+?",
        "a{2}?", "a{1,2}+", "a?+", "a*+", "(?:a?){2}{2}", r"\a", r"\n", r"\x41", r"\u0041", r"\N{BULLET}", r"\z",
        r"\g", r"\0", "^", "$", "|", "a||b", "(?:|a)", "(?:a|)", "()", "[^]", "[]a]", "((a))", "a{", "a{1", "a{1,",
        "{1}", "a}b", "a{1,2,3}", "a{-1}", "a{1.5}", "a{99}", "a{100,200}", "a{0,0}",
    ],
)  # fmt: skip
def test_whatever_is_not_in_the_small_part_is_refused(pattern: str) -> None:
    with pytest.raises(RulePackError):
        compile_pattern(pattern)


PIECES = st.sampled_from(
    [*"ab09-.|가 ", "[", "]", "[a-z]", "[^", "(?:", ")", "?", "{2}", "{1,3}", r"\b", r"\d", r"\-", "&&", "~~"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=9).map("".join))
def test_any_pattern_is_compiled_or_refused_in_our_words(pattern: str) -> None:
    with warnings.catch_warnings(), suppress(RulePackError):
        warnings.simplefilter("error")
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"[a-z]{0,60}[a-z]{0,60}[a-z]{0,4}!",
        ".{0,26}.{0,26}.{0,26}!",
        ".?.?.?.?.?.?.?.?.?.?.?.?.?.?!",
        "(?:a{0,60}b?|a{0,60}c?|a{0,60})(?:a{0,30})!",
        r"(?:\w|a|\w){8}!",
    ],
)
def test_the_worst_pattern_the_bound_allows_is_quick_on_the_longest_prompt(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    started = time.process_time()

    compiled.find(normalize("a" * 4000))

    # Tenths of a second on an idle machine; a pattern without bounds takes for ever.
    assert time.process_time() - started < 10


def test_an_unsafe_pattern_in_a_pack_names_its_rule_and_line() -> None:
    with pytest.raises(RulePackError, match=r"x\.yaml, line 13: rule T1"):
        parse(PACK.replace("pl?um", "pl*um"))
