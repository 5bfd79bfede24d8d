"""Count the letters of a text: the classifier's second sense, for words the encoder has never seen.

One rule: hashing with a fixed function, no vocabulary, so that a model is a table of numbers and nothing else.
Source: Weinberger et al. 2009, Feature Hashing for Large Scale Multitask Learning (unsigned, one table).
"""

import zlib

import numpy as np
import numpy.typing as npt

BUCKETS = 1 << 15
"""How many kinds of letter groups are told apart."""

_MAX_CHARS = 640
_LATIN_SIZES = (3, 4, 5)
_HANGUL_SIZES = (1, 2, 3)


def ngram_buckets(text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Give the buckets of a text's letter groups and their weights, of length 1 together.

    Groups stay inside words; Hangul syllables carry more each, so their groups are shorter. Each group counts once,
    dampened by how often it occurs.

    Args:
        text: normalised text.

    Returns:
        Buckets (k,) int64 in [0, BUCKETS), and weights (k,) float32.
    """
    counts: dict[int, int] = {}
    for word in text[:_MAX_CHARS].split():
        framed = f" {word} "
        sizes = _LATIN_SIZES if word.isascii() else _HANGUL_SIZES
        for size in sizes:
            for start in range(len(framed) - size + 1):
                bucket = zlib.crc32(framed[start : start + size].encode("utf-8", "replace")) & (BUCKETS - 1)
                counts[bucket] = counts.get(bucket, 0) + 1
    buckets = np.fromiter(sorted(counts), dtype=np.int64, count=len(counts))
    weights = 1 + np.log(np.array([counts[bucket] for bucket in buckets.tolist()], dtype=np.float32))
    length = float(np.sqrt((weights**2).sum()))
    return buckets, weights.astype(np.float32) / np.float32(length or 1.0)
