"""Read through the usual disguises: spaced-out letters, digits for letters, marks pushed between syllables.

One rule: a second reading beside the plain one, never instead of it. Rules look at both, so reading too much into
`F-16` or `G20` can add a finding and can never hide one.
"""

import re
from bisect import bisect_right

from platemark_policy.decision import Span
from platemark_policy.hangul import Glyph, is_syllable
from platemark_policy.normalize import Normalized, from_glyphs

_GAP = r"(?:(?![@$])[\W_]){1,4}"
_SPACED_LATIN = re.compile(rf"(?<![a-z0-9])[a-z0-9@$](?:{_GAP}[a-z0-9@$]){{2,}}(?![a-z0-9])")
_SPACED_HANGUL = re.compile(rf"(?<![가-힣])[가-힣](?:{_GAP}[가-힣])+(?![가-힣])")
_GAP_RUN = re.compile(_GAP)
# One of these between letters is a disguise from three Latin letters or two syllables on; anything else, such as the
# comma of "A, B, C", from one more on.
_USUAL_GAPS = frozenset(" .-_*/|·")
_FEWEST_LATIN, _FEWEST_HANGUL = 3, 2
_HANGUL_INFIX = re.compile(r"(?<=[가-힣])[0-9.\-_~*^@!|/+·]{1,3}(?=[가-힣])")
_LEET_WORD = re.compile(r"[a-z0-9@$€!|+]+")
_EXCLAIMED = re.compile(r"[a-z]+!+")
_LEET_CHAR = re.compile(r"[0-9@$€!|+]")
_LETTER = re.compile(r"[a-z]")
# Digits that mean digits: 4k, 3d, 60fps, 1080p, 2nd, 90s, 5g, 35mm, 10km, and names such as mp4, h264, g20, covid19;
# but d0, g0, n0, s0 and t0 are do, go, no, so and to.
_PLAIN_NUMBER = re.compile(
    r"[0-9]+(?:k|d|p|i|g|s|m|x|h|b|v|w|c|f|st|nd|rd|th|am|pm|px|fps|hz|khz|mhz|ghz|kb|mb|gb|tb|bit|mm|cm|km|kg|mg|ml|"
    r"mph|kmh|kph|ft|yo|yrs?|min|mins|sec|secs|ms|deg|usd|krw|eur|gbp)!?|(?![dgnst]0)(?:[a-z]|mp|covid|iphone)[0-9]+!?"
)
_LETTER_FOR = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a"}
_LETTER_FOR |= {"$": "s", "€": "e", "!": "i", "|": "i", "+": "t"}
_ELL_FOR = _LETTER_FOR | {"1": "l", "|": "l", "!": "l"}
_SHORT_WORD = 2
# From this many joined letters on, several words are likely and terms may begin in the middle; below it, not, so
# that one spaced-out word ("therapist" on a title card) is read as one word.
_SEVERAL_WORDS = 12


def reveal(plain: Normalized) -> tuple[Normalized, ...]:
    """Give up to two further readings of a text, none when it hides nothing.

    The two differ in how they read the digit one and its look-alikes, as an i or as an l, and an exclamation mark at
    the end of a disguised word, as a letter or as a mark.

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
    for pattern, fewest in ((_SPACED_LATIN, _FEWEST_LATIN), (_SPACED_HANGUL, _FEWEST_HANGUL)):
        for match in pattern.finditer(text):
            closed = _letter_gaps(glyphs, text, match.span(), fewest)
            gaps.update(index for gap in closed for index in range(*gap))
            if len(closed) + 1 >= _SEVERAL_WORDS:
                runs.append(match.span())
    kept = [index for index in range(len(text)) if index not in gaps]
    joined = tuple((bisect_right(kept, start - 1), bisect_right(kept, end - 1)) for start, end in runs)
    return [glyphs[index] for index in kept], joined


def _letter_gaps(glyphs: list[Glyph], text: str, run: Span, fewest: int) -> list[Span]:
    """Give the gaps between the letters of words in a run of single letters.

    The commonest width, in characters as typed, is that between letters; a wider gap is where a word ends.
    """
    found = [match.span() for match in _GAP_RUN.finditer(text, *run)]
    widths = [sum(glyph.end - glyph.start for glyph in glyphs[start:end]) for start, end in found]
    usual = max(sorted(set(widths)), key=widths.count)
    closed = [gap for gap, width in zip(found, widths, strict=True) if width <= usual]
    rare = usual > 1 or any(text[start] not in _USUAL_GAPS for start, _ in closed)
    return closed if len(found) + 1 >= fewest + rare else []


def _read_digits(glyphs: list[Glyph], table: dict[str, str]) -> list[Glyph]:
    """Read digits and signs inside words as letters; a short plain number only beside words surely disguised."""
    text = "".join(glyph.char for glyph in glyphs)
    words = [match for match in _LEET_WORD.finditer(text) if _may_be_disguised(match)]
    sure = [match for match in words if not _PLAIN_NUMBER.fullmatch(match.group())]
    short = [match for match in words if len(match.group().rstrip("!")) == _SHORT_WORD]
    read = list(glyphs)
    for match in sure + short if sure else ():
        end = match.end() if table is _LETTER_FOR else match.start() + len(match.group().rstrip("!"))
        for index in range(match.start(), end):
            glyph = read[index]
            read[index] = Glyph(table.get(glyph.char, glyph.char), glyph.start, glyph.end)
    return read


def _may_be_disguised(match: re.Match[str]) -> bool:
    """Tell whether a word mixes letters with signs, other than a mark at its end or a number a syllable counts with."""
    word, text, end = match.group(), match.string, match.end()
    if not _LEET_CHAR.search(word) or not _LETTER.search(word) or _EXCLAIMED.fullmatch(word):
        return False
    return not (end < len(text) and is_syllable(text[end]) and word[-1].isdigit())
