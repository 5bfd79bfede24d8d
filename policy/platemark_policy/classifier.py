"""Say how much a text reads like what an editor should see: the classifier that comes with the wheel.

One rule: numbers in, numbers out. A score is a fixed sum over the encoder's vector, counted cues and letter groups; the
largest over the passages of a text counts. Scores decide nothing by themselves: a pack's rules say what a score means.
The model is arrays and JSON, never a pickle, and it is used only if its bytes have the hash that its card names.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from platemark_policy.document import read_document
from platemark_policy.encoder import WIDTH, encode
from platemark_policy.errors import PolicyError
from platemark_policy.language import has_hangul
from platemark_policy.lexicon import Lexicon
from platemark_policy.ngrams import BUCKETS, ngram_buckets
from platemark_policy.normalize import Normalized, normalize
from platemark_policy.passages import passages

HEADS = ("scene", "request", "comment")
"""What is judged: a described picture, a request for help with harm, a remark in the manner of online comments."""

LEVELS = ("possible", "likely", "certain")
"""Names of the thresholds every head has in each language, lowest first."""

_WEIGHTS = Path(__file__).parent / "weights"
_MOST_OF_ONE_CUE = 3
_DECIMALS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A checked model.

    Args:
        sha256: hex digest over the numbers, the cue words and the card.
        dense: (heads, 512) float32, weights of the encoder's vector.
        cues: (heads, lists) float32, weights of the cue lists.
        letters: (heads, BUCKETS) float32, weights of the letter groups.
        bias: (heads,) float32.
        thresholds: head, language, then level, to the score from which it holds.
        cue_names: the cue lists in the order of `cues`.
        lexicon: the cue words.
    """

    sha256: str
    dense: npt.NDArray[np.float32]
    cues: npt.NDArray[np.float32]
    letters: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    thresholds: Mapping[str, Mapping[str, Mapping[str, float]]]
    cue_names: tuple[str, ...]
    lexicon: Lexicon

    def scores(self, readings: tuple[Normalized, ...]) -> dict[str, float]:
        """Give each head's largest score over the passages of a text, rounded; 0 is as likely as not in training.

        Args:
            readings: the plain spelling first, then what disguised letters may say.

        Raises:
            PolicyError: the encoder is missing or failed.
        """
        pieces = passages(readings)
        if not pieces:
            return dict.fromkeys(HEADS, -math.inf)
        return self.best(pieces, encode(pieces))

    def best(self, pieces: Sequence[str], vectors: npt.NDArray[np.float32]) -> dict[str, float]:
        """Give each head's largest score over pieces whose vectors are known."""
        counted = vectors @ self.dense.T + self.counts(pieces) @ self.cues.T + self.bias
        for row, piece in enumerate(pieces):
            buckets, weights = ngram_buckets(piece)
            counted[row] += self.letters[:, buckets] @ weights
        highest = counted.max(axis=0)
        return {head: round(float(score), _DECIMALS) for head, score in zip(HEADS, highest, strict=True)}

    def counts(self, pieces: Sequence[str]) -> npt.NDArray[np.float32]:
        """Give how often each cue list is met in each piece: (n, lists) float32, dampened."""
        table = np.zeros((len(pieces), len(self.cue_names)), dtype=np.float32)
        places = {name: column for column, name in enumerate(self.cue_names)}
        for row, piece in enumerate(pieces):
            for name, spans in self.lexicon.find(normalize(piece)).items():
                table[row, places[name]] = min(len(spans), _MOST_OF_ONE_CUE) ** 0.5
        return table

    def levels(self, readings: tuple[Normalized, ...]) -> dict[str, int]:
        """Give how many levels a text reaches for each head; the answer that a pack's rules are about.

        Raises:
            PolicyError: the encoder is missing or failed.
        """
        language = "ko" if has_hangul(readings[0].text) else "en"
        return {head: self.level(head, score, language) for head, score in self.scores(readings).items()}

    def level(self, head: str, score: float, language: str) -> int:
        """Give how many of a head's levels a score reaches: 0 for none, 3 for `certain`.

        Args:
            head: one of `HEADS`.
            score: what `scores` gave for it.
            language: `ko` for a text with Hangul in it, else `en`; the levels differ.
        """
        return sum(score >= self.thresholds[head][language][level] for level in LEVELS)


@lru_cache(maxsize=4)
def load_classifier(folder: Path | None = None) -> Classifier:
    """Load the classifier that comes with platemark, or the one in a folder; once in a process.

    Raises:
        PolicyError: a file is missing, malformed, or not the one the card names.
    """
    place = folder or _WEIGHTS
    try:
        numbers, words = (place / "screen.npz").read_bytes(), (place / "cues.yaml").read_bytes()
        card = (place / "screen.json").read_bytes()
    except OSError as error:
        raise PolicyError(
            f"The policy classifier cannot be read ({error.strerror}).", fix="Reinstall platemark."
        ) from error
    try:
        return _checked(numbers, words, card)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PolicyError(
            f"The policy classifier is malformed ({type(error).__name__}).", fix="Reinstall platemark."
        ) from error


def cue_lexicon(words: bytes) -> tuple[tuple[str, ...], Lexicon]:
    """Read cue words: the names of the lists in order, and the lists ready to search.

    Raises:
        RulePackError: the file is malformed.
    """
    by_name = read_document(words, name="cues.yaml").fields(("lists",))["lists"].mapping()
    lists = {
        name: tuple(term for terms in entry.fields((), ("en", "ko")).values() for term in terms.texts())
        for name, entry in by_name.items()
    }
    return tuple(sorted(lists)), Lexicon(lists)


def _checked(numbers: bytes, words: bytes, card_bytes: bytes) -> Classifier:
    card = json.loads(card_bytes)
    if hashlib.sha256(numbers).hexdigest() != card["numbers_sha256"]:
        raise PolicyError(
            "The policy classifier's numbers are not the ones its card names.", fix="Reinstall platemark."
        )
    if hashlib.sha256(words).hexdigest() != card["cues_sha256"]:
        raise PolicyError("The policy classifier's cues are not the ones its card names.", fix="Reinstall platemark.")
    names, lexicon = cue_lexicon(words)
    with np.load(BytesIO(numbers), allow_pickle=False) as arrays:
        dense, cues, letters, bias = (arrays[key].astype(np.float32) for key in ("dense", "cues", "letters", "bias"))
    shapes = (dense.shape, cues.shape, letters.shape, bias.shape)
    count = len(HEADS)
    if shapes != ((count, WIDTH), (count, len(names)), (count, BUCKETS), (count,)):
        raise PolicyError(
            "The policy classifier has another shape than this version reads.", fix="Reinstall platemark."
        )
    given = card["thresholds"]
    thresholds = {
        head: {lang: {level: float(given[head][lang][level]) for level in LEVELS} for lang in ("en", "ko")}
        for head in HEADS
    }
    whole = hashlib.sha256(hashlib.sha256(numbers).digest() + hashlib.sha256(words).digest() + card_bytes)
    return Classifier(whole.hexdigest(), dense, cues, letters, bias, thresholds, names, lexicon)
