"""What a rule can ask about a prompt, and the evidence it answers with.

One rule: conditions are pure and only ever look for something. There is no "not": the one way to take evidence back is
an exception that covers the very words found, so no story around a prompt can excuse what is in it.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from platemark_policy.decision import Span
from platemark_policy.disguise import reveal
from platemark_policy.errors import PolicyError
from platemark_policy.lexicon import Lexicon
from platemark_policy.normalize import Normalized, normalize
from platemark_policy.patterns import SafePattern

# What joins two words into one beside the dashes (category Pd).
_JOINERS = frozenset("_~+·\u2212")

_LONGEST_QUESTION = 120
_QUESTION = re.compile(
    r"(?:(?:what|who|when|where|why|which)(?: ?'?s| is| was| are| were| did| does| do| happened| killed| kind)\b"
    r"|was |is |how (?:did|were|was|many|old)\b)"
    r"[^.!?,;:]*\?"
    r"|[^.!?,;:]*(?:무엇인가요|뭐야|뭔가요|무슨 뜻이야|언제야|언제인가요|누구야|누구인가요|왜 일어났어|왜 일어났나요)\?"
)
# Words that ask to be shown something; a question with one of them is a prompt like any other.
_DEPICTED = re.compile(
    r"\b(?:look|looks|looking|show|shows|showing|shown|see|seen|scene|video|clip|film|footage|picture|image|animat|"
    r"render|draw|wear|wearing|danc|walk|stand|sit|fight|kiss|cry|speak|say|in the style)"
    r"|장면|영상|모습|화면|그림|보여|생겼|그려"
)

Levels = Callable[[tuple[Normalized, ...]], Mapping[str, int]]
"""Gives, for the readings of a prompt, how many levels of each head of the classifier it reaches."""


def no_classifier(readings: tuple[Normalized, ...]) -> Mapping[str, int]:
    """Stand for a classifier where none was handed in.

    Raises:
        PolicyError: always; a rule that needs a score must not pass for want of one.
    """
    raise PolicyError("This rule asks the classifier, and none was handed in.")


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt as the rules see it.

    Args:
        readings: the plain spelling, then what disguised letters may say.
        terms: list name to where its terms stand in the original text.
        metadata: facts about the request, such as its task.
        at: the request's clock, aware UTC.
        length: how many characters the prompt has, as it was given.
        levels: asks the classifier, the first time a rule needs it.
        consented: for each scope of consent, where names stand that a record covers.
    """

    readings: tuple[Normalized, ...]
    terms: Mapping[str, frozenset[Span]]
    metadata: Mapping[str, str]
    at: datetime
    length: int = 0
    levels: Levels = no_classifier
    consented: Mapping[str, frozenset[Span]] = field(default_factory=dict)


def read_prompt(
    text: str, lexicon: Lexicon, *, metadata: Mapping[str, str], at: datetime, levels: Levels = no_classifier
) -> Reading:
    """Normalise a prompt and find every term of every list in it, once for all rules."""
    plain = normalize(text)
    readings = (plain, *reveal(plain))
    terms: dict[str, set[Span]] = {}
    for reading in readings:
        for name, spans in lexicon.find(reading).items():
            terms.setdefault(name, set()).update(spans)
    frozen = {name: frozenset(spans) for name, spans in terms.items()}
    return Reading(readings, frozen, metadata, at, len(text), levels)


class Condition(Protocol):
    """Something a rule asks about a prompt."""

    def evidence(self, reading: Reading, excused: frozenset[Span]) -> frozenset[Span] | None:
        """Give where it holds, an empty set if it holds but not at any words, None if it does not hold.

        Args:
            reading: the prompt.
            excused: spans whose words, and words inside them, do not count.
        """
        ...


@dataclass(frozen=True, slots=True)
class InList:
    """Hold where a term of a list stands.

    Args:
        name: the list.
    """

    name: str

    def evidence(self, reading: Reading, excused: frozenset[Span]) -> frozenset[Span] | None:
        """See `Condition.evidence`."""
        return _unexcused(reading.terms.get(self.name, frozenset()), excused)


@dataclass(frozen=True, slots=True)
class Matches:
    """Hold where a pattern matches any reading of the prompt.

    Args:
        pattern: the checked pattern.
    """

    pattern: SafePattern

    def evidence(self, reading: Reading, excused: frozenset[Span]) -> frozenset[Span] | None:
        """See `Condition.evidence`."""
        found = {span for text in reading.readings for span in self.pattern.find(text)}
        return _unexcused(frozenset(found), excused)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Hold where every part holds; the evidence is that of the first part, which names the subject.

    Args:
        parts: at least two conditions.
    """

    parts: tuple[Condition, ...]

    def evidence(self, reading: Reading, excused: frozenset[Span]) -> frozenset[Span] | None:
        """See `Condition.evidence`."""
        first: frozenset[Span] | None = None
        for part in self.parts:
            found = part.evidence(reading, excused)
            if found is None:
                return None
            first = first or found
        return first


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Hold where at least one part holds.

    Args:
        parts: at least one condition.
    """

    parts: tuple[Condition, ...]

    def evidence(self, reading: Reading, excused: frozenset[Span]) -> frozenset[Span] | None:
        """See `Condition.evidence`."""
        found = [spans for part in self.parts if (spans := part.evidence(reading, excused)) is not None]
        return frozenset().union(*found) if found else None


@dataclass(frozen=True, slots=True)
class InWindow:
    """Hold while the request's clock is inside one of some periods.

    Args:
        periods: pairs of first and last instant, both aware and both included.
    """

    periods: tuple[tuple[datetime, datetime], ...]

    def evidence(self, reading: Reading, excused: frozenset[Span]) -> frozenset[Span] | None:
        """See `Condition.evidence`."""
        return frozenset() if any(first <= reading.at <= last for first, last in self.periods) else None


@dataclass(frozen=True, slots=True)
class HasMetadata:
    """Hold where a fact about the request has one of some values.

    Args:
        key: the fact's name.
        values: the values it holds for.
    """

    key: str
    values: frozenset[str]

    def evidence(self, reading: Reading, excused: frozenset[Span]) -> frozenset[Span] | None:
        """See `Condition.evidence`."""
        return frozenset() if reading.metadata.get(self.key) in self.values else None


@dataclass(frozen=True, slots=True)
class ScoreReaches:
    """Hold where the classifier's score for a head reaches a level.

    Args:
        head: what is judged, such as `scene`.
        level: 1 for `possible`, 2 for `likely`, 3 for `certain`.
    """

    head: str
    level: int

    def evidence(self, reading: Reading, excused: frozenset[Span]) -> frozenset[Span] | None:
        """See `Condition.evidence`; a score is of the whole text, so only an exception that covers all of it counts."""
        if (0, reading.length) in excused:
            return None
        return frozenset() if reading.levels(reading.readings)[self.head] >= self.level else None


@dataclass(frozen=True, slots=True)
class PlainQuestion:
    """Hold where the whole prompt is one short question for a fact and describes no picture; for exceptions only."""

    def evidence(self, reading: Reading, excused: frozenset[Span]) -> frozenset[Span] | None:
        """See `Condition.evidence`."""
        plain = reading.readings[0].text
        is_one = len(reading.readings) == 1 and len(plain) <= _LONGEST_QUESTION and _QUESTION.fullmatch(plain)
        return frozenset({(0, reading.length)}) if is_one and not _DEPICTED.search(plain) else None


def asks_classifier(condition: Condition) -> bool:
    """Tell whether a condition, or anything inside it, needs a score."""
    if isinstance(condition, AllOf | AnyOf):
        return any(asks_classifier(part) for part in condition.parts)
    return isinstance(condition, ScoreReaches)


def excused_spans(reading: Reading, exceptions: tuple[Condition, ...]) -> frozenset[Span]:
    """Give the spans that a rule's exceptions cover.

    A span that a hyphen or the like joins to more letters is none: "naked eye" does not excuse "naked eye-catching".
    """
    covered = (exception.evidence(reading, frozenset()) for exception in exceptions)
    spans = frozenset[Span]().union(*(spans for spans in covered if spans))
    return frozenset(span for span in spans if not _runs_on(reading.readings[0], span))


def _runs_on(plain: Normalized, span: Span) -> bool:
    after = bisect_left(plain.offsets, span[1])
    if after + 1 >= len(plain.text) or not plain.text[after + 1].isalnum():
        return False
    return plain.text[after] in _JOINERS or unicodedata.category(plain.text[after]) == "Pd"


def _unexcused(spans: frozenset[Span], excused: frozenset[Span]) -> frozenset[Span] | None:
    if excused:
        spans = frozenset(span for span in spans if not any(_covers(wide, span) for wide in excused))
    return spans or None


def _covers(wide: Span, span: Span) -> bool:
    return wide[0] <= span[0] and span[1] <= wide[1]
