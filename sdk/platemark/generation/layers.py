"""The parts the transformer is built from: modulation, rotary positions, attention, one block.

One rule: pure mathematics of tensors; no weights are read and nothing is random once a module is made.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from platemark.generation.config import TransformerConfig


@dataclass(frozen=True, slots=True)
class Rotary:
    """Cosines and signed sines of the rotation of every token: (b, n, 1, 1, head_width) each."""

    cosine: Tensor
    sine: Tensor


def rotary_table(config: TransformerConfig, frame_index: Tensor, *, rows: int, columns: int) -> Rotary:
    """Give each token the rotation of its place in time, height and width; prefix tokens are not rotated.

    A quarter of the frequencies turn with time, the rest are shared between height and width. Positions are plain
    indices, so a grid of any length, height and width has a table.

    Args:
        config: says how heads and frequencies are laid out.
        frame_index: (b, t) index in the clip of each latent frame; frames may be missing or out of order.
        rows: tokens from top to bottom.
        columns: tokens from left to right.

    Returns:
        The table for n = prefix tokens + t * rows * columns.

    Source: Su et al., "RoFormer", 2021, equations 14 to 16, taken along three axes.
    """
    pairs = config.head_width // 2
    in_time = pairs // 4
    in_height = (pairs - in_time) // 2
    in_width = pairs - in_time - in_height
    device = frame_index.device
    b, t = frame_index.shape
    over_time = _angles(config, frame_index, in_time)[:, :, None, None]  # (b, t, 1, 1, in_time)
    over_height = _angles(config, torch.arange(rows, device=device), in_height)[:, None]  # (rows, 1, in_height)
    over_width = _angles(config, torch.arange(columns, device=device), in_width)  # (columns, in_width)
    grid = (b, t, rows, columns)
    angles = torch.cat(
        [over_time.expand(*grid, -1), over_height.expand(*grid, -1), over_width.expand(*grid, -1)], dim=-1
    )  # (b, t, rows, columns, pairs)
    still = angles.new_zeros(b, config.prefix_tokens, pairs)
    table = torch.cat([still, rearrange(angles, "b t h w d -> b (t h w) d")], dim=1)[:, :, None, None]
    cosine, sine = table.cos(), table.sin()
    return Rotary(torch.cat([cosine, cosine], dim=-1), torch.cat([-sine, sine], dim=-1))


def _angles(config: TransformerConfig, position: Tensor, count: int) -> Tensor:
    steps = torch.arange(count, device=position.device).float() / count
    return position.float()[..., None] * config.rope_base**-steps * config.rope_scale


def rotate(vectors: Tensor, rotary: Rotary) -> Tensor:
    """Turn each pair of numbers (one from each half of a head) by the angle of its token.

    Args:
        vectors: (b, n, k, heads, head_width), any k.
        rotary: the rotation of each of the n tokens.

    Returns:
        The same shape. The dot product of two rotated vectors depends on their distance alone.

    Source: Su et al., "RoFormer", 2021, equation 34, with halves in place of neighbours.
    """
    swapped = vectors.roll(vectors.shape[-1] // 2, dims=-1)
    return torch.addcmul(vectors * rotary.cosine, swapped, rotary.sine)


def noise_features(noise_level: Tensor, *, count: int) -> Tensor:
    """Embed noise levels as cosines and sines over `count` frequencies.

    Args:
        noise_level: (...) float32 in [0, 1]; 1 is pure noise.
        count: frequencies, from slow to fast.

    Returns:
        (..., 2 * count).

    Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.5; frequencies from 1 to 1/1000 and levels
    stretched by 200, as this model was trained.
    """
    steps = torch.arange(count, device=noise_level.device) / count
    angles = noise_level[..., None] * 200 * torch.exp(-math.log(1000) * steps)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class TimeEmbedding(nn.Module):
    """A noise level as a vector of the width of a token."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.frequencies = config.time_frequencies
        self.inner = nn.Linear(2 * config.time_frequencies, config.width)
        self.outer = nn.Linear(config.width, config.width)

    def forward(self, noise_level: Tensor) -> Tensor:
        """Embed (b, t) noise levels as (b, t, d)."""
        features = noise_features(noise_level, count=self.frequencies)
        embedded: Tensor = self.outer(functional.silu(self.inner(features)))
        return embedded


def sections_of_tokens(*, prefix: int, frames: int, per_frame: int, device: torch.device) -> Tensor:
    """Say which section each token belongs to: 0 for the `prefix` first ones, then 1, 2 … for each frame's.

    Returns:
        (prefix + frames * per_frame,) int64.
    """
    frame = torch.arange(1, 1 + frames, device=device).repeat_interleave(per_frame)
    return torch.cat([frame.new_zeros(prefix), frame])


class GeluLinear(nn.Linear):
    """A linear layer and the GELU after it, one module so that a processor may compute them in one go."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (..., i) to (..., o).

        Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, section 2 (the form with tanh).
        """
        return functional.gelu(super().forward(input), approximate="tanh")


NEUTRAL = (1.0, 0.0, 1.0, 1.0, 0.0, 1.0)
"""Added to a modulation once, so that its scales and gates are factors: nought changes nothing."""


class Block(nn.Module):
    """One transformer block: attention and MLP, each scaled, shifted and gated by noise level and condition.

    One modulation is computed for all blocks; each adds a learned offset of its own.

    Source: Peebles and Xie, 2023, section 3.2 (adaLN-Zero); Chen et al., "PixArt-alpha", 2023, section 2.3
    (adaLN-single); Dehghani et al., "Scaling Vision Transformers to 22 Billion Parameters", 2023, section 2 (QK norm).
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width, hidden = config.width, config.width * config.mlp_ratio
        self.heads = config.heads
        self.attention: Callable[[Tensor, Tensor, Tensor], Tensor] = functional.scaled_dot_product_attention
        self.modulation_offset = nn.Parameter(torch.zeros(6, width))
        self.query_scale = nn.Parameter(torch.ones(config.head_width))
        self.key_scale = nn.Parameter(torch.ones(config.head_width))
        self.attention_in = nn.Linear(width, 3 * width, bias=False)
        self.attention_out = nn.Linear(width, width, bias=False)
        self.mlp_in = GeluLinear(width, hidden, bias=False)
        self.mlp_out = nn.Linear(hidden, width, bias=False)
        # A block starts as the identity, so that depth does not hurt the first steps of training.
        nn.init.zeros_(self.attention_out.weight)
        nn.init.zeros_(self.mlp_out.weight)

    def forward(self, tokens: Tensor, modulation: Tensor, sections: Tensor, rotary: Rotary) -> Tensor:
        """Update all tokens.

        Args:
            tokens: (b, n, d).
            modulation: (b, 1 + t, 6, d): factor, shift and gate of attention, then of the MLP, `NEUTRAL` added.
            sections: (n,) int64, which of the 1 + t each token takes; see `sections_of_tokens`.
            rotary: the rotation of every token.

        Returns:
            (b, n, d).
        """
        parts = (modulation + self.modulation_offset).unbind(dim=2)  # six of (b, 1 + t, d)
        # One look-up for all six would be quicker here and 5 % slower where gradients flow back.
        factor_a, shift_a, gate_a, factor_m, shift_m, gate_m = (part.index_select(1, sections) for part in parts)
        tokens = torch.addcmul(tokens, gate_a, self._attend(modulate(tokens, factor_a, shift_a), rotary))
        hidden = self.mlp_in(modulate(tokens, factor_m, shift_m))
        return torch.addcmul(tokens, gate_m, self.mlp_out(hidden))

    def _attend(self, tokens: Tensor, rotary: Rotary) -> Tensor:
        mixed = rearrange(self.attention_in(tokens), "b n (k a d) -> b n k a d", k=3, a=self.heads)
        scales = torch.stack([self.query_scale, self.key_scale])[:, None].to(mixed.dtype)  # (2, 1, d / a)
        turned = rotate(functional.rms_norm(mixed[:, :, :2], mixed.shape[-1:]) * scales, rotary)
        query, key, value = turned[:, :, 0], turned[:, :, 1], mixed[:, :, 2]  # (b, n, a, d / a) each
        heads = self.attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))  # (b, a, n, d / a)
        result: Tensor = self.attention_out(rearrange(heads, "b a n d -> b n (a d)"))
        return result


def modulate(tokens: Tensor, factor: Tensor, shift: Tensor) -> Tensor:
    """Normalise tokens to unit mean square, then multiply by `factor` and add `shift`.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019, equation 4; Peebles and Xie, 2023,
    section 3.2 (adaptive layer norm, its 1 + scale as one factor).
    """
    return torch.addcmul(shift, functional.rms_norm(tokens, tokens.shape[-1:]), factor)
