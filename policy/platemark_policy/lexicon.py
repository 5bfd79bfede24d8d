"""Find the terms of every word list in a text, in one pass.

One rule: literal terms only, each found by comparing strings at word starts, so the time taken is proportional to the
text. What needs a pattern is written as a rule's `regex` and goes through `patterns`.

How a term is written: `dog` finds the word and its plural; `behead*` finds words that begin so; `*포르노*` finds it
anywhere in a Korean word. Korean terms may be followed by particles, and a space in one may be missing in the text, as
may the space after it where another term follows. A long Latin word is also found in up to three pieces.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

from platemark_policy.decision import Span
from platemark_policy.hangul import is_syllable
from platemark_policy.normalize import Normalized

_WORD_START = re.compile(r"(?<![a-z0-9])[a-z0-9]|(?<![가-힣])[가-힣]")
_LATIN_WORD = re.compile(r"[a-z0-9]+")
_HANGUL_RUN = re.compile(r"[가-힣]*")
_TERM = re.compile(r"\*?[a-z0-9가-힣]+(?: [a-z0-9가-힣]+)*\*?")
_HANGUL = re.compile(r"[가-힣]")
_SEPARATORS = str.maketrans({"-": " ", "'": " ", "’": " ", "‘": " ", "_": " ", "·": " ", "/": " ", ".": " "})
_MAX_TERM_CHARS = 60
# Inside spaced-out letters word borders are unknown; shorter terms would be found in innocent words.
_SHORTEST_LATIN_INSIDE, _SHORTEST_HANGUL_INSIDE = 4, 2

# What stands after a Korean term and its particles without a space has to be long enough not to be found by chance.
_SHORTEST_COMPOUND_PART = 2
_NEAR_HANGUL = re.compile(r"[가-힣]{0,8}")
# A shorter Latin word would be found across the border of innocent words.
_LONG_WORD = re.compile(r"[a-z0-9]{7,}")
_MOST_PIECES = 3

_PLURALS = ("", "들", "님", "씨")
_PARTICLE_WORDS = """
    은 는 이 가 을 를 의 에 에서 에게 에게서 께 께서 한테 으로 로 으로서 로서 으로써 로써 와 과 랑 이랑 하고 도 만 까지
    부터 마저 조차 처럼 같이 만큼 보다 이나 나 이라도 라도 이든 든 이며 며 이고 고 이다 다 인 이란 란 이라 라 이라는
    라는 이라고 라고 이라며 라며 입니다 이야 야 으로부터 로부터 이었던 였던 째 용 풍 식 형 적 적인 적으로 중 속
"""
_LAST_PARTICLES = ("", "는", "은", "도", "의", "만", "서")
_ENDINGS = frozenset(
    plural + particle + last
    for plural, particle, last in product(_PLURALS, ["", *_PARTICLE_WORDS.split()], _LAST_PARTICLES)
)


@dataclass(frozen=True, slots=True)
class _Term:
    chars: str
    list_name: str
    starts_open: bool
    ends_open: bool
    is_hangul: bool


def term_problem(term: str) -> str | None:
    """Say what is wrong with a term as written in a pack, None when nothing is."""
    if len(term) > _MAX_TERM_CHARS:
        return f"a term may have {_MAX_TERM_CHARS} characters"
    if not _TERM.fullmatch(term):
        return "a term is lower-case letters, digits, Hangul and single spaces, with * only at an end"
    bare = term.strip("*")
    if not _HANGUL.search(bare) and (len(bare) < 2 or term.startswith("*")):
        return "a Latin term has at least two letters and no * at its start"
    return None


class Lexicon:
    """All word lists of a pack, ready to search.

    Args:
        lists: list name to its terms, each of which passed `term_problem`.
    """

    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        at_start: dict[str, list[_Term]] = {}
        inside: dict[str, list[_Term]] = {}
        for name, terms in lists.items():
            for term in dict.fromkeys(terms):
                for compiled in _spellings(term, name):
                    target = inside if compiled.starts_open else at_start
                    target.setdefault(_key(compiled.chars), []).append(compiled)
        self._at_start = MappingProxyType({key: tuple(terms) for key, terms in at_start.items()})
        self._inside = MappingProxyType({key: tuple(terms) for key, terms in inside.items()})
        long_words = {
            key: tuple(term for term in terms if _LONG_WORD.fullmatch(term.chars)) for key, terms in at_start.items()
        }
        self._long_words = MappingProxyType(long_words)

    def find(self, reading: Normalized) -> dict[str, set[Span]]:
        """Give, for each list with a term in the text, where its terms stand in the original text."""
        text = reading.text.translate(_SEPARATORS)
        found: dict[str, set[Span]] = {}
        for term, start, end in self._occurrences(text, reading.joined):
            found.setdefault(term.list_name, set()).add(reading.original_span(start, end))
        return found

    def _occurrences(self, text: str, joined: tuple[Span, ...]) -> Iterator[tuple[_Term, int, int]]:
        starts = [match.start() for match in _WORD_START.finditer(text)]
        everywhere = range(len(text)) if self._inside else ()
        for terms, places in ((self._at_start, starts), (self._inside, everywhere)):
            for term, start in _standing_at(text, places, terms):
                if end := _border(text, start, term):
                    yield term, start, end
        yield from self._in_compounds(text, starts)
        yield from self._in_pieces(text)
        for first, last in joined:
            for term, start in _standing_at(text, range(first, last), self._at_start):
                if start + len(term.chars) <= last and _is_long(term):
                    yield term, start, start + len(term.chars)

    def _in_compounds(self, text: str, starts: list[int]) -> Iterator[tuple[_Term, int, int]]:
        """Find Korean terms written together: one that follows another, and one that another follows."""
        places = dict.fromkeys(start for start in starts if is_syllable(text[start]))
        reached, words = list(places), len(places)
        for start in reached:  # grows while it is read; every place is added once
            for term, _ in self._compound_parts(text, start):
                more = [after for after in _after(text, start, term) if after not in places]
                reached.extend(more)
                places.update(dict.fromkeys(more))
        heads: set[int] = set()
        for start in sorted(reached, reverse=True) if len(reached) > words else ():
            for term, end in self._compound_parts(text, start):
                if border := _border(text, start, term):
                    heads.add(start)
                    yield term, start, border
                elif any(after in heads for after in _after(text, start, term) if after > end):
                    heads.add(start)
                    yield term, start, end

    def _compound_parts(self, text: str, start: int) -> Iterator[tuple[_Term, int]]:
        for term, _ in _standing_at(text, (start,), self._at_start):
            if term.is_hangul and len(term.chars) >= _SHORTEST_COMPOUND_PART:
                yield term, start + len(term.chars)

    def _in_pieces(self, text: str) -> Iterator[tuple[_Term, int, int]]:
        """Find long Latin words cut by a space, a hyphen or the like."""
        words = list(_LATIN_WORD.finditer(text))
        for index, word in enumerate(words):
            whole, end = word.group(), word.end()
            for piece in words[index + 1 : index + _MOST_PIECES]:
                if text[end : piece.start()] != " ":
                    break
                begun, end = whole, piece.end()
                whole += piece.group()
                for term in self._long_words.get(_key(whole), ()):
                    if term.chars.startswith(begun) and term.chars != begun and _is_whole(term, whole):
                        yield term, word.start(), end


def _standing_at(
    text: str, places: Iterable[int], terms: Mapping[str, tuple[_Term, ...]]
) -> Iterator[tuple[_Term, int]]:
    for start in places:
        for term in terms.get(_key(text[start : start + 2]), ()):
            if text.startswith(term.chars, start):
                yield term, start


def _spellings(term: str, list_name: str) -> list[_Term]:
    bare = term.strip("*")
    is_hangul = _HANGUL.search(bare) is not None
    words = bare.split(" ")
    gaps = product((" ", ""), repeat=len(words) - 1) if is_hangul else [(" ",) * (len(words) - 1)]
    joined = {words[0] + "".join(gap + word for gap, word in zip(row, words[1:], strict=True)) for row in gaps}
    ends_hangul = _HANGUL.match(bare[-1]) is not None
    return [_Term(chars, list_name, term.startswith("*"), term.endswith("*"), ends_hangul) for chars in sorted(joined)]


def _key(chars: str) -> str:
    return chars[0] if _HANGUL.match(chars) else chars[:2]


def _border(text: str, start: int, term: _Term) -> int:
    """Give where the term ends if a word may end there, 0 if it may not."""
    end = start + len(term.chars)
    if term.ends_open:
        return end
    if term.is_hangul:
        run = _HANGUL_RUN.match(text, end)
        return end if run is not None and run.group() in _ENDINGS else 0
    for plural in ("", "s", "es"):
        after = end + len(plural)
        if text.startswith(plural, end) and not _continues(text, after):
            return after
    return 0


def _continues(text: str, index: int) -> bool:
    return index < len(text) and text[index].isascii() and text[index].isalnum()


def _after(text: str, start: int, term: _Term) -> Iterator[int]:
    """Give where the next part of a compound may begin: after a term, or after its particles."""
    end = start + len(term.chars)
    run = _NEAR_HANGUL.match(text, end)
    rest = "" if run is None else run.group()
    return (end + length for length in range(len(rest)) if rest[:length] in _ENDINGS)


def _is_whole(term: _Term, word: str) -> bool:
    """Tell whether pieces put together are a term, all of them."""
    return word.startswith(term.chars) and (term.ends_open or _border(word, 0, term) == len(word))


def _is_long(term: _Term) -> bool:
    return len(term.chars) >= (_SHORTEST_HANGUL_INSIDE if term.is_hangul else _SHORTEST_LATIN_INSIDE)
