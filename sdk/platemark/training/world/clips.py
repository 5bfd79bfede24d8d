"""Clips by number: attributes, captions and frames of clip i, for any i, size and length.

One rule: a clip is a pure function of (seed, index, size, length); the company it is drawn in changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import torch
from torch import Tensor

from platemark.errors import RequestError
from platemark.training.world import bodies, flight, graphics, nature
from platemark.training.world.attributes import FAMILIES, SLOT_VALUES, Attributes
from platemark.training.world.canvas import Canvas, Stage
from platemark.training.world.captions import english_caption, korean_caption
from platemark.training.world.dice import Dice
from platemark.training.world.holdout import split_family
from platemark.training.world.mixture import Mixture, family_at, repeated

MAX_SIDE = 2048
MAX_FRAMES = 1024
_RENDERERS: Mapping[str, Callable[[Stage], Tensor]] = {
    "shapes": bodies.draw_shape,
    "sky": nature.draw_sky,
    "sea": nature.draw_sea,
    "city": nature.draw_city,
    "bars": graphics.draw_bars,
    "lines": graphics.draw_lines,
    "globe": bodies.draw_globe,
    "map": graphics.draw_map,
    "flag": graphics.draw_flag,
    "countdown": graphics.draw_countdown,
    "occluder": bodies.draw_occluder,
    "cube": bodies.draw_cube,
    "voxels": flight.draw_voxels,
}
_LANE_FAMILY, _LANE_COMBINATION = 100, 101


class Part(StrEnum):
    """Which combinations of attributes clips are drawn from."""

    TRAIN = "train"
    HELD_OUT = "held out"


@dataclass(frozen=True, slots=True)
class ClipShape:
    """Size and length of clips, in pixels and frames.

    Raises:
        RequestError: a side is not from 8 to 2048, or the length not from 1 to 1024.
    """

    height: int
    width: int
    frames: int

    def __post_init__(self) -> None:
        if not (8 <= self.height <= MAX_SIDE and 8 <= self.width <= MAX_SIDE and 1 <= self.frames <= MAX_FRAMES):
            raise RequestError(
                f"Clips are 8 to {MAX_SIDE} pixels high and wide and 1 to {MAX_FRAMES} frames long; "
                f"got {self.height} x {self.width} and {self.frames}."
            )


@dataclass(frozen=True, slots=True)
class ClipBatch:
    """Some clips of the world.

    Attributes:
        video: (b, t, h, w, 3) uint8 RGB.
        slots: (b, s) int64, as `SLOT_VALUES` numbers them.
        actions: (b, t) int64, as `ACTIONS` numbers them.
        attributes: of each clip.
    """

    video: Tensor
    slots: Tensor
    actions: Tensor
    attributes: tuple[Attributes, ...]

    @property
    def floats(self) -> Tensor:
        """The video as the autoencoder takes it: float32 in [-1, 1]."""
        return self.video.float() / 127.5 - 1

    def captions(self, language: str) -> tuple[str, ...]:
        """Say what each clip shows, in `en` or `ko`."""
        speak = korean_caption if language == "ko" else english_caption
        return tuple(speak(attributes) for attributes in self.attributes)


@dataclass(frozen=True, slots=True)
class World:
    """All clips of one seed.

    Args:
        seed: clips of another seed differ in every number.
        part: whether combinations are those for training or those held out from it.
        family: draw from this family alone.
        mixture: what is drawn more often than usual.
    """

    seed: int
    part: Part = Part.TRAIN
    family: str | None = None
    mixture: Mixture = ()

    def attributes(self, index: Tensor) -> tuple[Attributes, ...]:
        """Tell what clips show: index (b,) int64."""
        dice = Dice.of(self.seed, index.cpu())
        chance, lot = dice.table(_LANE_FAMILY, 1)[:, 0].tolist(), dice.bits(_LANE_COMBINATION)[:, 0].tolist()
        return tuple(self._choose(at, ticket) for at, ticket in zip(chance, lot, strict=True))

    def _choose(self, chance: float, ticket: int) -> Attributes:
        name = self.family if self.family is not None else family_at(chance, self.mixture)
        split = split_family(name)
        pool = repeated(split.train if self.part is Part.TRAIN else split.held_out, self.mixture)
        return pool[ticket % len(pool)]

    def render(self, index: Tensor, shape: ClipShape, *, frames: Tensor | None = None) -> ClipBatch:
        """Draw clips.

        Args:
            index: (b,) int64; the frames are drawn on its device.
            shape: of the whole clips.
            frames: (b, t) int64, which frames to draw; left out, all.
        """
        return render_clips(self.attributes(index), Dice.of(self.seed, index), shape, frames=frames)


def render_clips(
    attributes: tuple[Attributes, ...],
    dice: Dice,
    shape: ClipShape,
    *,
    frames: Tensor | None = None,
    actions: Tensor | None = None,
) -> ClipBatch:
    """Draw clips of given attributes; see `World.render`.

    Args:
        attributes: one for each clip.
        dice: whatever the attributes leave to chance.
        shape: of the whole clips.
        frames: (b, t) int64, which frames to draw; left out, all.
        actions: (b, shape.frames) int64 for flights; left out, as the attributes say.
    """
    device = dice.first.device
    slots = torch.tensor([a.indices() for a in attributes], device=device)
    if frames is None:
        frames = torch.arange(shape.frames, device=device).expand(len(attributes), -1)
    if actions is None:
        actions = flight.actions_for(dice, slots[:, list(SLOT_VALUES).index("motion")], length=shape.frames)
    video = torch.empty(*frames.shape, shape.height, shape.width, 3, dtype=torch.uint8, device=device)
    canvas = Canvas.of(shape.height, shape.width, device=device)
    families = [_family_of(a.scene) for a in attributes]
    for name in dict.fromkeys(families):
        at = torch.tensor([i for i, family in enumerate(families) if family == name], device=device)
        chosen = dict(zip(SLOT_VALUES, slots[at].unbind(dim=1), strict=True))
        moment = frames[at].float()[:, :, None, None]
        own = Dice(dice.first[at], dice.second[at])
        stage = Stage(own, chosen, canvas, moment, moment / max(shape.frames - 1, 1), actions[at])
        picture = _RENDERERS[name](stage).expand(len(at), *video.shape[1:])
        video[at] = (picture * 255).round().clamp(0, 255).to(torch.uint8)
    return ClipBatch(video, slots, actions.gather(1, frames), attributes)


@lru_cache(maxsize=64)
def _family_of(scene: str) -> str:
    return next(family.name for family in FAMILIES if scene in family.scenes)


def family_of(attributes: Attributes) -> str:
    """Name the family that a clip belongs to."""
    return _family_of(attributes.scene)
