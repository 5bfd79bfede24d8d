"""The peer in diffusers' own blocks is the same network, at every noise level and for every word."""

from dataclasses import asdict

import pytest
import torch

from platemark.generation.backends.diffusers_peer import PeerTransformer, peer_of
from platemark.generation.config import TransformerConfig
from platemark.generation.transformer import VideoTransformer

CONFIG = TransformerConfig(latent_channels=3, width=32, depth=2, heads=2, slot_sizes=(3, 4), registers=2)
NATIVE = {"height": 16, "width": 16, "frames": 5, "fps": 12, "steps": 2, "guidance": 1.0}


def scattered(config: TransformerConfig = CONFIG) -> VideoTransformer:
    """A transformer none of whose weights is nought."""
    torch.manual_seed(3)
    network = VideoTransformer(config).eval().requires_grad_(False)
    for weight in network.parameters():
        weight.normal_(std=0.2)
    return network


@pytest.fixture(scope="module")
def network() -> VideoTransformer:
    return scattered()


@pytest.fixture(scope="module")
def peer(network: VideoTransformer) -> PeerTransformer:
    return peer_of(network, NATIVE)


def difference(network: VideoTransformer, peer: PeerTransformer, shape: tuple[int, ...], levels: torch.Tensor) -> float:
    latents = torch.randn(*shape, 3, generator=torch.Generator().manual_seed(1))
    slots = torch.tensor([[1, 2], [0, 3]])[: shape[0]]
    index = torch.arange(shape[1])[None].expand(shape[0], -1)
    with torch.inference_mode():
        ours = network(latents, levels, network.encode_slots(slots), index)
        theirs = peer(latents, levels, slots)
    assert ours.abs().max() > 0.1
    return float((ours - theirs).abs().max())


@pytest.mark.parametrize("shape", [(1, 1, 2, 2), (1, 3, 4, 4), (2, 2, 6, 4), (1, 5, 2, 8)])
@pytest.mark.parametrize("level", [1.0, 0.5, 0.02])
def test_both_predict_the_same_at_every_size_and_level(
    network: VideoTransformer, peer: PeerTransformer, shape: tuple[int, ...], level: float
) -> None:
    assert difference(network, peer, shape, torch.full(shape[:2], level)) < 1e-5


def test_both_treat_a_given_frame_alike(network: VideoTransformer, peer: PeerTransformer) -> None:
    assert difference(network, peer, (1, 3, 4, 4), torch.tensor([[0.7, 0.0, 0.7]])) < 1e-5


def test_the_peer_holds_none_of_our_modules(peer: PeerTransformer) -> None:
    ours = {type(module).__module__ for module in peer.modules()} - {"platemark.generation.backends.diffusers_peer"}

    assert not {module for module in ours if module.startswith("platemark")}


def test_what_moves_a_camera_has_no_place_in_the_peer() -> None:
    steered = scattered(TransformerConfig(**asdict(CONFIG) | {"actions": 4}))

    peer = peer_of(steered, NATIVE)

    assert difference(steered, peer, (1, 2, 4, 4), torch.full((1, 2), 0.5)) < 1e-5


def test_weights_that_do_not_fit_are_refused(network: VideoTransformer) -> None:
    other = TransformerConfig(**asdict(CONFIG) | {"depth": 3})
    deeper = PeerTransformer(architecture=asdict(other), native=NATIVE)

    with pytest.raises(RuntimeError, match="Missing key"):
        deeper.load_state_dict(peer_of(network, NATIVE).state_dict(), strict=True)
