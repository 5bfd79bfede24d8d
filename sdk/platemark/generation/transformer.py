"""The diffusion transformer: noisy latents, noise levels and a condition in, clean latents out.

One rule: each latent frame has a noise level of its own, and level 0 marks a frame that is given. Text to video,
keyframes, extending and filling in are one mechanism: which frames are given.
"""

from dataclasses import dataclass, replace

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from platemark.generation.config import TransformerConfig
from platemark.generation.layers import NEUTRAL, Block, TimeEmbedding, modulate, rotary_table, sections_of_tokens
from platemark.generation.patches import grid_side, patchify, unpatchify


@dataclass(frozen=True, slots=True)
class Condition:
    """What the clip should show, ready for the transformer; computed once for all steps.

    Args:
        tokens: (b, l, d), the words in the sequence.
        vector: (b, d), their sum for the modulation.
        frames: (b, t, d), what is said of single latent frames; none where nothing is.
    """

    tokens: Tensor
    vector: Tensor
    frames: Tensor | None = None

    def stack(self, other: "Condition") -> "Condition":
        """Put two conditions into one batch, this one first."""
        frames = None
        if self.frames is not None or other.frames is not None:
            frames = torch.cat([_frames_or_nought(self, other), _frames_or_nought(other, self)])
        return Condition(torch.cat([self.tokens, other.tokens]), torch.cat([self.vector, other.vector]), frames)


def _frames_or_nought(condition: Condition, model: Condition) -> Tensor:
    if condition.frames is not None:
        return condition.frames
    count = 0 if model.frames is None else model.frames.shape[1]
    return condition.vector.new_zeros(len(condition.vector), count, condition.vector.shape[1])


class SlotConditioner(nn.Module):
    """Semantic slots as a condition: value 0 of each slot means that it was left open."""

    slot_start: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.sizes = config.slot_sizes
        total = sum(config.slot_sizes)
        self.token = nn.Embedding(total, config.width)
        self.modulation = nn.Embedding(total, config.width)
        self.registers = nn.Parameter(torch.empty(config.registers, config.width))
        for weight in (self.token.weight, self.modulation.weight, self.registers):
            nn.init.normal_(weight, std=0.3)
        starts = torch.tensor(config.slot_sizes).cumsum(0) - torch.tensor(config.slot_sizes)
        self.register_buffer("slot_start", starts, persistent=False)

    def forward(self, slots: Tensor) -> Condition:
        """Embed slot values.

        Args:
            slots: (b, s) int64, each below its slot's size; 0 is unspecified.
        """
        index = slots + self.slot_start
        registers = self.registers.expand(len(slots), -1, -1)
        return Condition(torch.cat([self.token(index), registers], dim=1), self.modulation(index).sum(dim=1))


class VideoTransformer(nn.Module):
    """Predict clean latents from noisy ones.

    Source: Peebles and Xie, "Scalable Diffusion Models with Transformers", 2023, figure 3, over patches in space and
    time; Chen et al., "Diffusion Forcing", 2024, section 3 (a noise level for each frame).
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.conditioner = SlotConditioner(config)
        self.patch_in = nn.Linear(config.token_channels, config.width)
        self.action = nn.Linear(config.actions, config.width, bias=False) if config.actions else None
        if self.action is not None:
            nn.init.normal_(self.action.weight, std=0.3)
        self.given_mark = nn.Parameter(torch.zeros(config.width))
        self.time = TimeEmbedding(config)
        self.modulation = nn.Linear(config.width, 6 * config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.last_modulation = nn.Linear(config.width, 2 * config.width)
        self.patch_out = nn.Linear(config.width, config.token_channels)
        for layer in (self.modulation, self.last_modulation, self.patch_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def encode_slots(self, slots: Tensor, actions: Tensor | None = None) -> Condition:
        """Embed what a clip should show.

        Args:
            slots: (b, s) int64; see `SlotConditioner`.
            actions: (b, t, a) float32, the share of each action in each latent frame; nought says nothing.
        """
        condition: Condition = self.conditioner(slots)
        if self.action is None or actions is None:
            return condition
        return replace(condition, frames=self.action(actions))

    def forward(self, latents: Tensor, noise_level: Tensor, condition: Condition, frame_index: Tensor) -> Tensor:
        """Predict the clean latents.

        Args:
            latents: (b, t, h, w, c) float32; any t, h and w.
            noise_level: (b, t) float32 in [0, 1]; 1 is pure noise, 0 marks a given frame.
            condition: of the same b.
            frame_index: (b, t) index of each latent frame in its clip; any subset of a clip may be passed.

        Returns:
            (b, t, h, w, c) float32.
        """
        _, t, h, w, _ = latents.shape
        patch = self.config.patch
        rows, columns = grid_side(h, patch), grid_side(w, patch)
        prefix = condition.tokens.shape[1]
        given = (noise_level == 0).float()[:, :, None, None]
        video = self.patch_in(patchify(latents, patch=patch)) + given * self.given_mark  # (b, t, n, d)
        per_frame = self.time(noise_level) + condition.vector[:, None]  # (b, t, d)
        if condition.frames is not None:
            video, per_frame = video + condition.frames[:, :, None], per_frame + condition.frames
        tokens = torch.cat([condition.tokens, video.flatten(1, 2)], dim=1)  # (b, l + t n, d)
        told = functional.silu(torch.cat([per_frame.mean(dim=1, keepdim=True), per_frame], dim=1))  # (b, 1 + t, d)
        modulation = rearrange(self.modulation(told), "b s (k d) -> b s k d", k=6)  # (b, 1 + t, 6, d)
        modulation = modulation + modulation.new_tensor(NEUTRAL)[:, None]
        rotary = rotary_table(self.config, frame_index, rows=rows, columns=columns)
        sections = sections_of_tokens(prefix=prefix, frames=t, per_frame=rows * columns, device=tokens.device)
        for block in self.blocks:
            tokens = block(tokens, modulation, sections, rotary)
        scale, shift = self.last_modulation(told[:, 1:])[:, :, None].chunk(2, dim=-1)  # (b, t, 1, d) each
        video = rearrange(tokens[:, prefix:], "b (t n) d -> b t n d", t=t)
        video = self.patch_out(modulate(video, 1 + scale, shift))
        return unpatchify(video, patch=patch, height=h, width=w)
