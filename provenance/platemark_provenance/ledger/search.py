"""Words of sealed parts that can be searched: a copy in the clear, kept only where a home asks for it.

One rule: a word is a row, so that erasing is deleting. Full-text engines keep deleted words until they merge.
Hangul is kept in pairs of syllables: particles stick to Korean words, and a pair is found inside them.
"""

import re
import unicodedata
from collections.abc import Mapping

from sqlalchemy import ColumnElement, select

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.tables import event, search_word

LONGEST_WORD = 40
MOST_WORDS = 500
"""Of one event; a prompt has at most 4,000 characters."""
MOST_ASKED = 16

_WORD = re.compile(r"[가-힣]+|[^\W_가-힣]+")


def words_of(text: str) -> tuple[str, ...]:
    """Give the words of a text as the index keeps them, each once."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    found: dict[str, None] = {}
    for word in _WORD.findall(unicodedata.normalize("NFC", folded)):
        if "가" <= word[0] <= "힣" and len(word) > 2:
            found.update(dict.fromkeys(word[i : i + 2] for i in range(len(word) - 1)))
        else:
            found[word[:LONGEST_WORD]] = None
    return tuple(found)[:MOST_WORDS]


def words_of_sealed(content: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Give the words of every text in a sealed part."""
    return words_of(" ".join(value for value in content.values() if isinstance(value, str)))


def has_words(text: str) -> ColumnElement[bool]:
    """Give the condition that an event's sealed part has every word of a text.

    Raises:
        LedgerRequestError: the text has no word, or too many.
    """
    words = words_of(text)
    if not 0 < len(words) <= MOST_ASKED:
        raise LedgerRequestError(f"A search is for 1 to {MOST_ASKED} words; got {len(words)}.")
    condition: ColumnElement[bool] = event.c.seq.in_(select(search_word.c.seq).where(search_word.c.word == words[0]))
    for word in words[1:]:
        condition &= event.c.seq.in_(select(search_word.c.seq).where(search_word.c.word == word))
    return condition
