"""Learning the vocabulary: the pairs of pieces that stand together most often in the words of a corpus.

One rule: ties are broken by the pieces themselves, so the same words give the same vocabulary everywhere.
"""

import itertools
from collections import Counter
from collections.abc import Mapping

from platemark.generation.tokens import Vocabulary, join, letters_of


def learn_vocabulary(words: Mapping[str, int], *, merges: int) -> Vocabulary:
    """Learn the joins of pieces.

    Args:
        words: and how often each came.
        merges: to learn at most; fewer if no pair comes twice.

    Source: Sennrich et al., 2016, algorithm 1.
    """
    split = {word: list(letters_of(word)) for word in sorted(words)}
    letters = sorted({letter for pieces in split.values() for letter in pieces})
    learned: list[tuple[str, str]] = []
    while len(learned) < merges:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, pieces in split.items():
            for pair in itertools.pairwise(pieces):
                pairs[pair] += words[word]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        if pairs[best] < 2:
            break
        learned.append(best)
        only = {best: 0}
        split = {word: join(pieces, only) for word, pieces in split.items()}
    return Vocabulary(tuple(letters), tuple(learned), frozenset(words))
