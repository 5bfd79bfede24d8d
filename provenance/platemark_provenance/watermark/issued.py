"""The ids a publisher has issued, packed so that a weak mark can be tried against all of them.

One rule: the payloads kept here contain MACs, so an index is as secret as the keys.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from platemark_provenance.watermark.carriers import Floats, SoftBits
from platemark_provenance.watermark.keys import WatermarkKeys
from platemark_provenance.watermark.payload import ID_BYTES, WatermarkId, encode_rows, make_window_signs, seal_payloads
from platemark_provenance.watermark.profile import BROADCAST_3, Profile

_AT_ONCE: Final = 65_536
_MOST_TOGETHER: Final = 16
_RADEMACHER: Final = 3.178
Payloads = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ScoredId:
    """Name an issued id, by how many standard deviations it fits, and its place in the order of issue."""

    mark_id: WatermarkId
    score: float
    place: int


class IssuedIds:
    """Score soft bits against every issued id; 13 bytes of payload each, in memory or mapped from a file.

    Args:
        payloads: (ids, 13) ids and their MACs, no id twice, in the order of issue.
    """

    def __init__(self, payloads: Payloads) -> None:
        self._payloads = payloads

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
        return cls(seal_payloads(keys.mac, tuple(dict.fromkeys(mark_ids)), profile.family))

    @property
    def payloads(self) -> Payloads:
        """Give the ids and their MACs, (ids, 13). They are secret."""
        return self._payloads

    def __len__(self) -> int:
        return len(self._payloads)

    def __contains__(self, mark_id: object) -> bool:
        if not isinstance(mark_id, bytes) or len(mark_id) != ID_BYTES:
            return False
        return bool(np.any(np.all(self._payloads[:, :ID_BYTES] == np.frombuffer(mark_id, np.uint8), axis=1)))

    def id_at(self, place: int) -> WatermarkId:
        """Give the id at a place in the order of issue."""
        return WatermarkId(self._payloads[place, :ID_BYTES].tobytes())

    def find_best(self, soft_bits: SoftBits) -> ScoredId | None:
        """Find the issued id whose codeword agrees best with the soft bits; nothing for an empty index."""
        return self._best(soft_bits.values, soft_bits.length)

    def find_all(self, soft_bits: SoftBits, *, least_score: float) -> tuple[ScoredId, ...]:
        """Find every issued id that agrees this well, the best first: an average of copies holds several.

        What the best one explains is taken away before the next is looked for. Otherwise an id that begins like it,
        or one that suits the same picture, would seem to be there as well.

        Args:
            soft_bits: what was read.
            least_score: in standard deviations of what was read at first.

        Source:
            Successive cancellation: Patel and Holtzman, "Analysis of a simple successive interference cancellation
            scheme in a DS/CDMA system", IEEE J. Selected Areas in Communications 12(5), 1994.
        """
        values = soft_bits.values.copy()
        found: list[ScoredId] = []
        while len(found) < _MOST_TOGETHER:
            best = self._best(values, soft_bits.length)
            if best is None or best.score < least_score:
                break
            found.append(best)
            signs = 1.0 - 2.0 * encode_rows(self._payloads[best.place : best.place + 1])[0]
            values -= float(values @ signs) / len(signs) * signs
        return tuple(sorted(found, key=lambda each: -each.score))

    def score_all(self, soft_bits: SoftBits) -> NDArray[np.float32]:
        """Score every id, in standard deviations and in the order of issue."""
        return self._add_up(soft_bits.values) / np.float32(soft_bits.length)

    def _best(self, values: Floats, length: float) -> ScoredId | None:
        if not len(self) or length <= 0:
            return None
        totals = self._add_up(values)
        best = int(np.argmax(totals))
        return ScoredId(self.id_at(best), float(totals[best]) / length, best)

    def _add_up(self, values: Floats) -> NDArray[np.float32]:
        # One table for each four bits of payload: what each of their values, after the eight before, adds.
        tables = values.astype(np.float32).reshape(-1, 12) @ _window_signs().T
        totals = np.empty(len(self), np.float32)
        for start in range(0, len(self), _AT_ONCE):
            part = self._payloads[start : start + _AT_ONCE]
            totals[start : start + len(part)] = _add_up(tables, part)
        return totals


@lru_cache(maxsize=1)
def _window_signs() -> NDArray[np.float32]:
    return make_window_signs()


def _add_up(tables: NDArray[np.float32], payloads: Payloads) -> NDArray[np.float32]:
    """Add up what every window of each payload says; after the last byte come the code's eight tail bits."""
    columns = np.zeros((payloads.shape[1] + 2, len(payloads)), np.intp)
    columns[1:-1] = payloads.T
    totals = np.zeros(len(payloads), np.float32)
    for place, (before, now) in enumerate(pairwise(columns)):
        totals += tables[2 * place].take((before << 4) | (now >> 4))
        totals += tables[2 * place + 1].take(((before & 15) << 8) | now)
    return totals


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
