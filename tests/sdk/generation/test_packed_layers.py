"""Packed layers compute what the plain ones do, and give way where they cannot."""

import pytest
import torch
from torch import Tensor, nn

from platemark.generation import packed
from platemark.generation.backends.embedded import CARD, WEIGHTS
from platemark.generation.card import read_card
from platemark.generation.checkpoint import Networks, load_networks
from platemark.generation.layers import GeluLinear
from platemark.generation.packed import PackedLinear, pack, packing_works
from platemark.generation.sampler import GivenFrames, Guidance, Walk, draw_noise, sample

needs_packing = pytest.mark.skipif(not packing_works(), reason="this processor or this torch has no packed layers")


class Plain(nn.Module):
    """Two layers, one inside another module."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(GeluLinear(6, 10), nn.Linear(10, 4, bias=False))
        self.table = nn.Embedding(3, 6)

    def forward(self, values: Tensor) -> Tensor:
        result: Tensor = self.inner(values)
        return result


@needs_packing
@pytest.mark.parametrize("shape", [(6,), (1, 6), (5, 6), (2, 3, 6), (2, 1, 7, 6)])
@torch.inference_mode()
def test_packed_layers_give_the_plain_product_for_every_shape(shape: tuple[int, ...]) -> None:
    network = Plain()
    values = torch.randn(shape)
    right = network(values)

    found = pack(network)(values)

    assert found.shape == (*shape[:-1], 4)
    assert torch.allclose(found, right, atol=1e-5)


@needs_packing
@torch.inference_mode()
def test_values_that_do_not_lie_in_order_are_read_right() -> None:
    layer = nn.Linear(6, 4)
    values = torch.randn(6, 5).T

    found = PackedLinear(layer)(values)

    assert torch.allclose(found, layer(values), atol=1e-5)


@needs_packing
def test_layers_inside_others_are_packed_and_tables_stay() -> None:
    network = pack(Plain())

    assert [type(layer) for layer in network.inner] == [PackedLinear, PackedLinear]
    assert isinstance(network.table, nn.Embedding)


@needs_packing
def test_a_packed_copy_does_not_follow_its_weights() -> None:
    layer = nn.Linear(3, 2, bias=False)
    packed_layer = PackedLinear(layer)
    before = packed_layer(torch.ones(1, 3))

    layer.weight.data.zero_()

    assert torch.equal(packed_layer(torch.ones(1, 3)), before)


def test_other_precisions_stay_plain() -> None:
    network = pack(Plain().to(torch.bfloat16))

    assert [type(layer) for layer in network.inner] == [GeluLinear, nn.Linear]


@pytest.fixture
def _unknown() -> object:
    packing_works.cache_clear()
    yield
    packing_works.cache_clear()


@pytest.mark.usefixtures("_unknown")
@pytest.mark.parametrize("problem", [AttributeError, RuntimeError, TypeError])
def test_where_the_operation_is_missing_or_another_the_layers_stay(
    monkeypatch: pytest.MonkeyPatch, problem: type[Exception]
) -> None:
    def fail(linear: nn.Linear) -> None:
        raise problem("no such operation")

    monkeypatch.setattr(packed, "PackedLinear", fail)

    network = pack(Plain())

    assert [type(layer) for layer in network.inner] == [GeluLinear, nn.Linear]


@pytest.mark.usefixtures("_unknown")
def test_a_processor_that_computes_something_else_keeps_the_plain_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(nn.Module):
        def __init__(self, linear: nn.Linear) -> None:
            super().__init__()

        def forward(self, values: Tensor) -> Tensor:
            return torch.zeros(len(values), 48)

    monkeypatch.setattr(packed, "PackedLinear", Wrong)

    assert not packing_works()


@pytest.fixture(scope="module")
def shipped() -> Networks:
    return load_networks(read_card(CARD), WEIGHTS)


def walked(networks: Networks, *, guidance: float, given: bool) -> Tensor:
    """Four steps of the shipped model, the middle frame given or not."""
    card = read_card(CARD)
    sides = -(-card.native.height // card.architecture.autoencoder.patch)
    channels = card.architecture.autoencoder.latent_channels
    noise = draw_noise(7, range(5), height=sides, width=sides, channels=channels)[None]
    slots = torch.ones(1, len(card.architecture.transformer.slot_sizes), dtype=torch.int64)
    conditions = Guidance(networks.transformer.encode_slots(slots), networks.transformer.encode_slots(slots * 0))
    mask = torch.arange(5)[None] == 2
    known = GivenFrames(torch.full_like(noise, 0.25), mask) if given else None
    config = type(card.sampler)(steps=4, guidance=guidance)
    return sample(networks.transformer, noise, torch.arange(5)[None], Walk(config, conditions, known))


@needs_packing
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_the_shipped_model_packed_makes_the_frames_that_it_makes_plain(
    shipped: Networks, guidance: float, given: bool
) -> None:
    networks = load_networks(read_card(CARD), WEIGHTS)
    pack(networks.transformer)

    plain, fast = (walked(each, guidance=guidance, given=given) for each in (shipped, networks))

    with torch.inference_mode():
        frames, other = (shipped.autoencoder.decode(latents) for latents in (plain, fast))
    assert float((frames - other).abs().max()) <= 1e-5


@needs_packing
def test_a_packed_walk_is_the_same_to_the_bit_each_time() -> None:
    networks = load_networks(read_card(CARD), WEIGHTS)
    pack(networks.transformer)

    first, again = (walked(networks, guidance=1.0, given=False) for _ in range(2))

    assert torch.equal(first, again)


@needs_packing
def test_a_packed_network_has_nothing_to_save() -> None:
    assert list(pack(Plain()).state_dict()) == ["table.weight"]


@needs_packing
def test_packing_twice_changes_nothing() -> None:
    network = pack(Plain())
    layers = list(network.inner)

    pack(network)

    assert list(network.inner) == layers


@needs_packing
def test_a_layer_without_a_bias_adds_none() -> None:
    layer = PackedLinear(nn.Linear(6, 4, bias=False))

    assert torch.equal(layer(torch.zeros(3, 6)), torch.zeros(3, 4))


@needs_packing
def test_no_gradient_flows_through_a_packed_layer() -> None:
    values = torch.ones(2, 6)

    assert not PackedLinear(nn.Linear(6, 4))(values).requires_grad
