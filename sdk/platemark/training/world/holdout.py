"""Which combinations of attributes are never trained on, so that what is measured on them was not memorised.

One rule: within every family one combination in eight is held out, chosen by a hash of its English caption, and every
single value of every slot stays in training. No seed changes the choice; no torch.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

from platemark.training.world.attributes import FAMILIES, Attributes, combinations
from platemark.training.world.captions import english_caption

SHARE = 8
"""One combination in so many is held out."""


@dataclass(frozen=True, slots=True)
class Split:
    """A family's combinations, apart: those that may be trained on, and those that may not."""

    train: tuple[Attributes, ...]
    held_out: tuple[Attributes, ...]


@lru_cache(maxsize=len(FAMILIES))
def split_family(name: str) -> Split:
    """Divide a family's combinations.

    The strata are the family's motions (or, without motion, its other first varied slot), so that none of them can fall
    wholly on one side by chance.

    Raises:
        RequestError: there is no such family.
    """
    everything = combinations(name)
    strata: dict[tuple[str, str | None], list[Attributes]] = {}
    for attributes in everything:
        strata.setdefault((attributes.scene, attributes.motion or attributes.pattern), []).append(attributes)
    held: set[Attributes] = set()
    left = Counter(pair for attributes in everything for pair in _pairs(attributes))
    for members in strata.values():
        held.update(_choose(members, left))
    return Split(tuple(a for a in everything if a not in held), tuple(a for a in everything if a in held))


def is_held_out(attributes: Attributes) -> bool:
    """Say whether a combination must not be trained on."""
    return any(attributes in split_family(family.name).held_out for family in FAMILIES)


def _choose(members: Sequence[Attributes], left: Counter[tuple[str, str]]) -> list[Attributes]:
    wanted = max(1, len(members) // SHARE)
    chosen: list[Attributes] = []
    for attributes in sorted(members, key=_digest):
        pairs = _pairs(attributes)
        # The last clip that shows a value is never given away: an untrained value measures nothing.
        if len(chosen) < wanted and all(left[pair] > 1 for pair in pairs):
            chosen.append(attributes)
            left.subtract(pairs)
    return chosen


def _digest(attributes: Attributes) -> bytes:
    return hashlib.sha256(f"platemark.holdout.1:{english_caption(attributes)}".encode()).digest()


def _pairs(attributes: Attributes) -> list[tuple[str, str]]:
    said = ((slot.name, getattr(attributes, slot.name)) for slot in fields(attributes))
    return [(name, value) for name, value in said if value is not None]
