"""A flight over hills of blocks, frame by frame as the actions say.

One rule: where the camera is in a frame depends on the actions up to that frame and on nothing later.
"""

import torch
from torch import Tensor

from platemark.generation.actions import ACTIONS
from platemark.training.world.attributes import FLIGHTS, SLOT_VALUES
from platemark.training.world.canvas import Stage, paint, sky_gradient
from platemark.training.world.dice import Dice

_SIDE = 24
_DEPTHS = 56
_NEAR, _FAR = 0.5, 9.0
"""Blocks are one unit wide."""
_SPEED = 0.16
_TURN = 0.06
_HORIZON = -0.1
_NOD = 0.16
"""How far the horizon rises in the picture at the top of a jump: the camera looks down as it leaps."""
FREE_SPAN = 8
"""Frames for which one action is held in free flight."""


def actions_for(dice: Dice, motion: Tensor, *, length: int) -> Tensor:
    """Write down what the camera does in each frame.

    Args:
        dice: of the b clips.
        motion: (b,) int64, the slot `motion`; all that are not flights have the action "none".
        length: frames of the clips.

    Returns:
        (b, length) int64, numbered as `ACTIONS`. A free flight changes its action every `FREE_SPAN` frames.
    """
    first = 1 + SLOT_VALUES["motion"].index(FLIGHTS[0])
    steady = (motion - first + 1).clamp(min=0)[:, None].expand(-1, length)
    spans = 1 + dice.bits(90, 1 + -(-length // FREE_SPAN)) % (len(ACTIONS) - 1)
    # The first frame of a clip stands alone, so that an action begins where a group of frames does.
    free = torch.cat([spans[:, :1], spans.repeat_interleave(FREE_SPAN, dim=1)], dim=1)[:, :length]
    return torch.where(steady == len(FLIGHTS), free, steady)


def draw_voxels(stage: Stage) -> Tensor:
    """Draw hills of blocks under a sky, seen from a camera that follows `stage.actions`.

    Every column of the picture marches once into the depth; a row shows the first block that reaches up to it.
    """
    east, north, heading, leap = _camera(stage)  # (b, t) each
    height, horizon = 1.7 + 0.9 * leap, _HORIZON - _NOD * leap
    canvas, dice = stage.canvas, stage.dice
    depth = _NEAR * (_FAR / _NEAR) ** torch.linspace(0, 1, _DEPTHS, device=canvas.x.device)
    across = canvas.x[0] * 1.3  # (w,)
    cos, sin = heading.cos()[..., None], heading.sin()[..., None]
    ray_east = (cos - sin * across)[..., None] * depth + east[..., None, None]  # (b, t, w, d)
    ray_north = (sin + cos * across)[..., None] * depth + north[..., None, None]
    cell = (ray_north.floor().long() % _SIDE) * _SIDE + ray_east.floor().long() % _SIDE
    terrain = _terrain(dice).gather(1, cell.flatten(1)).reshape(cell.shape)
    tint = dice.table(3, _SIDE * _SIDE).gather(1, cell.flatten(1)).reshape(cell.shape)
    top = horizon[..., None, None] + (height[..., None, None] - terrain) / depth * 0.9  # rows where blocks begin
    rising = -top.cummin(dim=-1).values
    rows = (-canvas.y[:, 0]).expand(*rising.shape[:3], -1)
    seen = torch.searchsorted(rising.contiguous(), rows.contiguous())  # (b, t, w, h)
    hidden = seen.clamp(max=_DEPTHS - 1)
    bright = (0.6 + 0.45 * terrain + 0.3 * (tint - 0.5)).gather(-1, hidden).transpose(2, 3)  # (b, t, h, w)
    mist = (depth[hidden] / _FAR).transpose(2, 3) ** 1.5
    light = stage.one_of("time", {"day": 1.05, "sunset": 0.85, "night": 0.55})
    ground = stage.colour("colour") * (bright * light)[..., None]
    sky = sky_gradient(stage)
    ground = ground + (sky - ground) * mist[..., None] * 0.6
    return paint(sky, ground, (seen < _DEPTHS).float().transpose(2, 3))


def _terrain(dice: Dice) -> Tensor:
    """Heights of blocks (b, side * side) in steps of a third, smooth from block to block."""
    heights = dice.table(1, _SIDE * _SIDE).reshape(-1, _SIDE, _SIDE)
    for axis in (1, 2):
        heights = (heights.roll(1, axis) + 2 * heights + heights.roll(-1, axis)) / 4
    return (((heights - 0.5) * 3 + 0.5).clamp(0, 1) * 4).round().flatten(1) / 3


def _camera(stage: Stage) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    actions, dice = stage.actions, stage.dice
    turn = (actions == ACTIONS.index("turn right")).float() - (actions == ACTIONS.index("turn left")).float()
    heading = dice.uniform(4, 0, 6.28)[:, :, 0, 0] + (turn * _TURN).cumsum(dim=1)
    east = (heading.cos() * _SPEED).cumsum(dim=1) + dice.uniform(5, 0, _SIDE)[:, :, 0, 0]
    north = (heading.sin() * _SPEED).cumsum(dim=1) + dice.uniform(6, 0, _SIDE)[:, :, 0, 0]
    jump = (actions == ACTIONS.index("jump")).float()
    # A jump lifts the camera smoothly and lets it sink again: hops of eight frames while the action lasts.
    run = (torch.arange(jump.shape[1], device=jump.device) - 1).clamp(min=0) % FREE_SPAN
    leap = jump * torch.sin((run + 0.5) / FREE_SPAN * torch.pi)
    leap[:, 0] = 0
    frame = stage.frame[:, :, 0, 0].long()
    return east.gather(1, frame), north.gather(1, frame), heading.gather(1, frame), leap.gather(1, frame)
