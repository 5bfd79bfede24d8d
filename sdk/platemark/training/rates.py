"""A share of hits with the interval that its number of trials allows.

One rule: no share is given without its interval.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from platemark.errors import RequestError

_Z = 1.959964
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many hits of so many trials.

    Raises:
        RequestError: there are more hits than trials, or fewer than none.
    """

    hits: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.of:
            raise RequestError(f"Hits are from 0 to the number of trials; got {self.hits} of {self.of}.")

    @property
    def share(self) -> float:
        """Hits over trials, 0 to 1; not a number where nothing was tried."""
        return self.hits / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The range, 0 to 1, that holds the true share with 95 % confidence; all of it where nothing was tried.

        Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
        """
        if not self.of:
            return 0.0, 1.0
        n, p, square = self.of, self.hits / self.of, _Z * _Z
        centre = (p + square / (2 * n)) / (1 + square / n)
        reach = _Z / (1 + square / n) * math.sqrt(p * (1 - p) / n + square / (4 * n * n))
        return max(0.0, centre - reach), min(1.0, centre + reach)

    def plus(self, other: "Rate") -> "Rate":
        """Put two samples together."""
        return Rate(self.hits + other.hits, self.of + other.of)


def rate_of(hits: Iterable[bool]) -> Rate:
    """Count hits."""
    every = list(hits)
    return Rate(sum(every), len(every))
