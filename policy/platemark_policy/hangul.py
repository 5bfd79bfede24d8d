"""Hangul letters and syllables: putting loose letters back together.

One rule: pure functions on characters. Source: The Unicode Standard, section 3.12 (conjoining jamo behaviour) and the
Hangul Compatibility Jamo and Halfwidth Forms charts. This has to happen before NFKC, which turns a compatibility
letter into a leading consonant and so hides every final consonant from composition.
"""

import re
from dataclasses import dataclass
from typing import Literal

_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_DOUBLE_VOWELS = {"ㅗㅏ": "ㅘ", "ㅗㅐ": "ㅙ", "ㅗㅣ": "ㅚ", "ㅜㅓ": "ㅝ", "ㅜㅔ": "ㅞ", "ㅜㅣ": "ㅟ", "ㅡㅣ": "ㅢ"}
_DOUBLE_TAILS = {
    "ㄱㅅ": "ㄳ", "ㄴㅈ": "ㄵ", "ㄴㅎ": "ㄶ", "ㄹㄱ": "ㄺ", "ㄹㅁ": "ㄻ", "ㄹㅂ": "ㄼ",
    "ㄹㅅ": "ㄽ", "ㄹㅌ": "ㄾ", "ㄹㅍ": "ㄿ", "ㄹㅎ": "ㅀ", "ㅂㅅ": "ㅄ",
}  # fmt: skip
_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3
_TAIL_FORMS = len(_TAILS) + 1
_HALF_WIDTH_CONSONANTS = {0xFFA1 + index: chr(0x3131 + index) for index in range(30)}
_HALF_WIDTH_VOWEL_BLOCKS = ((0xFFC2, 0), (0xFFCA, 6), (0xFFD2, 12), (0xFFDA, 18))

_LETTER_OF: dict[str, str] = {
    **{chr(0x1100 + index): letter for index, letter in enumerate(_LEADS)},
    **{chr(0x1161 + index): letter for index, letter in enumerate(_VOWELS)},
    **{chr(0x11A8 + index): letter for index, letter in enumerate(_TAILS)},
    **{chr(code): letter for code, letter in _HALF_WIDTH_CONSONANTS.items()},
    **{
        chr(first + offset): _VOWELS[vowel + offset]
        for first, vowel in _HALF_WIDTH_VOWEL_BLOCKS
        for offset in range(min(6, len(_VOWELS) - vowel))
    },
    **{letter: letter for letter in {*_LEADS, *_VOWELS, *_TAILS}},
}
_LOOSE = re.compile("[" + "".join(sorted(_LETTER_OF)) + "]")


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character and the piece of the original text it stands for.

    Args:
        char: the character.
        start: where its piece begins in the original text.
        end: where its piece ends, exclusive.
    """

    char: str
    start: int
    end: int


def has_loose_letters(text: str) -> bool:
    """Tell whether any Hangul letter stands outside a syllable block."""
    return _LOOSE.search(text) is not None


def is_syllable(char: str) -> bool:
    """Tell whether one character is a whole Hangul syllable."""
    return _FIRST_SYLLABLE <= ord(char) <= _LAST_SYLLABLE


def recompose(glyphs: list[Glyph]) -> list[Glyph]:
    """Join loose letters (plain, conjoining or half-width) into syllables where they form one.

    Letters that form no syllable, such as a laughing row of one consonant, stay as they are.

    Args:
        glyphs: the text in order.
    """
    joined: list[Glyph] = []
    index = 0
    while index < len(glyphs):
        syllable, used = _syllable_at(glyphs, index)
        if syllable is not None:
            joined.append(syllable)
        elif _closes_previous(joined, glyphs, index):
            joined[-1] = _with_tail(joined[-1], glyphs[index])
        else:
            glyph = glyphs[index]
            joined.append(Glyph(_LETTER_OF.get(glyph.char, glyph.char), glyph.start, glyph.end))
        index += used
    return joined


def _syllable_at(glyphs: list[Glyph], index: int) -> tuple[Glyph | None, int]:
    if not (_is(glyphs, index, "lead") and _is(glyphs, index + 1, "vowel")):
        return None, 1
    after = index + 2
    vowel, after = _doubled(glyphs, index + 1, after, "vowel")
    tail = ""
    if _is(glyphs, after, "tail") and not _is(glyphs, after + 1, "vowel"):
        tail, after = _doubled(glyphs, after, after + 1, "tail")
    lead = _letter(glyphs, index)
    return Glyph(_compose(lead, vowel, tail), glyphs[index].start, glyphs[after - 1].end), after - index


def _doubled(glyphs: list[Glyph], first: int, after: int, kind: Literal["vowel", "tail"]) -> tuple[str, int]:
    """Give the letter at `first`, or the double letter it forms with the one at `after`, and what follows."""
    letter = _letter(glyphs, first)
    doubles = _DOUBLE_VOWELS if kind == "vowel" else _DOUBLE_TAILS
    double = doubles.get(letter + _letter(glyphs, after))
    if double is None or (kind == "tail" and _is(glyphs, after + 1, "vowel")):
        return letter, after
    return double, after + 1


def _closes_previous(joined: list[Glyph], glyphs: list[Glyph], index: int) -> bool:
    """Tell whether a loose consonant is the cut-off final of the syllable before it (살 written 사ㄹ)."""
    if not joined or not _is(glyphs, index, "tail") or index + 1 >= len(glyphs):
        return False
    previous = joined[-1].char
    is_open = is_syllable(previous) and (ord(previous) - _FIRST_SYLLABLE) % _TAIL_FORMS == 0
    return is_open and is_syllable(glyphs[index + 1].char)


def _with_tail(syllable: Glyph, tail: Glyph) -> Glyph:
    closed = chr(ord(syllable.char) + _TAILS.index(_LETTER_OF[tail.char]) + 1)
    return Glyph(closed, syllable.start, tail.end)


def _compose(lead: str, vowel: str, tail: str) -> str:
    code = (_LEADS.index(lead) * len(_VOWELS) + _VOWELS.index(vowel)) * _TAIL_FORMS
    return chr(_FIRST_SYLLABLE + code + (_TAILS.index(tail) + 1 if tail else 0))


def _letter(glyphs: list[Glyph], index: int) -> str:
    return _LETTER_OF.get(glyphs[index].char, "") if index < len(glyphs) else ""


def _is(glyphs: list[Glyph], index: int, kind: Literal["lead", "vowel", "tail"]) -> bool:
    letter = _letter(glyphs, index)
    return letter != "" and letter in {"lead": _LEADS, "vowel": _VOWELS, "tail": _TAILS}[kind]
