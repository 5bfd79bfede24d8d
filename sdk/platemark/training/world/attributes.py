"""What can be said of a clip: the slots, their values, and which values go together in each family of scenes.

One rule: the order of families, slots and values is part of the weights trained on it. Data only; no torch.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from types import MappingProxyType

from platemark.errors import RequestError

COLOURS = ("red", "green", "blue", "yellow", "orange", "purple", "white", "black", "cyan", "pink")
RGB_OF_COLOURS = (
    (214, 40, 40),
    (42, 157, 80),
    (40, 90, 200),
    (250, 205, 50),
    (245, 130, 32),
    (130, 60, 170),
    (240, 240, 240),
    (20, 20, 24),
    (60, 200, 215),
    (240, 130, 180),
)
"""Levels of red, green and blue of each of `COLOURS`."""
TIMES = ("day", "sunset", "night")
NUMBERS = ("two", "three", "four", "five")
WAYS = ("moving left", "moving right", "moving up", "moving down")
SHAPE_MOTIONS = (*WAYS, "bouncing", "growing", "shrinking", "spinning")
FLIGHTS = ("flying forward", "turning left", "turning right", "jumping", "flying freely")

SLOT_VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "scene": (
            "shape",
            "sky",
            "sea",
            "city rain",
            "city snow",
            "bar chart",
            "line chart",
            "globe",
            "map",
            "flag",
            "countdown",
            "occluder",
            "cube",
            "voxels",
        ),
        "shape": ("circle", "square", "triangle"),
        "colour": COLOURS,
        "second_colour": COLOURS,
        "background": COLOURS,
        "motion": (
            *SHAPE_MOTIONS,
            "rising",
            "falling",
            "drifting left",
            "drifting right",
            "rotating left",
            "rotating right",
            "orbiting left",
            "orbiting right",
            *FLIGHTS,
        ),
        "time": TIMES,
        "amount": ("few", "many", "calm", "rough", "light", "heavy", *NUMBERS),
        "pattern": ("vertical bands", "horizontal bands", "cross", "disc"),
    }
)
"""The slots in the order of training, and the values of each; value 0 of a slot means that it is left open."""

SLOT_SIZES = tuple(1 + len(values) for values in SLOT_VALUES.values())
"""What `TransformerConfig.slot_sizes` must be for this world."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """All that is said of one clip; none where a slot does not apply. See `SLOT_VALUES`."""

    scene: str
    shape: str | None = None
    colour: str | None = None
    second_colour: str | None = None
    background: str | None = None
    motion: str | None = None
    time: str | None = None
    amount: str | None = None
    pattern: str | None = None

    def indices(self) -> tuple[int, ...]:
        """Give the number of each value, in the order of `SLOT_VALUES`; 0 is an open slot.

        Raises:
            RequestError: a value is not one of its slot's.
        """
        return tuple(_index(slot.name, getattr(self, slot.name)) for slot in fields(self))


def _index(slot: str, value: str | None) -> int:
    if value is None:
        return 0
    if value not in SLOT_VALUES[slot]:
        raise RequestError(
            f"The slot {slot} has no value {value[:40]!r}.", fix=f"Its values are: {', '.join(SLOT_VALUES[slot])}."
        )
    return 1 + SLOT_VALUES[slot].index(value)


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of scene, and what it can vary.

    Attributes:
        name: how reports call it.
        scenes: its values of the slot `scene`.
        weight: its share of the clips; shares are relative.
        choices: the values of each slot that it uses.
        impossible: pairs of values that do not go together.
    """

    name: str
    scenes: tuple[str, ...]
    weight: float
    choices: Mapping[str, tuple[str, ...]]
    impossible: tuple[tuple[str, str], ...] = ()


_GLOBE = ("blue", "purple", "cyan", "black", "green", "orange")
_SIDES = ("moving left", "moving right")
FAMILIES = (
    Family(
        "shapes",
        ("shape",),
        0.15,
        {
            "shape": ("circle", "square", "triangle"),
            "colour": COLOURS,
            "background": COLOURS,
            "motion": SHAPE_MOTIONS,
        },
        impossible=(("circle", "spinning"),),  # a disc that spins looks like one that does not
    ),
    Family(
        "sky",
        ("sky",),
        0.05,
        {"motion": ("drifting left", "drifting right"), "time": TIMES, "amount": ("few", "many")},
    ),
    Family(
        "sea",
        ("sea",),
        0.05,
        {"colour": ("blue", "green", "purple", "cyan"), "time": TIMES, "amount": ("calm", "rough")},
    ),
    Family("city", ("city rain", "city snow"), 0.08, {"time": TIMES, "amount": ("light", "heavy")}),
    Family(
        "bars",
        ("bar chart",),
        0.08,
        {"colour": COLOURS, "background": COLOURS, "motion": ("rising", "falling"), "amount": NUMBERS},
    ),
    Family(
        "lines",
        ("line chart",),
        0.06,
        {"colour": COLOURS, "background": COLOURS, "motion": ("rising", "falling")},
    ),
    Family(
        "globe",
        ("globe",),
        0.08,
        {
            "colour": _GLOBE,
            "second_colour": _GLOBE,
            "background": COLOURS,
            "motion": ("rotating left", "rotating right"),
        },
    ),
    Family(
        "map",
        ("map",),
        0.08,
        {
            "colour": ("red", "black", "purple", "white", "pink"),
            "second_colour": ("green", "yellow", "orange"),
            "background": ("blue", "cyan", "white"),
            "motion": WAYS,
        },
    ),
    Family(
        "flag",
        ("flag",),
        0.07,
        {
            "colour": COLOURS,
            "second_colour": COLOURS,
            "background": ("blue", "cyan", "white", "black"),
            "pattern": SLOT_VALUES["pattern"],
        },
    ),
    Family(
        "countdown",
        ("countdown",),
        0.06,
        {"colour": COLOURS, "background": COLOURS, "amount": ("three", "four", "five")},
    ),
    Family(
        "occluder",
        ("occluder",),
        0.08,
        {
            "shape": ("circle", "square", "triangle"),
            "colour": COLOURS,
            "second_colour": COLOURS,
            "background": COLOURS,
            "motion": _SIDES,
        },
    ),
    Family(
        "cube",
        ("cube",),
        0.07,
        {"colour": COLOURS, "background": COLOURS, "motion": ("orbiting left", "orbiting right")},
    ),
    Family(
        "voxels",
        ("voxels",),
        0.11,
        {"colour": ("green", "yellow", "white"), "time": TIMES, "motion": FLIGHTS},
    ),
)
"""Every family; a new one goes to the end, with a renderer and captions."""

_COLOUR_SLOTS = ("colour", "second_colour", "background")


@lru_cache(maxsize=len(FAMILIES))
def combinations(name: str) -> tuple[Attributes, ...]:
    """List every clip a family can be asked for, in a fixed order; colours in one clip always differ.

    Raises:
        RequestError: there is no such family.
    """
    family = family_named(name)
    slots = list(family.choices)
    return tuple(
        Attributes(scene, **dict(zip(slots, values, strict=True)))
        for scene in family.scenes
        for values in itertools.product(*family.choices.values())
        if _fits(family, dict(zip(slots, values, strict=True)))
    )


def family_named(name: str) -> Family:
    """Find a family.

    Raises:
        RequestError: there is no such family.
    """
    for family in FAMILIES:
        if family.name == name:
            return family
    raise RequestError(
        f"There is no family of scenes {name[:40]!r}.", fix=f"Choose from: {', '.join(f.name for f in FAMILIES)}."
    )


def _fits(family: Family, values: Mapping[str, str]) -> bool:
    colours = [values[slot] for slot in _COLOUR_SLOTS if slot in values]
    said = set(values.values())
    return len(set(colours)) == len(colours) and not any(said.issuperset(pair) for pair in family.impossible)
