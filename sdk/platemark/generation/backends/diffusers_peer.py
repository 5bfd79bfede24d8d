"""The embedded transformer a second time, out of diffusers' own blocks: the benchmark's peer.

One rule: nothing of our networks is used here but their weights. Attention, feed-forward, norms, rotary and time
embeddings are diffusers', put together as its own video transformers are; so equal frames say that both are right, and
the ratio of their times says what our own code is worth.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.attention import FeedForward
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.attention_processor import Attention
from diffusers.models.embeddings import (
    TimestepEmbedding,
    apply_rotary_emb,
    get_1d_rotary_pos_embed,
    get_timestep_embedding,
)
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.normalization import RMSNorm
from torch import Tensor, nn

from platemark.generation.config import TransformerConfig
from platemark.generation.transformer import VideoTransformer

_EPS = torch.finfo(torch.float32).eps
_rotate: Any = apply_rotary_emb  # its declared types leave out the pair that it asks for


class PeerProcessor:
    """Self-attention with normalised, rotated queries and keys, as diffusers' processors do it."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: None = None,
        attention_mask: None = None,
        *,
        rotary: tuple[Tensor, Tensor],
    ) -> Tensor:
        """Attend (b, n, d) tokens to one another; `rotary` holds (n, head_width) cosines and sines.

        Args:
            attn: the layer.
            hidden_states: (b, n, d).
            encoder_hidden_states: part of diffusers' interface; not used.
            attention_mask: the same.
            rotary: the rotation of each token.
        """
        query, key, value = (
            project(hidden_states).unflatten(-1, (attn.heads, -1)) for project in (attn.to_q, attn.to_k, attn.to_v)
        )
        query, key = attn.norm_q(query), attn.norm_k(key)
        query = _rotate(query, rotary, use_real_unbind_dim=-2, sequence_dim=1)
        key = _rotate(key, rotary, use_real_unbind_dim=-2, sequence_dim=1)
        mixed = dispatch_attention_fn(query, key, value).flatten(2, 3)
        result: Tensor = attn.to_out[1](attn.to_out[0](mixed))
        return result


class PeerBlock(nn.Module):
    """Attention and MLP with a table of offsets to one modulation, as in diffusers' PixArt, LTX and Wan."""

    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1 = RMSNorm(width, eps=_EPS, elementwise_affine=False)
        self.attn1 = Attention(
            query_dim=width, heads=heads, dim_head=width // heads, bias=False, out_bias=False,
            qk_norm="rms_norm", eps=_EPS,
        )  # fmt: skip
        processor: Any = PeerProcessor()
        self.attn1.set_processor(processor)
        self.norm2 = RMSNorm(width, eps=_EPS, elementwise_affine=False)
        self.ff = FeedForward(width, mult=mlp_ratio, activation_fn="gelu-approximate", bias=False)
        self.scale_shift_table = nn.Parameter(torch.zeros(6, width))

    def forward(self, hidden_states: Tensor, temb: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
        """Update (b, n, d) tokens; `temb` is (b, n, 6, d)."""
        ada = (self.scale_shift_table[None, None] + temb).unbind(dim=2)
        scale_msa, shift_msa, gate_msa, scale_mlp, shift_mlp, gate_mlp = ada
        normed = self.norm1(hidden_states) * (1 + scale_msa) + shift_msa
        hidden_states = hidden_states + self.attn1(normed, rotary=rotary) * (1 + gate_msa)
        normed = self.norm2(hidden_states) * (1 + scale_mlp) + shift_mlp
        result: Tensor = hidden_states + self.ff(normed) * (1 + gate_mlp)
        return result


class PeerTransformer(ModelMixin, ConfigMixin):
    """The same network as `VideoTransformer`, in diffusers' parts; takes the place of a pipeline's transformer.

    Args:
        architecture: the fields of `TransformerConfig`.
        native: as for `PlatemarkTransformer`.
    """

    @register_to_config
    def __init__(self, architecture: Mapping[str, Any], native: Mapping[str, Any]) -> None:
        super().__init__()
        self._said = architecture
        width, heads, self.patch = (architecture[name] for name in ("width", "heads", "patch"))
        channels = architecture["latent_channels"] * self.patch**2
        sizes = torch.tensor(architecture["slot_sizes"])
        self.register_buffer("starts", sizes.cumsum(0) - sizes, persistent=False)
        self.slot_embed = nn.Embedding(int(sizes.sum()), width)
        self.slot_modulation = nn.Embedding(int(sizes.sum()), width)
        self.registers = nn.Parameter(torch.zeros(architecture["registers"], width))
        self.given_mark = nn.Parameter(torch.zeros(width))
        self.proj_in = nn.Linear(channels, width)
        self.time_embedder = TimestepEmbedding(2 * architecture["time_frequencies"], width)
        self.modulation = nn.Linear(width, 6 * width)
        self.transformer_blocks = nn.ModuleList(
            PeerBlock(width, heads, architecture["mlp_ratio"]) for _ in range(architecture["depth"])
        )
        self.norm_out = RMSNorm(width, eps=_EPS, elementwise_affine=False)
        self.modulation_out = nn.Linear(width, 2 * width)
        self.proj_out = nn.Linear(width, channels)

    def forward(self, hidden_states: Tensor, timestep: Tensor, slots: Tensor) -> Tensor:
        """Predict clean latents; see `PlatemarkTransformer.forward`. The grid is a multiple of the patch."""
        b, t, h, w, c = hidden_states.shape
        rows, columns, p = h // self.patch, w // self.patch, self.patch
        patches = hidden_states.reshape(b, t, rows, p, columns, p, c).permute(0, 1, 2, 4, 3, 5, 6)
        video = self.proj_in(patches.reshape(b, t, rows * columns, -1))
        video = video + (timestep == 0).to(video.dtype)[:, :, None, None] * self.given_mark
        index = slots + self.starts
        words = torch.cat([self.slot_embed(index), self.registers.expand(b, -1, -1)], dim=1)
        prefix = words.shape[1]
        temb = self._embedded(timestep) + self.slot_modulation(index).sum(dim=1)[:, None]  # (b, t, d)
        temb = nn.functional.silu(torch.cat([temb.mean(dim=1, keepdim=True), temb], dim=1))
        counts = torch.tensor([prefix] + [rows * columns] * t, device=temb.device)
        ada = self.modulation(temb).unflatten(-1, (6, -1)).repeat_interleave(counts, dim=1)  # (b, n, 6, d)
        rotary = self._rotary(prefix, (t, rows, columns))
        tokens = torch.cat([words, video.flatten(1, 2)], dim=1)
        for block in self.transformer_blocks:
            tokens = block(tokens, ada, rotary)
        scale, shift = self.modulation_out(temb[:, 1:]).repeat_interleave(counts[1:], dim=1).chunk(2, dim=-1)
        clean = self.proj_out(self.norm_out(tokens[:, prefix:]) * (1 + scale) + shift)
        patches = clean.reshape(b, t, rows, columns, p, p, c).permute(0, 1, 2, 4, 3, 5, 6)
        whole: Tensor = patches.reshape(b, t, h, w, c)
        return whole

    def _embedded(self, timestep: Tensor) -> Tensor:
        count = 2 * self._said["time_frequencies"]
        waves = get_timestep_embedding(
            timestep.flatten(), count, flip_sin_to_cos=True, downscale_freq_shift=0, scale=200, max_period=1000
        )
        embedded: Tensor = self.time_embedder(waves).unflatten(0, timestep.shape)
        return embedded

    def _rotary(self, prefix: int, grid: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
        said = self._said
        pairs = said["width"] // said["heads"] // 2
        in_time = pairs // 4
        in_height = (pairs - in_time) // 2
        waves = []
        for axis, count in enumerate((in_time, in_height, pairs - in_time - in_height)):
            turned = get_1d_rotary_pos_embed(
                2 * count, torch.arange(grid[axis]) * said["rope_scale"], theta=said["rope_base"],
                use_real=True, repeat_interleave_real=False,
            )  # fmt: skip
            shape = [1, 1, 1, count]
            shape[axis] = grid[axis]
            waves.append([wave[:, :count].reshape(shape).expand(*grid, count).reshape(-1, count) for wave in turned])
        cosine, sine = (torch.cat(each, dim=-1) for each in zip(*waves, strict=True))
        cosine = torch.cat([torch.ones(prefix, pairs), cosine])
        sine = torch.cat([torch.zeros(prefix, pairs), sine])
        return torch.cat([cosine, cosine], dim=-1), torch.cat([sine, sine], dim=-1)


def peer_of(network: VideoTransformer, native: Mapping[str, Any]) -> PeerTransformer:
    """Build the peer of a transformer, with a copy of its weights.

    Args:
        network: not packed.
        native: as for `PlatemarkTransformer`.
    """
    config: TransformerConfig = network.config
    peer: PeerTransformer = PeerTransformer(architecture=asdict(config), native=native)
    peer.load_state_dict(_renamed(network.state_dict()), strict=True)
    peer.eval().requires_grad_(False)
    return peer


_NAMES = {
    "conditioner.token.weight": "slot_embed.weight",
    "conditioner.modulation.weight": "slot_modulation.weight",
    "conditioner.registers": "registers",
    "patch_in": "proj_in",
    "time.inner": "time_embedder.linear_1",
    "time.outer": "time_embedder.linear_2",
    "last_modulation": "modulation_out",
    "patch_out": "proj_out",
    "blocks.": "transformer_blocks.",
    "modulation_offset": "scale_shift_table",
    "query_scale": "attn1.norm_q.weight",
    "key_scale": "attn1.norm_k.weight",
    "attention_out": "attn1.to_out.0",
    "mlp_in": "ff.net.0.proj",
    "mlp_out": "ff.net.2",
}


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give our weights their names in diffusers' parts; what moves a camera has no place in the peer."""
    renamed: dict[str, Tensor] = {}
    for name, weight in state.items():
        if name == "action.weight":
            continue
        for ours, theirs in _NAMES.items():
            name = name.replace(ours, theirs)
        if name.endswith("attention_in.weight"):
            for part, third in zip(("to_q", "to_k", "to_v"), weight.chunk(3), strict=True):
                renamed[name.replace("attention_in", f"attn1.{part}")] = third
        else:
            renamed[name] = weight
    return renamed
