"""Turn the YAML files of a rule pack into rules, refusing whatever is not exactly understood.

One rule: every refusal names the file and the line, and says what would have been right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import TypeVar

from platemark_policy.classifier import HEADS, LEVELS
from platemark_policy.conditions import (
    AllOf,
    AnyOf,
    Condition,
    HasMetadata,
    InList,
    InWindow,
    Matches,
    PlainQuestion,
    ScoreReaches,
)
from platemark_policy.consent import SCOPES
from platemark_policy.decision import PackId, Reason, Verdict
from platemark_policy.document import Entry, read_document
from platemark_policy.errors import RulePackError
from platemark_policy.lexicon import Lexicon, term_problem
from platemark_policy.pack import Example, ListReview, PackFiles, Rule, RulePack
from platemark_policy.patterns import compile_pattern

_T = TypeVar("_T")

_EXAMPLE_CLOCK = datetime(2026, 1, 15, tzinfo=UTC)
_TRUTH = {"true": True, "false": False}
_ACTIONS = {"review": Verdict.REVIEW, "block": Verdict.BLOCK}
_CONDITIONS = ("all", "any", "classifier", "jurisdiction", "list", "metadata", "period", "question", "regex", "words")
_HEADS = {head: head for head in HEADS}
_LEVELS = {name: place for place, name in enumerate(LEVELS, start=1)}
_SCOPES: Mapping[str, str] = {scope: scope for scope in SCOPES}
_QUESTIONS = {"plain": PlainQuestion()}


@dataclass
class _Draft:
    """What has been read so far; conditions are checked against it."""

    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    periods: dict[str, tuple[tuple[datetime, datetime], ...]] = field(default_factory=dict)
    reviews: list[ListReview] = field(default_factory=list)


def parse_pack(files: PackFiles) -> RulePack:
    """Read every file of a pack and build its rules; the examples are not run here.

    Raises:
        RulePackError: any file is malformed or refers to something that is not there.
    """
    main, *others = (
        read_document(content, name=name) for name, content in zip(files.names, files.contents, strict=True)
    )
    fields = main.fields(("id", "version", "rules"), ("lists", "periods", "valid", "permissive", "extends"))
    draft = _Draft()
    bases = [other for other in others if "rules" in other.mapping()]
    if bool(bases) != ("extends" in fields):
        raise main.refusal("a pack that extends another names it: extends: newsroom")
    for other in others:
        if other not in bases:
            _read_list_file(other, draft)
    inherited = [entry for base in bases for entry in _read_base(base, draft)]
    if "lists" in fields:
        _read_lists(fields["lists"], draft)
    if "periods" in fields:
        _read_periods(fields["periods"], draft)
    rules: dict[str, Rule] = {}
    for entry in (*inherited, *fields["rules"].items()):
        rule = _rule(entry, draft)
        if rule.id in rules:
            raise entry.refusal(f"rule {rule.id} appears twice")
        rules[rule.id] = rule
    pack_id = PackId(fields["id"].text(), fields["version"].text(), files.sha256())
    return RulePack(
        pack_id,
        tuple(rules.values()),
        Lexicon(draft.lists),
        tuple(draft.reviews),
        valid=_validity(fields["valid"]) if "valid" in fields else None,
        is_permissive=_choice(fields["permissive"], _TRUTH) if "permissive" in fields else False,
    )


def _validity(entry: Entry) -> tuple[datetime, datetime]:
    fields = entry.fields(("from", "to"))
    first, last = _instant(fields["from"]), _instant(fields["to"])
    if first > last:
        raise entry.refusal("a pack ends before it begins")
    return first, last


def _read_base(base: Entry, draft: _Draft) -> tuple[Entry, ...]:
    """Read the pack that is extended: its lists and periods now, its rules by the caller."""
    fields = base.fields(("id", "version", "rules"), ("lists", "periods"))
    if "lists" in fields:
        _read_lists(fields["lists"], draft)
    if "periods" in fields:
        _read_periods(fields["periods"], draft)
    return fields["rules"].items()


def _read_periods(entry: Entry, draft: _Draft) -> None:
    for name, periods in entry.mapping().items():
        if name in draft.periods:
            raise periods.refusal(f"period {name} appears twice")
        draft.periods[name] = _periods(periods)


def _read_list_file(entry: Entry, draft: _Draft) -> None:
    fields = entry.fields(("lists",), ("reviewed", "review_by", "source"))
    names = _read_lists(fields["lists"], draft)
    if "reviewed" in fields or "review_by" in fields:
        dates = entry.fields(("lists", "reviewed", "review_by"), ("source",))
        reviewed, review_by = _day(dates["reviewed"]), _day(dates["review_by"])
        draft.reviews.extend(ListReview(name, reviewed, review_by) for name in names)


def _read_lists(entry: Entry, draft: _Draft) -> tuple[str, ...]:
    lists = entry.mapping()
    for name, by_language in lists.items():
        if name in draft.lists:
            raise by_language.refusal(f"list {name} appears twice")
        languages = by_language.fields((), ("en", "ko"))
        draft.lists[name] = tuple(term for terms in languages.values() for term in _terms(terms))
    return tuple(lists)


def _terms(entry: Entry) -> tuple[str, ...]:
    for item in entry.items():
        if problem := term_problem(item.text()):
            raise item.refusal(f"{item.text()!r}: {problem}")
    return entry.texts()


def _periods(entry: Entry) -> tuple[tuple[datetime, datetime], ...]:
    periods: list[tuple[datetime, datetime]] = []
    for item in entry.items():
        fields = item.fields(("from", "to", "what"))
        first, last = _instant(fields["from"]), _instant(fields["to"])
        if first > last:
            raise item.refusal("a period ends before it begins")
        periods.append((first, last))
    return tuple(periods)


def _rule(entry: Entry, draft: _Draft) -> Rule:
    fields = entry.fields(
        ("id", "category", "action", "overridable", "when", "reason", "source", "examples"), ("unless", "consent")
    )
    rule_id = fields["id"].text()
    conditions = _ConditionParser(rule_id, draft)
    unless = fields["unless"].items() if "unless" in fields else ()
    reason = fields["reason"].fields(("en", "ko"))
    return Rule(
        id=rule_id,
        category=fields["category"].text(),
        action=_choice(fields["action"], _ACTIONS),
        overridable=_choice(fields["overridable"], _TRUTH),
        when=conditions.parse(fields["when"]),
        unless=tuple(conditions.parse(item) for item in unless),
        reason=Reason(en=reason["en"].text(), ko=reason["ko"].text()),
        source=fields["source"].text(),
        examples=_examples(fields["examples"]),
        consent=_choice(fields["consent"], _SCOPES) if "consent" in fields else "",
    )


@dataclass
class _ConditionParser:
    """Read the conditions of one rule; words written in a rule become a list of their own."""

    rule_id: str
    draft: _Draft
    own_lists: int = 0

    def parse(self, entry: Entry) -> Condition:
        """Read one condition and everything inside it."""
        fields = entry.fields((), _CONDITIONS)
        if len(fields) != 1:
            raise entry.refusal(f"a condition has exactly one of {', '.join(_CONDITIONS)}")
        ((kind, value),) = fields.items()
        if kind == "all":
            return AllOf(tuple(self.parse(item) for item in value.items()))
        if kind == "any":
            return AnyOf(tuple(self.parse(item) for item in value.items()))
        if kind == "list":
            return _one_of(tuple(InList(self._known(item, self.draft.lists)) for item in _some(value)))
        if kind == "period":
            return InWindow(self.draft.periods[self._known(value, self.draft.periods)])
        if kind == "regex":
            return _one_of(tuple(self._pattern(item) for item in _some(value)))
        return self._words(value) if kind == "words" else _plain_condition(kind, value)

    def _words(self, entry: Entry) -> Condition:
        self.own_lists += 1
        name = f"{self.rule_id}#{self.own_lists}"
        self.draft.lists[name] = _terms(entry)
        return InList(name)

    def _pattern(self, entry: Entry) -> Condition:
        try:
            return Matches(compile_pattern(entry.text()))
        except RulePackError as error:
            raise entry.refusal(f"rule {self.rule_id}: {error.message}", fix=error.fix) from error

    def _known(self, entry: Entry, names: Mapping[str, object]) -> str:
        name = entry.text()
        if name not in names:
            near = get_close_matches(name, sorted(names), n=1, cutoff=0.0)
            fix = f"Did you mean {near[0]!r}?" if near else ""
            raise entry.refusal(f"rule {self.rule_id} uses {name!r}, which is not in the pack", fix=fix)
        return name


def _plain_condition(kind: str, entry: Entry) -> Condition:
    """Read a condition that needs nothing else of the pack."""
    if kind == "question":
        return _choice(entry, _QUESTIONS)
    if kind == "jurisdiction":
        return HasMetadata("jurisdiction", frozenset(entry.texts()))
    facts = entry.mapping()
    if len(facts) != 1:
        raise entry.refusal("expected one fact and the values it may have")
    ((key, values),) = facts.items()
    if kind == "metadata":
        return HasMetadata(key, frozenset(values.texts()))
    if key not in _HEADS:
        raise entry.refusal(f"expected one of {', '.join(HEADS)}, got {key!r}")
    return ScoreReaches(key, _choice(values, _LEVELS))


def _one_of(parts: tuple[Condition, ...]) -> Condition:
    return parts[0] if len(parts) == 1 else AnyOf(parts)


def _some(entry: Entry) -> tuple[Entry, ...]:
    return (entry,) if isinstance(entry.content, str) else entry.items()


def _examples(entry: Entry) -> tuple[Example, ...]:
    fields = entry.fields(("match", "no_match"))
    return tuple(
        _example(item, matches=kind == "match") for kind, examples in fields.items() for item in examples.items()
    )


def _example(entry: Entry, *, matches: bool) -> Example:
    if isinstance(entry.content, str):
        return Example(entry.text(), (), _EXAMPLE_CLOCK, matches, entry.place)
    fields = entry.fields(("text",), ("at", "metadata"))
    metadata = fields["metadata"].mapping() if "metadata" in fields else {}
    return Example(
        text=fields["text"].text(),
        metadata=tuple((key, value.text()) for key, value in metadata.items()),
        at=_instant(fields["at"]) if "at" in fields else _EXAMPLE_CLOCK,
        matches=matches,
        place=entry.place,
    )


def _choice(entry: Entry, choices: Mapping[str, _T]) -> _T:
    if entry.text() not in choices:
        raise entry.refusal(f"expected one of {', '.join(choices)}, got {entry.text()!r}")
    return choices[entry.text()]


def _instant(entry: Entry) -> datetime:
    try:
        instant = datetime.fromisoformat(entry.text())
    except ValueError as error:
        raise entry.refusal("expected a time such as 2027-01-07T00:00:00+09:00") from error
    if instant.tzinfo is None:
        raise entry.refusal("a time needs its offset from UTC, such as +09:00")
    return instant


def _day(entry: Entry) -> date:
    try:
        return date.fromisoformat(entry.text())
    except ValueError as error:
        raise entry.refusal("expected a day such as 2026-11-22") from error
