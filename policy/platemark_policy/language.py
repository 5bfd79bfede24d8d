"""Tell whether the rules can read a text at all: they know English and Korean, nothing else.

One rule: a text that nobody here can read goes to a person. Each test counts what is foreign and never what share of
the text it is, so that adding readable words cannot make unreadable ones pass.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from platemark_policy.confusables import LOOK_ALIKES, NEWS_HANJA
from platemark_policy.decision import Finding, Reason, Span, Verdict

_WORD = re.compile(r"[^\W\d_]+")
_SYLLABLE = re.compile("[가-힣]")
_DIRECTION_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LATIN_RANGES = (
    (0x0041, 0x024F), (0x0250, 0x02AF), (0x1D00, 0x1D7F), (0x1E00, 0x1EFF), (0x2100, 0x214F), (0x2460, 0x24FF),
    (0xA720, 0xA7FF), (0xFB00, 0xFB06), (0xFF21, 0xFF5A), (0x1D400, 0x1D7FF), (0x1F130, 0x1F1FF),
)  # fmt: skip
_HANGUL_RANGES = (
    (0x1100, 0x11FF), (0x3130, 0x318F), (0x3200, 0x32FF), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xFFA0, 0xFFDC),
)  # fmt: skip
_GREEK_RANGE = (0x0370, 0x03FF)
# Small words of other languages in Latin letters that are not English words and not usual in English place names.
_SMALL_WORDS = """
    une des avec dans pour qui est sont leur cette nous vous mais très aux été ein eine einen einem einer und
    nicht mit der das auf von zu ist wird auch sich dem uno una unos unas con por que como más pero esta según
    hacia muy todo sobre um uma não mais seu sua pelo pela isso della delle degli nel nella che sono questo
    anche gli het een niet voor met zijn wordt och att som är på inte yang dengan untuk dari pada adalah tidak
    ang mga bir için ile olan một của và là trong không
"""
_FOREIGN_SMALL_WORDS = frozenset(_SMALL_WORDS.split())
_FOREIGN_SMALL_WORD_LIMIT = 3


def _text_finding(rule_id: str, category: str, action: Verdict, reason: Reason) -> Finding:
    overridable = action is not Verdict.BLOCK
    return Finding(rule_id, category, action, None, "prompt", reason, overridable, "normaliser")


_UNREADABLE = _text_finding(
    "N01",
    "unreadable",
    Verdict.REVIEW,
    Reason(
        en="The rules read English and Korean. An editor has to read this text.",
        ko="규칙은 영어와 한국어만 읽습니다. 편집자가 이 글을 읽어야 합니다.",
    ),
)
_REORDERED = _text_finding(
    "N02",
    "hidden_direction",
    Verdict.REVIEW,
    Reason(
        en="Hidden characters make this text read differently from what is stored. An editor has to read it.",
        ko="숨은 문자가 글을 저장된 것과 다르게 보이게 합니다. 편집자가 읽어야 합니다.",
    ),
)
_TOO_LONG = _text_finding(
    "N03",
    "too_long",
    Verdict.BLOCK,
    Reason(
        en="The prompt is too long to be screened as a whole. Shorten it.",
        ko="프롬프트가 너무 길어 전체를 심사할 수 없습니다. 줄여 주세요.",
    ),
)


def judge_text(text: str) -> Iterator[Finding]:
    """Give what keeps a text from being read at all; these checks hold with every rule pack."""
    if span := find_direction_control(text):
        yield replace(_REORDERED, span=span)
    if not has_words(text):
        yield _UNREADABLE
    elif span := find_unreadable(text):
        yield replace(_UNREADABLE, span=span)


def too_long(text: str, *, limit: int) -> Finding:
    """Give the finding about a text of more than `limit` characters; it points at what is over."""
    return replace(_TOO_LONG, span=(limit, len(text)))


def find_direction_control(text: str) -> Span | None:
    """Give the first character that makes text read in another order than it is stored, None when there is none."""
    match = _DIRECTION_CONTROLS.search(text)
    return None if match is None else match.span()


def find_unreadable(text: str) -> Span | None:
    """Give the first word that is neither English nor Korean, None when every word may be.

    Look-alike letters inside a Latin word are a disguise that the normaliser reads, single Greek letters are notation,
    and headline Hanja are Korean. Latin letters count as English until three small words of another language appear.
    """
    small_words: list[Span] = []
    for match in _WORD.finditer(text):
        word = match.group()
        if not word.isascii() and _is_foreign(word):
            return match.span()
        if word.lower() in _FOREIGN_SMALL_WORDS:
            small_words.append(match.span())
    distinct = {text[start:end].lower() for start, end in small_words}
    return small_words[0] if len(distinct) >= _FOREIGN_SMALL_WORD_LIMIT else None


def has_words(text: str) -> bool:
    """Tell whether there is any Latin or Hangul letter to read."""
    return any(_is_own(char) for char in text)


def has_hangul(text: str) -> bool:
    """Tell whether a text has a Hangul syllable, and so counts as Korean."""
    return _SYLLABLE.search(text) is not None


def _is_foreign(word: str) -> bool:
    strange = [char for char in word if char.isalpha() and not _is_own(char)]
    if not strange or (len(word) == 1 and _within(word, (_GREEK_RANGE,))):
        return False
    has_own = len(strange) < len(word)
    return not (has_own and all(_folds(char) for char in strange))


def _folds(char: str) -> bool:
    return unicodedata.normalize("NFKC", char).casefold() in LOOK_ALIKES


@lru_cache(maxsize=8192)
def _is_own(char: str) -> bool:
    if unicodedata.normalize("NFKC", char) in NEWS_HANJA:
        return True
    return _within(char, _LATIN_RANGES) or _within(char, _HANGUL_RANGES)


def _within(char: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return char.isalpha() and any(first <= ord(char) <= last for first, last in ranges)


def is_text(text: str) -> bool:
    """Tell whether something typed is text: a terminal hands over bytes that are not UTF-8 as halves of pairs."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
