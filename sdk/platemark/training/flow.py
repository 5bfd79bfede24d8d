"""The transformer's loss, and the random choices that make a training example.

One rule: pure functions of tensors and of a generator that is passed in.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from platemark.generation.sampler import Denoiser
from platemark.generation.transformer import Condition
from platemark.training.config import Chances
from platemark.training.pool import Encoded
from platemark.training.world.attributes import SLOT_VALUES

SMALLEST_LEVEL = 0.1
"""Below this noise level an error weighs no more: the velocity's weight 1 / t**2 has no bound."""
SLOT_CHANCE = 0.35
"""With which each slot is left open, in an example where some are."""

_MOTION = list(SLOT_VALUES).index("motion")
_FREE_FLIGHT = 1 + SLOT_VALUES["motion"].index("flying freely")


@dataclass(frozen=True, slots=True)
class Example:
    """A batch made ready for the loss.

    Attributes:
        clean: (b, t, h, w, c) latents.
        noise: the same shape, standard normal.
        level: (b, t) float32 in [0, 1]; 0 marks a given frame.
        slots: (b, s) int64, dropped slots at 0.
        frame_index: (b, t) int64, each latent frame's place in its clip.
        actions: (b, t, a) float32, the share of each action in each latent frame; nought where it is not told.
    """

    clean: Tensor
    noise: Tensor
    level: Tensor
    slots: Tensor
    frame_index: Tensor
    actions: Tensor


def draw_levels(size: tuple[int, int], chances: Chances, *, mean: float, generator: torch.Generator) -> Tensor:
    """Draw noise levels (b, t) float32: one for each clip, or, by chance, one for each frame; given frames have 0.

    Source: Esser et al., "Scaling Rectified Flow Transformers", 2024, equation 19 (logit-normal); Chen et al.,
    "Diffusion Forcing", 2024, section 3 (a level for each frame).
    """
    b, t = size
    own = torch.sigmoid(torch.randn(b, t, generator=generator) + mean)
    apart = torch.rand(b, generator=generator) < chances.own_levels
    level = torch.where(apart[:, None], own, own[:, :1])
    lot = torch.rand(b, generator=generator)
    if t > 1:
        first = lot < chances.first_given
        last = ~first & (lot < chances.first_given + chances.last_given)
        level[:, 0] = level[:, 0].masked_fill(first, 0)
        level[:, -1] = level[:, -1].masked_fill(last, 0)
    return level


def drop_slots(slots: Tensor, chances: Chances, *, generator: torch.Generator) -> Tensor:
    """Leave slots open by chance: all of an example's, some, or none.

    Source: Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022, algorithm 1.
    """
    size = len(slots)
    nothing = torch.rand(size, generator=generator) < chances.nothing_said
    some = torch.rand(size, generator=generator) < chances.slots_dropped
    each = torch.rand(slots.shape, generator=generator) < SLOT_CHANCE
    dropped = nothing[:, None] | (some[:, None] & each)
    return slots.masked_fill(dropped.to(slots.device), 0)


def tell_actions(encoded: Encoded, slots: Tensor, chances: Chances, *, generator: torch.Generator) -> Encoded:
    """Decide what a flight's example is told: its actions or not, and whether it is called a free flight.

    Args:
        encoded: whole clips.
        slots: theirs, after dropping; all open where nothing is said at all.
        chances: of telling.
        generator: of the choices.

    Returns:
        The same clips with other slots and actions.
    """
    size = len(slots)
    told = torch.rand(size, generator=generator) >= chances.actions_dropped
    renamed = torch.rand(size, generator=generator) < chances.flown_freely
    flies = (encoded.actions.sum(dim=(1, 2)) > 0).to(slots.device)
    told = told.to(slots.device) & (slots > 0).any(dim=1)
    free = flies & told & renamed.to(slots.device) & (slots[:, _MOTION] > 0)
    slots = slots.clone()
    slots[free, _MOTION] = _FREE_FLIGHT
    return Encoded(encoded.latents, slots, encoded.actions * told[:, None, None])


def choose_frames(size: tuple[int, int], *, total: int, generator: torch.Generator) -> Tensor:
    """Choose for each of b clips t of its latent frames: (b, t) int64, in order, none twice."""
    b, t = size
    order = torch.rand(b, total, generator=generator).argsort(dim=1)
    return order[:, :t].sort(dim=1).values


def flow_loss(denoise: Denoiser, condition: Condition, example: Example) -> Tensor:
    """Measure how far the predicted clean latents are off, in units of the velocity, over frames that are not given.

    With x_t = (1 - t) x_0 + t e the velocity is (x_t - x_0) / t, so an error of x_0 counts 1 / t**2.

    Returns:
        A scalar; 1 / 0.01 at most for latents of unit variance and a prediction of nought.

    Source: Lipman et al., "Flow Matching for Generative Modeling", 2022, equation 14; Salimans and Ho, "Progressive
    Distillation", 2022, section 4 (predicting x).
    """
    level = example.level[:, :, None, None, None]
    noisy = (1 - level) * example.clean + level * example.noise
    predicted = denoise(noisy, example.level, condition, example.frame_index)
    error = (predicted.float() - example.clean) / level.clamp(min=SMALLEST_LEVEL)
    free = (example.level > 0).float()
    return (error.square().mean(dim=(2, 3, 4)) * free).sum() / free.sum().clamp(min=1)
