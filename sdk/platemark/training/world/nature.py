"""Skies, seas, and a city under rain or snow.

One rule: a renderer is a pure function from a stage to frames (b, t, h, w, 3) float32 in about [0, 1].
"""

import torch
from torch import Tensor

from platemark.training.world.canvas import Stage, look_up, paint, sky_gradient, smooth_noise

_SIDE = 16
_WINDOW = 0.15
"""Side of the lattice that windows stand on; large, so that a small autoencoder keeps them."""


def draw_sky(stage: Stage) -> Tensor:
    """Draw clouds that drift over a sky."""
    dice, canvas = stage.dice, stage.canvas
    way = stage.one_of("motion", {"drifting left": 1.0, "drifting right": -1.0})
    x = canvas.x * 2.6 + dice.uniform(1, 0, _SIDE) + way * dice.uniform(2, 0.06, 0.09) * stage.frame
    y = (canvas.y * 4 + dice.uniform(3, 0, _SIDE)).expand_as(x)
    lattice = dice.table(4, _SIDE * _SIDE)
    thickness = (smooth_noise(lattice, x, y) * 2 + smooth_noise(lattice, x * 2 + 3.1, y * 2 + 1.7)) / 3
    threshold = stage.one_of("amount", {"few": 0.6, "many": 0.45})
    clouds = ((thickness - threshold) * 5).clamp(0, 1) * 0.9
    return paint(sky_gradient(stage), stage.by_time((250, 250, 252), (255, 190, 150), (80, 85, 118)), clouds)


def draw_sea(stage: Stage) -> Tensor:
    """Draw waves that come from the horizon, under a sky."""
    dice, canvas = stage.dice, stage.canvas
    horizon = dice.uniform(1, 0.36, 0.46)
    depth = 1 / (canvas.down - horizon).clamp(min=1 / 40)
    height = stage.one_of("amount", {"calm": 0.4, "rough": 1.0})
    across, time = canvas.x * depth, stage.frame * 0.35
    swell = torch.sin(depth * 1.7 + time * 1.6 + dice.uniform(2, 0, 6.28))
    ripple = torch.sin(across * 1.6 + depth * 1.1 + time + dice.uniform(3, 0, 6.28))
    # Waves near the horizon are finer than a pixel, so they fade there.
    waves = (swell + 0.7 * ripple) * height * (4 / depth).clamp(0, 1) ** 2
    light = stage.one_of("time", {"day": 0.85, "sunset": 0.65, "night": 0.34})
    glare = stage.one_of("time", {"day": 0.1, "sunset": 0.31, "night": 0.14})
    glitter = torch.exp(-((canvas.x / 0.13) ** 2)) * glare * waves.clamp(0, 1)
    water = stage.colour("colour") * light[..., None] + (waves * 0.14 + glitter)[..., None]
    coverage = canvas.inside((horizon - canvas.down).expand_as(waves))
    return paint(sky_gradient(stage), water, coverage)


def draw_city(stage: Stage) -> Tensor:
    """Draw a skyline with lit windows while rain or snow falls."""
    still = _skyline(stage)
    rain = stage.says("scene", "city rain")
    drops = torch.where(rain, _particles(stage, slim=True), _particles(stage, slim=False))
    colour = torch.where(rain[..., None], _grey(stage, (175, 195, 225)), _grey(stage, (250, 250, 250)))
    return paint(still, colour, drops)


def _grey(stage: Stage, levels: tuple[int, int, int]) -> Tensor:
    return torch.tensor(levels, device=stage.frame.device) / 255


def _skyline(stage: Stage) -> Tensor:
    dice, canvas = stage.dice, stage.canvas
    place = canvas.x / (2 * _WINDOW) + dice.uniform(1, 0, 8)  # (b, 1, h, w), buildings are two windows wide
    building = place.floor().long() % 8
    up = (canvas.y.max() - canvas.y) / _WINDOW
    storeys = 1 + look_up((dice.table(2, 8) * 4).floor(), building)
    shade = 0.85 + 0.35 * look_up(dice.table(3, 8), building)
    wall = stage.by_time((95, 100, 115), (60, 40, 60), (18, 18, 32)) * shade[..., None]
    city = paint(sky_gradient(stage), wall, canvas.inside((up - storeys - 0.4).expand_as(shade) * _WINDOW))
    column, row = (place * 2).floor().long() % 16, up.floor().long().expand_as(building) % 16
    lit = look_up((dice.table(4, 16 * 16) < 0.6).float(), row * 16 + column)
    in_column, in_row = (place * 2 % 1 - 0.5).abs(), (up % 1 - 0.5).abs()
    window = canvas.inside(torch.maximum(in_column - 0.27, in_row - 0.27) * _WINDOW) * lit * (up < storeys - 0.2)
    return paint(city, stage.by_time((170, 190, 205), (250, 220, 120), (250, 220, 120)), window)


def _particles(stage: Stage, *, slim: bool) -> Tensor:
    """Draw falling drops or flakes: one at most in each cell of a lattice that falls."""
    dice, canvas = stage.dice, stage.canvas
    cell, speed = (0.25, 0.045) if slim else (0.24, 0.018)
    x = canvas.x / cell + dice.uniform(5, 0, 12)
    column = x.floor().long() % 12
    # Each column falls a little faster or slower than its neighbours, so that no grid shows.
    pace = 0.85 + 0.3 * look_up(dice.table(6, 12), column)
    y = canvas.y / cell - stage.frame * speed / cell * pace + 12 * look_up(dice.table(7, 12), column)
    key = y.floor().long() % 12 * 12 + column.expand_as(y.long())
    present = look_up(dice.table(8, 144), key) < stage.one_of("amount", {"light": 0.3, "heavy": 0.8})
    u = ((x % 1) - 0.3 - 0.4 * look_up(dice.table(9, 144), key)) * cell
    v = ((y % 1) - 0.5) * cell
    if slim:
        return canvas.inside(torch.maximum(u.abs() - 0.012, v.abs() - 0.085)) * present * 0.8
    return canvas.inside((u * u + v * v).sqrt() - 0.042) * present * 0.95
