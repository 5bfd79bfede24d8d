"""A block in few passes is the block that the papers write down, forwards, backwards and in half precision."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from platemark.generation.config import TransformerConfig
from platemark.generation.layers import NEUTRAL, Block, rotary_table, sections_of_tokens
from platemark.generation.transformer import VideoTransformer

CONFIG = TransformerConfig(latent_channels=3, width=48, depth=2, heads=2, slot_sizes=(3, 4), registers=1)


def scattered(seed: int = 0) -> Block:
    """A block none of whose weights is nought."""
    torch.manual_seed(seed)
    block = Block(CONFIG)
    with torch.no_grad():
        for weight in block.parameters():
            weight.normal_(std=0.3)
    return block


def norm(values: Tensor) -> Tensor:
    """Root mean square norm, written out."""
    return values / (values.square().mean(dim=-1, keepdim=True) + torch.finfo(torch.float32).eps).sqrt()


def turned(heads: Tensor, angles: Tensor) -> Tensor:
    """Rotate each pair as a complex number: (n, a, w) by (n, w / 2) angles."""
    first, second = heads.chunk(2, dim=-1)
    pairs = torch.complex(first, second) * torch.polar(torch.ones_like(angles), angles)[:, None]
    return torch.cat([pairs.real, pairs.imag], dim=-1)


def angles_of(frames: int, rows: int, columns: int) -> Tensor:
    """The angle of every pair of every token, one by one."""
    pairs = CONFIG.head_width // 2
    in_time = pairs // 4
    in_height = (pairs - in_time) // 2
    shares = (in_time, in_height, pairs - in_time - in_height)
    table = [[0.0] * pairs for _ in range(CONFIG.prefix_tokens)]
    places = [(t, y, x) for t in range(frames) for y in range(rows) for x in range(columns)]
    for place in places:
        table.append(
            [
                where * CONFIG.rope_base ** (-step / count) * CONFIG.rope_scale
                for where, count in zip(place, shares, strict=True)
                for step in range(count)
            ]
        )
    return torch.tensor(table)


def written_out(block: Block, tokens: Tensor, modulation: Tensor, grid: tuple[int, int, int]) -> Tensor:
    """One clip (n, d) through a block, head by head; modulation (1 + t, 6, d) without NEUTRAL."""
    frames, rows, columns = grid
    owner = [0] * CONFIG.prefix_tokens + [1 + t for t in range(frames) for _ in range(rows * columns)]
    scale_a, shift_a, gate_a, scale_m, shift_m, gate_m = (
        torch.stack([(modulation + block.modulation_offset)[section, part] for section in owner]) for part in range(6)
    )
    n, width, heads = len(tokens), CONFIG.head_width, CONFIG.heads
    mixed = (norm(tokens) * (1 + scale_a) + shift_a) @ block.attention_in.weight.T
    query, key, value = (part.reshape(n, heads, width) for part in mixed.chunk(3, dim=-1))
    angles = angles_of(*grid)
    query, key = turned(norm(query) * block.query_scale, angles), turned(norm(key) * block.key_scale, angles)
    seen = []
    for head in range(heads):
        weights = (query[:, head] @ key[:, head].T / math.sqrt(width)).softmax(dim=-1)
        seen.append(weights @ value[:, head])
    tokens = tokens + (1 + gate_a) * (torch.cat(seen, dim=-1) @ block.attention_out.weight.T)
    hidden = (norm(tokens) * (1 + scale_m) + shift_m) @ block.mlp_in.weight.T
    hidden = 0.5 * hidden * (1 + torch.tanh(math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3)))
    return tokens + (1 + gate_m) * (hidden @ block.mlp_out.weight.T)


def asked(grid: tuple[int, int, int], seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    count = CONFIG.prefix_tokens + math.prod(grid)
    tokens = torch.randn(count, CONFIG.width, generator=generator)
    return tokens, 0.3 * torch.randn(1 + grid[0], 6, CONFIG.width, generator=generator)


def through(block: Block, tokens: Tensor, modulation: Tensor, grid: tuple[int, int, int]) -> Tensor:
    """One clip (n, d) through the real block."""
    frames, rows, columns = grid
    sections = sections_of_tokens(
        prefix=CONFIG.prefix_tokens, frames=frames, per_frame=rows * columns, device=tokens.device
    )
    rotary = rotary_table(CONFIG, torch.arange(frames)[None], rows=rows, columns=columns)
    factors = modulation + torch.tensor(NEUTRAL)[:, None]
    result: Tensor = block(tokens[None], factors[None], sections, rotary)[0]
    return result


Grids = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=25, deadline=None)
@given(grid=Grids, seed=st.integers(0, 1000))
def test_a_block_is_its_formula_at_every_size(grid: tuple[int, int, int], seed: int) -> None:
    block, (tokens, modulation) = scattered(seed), asked(grid, seed)

    with torch.no_grad():
        found = through(block, tokens, modulation, grid)
        right = written_out(block, tokens, modulation, grid)

    assert float((found - right).abs().max()) < 2e-4 * max(1.0, float(right.abs().max()))


def test_gradients_are_those_of_the_formula() -> None:
    grid = (2, 2, 3)
    block, (tokens, modulation) = scattered(), asked(grid)
    weights = list(block.parameters())

    found = torch.autograd.grad(through(block, tokens, modulation, grid).square().mean(), weights)
    right = torch.autograd.grad(written_out(block, tokens, modulation, grid).square().mean(), weights)

    gaps = [float((a - b).abs().max() / b.abs().max().clamp(min=1e-6)) for a, b in zip(found, right, strict=True)]
    assert max(gaps) < 1e-3


def test_half_precision_stays_within_two_hundredths() -> None:
    torch.manual_seed(4)
    network = VideoTransformer(CONFIG).eval().requires_grad_(False)
    for weight in network.parameters():
        weight.normal_(std=0.1)
    latents, levels, places = torch.randn(1, 3, 4, 6, 3), torch.full((1, 3), 0.6), torch.arange(3)[None]
    condition = network.encode_slots(torch.tensor([[1, 2]]))

    exact = network(latents, levels, condition, places)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(latents, levels, condition, places).float()

    assert 0 < float((rough - exact).square().mean().sqrt() / exact.square().mean().sqrt()) <= 2e-2


def test_another_way_to_attend_takes_the_place_of_torchs() -> None:
    block, (tokens, modulation) = scattered(), asked((1, 2, 2))
    plain = through(block, tokens, modulation, (1, 2, 2))

    block.attention = lambda query, key, value: torch.zeros_like(value)
    blind = through(block, tokens, modulation, (1, 2, 2))

    assert not torch.allclose(plain, blind)


@pytest.mark.parametrize("heads", [1, 3])
def test_a_rotation_is_as_wide_as_a_head(heads: int) -> None:
    config = TransformerConfig(width=48, heads=heads, slot_sizes=(3,), registers=1)
    rotary = rotary_table(config, torch.zeros(1, 1), rows=1, columns=2)

    assert rotary.cosine.shape == rotary.sine.shape == (1, 4, 1, 1, 48 // heads)
