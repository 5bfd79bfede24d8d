"""Words to pieces: a small vocabulary of English letters, Korean letters, and what often stands together.

One rule: deterministic and total. Every word has pieces; a letter that the vocabulary lacks is one unknown piece.
"""

import itertools
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from platemark.errors import GenerationError

UNKNOWN = 0
_START = "\u2581"
"""Stands before the first letter of a word, so that a piece knows whether it begins one."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The pieces and the order in which neighbours are joined.

    Args:
        letters: every single letter, in composed order; Korean syllables are taken apart into theirs.
        merges: pairs of pieces; earlier ones are joined first.
        words: whole words that were trained on as expressed; never one that only came as a stranger.
    """

    letters: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]
    words: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """Number of pieces, the unknown one included."""
        return 1 + len(self.letters) + len(self.merges)

    def encode(self, word: str) -> list[int]:
        """Give the numbers of a word's pieces.

        Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016, algorithm 1.
        """
        numbers = _numbers(self)
        return [numbers.get(piece, UNKNOWN) for piece in join(letters_of(word), _ranks(self))]

    def to_json(self) -> str:
        """Write this vocabulary."""
        lists = {
            "letters": list(self.letters),
            "merges": [list(pair) for pair in self.merges],
            "words": sorted(self.words),
        }
        return json.dumps(lists, ensure_ascii=False, indent=0) + "\n"


def vocabulary_from_json(text: str) -> Vocabulary:
    """Read a vocabulary that `Vocabulary.to_json` wrote.

    Raises:
        GenerationError: it is not one.
    """
    try:
        lists = json.loads(text)
        merges = tuple((str(a), str(b)) for a, b in lists["merges"])
        return Vocabulary(tuple(lists["letters"]), merges, frozenset(lists["words"]))
    except (ValueError, KeyError, TypeError) as error:
        raise GenerationError("The vocabulary cannot be read.", fix="Install platemark again.") from error


def letters_of(word: str) -> tuple[str, ...]:
    """Take a word apart: lower case, Korean syllables into their letters, a mark before the first."""
    return (_START, *unicodedata.normalize("NFD", unicodedata.normalize("NFKC", word).lower()))


def join(pieces: Sequence[str], ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """Join neighbours, the pair of the lowest rank first, until none is left that has one."""
    parts = list(pieces)
    while len(parts) > 1:
        best = min(itertools.pairwise(parts), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        parts = _joined(parts, best)
    return parts


def _joined(parts: Sequence[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    for part in parts:
        if joined and (joined[-1], part) == pair:
            joined[-1] = joined[-1] + part
        else:
            joined.append(part)
    return joined


@lru_cache(maxsize=4)
def _ranks(vocabulary: Vocabulary) -> Mapping[tuple[str, str], int]:
    return {pair: rank for rank, pair in enumerate(vocabulary.merges)}


@lru_cache(maxsize=4)
def _numbers(vocabulary: Vocabulary) -> Mapping[str, int]:
    pieces = (*vocabulary.letters, *(a + b for a, b in vocabulary.merges))
    return {piece: 1 + i for i, piece in enumerate(pieces)}
