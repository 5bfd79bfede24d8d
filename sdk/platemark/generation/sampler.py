"""From noise to latents: rectified flow, Euler or Heun steps, guidance, given frames, a source, a ring.

One rule: pure functions of tensors. Noise comes from (seed, frame index) alone, so it does not change with how a
clip is cut into windows, batched, or placed on a device.
"""

import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from platemark.generation.config import SamplerConfig
from platemark.generation.transformer import Condition


class Denoiser(Protocol):
    """What the sampler needs of a model: clean latents predicted from noisy ones (see `VideoTransformer.forward`)."""

    def __call__(self, latents: Tensor, noise_level: Tensor, condition: Condition, frame_index: Tensor) -> Tensor:
        """Predict clean latents (b, t, h, w, c)."""
        ...


@dataclass(frozen=True, slots=True)
class Guidance:
    """The condition to follow and, for guidance, the empty one to move away from."""

    condition: Condition
    empty: Condition


@dataclass(frozen=True, slots=True)
class GivenFrames:
    """Latent frames that are known and kept exactly.

    Args:
        latents: (b, t, h, w, c); only given frames are read.
        mask: (b, t) bool; true where the frame is given.
    """

    latents: Tensor
    mask: Tensor


_TURNS = 2**40
"""A frame index that no clip reaches: its noise seed starts the turns of a ring."""


def noise_seed(seed: int, frame_index: int) -> int:
    """Derive the seed of one latent frame's noise: 63 bits that no neighbouring seed or frame shares."""
    digest = hashlib.sha256(f"platemark.noise.1:{seed}:{frame_index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def draw_noise(seed: int, frame_index: Sequence[int], *, height: int, width: int, channels: int) -> Tensor:
    """Draw the noise of some latent frames of a clip, on the CPU.

    Returns:
        (t, height, width, channels) float32, standard normal; frame i is the same in whatever set it is asked for.
    """
    generators = (torch.Generator("cpu").manual_seed(noise_seed(seed, i)) for i in frame_index)
    return torch.stack([torch.randn(height, width, channels, generator=generator) for generator in generators])


def noise_schedule(steps: int, *, shift: float) -> Tensor:
    """List the noise levels of a walk, from 1 to 0.

    Returns:
        (steps + 1,) float32, falling; a shift above 1 spends more of the steps at high noise.

    Source: Esser et al., "Scaling Rectified Flow Transformers", 2024, equation 23.
    """
    even = torch.linspace(1, 0, steps + 1)
    return shift * even / (1 + (shift - 1) * even)


@dataclass(frozen=True, slots=True)
class Walk:
    """Everything that shapes a walk besides its noise.

    Args:
        config: steps, guidance, shift, and how a step is made.
        guidance: what to follow and what to move away from.
        given: latent frames that are known.
        source: (b, t, h, w, c) latents to start from instead of pure noise; read only below a strength of 1.
        strength: the noise level at which the walk starts; 0 leaves the source as it is.
    """

    config: SamplerConfig
    guidance: Guidance
    given: GivenFrames | None = None
    source: Tensor | None = None
    strength: float = 1.0

    def levels(self) -> list[float]:
        """List the noise levels of this walk, falling to 0: those of the whole schedule that lie below its start."""
        whole: list[float] = noise_schedule(self.config.steps, shift=self.config.shift).tolist()
        if self.source is None or self.strength == 1:
            return whole
        return [self.strength, *(level for level in whole if level < self.strength)]


def guide(denoise: Denoiser, latents: Tensor, noise_level: Tensor, frame_index: Tensor, walk: Walk) -> Tensor:
    """Predict clean latents under guidance; with weight 1 the empty condition is not evaluated at all.

    Both conditions go through the model in one batch.

    Source: Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022, equation 6 (as u + w (c - u), w = 1 + their w).
    """
    condition, empty, weight = walk.guidance.condition, walk.guidance.empty, walk.config.guidance
    if weight == 1:
        return denoise(latents, noise_level, condition, frame_index)
    both = denoise(
        torch.cat([latents, latents]),
        torch.cat([noise_level, noise_level]),
        condition.stack(empty),
        torch.cat([frame_index, frame_index]),
    )
    conditioned, unconditioned = both.chunk(2)
    return unconditioned + weight * (conditioned - unconditioned)


@torch.inference_mode()
def sample(
    denoise: Denoiser,
    noise: Tensor,
    frame_index: Tensor,
    walk: Walk,
    *,
    on_step: Callable[[int], None] | None = None,
) -> Tensor:
    """Walk from noise to latents along the rectified flow.

    With x_t = (1 - t) x_0 + t e the velocity is (x_t - x_0) / t, so each step moves the latents along the line to the
    predicted x_0. Given frames stand still and are shown to the model at noise level 0.

    Args:
        denoise: the model.
        noise: (b, t, h, w, c) standard normal.
        frame_index: (b, t) index of each latent frame in its clip.
        walk: steps, guidance, given frames and source.
        on_step: called after each step with the number done; what it raises ends the walk.

    Returns:
        Clean latents (b, t, h, w, c).

    Source: Liu et al., "Flow Straight and Fast", 2022, algorithm 1; Lipman et al., "Flow Matching for Generative
    Modeling", 2022, equation 23 with sigma_min = 0; for a source Meng et al., "SDEdit", 2022, algorithm 1.
    """
    free = torch.ones(noise.shape[:2], device=noise.device)
    latents = _start(noise, walk)
    if walk.given is not None:
        free = (~walk.given.mask).float()
        latents = torch.where(walk.given.mask[..., None, None, None], walk.given.latents, latents)
    moving = free[..., None, None, None]  # (b, t, 1, 1, 1)

    def predict(noisy: Tensor, level: float) -> Tensor:
        """Predict clean latents where given frames are shown without noise."""
        return guide(denoise, noisy, level * free, frame_index, walk)

    for i, (level, following) in enumerate(itertools.pairwise(walk.levels())):
        latents = _step(predict, latents, _Stride(level, following, moving), walk.config)
        if on_step is not None:
            on_step(i + 1)
    return latents


@torch.inference_mode()
def sample_ring(
    denoise: Denoiser,
    noise: Tensor,
    walk: Walk,
    *,
    window: int,
    seed: int,
    on_step: Callable[[int], None] | None = None,
) -> Tensor:
    """Walk from noise to latents whose last frame leads into the first.

    Before each step the ring is turned by a random number of frames and cut into windows, so no place is its seam. Each
    window starts with the frame before it, which gives context and whose own prediction is thrown away: models
    learn the first latent frame as one picture alone, and a ring has none such.

    Args:
        denoise: the model.
        noise: (b, t, h, w, c) standard normal.
        walk: steps and guidance; given frames and a source have no place on a ring and are not read.
        window: latent frames shown to the model together, 2 or more.
        seed: of the turns.
        on_step: as for `sample`.

    Returns:
        Clean latents (b, t, h, w, c).
    """
    count = noise.shape[1]
    turns = torch.Generator("cpu").manual_seed(noise_seed(seed, _TURNS))
    everywhere = torch.ones(1, 1, 1, 1, 1)

    def predict(noisy: Tensor, level: float) -> Tensor:
        """Predict a whole ring, window by window, from a random start."""
        turn = int(torch.randint(count, (1,), generator=turns))
        turned = noisy.roll(-turn, dims=1)
        clean = []
        for first in range(0, count, window - 1):
            places = [place % count for place in range(first - 1, min(first + window - 1, count))]
            shown = turned[:, places]
            levels = torch.full(shown.shape[:2], level)
            index = torch.arange(len(places))[None].expand(len(shown), -1)
            clean.append(guide(denoise, shown, levels, index, walk)[:, 1:])
        return torch.cat(clean, dim=1).roll(turn, dims=1)

    latents = noise
    for i, (level, following) in enumerate(itertools.pairwise(walk.levels())):
        latents = _step(predict, latents, _Stride(level, following, everywhere), walk.config)
        if on_step is not None:
            on_step(i + 1)
    return latents


_Predict = Callable[[Tensor, float], Tensor]


@dataclass(frozen=True, slots=True)
class _Stride:
    """One step of a walk: from a noise level to the next, for the frames that move (1 where they do)."""

    level: float
    following: float
    moving: Tensor


def _start(noise: Tensor, walk: Walk) -> Tensor:
    if walk.source is None or walk.strength == 1:
        return noise
    return (1 - walk.strength) * walk.source + walk.strength * noise


def _step(
    predict: Callable[[Tensor, float], Tensor], latents: Tensor, stride: _Stride, config: SamplerConfig
) -> Tensor:
    """Make one step.

    Source: for Heun's method Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models", 2022,
    algorithm 1, without churn; the last step is Euler's, since there is no velocity at level 0.
    """
    level, following, moving = stride.level, stride.following, stride.moving
    clean = predict(latents, level)
    ahead = latents + (following - level) * (latents - clean) / level * moving
    if config.method == "euler" or following == 0:
        return ahead
    slope = (latents - clean) / level
    slope_ahead = (ahead - predict(ahead, following)) / following
    return latents + (following - level) * (slope + slope_ahead) / 2 * moving
