"""What renderers draw on, and the few strokes that they share.

One rule: every formula is over whole batches, frames and pictures at once; the short side of a picture is 1 and its
centre the origin, so a scene is the same at any size.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from platemark.training.world.attributes import RGB_OF_COLOURS, SLOT_VALUES
from platemark.training.world.dice import Dice


@dataclass(frozen=True, slots=True)
class Canvas:
    """The places of pixels.

    Attributes:
        x: (h, w) float32, to the right; the short side spans -0.5 to 0.5.
        y: (h, w) float32, downwards.
        down: (h, w) float32, 0 at the top edge and 1 at the bottom edge.
        pixel: side of a pixel.
    """

    x: Tensor
    y: Tensor
    down: Tensor
    pixel: float

    @classmethod
    def of(cls, height: int, width: int, *, device: torch.device) -> "Canvas":
        """Lay out a picture of a size in pixels."""
        short = min(height, width)
        rows = (torch.arange(height, device=device) + 0.5) / short
        columns = (torch.arange(width, device=device) + 0.5) / short
        y, x = torch.meshgrid(rows - height / short / 2, columns - width / short / 2, indexing="ij")
        return cls(x, y, y * short / height + 0.5, 1 / short)

    def inside(self, distance: Tensor) -> Tensor:
        """Turn signed distances to an edge into coverage from 0 to 1, smooth over about a pixel."""
        return (0.5 - distance / (1.3 * self.pixel)).clamp(0, 1)


@dataclass(frozen=True, slots=True)
class Stage:
    """One family's clips, ready to be drawn.

    Attributes:
        dice: of the b clips.
        chosen: (b,) int64 for each slot, numbered as in `SLOT_VALUES`; 0 where the slot is open.
        canvas: of (h, w).
        frame: (b, t, 1, 1) float32, the number of each frame in its clip.
        progress: (b, t, 1, 1) float32, 0 at the first frame of a clip and 1 at its last.
        actions: (b, n) int64, what the camera does in every frame of the clip from its first.
    """

    dice: Dice
    chosen: Mapping[str, Tensor]
    canvas: Canvas
    frame: Tensor
    progress: Tensor
    actions: Tensor

    def colour(self, slot: str) -> Tensor:
        """Give the colour of a slot: (b, 1, 1, 1, 3) float32 in [0, 1]."""
        table = torch.tensor(RGB_OF_COLOURS, device=self.frame.device) / 255
        return table[self.chosen[slot] - 1][:, None, None, None]

    def says(self, slot: str, value: str) -> Tensor:
        """Tell which clips have a value: (b, 1, 1, 1) bool."""
        return (self.chosen[slot] == 1 + SLOT_VALUES[slot].index(value))[:, None, None, None]

    def one_of(self, slot: str, numbers: Mapping[str, float]) -> Tensor:
        """Give a number for the value of a slot, 0 for values not listed: (b, 1, 1, 1) float32."""
        table = [0.0] + [numbers.get(value, 0.0) for value in SLOT_VALUES[slot]]
        return torch.tensor(table, device=self.frame.device)[self.chosen[slot]][:, None, None, None]

    def by_time(self, day: "RGB", sunset: "RGB", night: "RGB") -> Tensor:
        """Give a colour for the time of day: (b, 1, 1, 1, 3) float32 in [0, 1]."""
        table = torch.tensor([day, day, sunset, night], device=self.frame.device) / 255
        return table[self.chosen["time"]][:, None, None, None]


RGB = tuple[int, int, int]
"""Levels of red, green and blue, 0 to 255."""

SKY_TOP: tuple[RGB, RGB, RGB] = ((70, 140, 225), (70, 50, 110), (8, 10, 30))
"""A sky's colour at its top by day, at sunset and at night."""
SKY_FOOT: tuple[RGB, RGB, RGB] = ((190, 220, 245), (250, 150, 70), (30, 40, 80))


def sky_gradient(stage: Stage) -> Tensor:
    """Paint an empty sky: (b, 1, h, w, 3)."""
    top, foot = stage.by_time(*SKY_TOP), stage.by_time(*SKY_FOOT)
    return top + (foot - top) * stage.canvas.down[..., None]


def paint(under: Tensor, over: Tensor, coverage: Tensor) -> Tensor:
    """Lay a colour over a picture: pictures (b, t, h, w, 3), coverage (b, t, h, w) from 0 to 1."""
    return under + (over - under) * coverage[..., None]


def look_up(table: Tensor, index: Tensor) -> Tensor:
    """Read (b, n) tables at (b, ...) int64 places."""
    return table.gather(1, index.flatten(1)).reshape(index.shape)


def smooth_noise(table: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Blend a lattice of random numbers smoothly; it repeats after `side` units each way.

    Args:
        table: (b, side * side) numbers.
        x: (b, t, h, w) places.
        y: (b, t, h, w) places.

    Source: Perlin, "An Image Synthesizer", 1985 (as value noise, with the smoothstep of section "Noise").
    """
    side = round(table.shape[1] ** 0.5)
    left, top = x.floor(), y.floor()
    across, along = x - left, y - top
    across, along = across * across * (3 - 2 * across), along * along * (3 - 2 * along)
    column, row = left.long() % side, top.long() % side
    column_after, row_after = (column + 1) % side, (row + 1) % side
    upper = torch.lerp(look_up(table, row * side + column), look_up(table, row * side + column_after), across)
    lower = torch.lerp(
        look_up(table, row_after * side + column), look_up(table, row_after * side + column_after), across
    )
    return torch.lerp(upper, lower, along)


def shape_distance(stage: Stage, u: Tensor, v: Tensor, radius: Tensor) -> Tensor:
    """Measure from points to the edge of each clip's circle, square or triangle; negative is inside."""
    circle = (u * u + v * v).sqrt() - radius
    square = torch.maximum(u.abs(), v.abs()) - radius * 0.88
    sides = torch.maximum(0.866 * u - 0.5 * v, -0.866 * u - 0.5 * v)
    triangle = torch.maximum(v, sides) - radius * 0.6
    other = torch.where(stage.says("shape", "square"), square, triangle)
    return torch.where(stage.says("shape", "circle"), circle, other)
