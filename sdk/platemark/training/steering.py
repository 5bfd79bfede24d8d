"""Does a flight do what it is told? The action of each latent frame, read back from the pixels.

One rule: the picture alone is read; what was told is only compared with what was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from platemark.generation.actions import ACTIONS, action_shares
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.transformer import VideoTransformer
from platemark.training.evaluate import Asked, Question, generate, through
from platemark.training.measures import Clip
from platemark.training.oracle import as_measured
from platemark.training.rates import Rate, rate_of
from platemark.training.world.attributes import TIMES, Attributes
from platemark.training.world.clips import ClipBatch, render_clips
from platemark.training.world.dice import Dice

GROUP = 4
_TURN = 5.0
"""Pixels to the side in a latent frame's time, from which on the camera turns; a turn is about 12."""
_LEAP = 2.4
"""From which value of `_leap` on the camera leaps: in real clips 93 % of leaps and 96 % of the rest are told apart."""
_SKY = slice(6, 44)
_BAND = slice(10, 54)
_REACH = 16
Grey = NDArray[np.float64]
"""Frames (t, h, w), or one (h, w), summed over colours."""


@dataclass(frozen=True, slots=True)
class ActionAccuracy:
    """How often the action read from a latent frame is the one that was told.

    Attributes:
        generated: in clips made from noise and actions.
        autoencoder: in real clips that went through the autoencoder.
        real: in real clips: what the reading itself can do.
    """

    generated: Rate
    autoencoder: Rate
    real: Rate


def measure_actions(autoencoder: VideoAutoencoder, transformer: VideoTransformer, question: Question) -> ActionAccuracy:
    """Fly where random actions say, each held for two latent frames, and read the actions back."""
    batch = _flights(question)
    shares = action_shares(batch.actions, group=autoencoder.config.group_frames)
    made = generate(autoencoder, transformer, Asked(batch.slots, shares), question)
    return ActionAccuracy(
        _score(made, batch.actions),
        _score(through(autoencoder, batch), batch.actions),
        _score(batch.video, batch.actions),
    )


def read_actions(clip: Clip) -> list[str]:
    """Read the action of every pair of latent frames after the first: uint8 (t, 64, 64, 3), t = 1 + 8 n."""
    grey = clip.astype(np.float64).sum(axis=-1)
    spans = range(1, len(clip) - 2 * GROUP + 1, 2 * GROUP)
    return [_read(grey[first - 1 : first + 2 * GROUP]) for first in spans]


def _read(grey: Grey) -> str:
    side = float(np.median([_shift(a, b) for a, b in zip(grey[:-GROUP], grey[GROUP:], strict=True)]))
    if abs(side) >= _TURN:
        return "turn left" if side > 0 else "turn right"
    return "jump" if _leap(grey) > _LEAP else "forward"


def _leap(grey: Grey) -> float:
    """Measure how much the picture of nine frames moves away and comes back, rather than onward.

    The skyline rises by a few rows and sinks again; so does the brightness of each row change and change back.
    """
    rows = grey.mean(axis=2)
    rows = (rows - rows.mean()) / max(float(rows.std()), 1e-6)
    top = (rows[4] + rows[5]) / 2
    returned = np.abs(top - rows[0]).mean() + np.abs(top - rows[8]).mean() - np.abs(rows[8] - rows[0]).mean()
    steps = np.abs(np.diff(grey[:, _SKY], axis=1))
    line = (steps > 0.25 * steps.max(axis=(1, 2), keepdims=True)).argmax(axis=1).mean(axis=1)  # (9,)
    raised = (line[0] + line[8]) / 2 - line[4:6].mean()
    return float(np.clip(raised, -2, 3) + 8 * returned)


def _shift(before: Grey, after: Grey) -> float:
    """Find how many columns to the right the picture has moved, by best match."""
    a, b = (picture[_BAND] - picture[_BAND].mean(axis=1, keepdims=True) for picture in (before, after))
    width = a.shape[1]
    inner = a[:, _REACH:-_REACH]
    shifts = range(-_REACH, _REACH + 1)
    costs = {s: float(((inner - b[:, _REACH + s : width - _REACH + s]) ** 2).mean()) for s in shifts}
    return float(min(costs, key=lambda shift: (costs[shift], abs(shift))))


def _flights(question: Question) -> ClipBatch:
    colours = ("green", "yellow", "white")
    attributes = tuple(
        Attributes("voxels", colour=colours[i % 3], time=TIMES[i // 3 % 3], motion="flying freely")
        for i in range(question.clips)
    )
    return render_clips(attributes, Dice.of(question.seed, torch.arange(question.clips)), question.shape)


def _score(video: Tensor, actions: Tensor) -> Rate:
    hits: list[bool] = []
    for clip, told in zip(as_measured(video), actions.tolist(), strict=True):
        hits += [a == b for a, b in zip(read_actions(clip), told_actions(told), strict=True)]
    return rate_of(hits)


def told_actions(actions: Sequence[int]) -> list[str]:
    """Name the action of every pair of latent frames after the first."""
    return [ACTIONS[actions[first]] for first in range(1, len(actions) - 2 * GROUP + 1, 2 * GROUP)]
