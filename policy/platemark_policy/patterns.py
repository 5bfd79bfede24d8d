r"""Regular expressions that cannot hang: a small, checked part of what Python's `re` understands.

One rule: a pattern's work at one place in the text is bounded by a number computed before it is compiled. Python's
matcher backtracks and has no timeout, so a pack could otherwise stop the screening of every prompt (ReDoS).

Allowed: literals, `.`, classes, `\d \w \s \b`, escaped punctuation, `(?:…|…)`, and `?`, `{n}`, `{m,n}` with n up to 60.
Refused: `*`, `+`, `{n,}`, capturing groups, look-around, back-references, flags, a repeat inside a repeat (an optional
group is not a repeat), a repeated `\b`, and what versions of Python read differently (`&&` inside a class).
"""

import re
from dataclasses import dataclass, field

from platemark_policy.decision import Span
from platemark_policy.errors import RulePackError
from platemark_policy.normalize import Normalized

_MAX_PATTERN_CHARS = 600
_MAX_REPEAT = 60
_MAX_PATHS = 20_000
_MAX_DEPTH = 5
_CLASS_ESCAPES = frozenset("dws")
_ESCAPABLE = frozenset("\\.^$*+?{}[]()|/-@#&=:,'\"!~<> ")
# Not \d: Python takes other scripts' digits for literals here, and the pattern would not be the one counted.
_REPEAT = re.compile(r"\?|\{([0-9]{1,3})(?:,([0-9]{1,3}))?\}")
# Later versions of Python read these as set operators inside a class; until then they warn (FutureWarning).
_SET_OPERATORS = ("--", "&&", "||", "~~")


@dataclass(frozen=True, slots=True)
class SafePattern:
    """A pattern that passed the check.

    Args:
        source: the pattern as written in the pack.
        paths: the bound on the number of ways it can be tried at one place in the text.
    """

    source: str
    paths: int
    _compiled: re.Pattern[str] = field(repr=False, compare=False)

    def find(self, reading: Normalized) -> tuple[Span, ...]:
        """Give where the pattern stands in the original text."""
        matches = self._compiled.finditer(reading.text)
        return tuple(reading.original_span(*match.span()) for match in matches if match.end() > match.start())


def compile_pattern(source: str) -> SafePattern:
    """Check and compile a pattern; it is matched against normalised, lower-case text.

    Raises:
        RulePackError: the pattern is too long, upper-case, outside the allowed part, or could take too long.
    """
    if len(source) > _MAX_PATTERN_CHARS:
        raise RulePackError(f"A pattern may have {_MAX_PATTERN_CHARS} characters, this one has {len(source)}.")
    if source != source.lower():
        raise RulePackError("A pattern is matched against lower-case text and has an upper-case letter.")
    parser = _Parser(source)
    paths, _ = parser.alternatives(0)
    parser.expect_end()
    if paths > _MAX_PATHS:
        raise RulePackError(
            f"A pattern may be tried in {_MAX_PATHS} ways at one place in the text, this one in {paths}.",
            fix="Narrow its repeats.",
        )
    return SafePattern(source, paths, _compiled(source))


def _compiled(source: str) -> re.Pattern[str]:
    try:
        return re.compile(source)
    except re.error as error:
        raise RulePackError(f"A pattern is not one that Python understands ({error.msg}).") from error


class _Parser:
    """Walk a pattern once, counting the ways it can match from one starting point."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0

    def alternatives(self, depth: int) -> tuple[int, bool]:
        """Give (ways, whether anything inside repeats) for `a|b|c`."""
        if depth > _MAX_DEPTH:
            raise self._refusal(f"groups may be {_MAX_DEPTH} deep")
        ways, repeats = self._sequence(depth)
        while self._peek() == "|":
            self._at += 1
            more, inside = self._sequence(depth)
            ways, repeats = ways + more, repeats or inside
        return ways, repeats

    def expect_end(self) -> None:
        """Refuse a closing bracket that nothing opened."""
        if self._at != len(self._source):
            raise self._refusal("a bracket is closed that was not opened")

    def _sequence(self, depth: int) -> tuple[int, bool]:
        ways, repeats, items = 1, False, 0
        while self._peek() not in {"", "|", ")"}:
            item_ways, item_repeats = self._item(depth)
            ways, repeats, items = min(ways * item_ways, 10 * _MAX_PATHS), repeats or item_repeats, items + 1
        if items == 0:
            raise self._refusal("an alternative is empty")
        return ways, repeats

    def _item(self, depth: int) -> tuple[int, bool]:
        is_group = self._source.startswith("(", self._at)
        is_border = self._source.startswith("\\b", self._at)
        ways, repeats = self._group(depth) if is_group else self._single()
        match = _REPEAT.match(self._source, self._at)
        if match is None:
            return ways, repeats
        self._refuse_unless(not is_border, "a border has no length to repeat")
        self._at = match.end()
        low, high = self._bounds(match)
        if repeats and high > 1:
            raise self._refusal("a repeat stands inside a repeat")
        if _REPEAT.match(self._source, self._at):
            raise self._refusal("a repeat follows a repeat")
        counted = sum(min(ways**count, 10 * _MAX_PATHS) for count in range(low, high + 1))
        return counted, repeats or high > 1

    def _bounds(self, match: re.Match[str]) -> tuple[int, int]:
        if match.group() == "?":
            return 0, 1
        low = int(match.group(1))
        high = low if match.group(2) is None else int(match.group(2))
        if not low <= high <= _MAX_REPEAT or high == 0:
            raise self._refusal(f"a repeat counts from n to at most {_MAX_REPEAT}")
        return low, high

    def _group(self, depth: int) -> tuple[int, bool]:
        if not self._source.startswith("(?:", self._at):
            raise self._refusal("only (?:…) groups are allowed")
        self._at += 3
        ways, repeats = self.alternatives(depth + 1)
        if self._peek() != ")":
            raise self._refusal("a group is not closed")
        self._at += 1
        return ways, repeats

    def _single(self) -> tuple[int, bool]:
        char = self._peek()
        if char in "*+?{}":
            raise self._refusal(f"{char} is not allowed here; write a repeat as {{m,n}}")
        if char in "^$":
            raise self._refusal("a pattern may not depend on where the text begins or ends")
        if char == "[":
            self._class()
        elif char == "\\":
            self._escape(_CLASS_ESCAPES | {"b"})
        else:
            self._at += 1
        return 1, False

    def _class(self) -> None:
        self._at += 1
        if self._peek() == "^":
            self._at += 1
        first = self._at
        while self._peek() not in {"]", ""}:
            self._range()
        self._refuse_unless(self._peek() == "]" and self._at > first, "a class is empty or not closed")
        self._at += 1

    def _range(self) -> None:
        """Read one character of a class, or a range of them."""
        low = self._member()
        if self._peek() != "-" or self._source[self._at + 1 : self._at + 2] in {"]", ""}:
            return
        self._refuse_unless(not self._source.startswith(_SET_OPERATORS, self._at), "a doubled mark inside a class")
        self._at += 1
        high = self._member()
        self._refuse_unless(low != "" and high != "" and low <= high, "a range goes from a character to a later one")

    def _member(self) -> str:
        """Read one character of a class; give it, or nothing for one that stands for many."""
        if self._peek() == "\\":
            escaped = self._escape(_CLASS_ESCAPES)
            return "" if escaped in _CLASS_ESCAPES else escaped
        self._refuse_unless(self._peek() != "[", "a class holds no other class")
        self._refuse_unless(not self._source.startswith(_SET_OPERATORS, self._at), "a doubled mark inside a class")
        self._at += 1
        return self._source[self._at - 1]

    def _escape(self, letters: frozenset[str]) -> str:
        escaped = self._source[self._at + 1 : self._at + 2]
        self._refuse_unless(escaped != "" and (escaped in letters or escaped in _ESCAPABLE), "an unknown escape")
        self._at += 2
        return escaped

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _refuse_unless(self, condition: bool, problem: str) -> None:
        if not condition:
            raise self._refusal(problem)

    def _refusal(self, problem: str) -> RulePackError:
        return RulePackError(f"A pattern is outside the safe part at character {self._at}: {problem}.")
