"""Read through the usual disguises: spaced-out letters, digits for letters, marks pushed between syllables.

One rule: a second reading beside the plain one, never instead of it. Rules look at both, so reading too much into
`F-16` or `G20` can add a finding and can never hide one.
"""

import re
from bisect import bisect_right

from platemark_policy.decision import Span
from platemark_policy.hangul import Glyph, is_syllable
from platemark_policy.normalize import Normalized, from_glyphs

_SPACED_LATIN = re.compile(r"(?<![a-z0-9])(?:[a-z0-9@$][ .\-_*/|]){2,}[a-z0-9@$](?![a-z0-9])")
_SPACED_HANGUL = re.compile(r"(?<![가-힣])(?:[가-힣][ .\-_*/|·]){1,}[가-힣](?![가-힣])")
_HANGUL_INFIX = re.compile(r"(?<=[가-힣])[0-9.\-_~*^@!|/+·]{1,3}(?=[가-힣])")
_LEET_WORD = re.compile(r"[a-z0-9@$€!|+]+")
_LEET_CHAR = re.compile(r"[0-9@$€!|+]")
_LETTER = re.compile(r"[a-z]")
# Digits that mean digits: 4k, 3d, 60fps, 1080p, 2nd, 90s, 5g, 35mm, 10km, and names such as mp4, h264, g20, covid19.
_PLAIN_NUMBER = re.compile(
    r"[0-9]+(?:k|d|p|i|g|s|m|x|h|b|v|w|c|f|st|nd|rd|th|am|pm|px|fps|hz|khz|mhz|ghz|kb|mb|gb|tb|bit|mm|cm|km|kg|mg|ml|"
    r"mph|kmh|kph|ft|yo|yrs?|min|mins|sec|secs|ms|deg|usd|krw|eur|gbp)!?|(?:[a-z]|mp|covid|iphone)[0-9]+!?|[a-z]+!+"
)
_LETTER_FOR = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a"}
_LETTER_FOR |= {"$": "s", "€": "e", "!": "i", "|": "i", "+": "t"}
_ELL_FOR = _LETTER_FOR | {"1": "l", "|": "l", "!": "l"}
# From this many joined letters on, several words are likely and terms may begin in the middle; below it, not, so
# that one spaced-out word ("therapist" on a title card) is read as one word.
_SEVERAL_WORDS = 12


def reveal(plain: Normalized) -> tuple[Normalized, ...]:
    """Give up to two further readings of a text, none when it hides nothing.

    The two differ in how they read the digit one and its look-alikes: as an i or as an l.

    Args:
        plain: the result of `normalize`.
    """
    joined, ranges = _close_gaps(plain)
    readings: list[Normalized] = []
    for table in (_LETTER_FOR, _ELL_FOR):
        reading = from_glyphs(_read_digits(joined, table), joined=ranges)
        if reading.text != plain.text and all(reading.text != other.text for other in readings):
            readings.append(reading)
    return tuple(readings)


def _close_gaps(plain: Normalized) -> tuple[list[Glyph], tuple[Span, ...]]:
    """Take out what stands between two Korean syllables, then what separates single letters."""
    whole = zip(plain.text, plain.offsets, plain.ends, strict=True)
    infixes = {index for match in _HANGUL_INFIX.finditer(plain.text) for index in range(*match.span())}
    glyphs = [Glyph(*parts) for index, parts in enumerate(whole) if index not in infixes]
    text = "".join(glyph.char for glyph in glyphs)
    gaps: set[int] = set()
    runs: list[Span] = []
    for match in (*_SPACED_LATIN.finditer(text), *_SPACED_HANGUL.finditer(text)):
        closed = [index for index in range(match.start() + 1, match.end(), 2) if not _is_wide(glyphs[index])]
        gaps.update(closed)
        if len(closed) + 1 >= _SEVERAL_WORDS:
            runs.append(match.span())
    kept = [index for index in range(len(text)) if index not in gaps]
    joined = tuple((bisect_right(kept, start - 1), bisect_right(kept, end - 1)) for start, end in runs)
    return [glyphs[index] for index in kept], joined


def _is_wide(gap: Glyph) -> bool:
    """Tell whether a gap was wider than one character as typed: that is where a word ends."""
    return gap.char == " " and gap.end - gap.start > 1


def _read_digits(glyphs: list[Glyph], table: dict[str, str]) -> list[Glyph]:
    text = "".join(glyph.char for glyph in glyphs)
    read = list(glyphs)
    for match in _LEET_WORD.finditer(text):
        word = match.group()
        start, end = match.start(), match.end()
        if not _LEET_CHAR.search(word) or not _LETTER.search(word) or _PLAIN_NUMBER.fullmatch(word):
            continue
        if end < len(text) and is_syllable(text[end]) and word[-1].isdigit():
            continue
        for index in range(start, end):
            glyph = read[index]
            read[index] = Glyph(table.get(glyph.char, glyph.char), glyph.start, glyph.end)
    return read
