"""The graphics of a news desk: bar chart, line chart, map with a route, flag, countdown.

One rule: a renderer is a pure function from a stage to frames (b, t, h, w, 3) float32 in about [0, 1].
"""

import torch
from torch import Tensor

from platemark.training.world.canvas import Stage, look_up, paint, smooth_noise

_GREY = 0.47
_FRAMES_A_DIGIT = 8
_ROUTE = 0.045
"""Half the width of a map's route; at 0.028, under two pixels of 64, no run learned to draw one."""
_SEGMENTS = (
    # centre x, centre y, half width, half height, of a digit one unit high
    (0.0, -0.5, 0.25, 0.09),
    (0.25, -0.25, 0.09, 0.25),
    (0.25, 0.25, 0.09, 0.25),
    (0.0, 0.5, 0.25, 0.09),
    (-0.25, 0.25, 0.09, 0.25),
    (-0.25, -0.25, 0.09, 0.25),
    (0.0, 0.0, 0.25, 0.09),
)
_DIGITS = ("1111110", "0110000", "1101101", "1111001", "0110011", "1011011")


def draw_bars(stage: Stage) -> Tensor:
    """Draw two to five bars that rise from the ground, or fall to it."""
    dice, canvas = stage.dice, stage.canvas
    count = stage.one_of("amount", {"two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0})
    place = (canvas.x + 0.42) / 0.84 * count  # (b, 1, h, w)
    bar = place.floor().clamp(min=0).long().clamp(max=4)
    tall = 0.35 + 0.4 * look_up(dice.table(1, 5), bar)
    top = 0.4 - tall * _grown(stage)
    beside = ((place - bar - 0.5).abs() - 0.36) * 0.84 / count
    ends = torch.maximum(top - canvas.y, canvas.y - 0.4)
    coverage = canvas.inside(torch.maximum(beside.expand_as(ends), ends)) * (place < count)
    picture = paint(stage.colour("background"), stage.colour("colour"), coverage)
    floor = canvas.inside(torch.maximum((canvas.y - 0.425).abs() - 0.02, canvas.x.abs() - 0.44))
    return paint(picture, torch.full_like(picture[..., :1, :1, :], _GREY), floor[None, None])


def _grown(stage: Stage) -> Tensor:
    shown = torch.where(stage.says("motion", "rising"), stage.progress, 1 - stage.progress)
    return 0.1 + 0.9 * shown


def draw_lines(stage: Stage) -> Tensor:
    """Draw a line over its area, from left to right, that climbs or declines."""
    dice, canvas = stage.dice, stage.canvas
    steps = torch.linspace(0, 1, 6, device=canvas.x.device)
    trend = torch.where(stage.says("motion", "rising")[:, :, 0, 0], 0.25 - 0.5 * steps, -0.25 + 0.5 * steps)  # (b, 6)
    points = trend + 0.2 * (dice.table(1, 6) - 0.5)
    place = ((canvas.x + 0.42) / 0.84 * 5).clamp(0, 4.999).expand(dice.size, 1, -1, -1)
    left = place.floor().long()
    start, stop = look_up(points, left), look_up(points, left + 1)
    level = start + (stop - start) * (place - left)
    steep = ((stop - start) * 5 / 0.84).square()
    head = -0.42 + 0.84 * (0.12 + 0.88 * stage.progress)
    ahead = torch.maximum(canvas.x - head, -0.42 - canvas.x)
    area = canvas.inside(torch.maximum(torch.maximum(level - canvas.y, canvas.y - 0.42), ahead))
    line = canvas.inside(torch.maximum((canvas.y - level).abs() / (1 + steep).sqrt() - 0.03, ahead))
    ground, colour = stage.colour("background"), stage.colour("colour")
    return paint(paint(ground, ground + (colour - ground) * 0.45, area), colour, line)


def draw_map(stage: Stage) -> Tensor:
    """Draw land and water, and a bent route that runs across them."""
    dice, canvas = stage.dice, stage.canvas
    x, y = canvas.x * 4 + dice.uniform(1, 0, 8), canvas.y * 4 + dice.uniform(2, 0, 8)
    land = ((smooth_noise(dice.table(3, 64), x, y) - 0.5) * 9 + 0.5).clamp(0, 1)
    picture = paint(stage.colour("background"), stage.colour("second_colour"), land)
    upright = stage.one_of("motion", {"moving up": 1.0, "moving down": 1.0}) > 0
    way = stage.one_of("motion", {"moving left": -1.0, "moving right": 1.0, "moving up": -1.0, "moving down": 1.0})
    along = torch.where(upright, canvas.y, canvas.x) * way
    across = torch.where(upright, canvas.x, canvas.y) - dice.uniform(4, -0.1, 0.1)
    bend = dice.uniform(5, -0.2, 0.2)
    off = (across - bend * (1 - (along / 0.36) ** 2)).abs() / (1 + (2 * bend * along / 0.36**2) ** 2).sqrt()
    head = -0.36 + 0.72 * (0.05 + 0.95 * stage.progress)
    route = canvas.inside(torch.maximum(off - _ROUTE, torch.maximum(along - head, -0.36 - along)))
    tip = ((along - head) ** 2 + (across - bend * (1 - (head / 0.36) ** 2)) ** 2).sqrt() - 2 * _ROUTE
    start = ((along + 0.36) ** 2 + across**2).sqrt() - 1.7 * _ROUTE
    marks = canvas.inside(torch.minimum(tip, start))
    return paint(picture, stage.colour("colour"), torch.maximum(route, marks))


def draw_flag(stage: Stage) -> Tensor:
    """Draw a flag of two colours that waves; no country's on purpose."""
    dice, canvas = stage.dice, stage.canvas
    pace = dice.uniform(1, 0.4, 0.5)
    phase = canvas.x * 7 - stage.frame * pace + dice.uniform(2, 0, 6.28)
    loose = (canvas.x + 0.45).clamp(0, 0.9)
    u, v = (canvas.x - 0.01).expand_as(phase), canvas.y - torch.sin(phase) * 0.07 * loose
    cloth = canvas.inside(torch.maximum(u.abs() - 0.37, v.abs() - 0.27))
    bars = torch.where(stage.says("pattern", "vertical bands"), u.abs() - 0.123, v.abs() - 0.09)
    cross = torch.minimum((u + 0.1).abs(), v.abs()) - 0.055
    disc = (u * u + v * v).sqrt() - 0.15
    figure = torch.where(stage.says("pattern", "cross"), cross, bars)
    figure = canvas.inside(torch.where(stage.says("pattern", "disc"), disc, figure))
    shade = 1 + 0.35 * torch.cos(phase) * loose
    colours = paint(stage.colour("colour"), stage.colour("second_colour"), figure) * shade[..., None]
    picture = paint(stage.colour("background"), colours, cloth)
    pole = canvas.inside(torch.maximum((canvas.x + 0.385).abs() - 0.018, -0.32 - canvas.y))
    return paint(picture, torch.full_like(picture[..., :1, :1, :], _GREY), pole[None, None])


def draw_countdown(stage: Stage) -> Tensor:
    """Draw digits that count down to nought inside a ring that runs out with each of them."""
    canvas = stage.canvas
    start = stage.one_of("amount", {"three": 3.0, "four": 4.0, "five": 5.0})
    # Digits change where a group of frames begins: the first frame of a clip is a group of its own.
    elapsed = (stage.frame - 1).clamp(min=0)
    passed = (elapsed / _FRAMES_A_DIGIT).floor()
    digit = (start - passed).clamp(min=0).long()  # (b, t, 1, 1)
    height = 0.42
    segments = torch.tensor(_SEGMENTS, device=canvas.x.device) * height  # (7, 4)
    reach = torch.maximum(
        (canvas.x[..., None] - segments[:, 0]).abs() - segments[:, 2],
        (canvas.y[..., None] - segments[:, 1]).abs() - segments[:, 3],
    )  # (h, w, 7)
    lit = torch.tensor([[s == "1" for s in d] for d in _DIGITS], device=canvas.x.device)
    glyphs = torch.where(lit[:, None, None], reach, 1.0).amin(dim=-1)  # (6, h, w)
    coverage = canvas.inside(glyphs[digit[:, :, 0, 0]])  # (b, t, h, w)
    turned = torch.atan2(canvas.x, -canvas.y) / (2 * torch.pi) % 1
    left = 1 - elapsed / _FRAMES_A_DIGIT % 1
    ring = canvas.inside(((canvas.x**2 + canvas.y**2).sqrt() - 0.42).abs() - 0.04) * (turned < left)
    return paint(stage.colour("background"), stage.colour("colour"), torch.maximum(coverage, ring))
