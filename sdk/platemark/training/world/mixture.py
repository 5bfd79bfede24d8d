"""Which clips come more often in training than others: weak families, rich ones, free flights.

One rule: a mixture changes how often a combination is drawn, never what it shows, and an empty one changes nothing.
"""

from dataclasses import dataclass
from functools import lru_cache

from pydantic import ConfigDict

from platemark.errors import RequestError
from platemark.training.world.attributes import FAMILIES, SLOT_VALUES, Attributes

_FAMILY_NAMES = frozenset(family.name for family in FAMILIES)
_MOTIONS = frozenset(SLOT_VALUES["motion"])
MOST = 64.0
"""The largest emphasis."""


@dataclass(frozen=True, slots=True)
class Emphasis:
    """How much more often than usual something is drawn.

    Args:
        name: of a family of scenes, or a value of the slot `motion`.
        times: over 0 and at most `MOST`; a motion's is a whole number, since its combinations are listed so often.

    Raises:
        RequestError: there is no such family or motion, or the factor is out of its range.
    """

    name: str
    times: float
    __pydantic_config__ = ConfigDict(extra="forbid")

    def __post_init__(self) -> None:
        if self.name not in _FAMILY_NAMES | _MOTIONS:
            raise RequestError(f"There is no family or motion {self.name[:40]!r} to emphasise.")
        if not 0 < self.times <= MOST:
            raise RequestError(f"An emphasis is over 0 and at most {MOST:g}; got {self.times}.")
        if self.name in _MOTIONS and self.times != int(self.times):
            raise RequestError(f"The emphasis on a motion is a whole number; got {self.times}.")


Mixture = tuple[Emphasis, ...]
"""Emphases, each on another family or motion; empty draws as the families' own weights say."""


@lru_cache(maxsize=16)
def family_shares(mixture: Mixture) -> tuple[tuple[str, float], ...]:
    """Give each family's share of the clips, in the families' order; shares sum to 1."""
    times = {emphasis.name: emphasis.times for emphasis in mixture}
    shares = [(family.name, family.weight * times.get(family.name, 1.0)) for family in FAMILIES]
    whole = sum(share for _, share in shares)
    return tuple((name, share / whole) for name, share in shares)


def family_at(chance: float, mixture: Mixture) -> str:
    """Name the family that a number from 0 to 1 falls on."""
    left = chance
    for name, share in family_shares(mixture):
        left -= share
        if left < 0:
            return name
    return FAMILIES[-1].name


@lru_cache(maxsize=256)
def repeated(pool: tuple[Attributes, ...], mixture: Mixture) -> tuple[Attributes, ...]:
    """List combinations as often as their motion's emphasis says; those that are new come at the end."""
    more = [(emphasis.name, int(emphasis.times) - 1) for emphasis in mixture if emphasis.name in _MOTIONS]
    extra = [a for motion, count in more for _ in range(count) for a in pool if a.motion == motion]
    return (*pool, *extra)
