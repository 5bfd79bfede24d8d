"""What people read, in their language: gettext catalogues kept as text and read by Babel.

One rule: the English sentence is the key. JSON keys and machine codes are never translated.
"""

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


def mark(sentence: str) -> str:
    """Give a sentence unchanged, and tell readers and tests that it is translated where it is shown."""
    return sentence


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(language: str) -> dict[str, str]:
    path = LOCALE / language / "LC_MESSAGES" / "platemark.po"
    if not path.is_file():
        return {}
    from babel.messages.pofile import read_po  # English needs no catalogue

    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {m.id: m.string for m in catalogue if m.id and isinstance(m.id, str) and isinstance(m.string, str)}
