"""Things with physics: shapes that move, bounce and pass behind a column; a globe that turns; a cube one walks around.

One rule: a renderer is a pure function from a stage to frames (b, t, h, w, 3) float32 in about [0, 1].
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from platemark.training.world.canvas import Canvas, Stage, paint, shape_distance, smooth_noise

_COLUMN = 0.13
_CUBE = 0.62
_DISTANCE = 3.2
_FACES = ((0.62, 0.92), (0.40, 1.15), (0.48, 0.78))
"""How bright the two faces across each axis are: light falls from above and one side."""


def draw_shape(stage: Stage) -> Tensor:
    """Draw a shape that moves, grows, spins, or bounces on the ground under gravity."""
    dice, canvas = stage.dice, stage.canvas
    radius = dice.uniform(1, 0.15, 0.2)
    span = dice.uniform(2, 0.34, 0.44) * (stage.progress - 0.5)
    x = dice.uniform(3, -0.07, 0.07) + span * stage.one_of("motion", {"moving left": -1.0, "moving right": 1.0})
    y = dice.uniform(4, -0.07, 0.07) + span * stage.one_of("motion", {"moving up": -1.0, "moving down": 1.0})
    # Free flight between two impacts is a parabola; nothing is lost on impact.
    phase = (stage.frame * dice.uniform(5, 0.058, 0.068) + dice.uniform(6)) % 1
    y = torch.where(stage.says("motion", "bouncing"), 0.46 - radius - 0.45 * 4 * phase * (1 - phase), y)
    swelling = stage.one_of("motion", {"growing": 1.2, "shrinking": -1.2}) * (stage.progress - 0.5)
    turned = dice.uniform(7, 0.1, 0.14) * stage.frame * stage.one_of("motion", {"spinning": 1.0})
    across, along = canvas.x - x, canvas.y - y
    u = turned.cos() * across + turned.sin() * along
    v = turned.cos() * along - turned.sin() * across
    grown = radius * (1 + swelling + 0.1 * swelling.sign())
    coverage = canvas.inside(shape_distance(stage, u, v, grown))
    ground = stage.colour("background") * (1.03 - 0.08 * canvas.down[..., None])
    return paint(ground, stage.colour("colour"), coverage)


def draw_occluder(stage: Stage) -> Tensor:
    """Draw a shape that passes behind a column and comes out again as it was."""
    dice, canvas = stage.dice, stage.canvas
    radius = dice.uniform(1, 0.14, 0.17)
    way = stage.one_of("motion", {"moving left": -1.0, "moving right": 1.0})
    x, y = way * (stage.progress - 0.5) * dice.uniform(2, 0.68, 0.76), dice.uniform(3, -0.12, 0.12)
    coverage = canvas.inside(shape_distance(stage, canvas.x - x, canvas.y - y, radius))
    picture = paint(
        stage.colour("background") * (1.03 - 0.08 * canvas.down[..., None]), stage.colour("colour"), coverage
    )
    column = canvas.inside(canvas.x.abs() - _COLUMN)
    rounded = 1 - 1.6 * (canvas.x / _COLUMN * 0.4).square()
    return paint(picture, stage.colour("second_colour") * rounded[..., None], column[None, None])


def draw_globe(stage: Stage) -> Tensor:
    """Draw a lit globe of land and water that turns."""
    dice, canvas = stage.dice, stage.canvas
    radius = dice.uniform(1, 0.34, 0.38)
    u, v = canvas.x / radius, canvas.y / radius  # (b, 1, h, w)
    square = u * u + v * v
    toward = (1 - square).clamp(min=0).sqrt()
    way = stage.one_of("motion", {"rotating left": 1.0, "rotating right": -1.0})
    turn = way * stage.frame * dice.uniform(2, 0.09, 0.12) + dice.uniform(3, 0, 6.28)
    longitude = torch.atan2(u, toward + 1e-6) + turn  # (b, t, h, w)
    latitude = torch.asin(v.clamp(-1, 1)).expand_as(longitude)
    lattice = smooth_noise(dice.table(4, 36), longitude / (2 * torch.pi) * 6, latitude * 1.3 + 3)
    land = ((lattice - 0.5) * 9 + 0.5).clamp(0, 1)
    light = (0.3 + 0.8 * (-0.5 * u - 0.3 * v + 0.8 * toward)).clamp(0.2, 1.1)[..., None]
    surface = paint(stage.colour("colour"), stage.colour("second_colour"), land) * light
    return paint(stage.colour("background"), surface, canvas.inside((square.sqrt() - 1) * radius))


def cube_coverage(canvas: Canvas, angle: Tensor, height: Tensor) -> Tensor:
    """Draw only the outline of the cube.

    Args:
        canvas: of (h, w).
        angle: (b, t, 1, 1) where on its circle the camera stands, in radians.
        height: (b, 1, 1, 1) of the camera.

    Returns:
        (b, t, h, w) float32 from 0 to 1.
    """
    return _look_at_cube(canvas, angle, height).coverage


@dataclass(frozen=True, slots=True)
class _View:
    """Rays from an eye, the axis of the face each meets first, and how much of the cube lies behind each pixel."""

    eye: Tensor
    ray: Tensor
    axis: Tensor
    coverage: Tensor


def _look_at_cube(canvas: Canvas, angle: Tensor, height: Tensor) -> _View:
    eye = torch.stack([_DISTANCE * angle.cos(), height.expand_as(angle), _DISTANCE * angle.sin()], dim=-1)
    forward = -eye / eye.norm(dim=-1, keepdim=True)
    right = torch.stack([-angle.sin(), torch.zeros_like(angle), angle.cos()], dim=-1)
    up = torch.linalg.cross(right, forward)
    up = up * up[..., 1:2].sign()
    ray = forward * 1.55 + right * canvas.x[..., None] - up * canvas.y[..., None]  # (b, t, h, w, 3)
    ray = torch.where(ray.abs() < 1e-5, 1e-5, ray)
    near = (-_CUBE * ray.sign() - eye) / ray
    leave = ((_CUBE * ray.sign() - eye) / ray).amin(dim=-1)
    enter, axis = near.max(dim=-1)
    return _View(eye, ray, axis, ((leave - enter) / 0.06).clamp(0, 1))


def draw_cube(stage: Stage) -> Tensor:
    """Draw a cube on a chequered floor from a camera that walks around it.

    Source: Kay and Kajiya, "Ray Tracing Complex Scenes", 1986, section 3 (slabs), for the one box there is.
    """
    dice, canvas = stage.dice, stage.canvas
    way = stage.one_of("motion", {"orbiting left": -1.0, "orbiting right": 1.0})
    angle = dice.uniform(1, 0, 6.28) + way * stage.frame * dice.uniform(2, 0.05, 0.065)
    view = _look_at_cube(canvas, angle, dice.uniform(3, 1.5, 1.9))
    eye, ray, axis, coverage = view.eye, view.ray, view.axis, view.coverage
    positive = (ray.gather(-1, axis[..., None])[..., 0] < 0).long()
    light = torch.tensor(_FACES, device=canvas.x.device)[axis, positive]
    # The floor ends in a soft round edge: a horizon full of fine checks would only flicker.
    reach = (-_CUBE - eye[..., 1]) / ray[..., 1]
    ahead = reach > 0
    east, north = eye[..., 0] + reach * ray[..., 0], eye[..., 2] + reach * ray[..., 2]
    check = ((east / 0.8).floor() + (north / 0.8).floor()) % 2
    fade = ((2.4 - (east**2 + north**2).sqrt()) / 0.4).clamp(0, 1) * ahead
    ground = stage.colour("background")
    tone = torch.where(ground.mean(dim=-1) > 0.35, 0.72 + 0.12 * check, 1.9 + 1.3 * check)
    picture = paint(ground, ground * tone[..., None], fade)
    return paint(picture, stage.colour("colour") * light[..., None], coverage)
