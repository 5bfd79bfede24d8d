"""The ids a publisher has issued, packed so that a weak mark can be tried against all of them.

One rule: the codewords kept here contain MACs, so an index is as secret as the keys and is never written out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from platemark_provenance.watermark.carriers import SoftBits
from platemark_provenance.watermark.keys import WatermarkKeys
from platemark_provenance.watermark.payload import CODED_BITS, WatermarkId, encode_payloads
from platemark_provenance.watermark.profile import BROADCAST_3, Profile

_PACKED_BYTES: Final = CODED_BITS // 8
_ENCODE_AT_ONCE: Final = 65_536
_RADEMACHER: Final = 3.178
_BYTE_SIGNS: Final = 1.0 - 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)


@dataclass(frozen=True, slots=True)
class ScoredId:
    """Name an issued id, by how many standard deviations it fits, and its place in the order of issue."""

    mark_id: WatermarkId
    score: float
    place: int


class IssuedIds:
    """Score soft bits against every issued id; 42 bytes of codeword and 8 of id each."""

    def __init__(self, mark_ids: Sequence[WatermarkId], codewords: NDArray[np.uint8]) -> None:
        self._mark_ids = tuple(mark_ids)
        self._codewords = codewords  # (42, ids): each byte of all codewords lies together

    @classmethod
    def from_ids(cls, keys: WatermarkKeys, mark_ids: Sequence[WatermarkId], *, profile: Profile = BROADCAST_3) -> Self:
        """Index issued ids; an id that is given twice counts once.

        Args:
            keys: the keys they were issued under.
            mark_ids: eight bytes each, in the order in which they were issued.
            profile: the profile they were embedded with.

        Raises:
            WatermarkError: an id is not eight bytes.
        """
        unique = tuple(dict.fromkeys(mark_ids))
        packed = np.empty((_PACKED_BYTES, len(unique)), np.uint8)
        for start in range(0, len(unique), _ENCODE_AT_ONCE):
            part = unique[start : start + _ENCODE_AT_ONCE]
            coded = encode_payloads(keys.mac, part, profile.family)
            packed[:, start : start + len(part)] = np.packbits(coded, axis=1).T
        return cls(unique, packed)

    def __len__(self) -> int:
        return len(self._mark_ids)

    def __contains__(self, mark_id: object) -> bool:
        return mark_id in self._mark_ids

    def find_best(self, soft_bits: SoftBits) -> ScoredId | None:
        """Find the issued id whose codeword agrees best with the soft bits; nothing for an empty index."""
        totals = self._score(soft_bits)
        if totals is None:
            return None
        best = int(np.argmax(totals))
        return ScoredId(self._mark_ids[best], float(totals[best]), best)

    def find_all(self, soft_bits: SoftBits, *, least_score: float) -> tuple[ScoredId, ...]:
        """Find every issued id that agrees this well, the best first: an average of copies holds several.

        Args:
            soft_bits: what was read.
            least_score: in standard deviations.
        """
        totals = self._score(soft_bits)
        if totals is None:
            return ()
        above = np.flatnonzero(totals >= least_score)
        ordered = above[np.argsort(-totals[above], kind="stable")]
        return tuple(ScoredId(self._mark_ids[i], float(totals[i]), int(i)) for i in ordered)

    def _score(self, soft_bits: SoftBits) -> NDArray[np.float32] | None:
        """Score every id, in standard deviations."""
        if not self._mark_ids or soft_bits.length <= 0:
            return None
        # One table a byte of codeword: what each of its 256 values would add to the score.
        tables = (soft_bits.values.reshape(_PACKED_BYTES, 8) @ _BYTE_SIGNS.T).astype(np.float32)
        totals = np.zeros(len(self._mark_ids), np.float32)
        for table, column in zip(tables, self._codewords, strict=True):
            totals += table[column]
        return totals / np.float32(soft_bits.length)


def least_score_for(log10_fpr: float, *, hypotheses: int) -> float:
    """Give the score from which `log10_false_positive` is at most this, to a thousandth of a standard deviation."""
    low, high = 0.0, 60.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (
            (low, middle) if log10_false_positive(middle, hypotheses=hypotheses) <= log10_fpr else (middle, high)
        )
    return high


def log10_false_positive(score: float, *, hypotheses: int) -> float:
    """Bound the chance that a picture without our mark scores this high for any of the hypotheses.

    For a wrong codeword the score is a sum of independent fair signs (the key's flips) times fixed numbers of
    norm 1, whatever the picture is, so this is a bound and not a model of pictures; hypotheses are added up.

    Args:
        score: in standard deviations.
        hypotheses: ids times places they were looked for.

    Returns:
        The base-10 logarithm of the bound, at most 0.

    Source:
        Bentkus and Dzindzalieta, "A tight Gaussian bound for weighted sums of Rademacher random variables",
        Bernoulli 21(2), 2015, theorem 1.1: P(S >= x) <= 3.178 P(normal >= x).
    """
    tail = float(log_ndtr(-score)) / math.log(10.0)
    return min(0.0, tail + math.log10(_RADEMACHER) + math.log10(max(1, hypotheses)))
