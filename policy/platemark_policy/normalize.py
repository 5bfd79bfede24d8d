"""Give text one plain spelling to match rules against, and the way back to the text as it was given.

One rule: pure functions, and every character of the result knows which piece of the original it came from, so that a
finding can always point at what the person really typed. The result is for matching only.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from platemark_policy.confusables import LOOK_ALIKES, NEWS_HANJA
from platemark_policy.decision import Span
from platemark_policy.hangul import Glyph, has_loose_letters, is_syllable, recompose

NORMALISER_VERSION = "2"
"""Changes whenever any text could come out differently, here or in `disguise`."""

# Letters by category, blank by design: Hangul fillers and the empty Braille cell.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_SPACE_RUN = re.compile(r"\s{2,}")
_SPACE_CATEGORIES = frozenset({"Zs", "Zl", "Zp"})
# Marks sit on letters (é, zalgo), formats are zero-width or directional, Cs are halves of a broken surrogate pair.
_DROPPED_CATEGORIES = frozenset({"Mn", "Me", "Cf", "Cs", "Co"})


@dataclass(frozen=True, slots=True)
class Normalized:
    """Text in its plain spelling.

    Args:
        text: lower case, single spaces, no invisible characters.
        offsets: for each character of `text`, where its piece of the original begins.
        ends: for each character of `text`, where its piece of the original ends, exclusive.
        joined: ranges of `text` made by closing the gaps in spaced-out letters; word borders inside are unknown.
    """

    text: str
    offsets: tuple[int, ...]
    ends: tuple[int, ...]
    joined: tuple[Span, ...] = ()

    def original_span(self, start: int, end: int) -> Span:
        """Give the span of the original text that characters `start` to `end` (exclusive) stand for.

        Raises:
            ValueError: the span is empty or outside the text.
        """
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"Expected a span inside {len(self.text)} characters, got {start} to {end}.")
        return (self.offsets[start], self.ends[end - 1])


def normalize(text: str) -> Normalized:
    """Fold width, case, accents, look-alike letters, loose Hangul and white space; drop what cannot be seen.

    Words and word borders stay as they were given; `disguise.reveal` goes further.
    """
    if text.isascii() and text.isprintable() and not _SPACE_RUN.search(text):
        return _plain_ascii(text)
    glyphs = [Glyph(char, index, index + 1) for index, char in enumerate(text) if char not in _BLANKS]
    if has_loose_letters(text):
        glyphs = recompose([glyph for glyph in glyphs if _is_visible(glyph.char)])
    folded = [Glyph(char, glyph.start, glyph.end) for glyph in _composed(glyphs) for char in _fold(glyph.char)]
    return from_glyphs(_single_spaced(folded))


def from_glyphs(glyphs: list[Glyph], *, joined: tuple[Span, ...] = ()) -> Normalized:
    """Build normalised text from characters that know their place in the original."""
    return Normalized(
        text="".join(glyph.char for glyph in glyphs),
        offsets=tuple(glyph.start for glyph in glyphs),
        ends=tuple(glyph.end for glyph in glyphs),
        joined=joined,
    )


def _plain_ascii(text: str) -> Normalized:
    start, end = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    start = min(start, end)
    return Normalized(text[start:end].lower(), tuple(range(start, end)), tuple(range(start + 1, end + 1)))


def _is_visible(char: str) -> bool:
    return char.isascii() or unicodedata.category(char) not in _DROPPED_CATEGORIES


def _composed(glyphs: list[Glyph]) -> list[Glyph]:
    """Attach marks to the letter before them where Unicode has one character for both.

    Without it the Japanese and Korean scripts, whose marks change the letter, would lose more than an accent.
    """
    composed: list[Glyph] = []
    for glyph in glyphs:
        if composed and not glyph.char.isascii() and unicodedata.category(glyph.char) == "Mn":
            both = unicodedata.normalize("NFC", composed[-1].char + glyph.char)
            kept = both if len(both) == 1 else composed[-1].char
            composed[-1] = Glyph(kept, composed[-1].start, glyph.end)
        else:
            composed.append(glyph)
    return composed


@lru_cache(maxsize=8192)
def _fold(char: str) -> str:
    if char.isascii():
        return _fold_ascii(char)
    if is_syllable(char) or "\u3131" <= char <= "\u318e":
        return char
    category = unicodedata.category(char)
    if category in _DROPPED_CATEGORIES or category == "Cc":
        return ""
    if category in _SPACE_CATEGORIES:
        return " "
    return "".join(_fold_letter(part) for part in unicodedata.normalize("NFKC", char).casefold())


def _fold_ascii(char: str) -> str:
    if char.isprintable():
        return char.lower()
    return " " if char.isspace() else ""


def _fold_letter(char: str) -> str:
    if is_syllable(char):
        return char
    bare = "".join(part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) != "Mn")
    return "".join(LOOK_ALIKES.get(part) or NEWS_HANJA.get(part) or part for part in bare)


def _single_spaced(glyphs: list[Glyph]) -> list[Glyph]:
    spaced: list[Glyph] = []
    for glyph in glyphs:
        if glyph.char != " ":
            spaced.append(glyph)
        elif spaced and spaced[-1].char == " ":
            spaced[-1] = Glyph(" ", spaced[-1].start, glyph.end)
        elif spaced:
            spaced.append(glyph)
    if spaced and spaced[-1].char == " ":
        spaced.pop()
    return spaced
