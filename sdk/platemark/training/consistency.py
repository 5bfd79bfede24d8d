"""Does a thing stay itself: behind a column, and under a camera that walks around it?

One rule: what is measured in generated clips is measured in real ones and in restored ones too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from platemark.generation.actions import action_shares
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.transformer import VideoTransformer
from platemark.training.evaluate import Asked, Question, generate, through
from platemark.training.measures import SIDE, Clip, Mask, subject_mask
from platemark.training.oracle import as_measured
from platemark.training.world.attributes import COLOURS, RGB_OF_COLOURS, Attributes
from platemark.training.world.bodies import cube_coverage
from platemark.training.world.canvas import Canvas
from platemark.training.world.clips import ClipBatch, Part, World

_LEFT, _RIGHT = slice(0, 20), slice(44, SIDE)
_ANGLES, _SPEEDS, _HEIGHTS = 24, (0.05, 0.0575, 0.065), (1.5, 1.7, 1.9)
_WORKING = 32


@dataclass(frozen=True, slots=True)
class Consistency:
    """A mean over clips, with twice its standard error.

    Attributes:
        clips: in which it could be measured at all.
        missing: clips in which it could not.
        mean: see what returned it.
        margin: of the mean, at 95 % confidence; not a number for fewer than two clips.
    """

    clips: int
    missing: int
    mean: float
    margin: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure of generated clips, of real clips through the autoencoder, and of real clips."""

    generated: Consistency
    autoencoder: Consistency
    real: Consistency


def measure_permanence(autoencoder: VideoAutoencoder, transformer: VideoTransformer, question: Question) -> Compared:
    """Compare shapes before and after a column hid them: see `change_behind_column`."""
    return _compare(autoencoder, transformer, question, ("occluder", change_behind_column))


def measure_reprojection(autoencoder: VideoAutoencoder, transformer: VideoTransformer, question: Question) -> Compared:
    """Compare cubes with the one cube that fits all frames best: see `reprojection_error`."""
    return _compare(autoencoder, transformer, question, ("cube", reprojection_error))


def change_behind_column(clip: Clip, asked: Attributes) -> float | None:
    """Measure how much a shape changed behind a column.

    The relative difference of its area where it is seen whole on the one side and on the other, plus the difference of
    its mean colour over 255; none if it is not whole on both sides.
    """
    del asked
    mask = subject_mask(clip)
    left, right = (_whole(clip, mask, columns) for columns in (_LEFT, _RIGHT))
    if left is None or right is None:
        return None
    (area, colour), (area_after, colour_after) = left, right
    return abs(area - area_after) / max(area, area_after) + float(np.abs(colour - colour_after).mean()) / 255


def _whole(clip: Clip, mask: Mask, columns: slice) -> tuple[float, NDArray[np.float64]] | None:
    """Give the area and mean colour in the frame in which most of the shape is on one side."""
    areas = mask[:, :, columns].sum(axis=(1, 2))
    frame = int(areas.argmax())
    if areas[frame] < 24:
        return None
    seen = clip[frame][:, columns][mask[frame][:, columns]].astype(np.float64)
    return float(areas[frame]), seen.mean(axis=0)


def reprojection_error(clip: Clip, asked: Attributes) -> float | None:
    """Measure how far a cube's outline is from that of one rigid cube seen by one camera on a circle.

    Every start, speed and height of the camera that the world knows is tried on the whole clip; the best one's mean
    share of pixels inside one outline and not the other, over those inside either, is the error: 0 for a rigid cube.
    """
    mask = _cube_mask(clip, asked)
    if mask.sum() < 16 * len(mask):
        return None
    way = -1.0 if asked.motion == "orbiting left" else 1.0
    outlines = _outlines(len(mask), way=way).numpy()
    inside = (outlines & mask).sum(axis=(2, 3))
    either = (outlines | mask).sum(axis=(2, 3))
    return float((1 - inside / np.maximum(either, 1)).mean(axis=1).min())


def _cube_mask(clip: Clip, asked: Attributes) -> Mask:
    """Find what is nearer to the cube's hue than to the ground's, at any light: (t, 32, 32)."""
    small = clip.reshape(len(clip), _WORKING, 2, _WORKING, 2, 3).mean(axis=(2, 4))
    cube, ground = (
        np.array(RGB_OF_COLOURS[COLOURS.index(name or "red")], np.float64) for name in (asked.colour, asked.background)
    )
    lit = [_nearest_shade(small, colour, lights) for colour, lights in ((cube, (0.4, 1.15)), (ground, (0.72, 3.2)))]
    mask: Mask = lit[0] < lit[1]
    return mask


def _nearest_shade(
    pictures: NDArray[np.float64], colour: NDArray[np.float64], lights: tuple[float, float]
) -> NDArray[np.float64]:
    """Measure the distance to a colour under the best light of a range."""
    light = ((pictures * colour).sum(axis=-1) / max(float((colour * colour).sum()), 1.0)).clip(*lights)
    distance: NDArray[np.float64] = np.sqrt(((pictures - light[..., None] * colour) ** 2).sum(axis=-1))
    return distance


@lru_cache(maxsize=8)
def _outlines(frames: int, *, way: float) -> Tensor:
    """Draw the cube's outline for every camera: (cameras, t, 32, 32) bool."""
    starts = torch.arange(_ANGLES) / _ANGLES * (torch.pi / 2)  # a cube looks the same after a quarter turn
    grid = torch.cartesian_prod(starts, torch.tensor(_SPEEDS), torch.tensor(_HEIGHTS))
    moment = torch.arange(frames).float()[None, :, None, None]
    start, speed, height = (column[:, None, None, None] for column in grid.unbind(dim=1))
    canvas = Canvas.of(_WORKING, _WORKING, device=grid.device)
    return cube_coverage(canvas, start + way * speed * moment, height) > 0.5


_Measure = tuple[str, Callable[[Clip, Attributes], float | None]]


def _compare(
    autoencoder: VideoAutoencoder, transformer: VideoTransformer, question: Question, measure: _Measure
) -> Compared:
    family, of_clip = measure
    batch = World(question.seed, Part.HELD_OUT, family).render(torch.arange(question.clips), question.shape)
    shares = action_shares(batch.actions, group=autoencoder.config.group_frames)
    made = generate(autoencoder, transformer, Asked(batch.slots, shares), question)
    videos = (made, through(autoencoder, batch), batch.video)
    return Compared(*(_mean([of_clip(*pair) for pair in _pairs(video, batch)]) for video in videos))


def _pairs(video: Tensor, batch: ClipBatch) -> list[tuple[Clip, Attributes]]:
    return list(zip(as_measured(video), batch.attributes, strict=True))


def _mean(values: Sequence[float | None]) -> Consistency:
    known = np.array([value for value in values if value is not None])
    if not len(known):
        return Consistency(0, len(values), float("nan"), float("nan"))
    margin = 1.96 * float(known.std(ddof=1)) / len(known) ** 0.5 if len(known) > 1 else float("nan")
    return Consistency(len(known), len(values) - len(known), float(known.mean()), margin)
