"""Rotary positions, noise features and blocks do what their formulas say."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from platemark.generation.config import TransformerConfig
from platemark.generation.layers import (
    NEUTRAL,
    Block,
    GeluLinear,
    Rotary,
    TimeEmbedding,
    modulate,
    noise_features,
    rotary_table,
    rotate,
    sections_of_tokens,
)

CONFIG = TransformerConfig(width=64, heads=2, slot_sizes=(3, 4), registers=1)
SECTIONS = sections_of_tokens(prefix=CONFIG.prefix_tokens, frames=1, per_frame=15, device=torch.device("cpu"))


def table(*frames: int, rows: int = 3, columns: int = 5) -> Rotary:
    return rotary_table(CONFIG, torch.tensor([frames]), rows=rows, columns=columns)


def token(frame: int, row: int, column: int, *, rows: int = 3, columns: int = 5) -> int:
    return CONFIG.prefix_tokens + (frame * rows + row) * columns + column


def product(rotary: Rotary, vectors: tuple[Tensor, Tensor], places: tuple[int, int]) -> float:
    """The attention score of one vector put at one place with another put at another."""
    length = rotary.cosine.shape[1]
    turned = [rotate(vector.expand(1, length, 1, 1, -1), rotary) for vector in vectors]
    return float(turned[0][0, places[0], 0, 0] @ turned[1][0, places[1], 0, 0])


def vectors(seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.randn(2, CONFIG.head_width, generator=generator)
    return first, second


@pytest.mark.parametrize(("frames", "rows", "columns"), [((0,), 1, 1), ((0, 1, 2), 3, 5), ((4, 2), 7, 1)])
def test_the_table_has_a_rotation_for_every_token(frames: tuple[int, ...], rows: int, columns: int) -> None:
    rotary = table(*frames, rows=rows, columns=columns)

    tokens = CONFIG.prefix_tokens + len(frames) * rows * columns
    assert rotary.cosine.shape == rotary.sine.shape == (1, tokens, 1, 1, CONFIG.head_width)


@settings(max_examples=40, deadline=None)
@given(
    frame=st.integers(0, 2),
    row=st.integers(0, 1),
    column=st.integers(0, 2),
    moved=st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 2)),
)
def test_a_score_depends_only_on_the_distance_of_its_tokens(
    frame: int, row: int, column: int, moved: tuple[int, int, int]
) -> None:
    rotary = table(0, 1, 2, 3, 4)

    here = product(rotary, vectors(), (token(frame, row, column), token(frame + 1, row + 1, column + 2)))
    there = product(
        rotary,
        vectors(),
        (token(moved[0], moved[1], moved[2]), token(moved[0] + 1, moved[1] + 1, moved[2] + 2)),
    )

    assert here == pytest.approx(there, abs=2e-4)


@pytest.mark.parametrize("step", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_a_score_changes_with_the_distance_along_each_axis(step: tuple[int, int, int]) -> None:
    rotary = table(0, 1)

    together = product(rotary, vectors(), (token(0, 0, 0), token(0, 0, 0)))
    apart = product(rotary, vectors(), (token(0, 0, 0), token(*step)))

    assert abs(together - apart) > 0.01


def test_rotation_keeps_the_length_of_a_vector() -> None:
    heads = torch.randn(1, CONFIG.prefix_tokens + 15, 3, 2, CONFIG.head_width)

    turned = rotate(heads, table(0))

    assert torch.allclose(turned.norm(dim=-1), heads.norm(dim=-1), atol=1e-5)


def test_prefix_tokens_are_not_rotated() -> None:
    heads = torch.randn(1, CONFIG.prefix_tokens + 15, 3, 2, CONFIG.head_width)

    turned = rotate(heads, table(4))

    assert torch.equal(turned[:, : CONFIG.prefix_tokens], heads[:, : CONFIG.prefix_tokens])


def test_the_table_follows_the_frame_index_not_the_order() -> None:
    in_order, swapped = table(0, 3), table(3, 0)

    first, second = token(0, 0, 0), token(1, 0, 0)

    assert torch.equal(in_order.cosine[0, first], swapped.cosine[0, second])
    assert torch.equal(in_order.sine[0, second], swapped.sine[0, first])


@pytest.mark.parametrize("shape", [(1,), (2, 3), (1, 5, 2)])
def test_noise_features_keep_the_shape_of_their_levels(shape: tuple[int, ...]) -> None:
    features = noise_features(torch.rand(shape), count=7)

    assert features.shape == (*shape, 14)


def test_the_features_of_no_noise_are_ones_and_zeros() -> None:
    features = noise_features(torch.zeros(1), count=4)

    assert features[0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_different_noise_levels_have_different_embeddings() -> None:
    torch.manual_seed(0)
    embedding = TimeEmbedding(CONFIG)

    embedded = embedding(torch.tensor([[0.0, 0.5, 1.0]]))

    assert embedded.shape == (1, 3, CONFIG.width)
    assert not torch.allclose(embedded[0, 0], embedded[0, 1])
    assert not torch.allclose(embedded[0, 1], embedded[0, 2])


def test_every_token_belongs_to_the_prefix_or_to_its_frame() -> None:
    sections = sections_of_tokens(prefix=2, frames=3, per_frame=4, device=torch.device("cpu"))

    assert sections.tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]


def test_a_still_without_words_has_one_section() -> None:
    sections = sections_of_tokens(prefix=0, frames=1, per_frame=3, device=torch.device("cpu"))

    assert sections.tolist() == [1, 1, 1]


def test_a_linear_layer_with_a_gelu_is_the_two_in_turn() -> None:
    layer = GeluLinear(5, 3)
    values = torch.randn(2, 7, 5)

    plain = torch.nn.functional.gelu(values @ layer.weight.T + layer.bias, approximate="tanh")

    assert torch.allclose(layer(values), plain, atol=1e-6)


def test_modulation_of_nothing_is_a_norm() -> None:
    tokens = torch.randn(1, 3, 16) * 5

    modulated = modulate(tokens, torch.ones(16), torch.zeros(16))

    assert torch.allclose(modulated.square().mean(dim=-1), torch.ones(1, 3), atol=1e-4)


def test_modulation_scales_and_then_shifts() -> None:
    tokens = torch.randn(1, 3, 16)
    plain = modulate(tokens, torch.ones(16), torch.zeros(16))

    modulated = modulate(tokens, torch.full((16,), 3.0), torch.full((16,), 0.5))

    assert torch.allclose(modulated, plain * 3 + 0.5, atol=1e-6)


@pytest.mark.parametrize("place", [0, 2, 3, 5])
def test_a_neutral_factor_is_one(place: int) -> None:
    assert NEUTRAL[place] == 1


@pytest.mark.parametrize("place", [1, 4])
def test_a_neutral_shift_is_nought(place: int) -> None:
    assert NEUTRAL[place] == 0


def test_a_new_block_is_the_identity() -> None:
    block = Block(CONFIG)
    tokens = torch.randn(1, CONFIG.prefix_tokens + 15, CONFIG.width)
    modulation = torch.randn(1, 2, 6, CONFIG.width)

    result = block(tokens, modulation, SECTIONS, table(0))

    assert torch.equal(result, tokens)


def test_a_block_lets_every_token_see_every_other() -> None:
    torch.manual_seed(1)
    block = Block(CONFIG).requires_grad_(False)
    block.attention_out.weight.normal_(std=0.2)
    tokens = torch.randn(1, CONFIG.prefix_tokens + 15, CONFIG.width)
    changed = tokens.clone()
    changed[0, -1] += 1
    rest = (torch.tensor(NEUTRAL)[:, None].expand(1, 2, 6, CONFIG.width), SECTIONS, table(0))

    difference = (block(changed, *rest) - block(tokens, *rest)).abs().amax(dim=-1)[0]

    assert bool((difference > 1e-6).all())
