"""A rule pack is understood completely or refused with the place of the mistake."""

from datetime import UTC, date, datetime

import pytest

from platemark_policy.decision import Verdict
from platemark_policy.errors import RulePackError
from platemark_policy.pack import PackFiles, RulePack
from platemark_policy.pack_parser import parse_pack

HEAD = 'id: tiny\nversion: "1"\n'
LISTS = "lists:\n  fruit: {en: [apple], ko: [사과]}\n  colour: {en: [red]}\n"
PERIODS = 'periods:\n  summer:\n    - {from: "2026-06-01T00:00:00Z", to: "2026-09-01T00:00:00Z", what: holidays}\n'
TEXTS = "reason: {en: No., ko: 안 됩니다.}, source: test, examples: {match: [an apple], no_match: [a plum]}"


def rule(when: str = "{list: fruit}", *, rule_id: str = "T1", action: str = "review", more: str = "") -> str:
    flags = f"category: fruit, action: {action}, overridable: true"
    return f"  - {{id: {rule_id}, {flags}, when: {when}, {TEXTS}{more}}}\n"


def parse(*rules: str, head: str = HEAD, others: dict[str, str] | None = None) -> RulePack:
    files = {"tiny.yaml": head + LISTS + PERIODS + "rules:\n" + "".join(rules), **(others or {})}
    return parse_pack(PackFiles(tuple(files), tuple(text.encode() for text in files.values())))


def test_a_rule_is_read_whole() -> None:
    (read,) = parse(rule(action="block")).rules

    assert (read.id, read.category, read.action, read.overridable) == ("T1", "fruit", Verdict.BLOCK, True)
    assert (read.reason.en, read.reason.ko, read.source) == ("No.", "안 됩니다.", "test")
    assert [(example.text, example.matches) for example in read.examples] == [("an apple", True), ("a plum", False)]


@pytest.mark.parametrize(
    "when",
    [
        "{list: fruit}",
        "{list: [fruit, colour]}",
        "{words: [apple]}",
        "{regex: app?le}",
        "{regex: [plum tree, app?le]}",
        "{any: [{list: colour}, {list: fruit}]}",
        "{all: [{list: fruit}, {words: [an]}]}",
        "{all: [{any: [{list: fruit}]}, {regex: an}]}",
    ],
)
def test_every_condition_can_be_written(when: str) -> None:
    assert parse(rule(when)).failing_examples() == ()


def test_an_example_can_bring_its_clock_and_its_metadata() -> None:
    when = "{all: [{list: fruit}, {period: summer}, {metadata: {task: [edit]}}]}"
    example = '{text: an apple, at: "2026-07-01T09:00:00+09:00", metadata: {task: edit}}'
    pack = parse(rule(when).replace("match: [an apple]", f"match: [{example}]"))

    assert pack.failing_examples() == ()
    assert pack.rules[0].examples[0].at == datetime(2026, 7, 1, tzinfo=UTC)


def test_an_exception_can_be_written() -> None:
    more = ", unless: [{words: [apple tree]}, {list: colour}]"

    assert len(parse(rule(more=more)).rules[0].unless) == 2


def test_failing_examples_are_named_with_their_rule() -> None:
    (failing,) = parse(rule("{list: colour}")).failing_examples()

    assert failing == "tiny.yaml, line 10 (T1)"


def test_list_files_bring_their_review_dates() -> None:
    people = "reviewed: 2026-01-01\nreview_by: 2026-07-01\nsource: test\nlists:\n  people: {en: [jane doe]}\n"
    pack = parse(rule("{list: people}"), others={"people.yaml": people})

    assert [(review.name, review.review_by) for review in pack.reviews] == [("people", date(2026, 7, 1))]


@pytest.mark.parametrize(("day", "overdue"), [(date(2026, 7, 1), ()), (date(2026, 7, 2), ("people",))])
def test_a_list_past_its_review_is_named(day: date, overdue: tuple[str, ...]) -> None:
    people = "reviewed: 2026-01-01\nreview_by: 2026-07-01\nlists:\n  people: {en: [jane doe]}\n"

    assert parse(rule(), others={"people.yaml": people}).overdue(day) == overdue


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        pytest.param([rule(), rule()], "rule T1 appears twice", id="duplicate rule"),
        pytest.param(
            [rule("{list: fruits}")], "'fruits', which is not in the pack.*Did you mean 'fruit'", id="unknown list"
        ),
        pytest.param([rule("{period: winter}")], "'winter', which is not in the pack", id="unknown period"),
        pytest.param([rule("{lisst: fruit}")], "unknown key 'lisst'.*Did you mean 'list'", id="unknown condition"),
        pytest.param([rule("{list: fruit, words: [a b]}")], "exactly one of", id="two conditions in one"),
        pytest.param([rule("{}")], "exactly one of", id="no condition"),
        pytest.param([rule("{words: [Apple]}")], "lower-case letters", id="bad term"),
        pytest.param([rule("{words: []}")], "at least one member", id="no terms"),
        pytest.param([rule("{all: []}")], "at least one member", id="all of nothing"),
        pytest.param([rule("{regex: a*}")], "rule T1: A pattern is outside the safe part", id="unsafe pattern"),
        pytest.param([rule("{metadata: {task: [a], desk: [b]}}")], "expected one fact", id="two facts"),
        pytest.param([rule("{metadata: {}}")], "expected one fact", id="no fact"),
        pytest.param([rule(action="allow")], "expected one of review, block", id="a rule that allows"),
        pytest.param(
            [rule().replace("overridable: true", "overridable: yes")], "expected one of true, false", id="loose truth"
        ),
        pytest.param([rule().replace("source: test, ", "")], "missing source", id="no source"),
        pytest.param([rule().replace(", ko: 안 됩니다.", "")], "missing ko", id="no Korean reason"),
        pytest.param(
            [rule().replace("no_match: [a plum]", "no_match: []")], "at least one member", id="no counter-example"
        ),
        pytest.param([rule().replace(", no_match: [a plum]", "")], "missing no_match", id="no counter-examples"),
        pytest.param([rule(more=", colour: red")], "unknown key 'colour'", id="unknown field"),
        pytest.param(
            [rule().replace("[an apple]", "[{text: an apple, at: 2026-07-01}]")],
            "its offset from UTC",
            id="clock without a zone",
        ),
        pytest.param(
            [rule().replace("[an apple]", "[{text: an apple, at: soon}]")], "expected a time such as", id="no clock"
        ),
        pytest.param(["  []\n"], "at least one member", id="no rules"),
    ],
)
def test_a_mistake_in_a_rule_is_named(rules: list[str], message: str) -> None:
    with pytest.raises(RulePackError, match=message):
        parse(*rules)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("id: tiny", "ident: tiny", "unknown key 'ident'.*Did you mean 'id'", id="unknown key"),
        pytest.param("id: tiny\n", "", "missing id", id="no id"),
        pytest.param('version: "1"\n', "", "missing version", id="no version"),
    ],
)
def test_a_mistake_at_the_top_is_named(old: str, new: str, message: str) -> None:
    with pytest.raises(RulePackError, match=message):
        parse(rule(), head=HEAD.replace(old, new))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("lists:\n  fruit: {en: [pear]}\n", "list fruit appears twice", id="a list from another file"),
        pytest.param("lists:\n  nuts: {de: [nuss]}\n", "unknown key 'de'", id="unknown language"),
        pytest.param("lists:\n  nuts: {en: [Nut]}\n", "'Nut': a term is", id="bad term"),
        pytest.param("reviewed: 2026-01-01\nlists:\n  nuts: {en: [nut]}\n", "missing review_by", id="half a review"),
        pytest.param(
            "reviewed: today\nreview_by: 2026-01-01\nlists:\n  nuts: {en: [nut]}\n",
            "expected a day such as",
            id="no day",
        ),
        pytest.param("names:\n  nuts: {en: [nut]}\n", "unknown key 'names'", id="unknown key"),
    ],
)
def test_a_mistake_in_a_list_file_is_named(text: str, message: str) -> None:
    with pytest.raises(RulePackError, match=message):
        parse(rule(), others={"nuts.yaml": text})


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    text = HEAD + PERIODS.replace("2026-09", "2026-05") + "rules:\n" + rule("{words: [apple]}")

    with pytest.raises(RulePackError, match="ends before it begins"):
        parse_pack(PackFiles(("tiny.yaml",), (text.encode(),)))
