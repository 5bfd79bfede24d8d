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
    """Cosines and sines of the rotation of every token: (b, 1, n, head_width / 2) each."""

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
    table = torch.cat([still, rearrange(angles, "b t h w d -> b (t h w) d")], dim=1)[:, None]
    return Rotary(table.cos(), table.sin())


def _angles(config: TransformerConfig, position: Tensor, count: int) -> Tensor:
    steps = torch.arange(count, device=position.device).float() / count
    return position.float()[..., None] * config.rope_base**-steps * config.rope_scale


def rotate(vectors: Tensor, rotary: Rotary) -> Tensor:
    """Turn each pair of numbers (one from each half of a head) by the angle of its token.

    Args:
        vectors: (b, heads, n, head_width).
        rotary: the rotation of each of the n tokens.

    Returns:
        The same shape. The dot product of two rotated vectors depends on their distance alone.

    Source: Su et al., "RoFormer", 2021, equation 34, with halves in place of neighbours.
    """
    first, second = vectors.chunk(2, dim=-1)
    return torch.cat(
        [first * rotary.cosine - second * rotary.sine, first * rotary.sine + second * rotary.cosine], dim=-1
    )


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


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tokens of each latent frame stand: `prefix` tokens, then `per_frame` for each frame."""

    prefix: int
    frames: int
    per_frame: int

    def spread(self, per_section: Tensor) -> Tensor:
        """Give every token the value of its section.

        Args:
            per_section: (b, 1 + frames, d): one for the prefix, then one for each frame.

        Returns:
            (b, n, d) for n = prefix + frames * per_frame.
        """
        counts = torch.tensor([self.prefix] + [self.per_frame] * self.frames, device=per_section.device)
        return per_section.repeat_interleave(counts, dim=1, output_size=self.prefix + self.frames * self.per_frame)


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
        self.mlp_in = nn.Linear(width, hidden, bias=False)
        self.mlp_out = nn.Linear(hidden, width, bias=False)
        # A block starts as the identity, so that depth does not hurt the first steps of training.
        nn.init.zeros_(self.attention_out.weight)
        nn.init.zeros_(self.mlp_out.weight)

    def forward(self, tokens: Tensor, modulation: Tensor, layout: Layout, rotary: Rotary) -> Tensor:
        """Update all tokens.

        Args:
            tokens: (b, n, d).
            modulation: (b, 1 + t, 6, d): scale, shift and gate of attention, then of the MLP.
            layout: which tokens belong to which frame.
            rotary: the rotation of every token.

        Returns:
            (b, n, d).
        """
        parts = (modulation + self.modulation_offset).unbind(dim=2)  # six of (b, 1 + t, d)
        scale_a, shift_a, gate_a, scale_m, shift_m, gate_m = (layout.spread(part) for part in parts)
        tokens = tokens + (1 + gate_a) * self._attend(modulate(tokens, scale_a, shift_a), rotary)
        hidden = functional.gelu(self.mlp_in(modulate(tokens, scale_m, shift_m)), approximate="tanh")
        result: Tensor = tokens + (1 + gate_m) * self.mlp_out(hidden)
        return result

    def _attend(self, tokens: Tensor, rotary: Rotary) -> Tensor:
        mixed = self.attention_in(tokens)  # (b, n, 3 d)
        query, key, value = rearrange(mixed, "b n (k a d) -> k b a n d", k=3, a=self.heads)
        query = rotate(functional.rms_norm(query, query.shape[-1:], self.query_scale.to(query.dtype)), rotary)
        key = rotate(functional.rms_norm(key, key.shape[-1:], self.key_scale.to(key.dtype)), rotary)
        heads = self.attention(query, key, value)  # (b, a, n, d / a)
        result: Tensor = self.attention_out(rearrange(heads, "b a n d -> b n (a d)"))
        return result


def modulate(tokens: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Normalise tokens to unit mean square, then scale by 1 + `scale` and add `shift`.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019, equation 4; Peebles and Xie, 2023,
    section 3.2 (adaptive layer norm).
    """
    return functional.rms_norm(tokens, tokens.shape[-1:]) * (1 + scale) + shift
