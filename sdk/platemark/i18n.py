"""What people read, in their language: gettext catalogues kept as text and read by Babel.

One rule: the English sentence is the key. JSON keys and machine codes are never translated.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("en", "ko")
LOCALE = Path(__file__).parent / "locale"


def translate(language: str, sentence: str) -> str:
    """Give a sentence in a language; English where the catalogue has no entry.

    Args:
        language: `en` or `ko`.
        sentence: the English sentence, with `{}` fields still unfilled.
    """
    return _catalogue(language).get(sentence) or sentence if language in LANGUAGES else sentence


def translate_said(language: str, said: str) -> str:
    """Give a sentence of an error in a language, whose fields are filled in already; as it is where it is not known.

    Errors are raised deep below whoever knows the reader's language, as plain English sentences. So the catalogue of
    errors recognises a sentence by its fixed words and carries over what stands between them; of several that fit,
    the one with the most fixed words counts.

    Args:
        language: `en` or `ko`.
        said: the sentence.
    """
    if language not in LANGUAGES or language == "en":
        return said
    fitting = [(each, found) for each in _patterns(language) if (found := each.pattern.fullmatch(said)) is not None]
    if not fitting:
        return said
    known, found = max(fitting, key=lambda each: each[0].fixed)
    # The first of a name's fields fills it in everywhere.
    values = dict(reversed(list(zip(known.names, found.groups(), strict=True))))
    return known.translated.format(**values)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One sentence of the catalogue of errors: how it is recognised, its fields in order, and how it is said.

    `fixed` counts the characters that do not belong to a field.
    """

    pattern: re.Pattern[str]
    names: tuple[str, ...]
    fixed: int
    translated: str


@lru_cache(maxsize=len(LANGUAGES))
def _patterns(language: str) -> tuple[_Pattern, ...]:
    return tuple(_pattern(english, translated) for english, translated in _read(language, "errors.po").items())


def _pattern(english: str, translated: str) -> _Pattern:
    fixed, names = _FIELD.split(english)[::2], _FIELD.findall(english)
    pattern = "(.*?)".join(re.escape(each) for each in fixed)
    return _Pattern(re.compile(pattern, re.DOTALL), tuple(names), sum(map(len, fixed)), translated)


_FIELD = re.compile(r"\{(\w+)\}")


def mark(sentence: str) -> str:
    """Give a sentence unchanged, and tell readers and tests that it is translated where it is shown."""
    return sentence


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(language: str) -> dict[str, str]:
    return _read(language, "platemark.po")


def _read(language: str, name: str) -> dict[str, str]:
    path = LOCALE / language / "LC_MESSAGES" / name
    if not path.is_file():
        return {}
    from babel.messages.pofile import read_po  # English needs no catalogue

    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {m.id: m.string for m in catalogue if m.id and isinstance(m.id, str) and isinstance(m.string, str)}
