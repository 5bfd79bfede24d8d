"""What the embedded model can show: its scenes, the values each one takes, and how each is best made.

One rule: the order of the values is the order the weights were trained with; it never changes for these weights.
Data only; no torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

COLOURS = ("red", "green", "blue", "yellow", "orange", "purple", "white", "black", "cyan", "pink")
TIMES = ("day", "sunset", "night")
NUMBERS = ("two", "three", "four", "five")
_WAYS = ("moving left", "moving right", "moving up", "moving down")
FREE_FLIGHT = "flying freely"
_FLIGHTS = ("flying forward", "turning left", "turning right", "jumping", FREE_FLIGHT)
MOTIONS = (
    *_WAYS,
    "bouncing",
    "growing",
    "shrinking",
    "spinning",
    "rising",
    "falling",
    "drifting left",
    "drifting right",
    "rotating left",
    "rotating right",
    "orbiting left",
    "orbiting right",
    *_FLIGHTS,
)
AMOUNTS = ("few", "many", "calm", "rough", "light", "heavy", *NUMBERS)
SHAPES = ("circle", "square", "triangle")
PATTERNS = ("vertical bands", "horizontal bands", "cross", "disc")
SCENES = (
    *SHAPES,
    "sky",
    "sea",
    "chart",
    "globe",
    "city rain",
    "city snow",
    "line chart",
    "map",
    "flag",
    "countdown",
    "occluder",
    "cube",
    "voxels",
)
"""What a prompt can ask for; the model has one scene for the three shapes, and another name for a chart."""
LEARNED_SCENES = SCENES[9:]
"""Scenes that only the reader finds in a prompt; the grammar's words do not name them."""
_MODEL_NAMES: Mapping[str, str] = {"chart": "bar chart"} | dict.fromkeys(SHAPES, "shape")


@dataclass(frozen=True, slots=True)
class SlotValues:
    """One scene in the model's own terms; none leaves a slot open.

    Attributes:
        scene: one of `SCENES`.
        shape: of what passes behind a column, one of `SHAPES`.
        colour: of the subject: a shape, the sea, bars, a globe's water, a route.
        second_colour: of a globe's or a map's land, a flag's figure, a column.
        background: colour behind the subject.
        motion: one of `MOTIONS`.
        time: one of `TIMES`.
        amount: one of `AMOUNTS`.
        pattern: of a flag, one of `PATTERNS`.
    """

    scene: str | None = None
    shape: str | None = None
    colour: str | None = None
    second_colour: str | None = None
    background: str | None = None
    motion: str | None = None
    time: str | None = None
    amount: str | None = None
    pattern: str | None = None

    def indices(self) -> tuple[int, ...]:
        """Give the number of each value, as the transformer reads them; 0 is an open slot."""
        chosen = {slot.name: getattr(self, slot.name) for slot in fields(self)}
        if self.scene in SHAPES:
            chosen["shape"] = self.scene
        chosen["scene"] = _MODEL_NAMES.get(self.scene or "", self.scene)
        return tuple(
            0 if chosen[slot] is None else 1 + values.index(chosen[slot]) for slot, values in SLOT_VALUES.items()
        )


SLOT_VALUES: Mapping[str, tuple[str, ...]] = {
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
    "shape": SHAPES,
    "colour": COLOURS,
    "second_colour": COLOURS,
    "background": COLOURS,
    "motion": MOTIONS,
    "time": TIMES,
    "amount": AMOUNTS,
    "pattern": PATTERNS,
}
"""The slots in the order of training, and the values of each."""


def values_of(numbers: Sequence[int]) -> SlotValues:
    """Give the values that the transformer's numbers stand for; the inverse of `SlotValues.indices`."""
    found = {
        slot: values[number - 1] if number else None
        for (slot, values), number in zip(SLOT_VALUES.items(), numbers, strict=True)
    }
    if found["scene"] == "shape":
        return SlotValues(**{**found, "scene": found["shape"] or "circle", "shape": None})
    if found["scene"] == "bar chart":
        return SlotValues(**{**found, "scene": "chart"})
    return SlotValues(**found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What one scene can vary, and how it is made well.

    Attributes:
        shown: the scene in a reader's words.
        defaults: a full set of values for what a prompt leaves open. Open slots give muddled clips, so none stays open.
        colours: allowed for the subject.
        second_colours: allowed for a globe's land and the like.
        backgrounds: whether there is a background to colour.
        behind: colours allowed for the background; none listed allows all.
        motions: what an act ("grow") or an act and its way ("move left") becomes; others cannot be shown. An empty
            motion is always there, and needs no slot.
        times: whether the time of day can vary.
        little: the amount that "few, light, calm" becomes.
        much: the amount that "many, heavy, rough" becomes.
        numbers: whether things can be counted.
        counts: numbers that a scene begins from, where it counts by itself.
        guidance: where the scene follows its prompt and stays clean (chosen by eye on sheets of seeds).
        wide: how a wide frame is filled: by a wider grid, or by drawing out the even background.
        continues: whether most of its motions go on as long as the clip; if not, they come to their end and hold.
        border_blend: how far to even out the steps between latent frames, 0 to 1.
        ripple: differences of so many levels (of 255) are taken for noise of the decoder and smoothed.
    """

    shown: str
    defaults: SlotValues
    colours: tuple[str, ...] = ()
    second_colours: tuple[str, ...] = ()
    backgrounds: bool = False
    behind: tuple[str, ...] = COLOURS
    motions: Mapping[str, str]
    times: bool = False
    little: str | None = None
    much: str | None = None
    numbers: bool = False
    counts: tuple[str, ...] = ()
    guidance: float
    wide: Literal["grid", "background"]
    continues: bool
    border_blend: float = 1.0
    ripple: float = 12.0


_SHAPE_MOTIONS = {
    "move left": "moving left",
    "move right": "moving right",
    "move up": "moving up",
    "move down": "moving down",
    "rise": "moving up",
    "fall": "moving down",
    "bounce": "bouncing",
    "grow": "growing",
    "shrink": "shrinking",
}
_HALF = 0.5
"""Evening out what crosses a frame wholly draws a ghost beside it. At half, the ghost is fainter and the largest step
over the median one is less: 1.3 and 1.5 against 1.4 and 1.7 for a square and for a shape behind a column, version 2."""
_ENDLESS_MOTIONS = ("bouncing", "spinning")
_TURNING = {"spin": "spinning", "rotate": "spinning"}
_GLOBE_COLOURS = ("blue", "purple", "cyan", "black", "green", "orange")
_SKY_WARM = ("red", "orange", "pink")


def _shape(name: str, motions: Mapping[str, str]) -> Scene:
    return Scene(
        shown=f"a {name}",
        defaults=SlotValues(scene=name, colour="blue", background="white", motion="moving right"),
        colours=COLOURS,
        backgrounds=True,
        motions=motions,
        guidance=3.0,
        wide="background",
        continues=False,
        border_blend=_HALF,
    )


def _city(weather: str, guidance: float) -> Scene:
    return Scene(
        shown=f"a city in {weather}",
        defaults=SlotValues(scene=f"city {weather}", time="night", amount="light"),
        motions={"fall": "", "move down": ""},
        times=True,
        little="light",
        much="heavy",
        guidance=guidance,
        wide="grid",
        continues=True,
        ripple=6.0,
    )


SCENE_RULES: Mapping[str, Scene] = {
    "circle": _shape("circle", _SHAPE_MOTIONS),  # a disc that spins looks like one that does not: never trained
    "square": _shape("square", _SHAPE_MOTIONS | _TURNING),
    "triangle": _shape("triangle", _SHAPE_MOTIONS | _TURNING),
    "sky": Scene(
        shown="clouds in a sky",
        defaults=SlotValues(scene="sky", motion="drifting right", time="day", amount="few"),
        motions={"move left": "drifting left", "move right": "drifting right"},
        times=True,
        little="few",
        much="many",
        guidance=2.0,
        wide="grid",
        continues=True,
    ),
    "sea": Scene(
        shown="a sea with waves",
        defaults=SlotValues(scene="sea", colour="blue", time="day", amount="calm"),
        colours=("blue", "green", "purple", "cyan"),
        motions={},
        times=True,
        little="calm",
        much="rough",
        guidance=2.0,
        wide="grid",
        continues=True,
        border_blend=0.5,  # its waves do move inside a latent frame, so the steps between frames are small already
    ),
    "chart": Scene(
        shown="a bar chart",
        defaults=SlotValues(scene="chart", colour="blue", background="white", motion="rising", amount="four"),
        colours=COLOURS,
        backgrounds=True,
        motions={
            "rise": "rising",
            "grow": "rising",
            "move up": "rising",
            "fall": "falling",
            "shrink": "falling",
            "move down": "falling",
        },
        numbers=True,
        guidance=3.0,
        wide="background",
        continues=False,
        border_blend=_HALF,
    ),
    "globe": Scene(
        shown="a turning globe",
        defaults=SlotValues(
            scene="globe", colour="blue", second_colour="green", background="black", motion="rotating right"
        ),
        colours=_GLOBE_COLOURS,
        second_colours=_GLOBE_COLOURS,
        backgrounds=True,
        motions={
            "rotate": "rotating right",
            "spin": "rotating right",
            "rotate left": "rotating left",
            "rotate right": "rotating right",
            "spin left": "rotating left",
            "spin right": "rotating right",
        },
        guidance=2.0,
        wide="background",
        continues=True,
    ),
    "city rain": _city("rain", 2.0),
    "city snow": _city("snow", 1.5),
    "line chart": Scene(
        shown="a line chart",
        defaults=SlotValues(scene="line chart", colour="blue", background="white", motion="rising"),
        colours=COLOURS,
        backgrounds=True,
        motions={"rise": "rising", "fall": "falling"},
        guidance=3.0,
        wide="background",
        continues=False,
        border_blend=_HALF,
    ),
    "map": Scene(
        shown="a map with a route",
        defaults=SlotValues(scene="map", colour="red", second_colour="green", background="blue", motion="moving right"),
        colours=("red", "black", "purple", "white", "pink"),
        second_colours=("green", "yellow", "orange"),
        backgrounds=True,
        behind=("blue", "cyan", "white"),
        motions=dict(zip(("move left", "move right", "move up", "move down"), _WAYS, strict=True)),
        guidance=2.5,
        wide="background",  # on a wider grid a second route begins
        continues=False,
        border_blend=0.5,
    ),
    "flag": Scene(
        shown="a waving flag",
        defaults=SlotValues(
            scene="flag", colour="red", second_colour="yellow", background="blue", pattern="horizontal bands"
        ),
        colours=COLOURS,
        second_colours=COLOURS,
        backgrounds=True,
        behind=("blue", "cyan", "white", "black"),
        motions={},
        guidance=3.0,
        wide="background",
        continues=True,
        border_blend=0.5,
    ),
    "countdown": Scene(
        shown="a countdown",
        defaults=SlotValues(scene="countdown", colour="white", background="black", amount="five"),
        counts=NUMBERS[1:],
        colours=COLOURS,
        backgrounds=True,
        motions={},
        guidance=3.0,
        wide="background",
        continues=False,
        border_blend=0.0,  # digits change from one latent frame to the next, and must not be blended
    ),
    "occluder": Scene(
        shown="a shape that passes behind a column",
        defaults=SlotValues(
            scene="occluder",
            shape="circle",
            colour="red",
            second_colour="blue",
            background="white",
            motion="moving right",
        ),
        colours=COLOURS,
        second_colours=COLOURS,
        backgrounds=True,
        motions={"move left": "moving left", "move right": "moving right"},
        guidance=3.0,
        wide="background",
        continues=False,
        border_blend=_HALF,
    ),
    "cube": Scene(
        shown="a cube that a camera walks around",
        defaults=SlotValues(scene="cube", colour="red", background="white", motion="orbiting right"),
        colours=COLOURS,
        backgrounds=True,
        motions={"rotate left": "orbiting left", "rotate right": "orbiting right"},
        guidance=3.0,
        wide="background",
        continues=True,
    ),
    "voxels": Scene(
        shown="a flight over hills of blocks",
        defaults=SlotValues(scene="voxels", colour="green", motion="flying forward", time="day"),
        colours=("green", "yellow", "white"),
        motions={motion: motion for motion in _FLIGHTS},
        times=True,
        guidance=2.0,
        wide="grid",
        continues=True,
        border_blend=0.5,
    ),
}
"""How each scene is read and made. Above a guidance of 2 a city's windows climb into its sky."""

HEAVY_CITY_GUIDANCE = 1.5
"""For heavy rain or snow, which turns to noise under more."""
SKY_COLOUR_TIMES: Mapping[str, str] = {"blue": "day", "white": "day", "black": "night"} | dict.fromkeys(
    _SKY_WARM, "sunset"
)
"""A sky has no colour slot, but these colours are what it looks like at these times."""


def goes_on(values: SlotValues) -> bool:
    """Say whether what is shown goes on as long as the clip, rather than coming to an end.

    Raises:
        KeyError: the values name no scene.
    """
    return values.motion in _ENDLESS_MOTIONS or SCENE_RULES[values.scene or ""].continues


def guidance_for(values: SlotValues) -> float:
    """Choose the weight of guidance for a scene.

    Raises:
        KeyError: the values name no scene.
    """
    if values.scene in ("city rain", "city snow") and values.amount == "heavy":
        return HEAVY_CITY_GUIDANCE
    return SCENE_RULES[values.scene or ""].guidance
