"""From noise to latents: rectified flow, Euler steps, guidance, given frames.

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
    """Everything that shapes a walk besides its noise."""

    config: SamplerConfig
    guidance: Guidance
    given: GivenFrames | None = None


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
    """Walk from noise to latents in Euler steps of the rectified flow.

    With x_t = (1 - t) x_0 + t e the velocity is (x_t - x_0) / t, so each step moves the latents along the line to the
    predicted x_0. Given frames stand still and are shown to the model at noise level 0.

    Args:
        denoise: the model.
        noise: (b, t, h, w, c) standard normal.
        frame_index: (b, t) index of each latent frame in its clip.
        walk: steps, guidance and given frames.
        on_step: called after each step with the number done; what it raises ends the walk.

    Returns:
        Clean latents (b, t, h, w, c).

    Source: Liu et al., "Flow Straight and Fast", 2022, algorithm 1; Lipman et al., "Flow Matching for Generative
    Modeling", 2022, equation 23 with sigma_min = 0.
    """
    free = torch.ones(noise.shape[:2], device=noise.device)
    latents = noise
    if walk.given is not None:
        free = (~walk.given.mask).float()
        latents = torch.where(walk.given.mask[..., None, None, None], walk.given.latents, noise)
    moving = free[..., None, None, None]  # (b, t, 1, 1, 1)
    levels = noise_schedule(walk.config.steps, shift=walk.config.shift).tolist()
    for i, (level, following) in enumerate(itertools.pairwise(levels)):
        clean = guide(denoise, latents, level * free, frame_index, walk)
        latents = latents + (following - level) * (latents - clean) / level * moving
        if on_step is not None:
            on_step(i + 1)
    return latents
