"""What a camera can be told to do, as the transformer reads it."""

import pytest
import torch

from platemark.errors import RequestError
from platemark.generation.actions import ACTIONS, action_indices, action_shares
from platemark.generation.config import TransformerConfig
from platemark.generation.transformer import VideoTransformer


def _network(actions: int) -> VideoTransformer:
    torch.manual_seed(0)
    config = TransformerConfig(latent_channels=2, width=32, depth=1, heads=2, slot_sizes=(3, 3), actions=actions)
    network = VideoTransformer(config).eval()
    for layer in (network.modulation, network.last_modulation, network.patch_out):
        torch.nn.init.normal_(layer.weight, std=0.1)
    return network


def test_actions_have_numbers_in_the_order_of_training() -> None:
    assert action_indices(("jump", "none", "turn left")) == (4, 0, 2)


def test_an_unknown_action_is_refused_with_what_is_known() -> None:
    with pytest.raises(RequestError, match="fly away") as refusal:
        action_indices(("forward", "fly away"))

    assert "turn left" in (refusal.value.fix or "")


def test_the_first_frame_is_a_latent_frame_of_its_own() -> None:
    shares = action_shares(torch.tensor([[4, 1, 1, 2, 2]]), group=4)

    assert shares.shape == (1, 2, len(ACTIONS))
    assert shares[0, 0].tolist() == [0, 0, 0, 0, 1]
    assert shares[0, 1].tolist() == [0, 0.5, 0.5, 0, 0]


def test_a_last_group_that_is_not_full_counts_its_last_frame_again() -> None:
    shares = action_shares(torch.tensor([[1, 1, 1, 3]]), group=4)

    assert shares[0, 1].tolist() == [0, 0.5, 0, 0.5, 0]


def test_a_clip_without_actions_says_nothing() -> None:
    assert action_shares(torch.zeros(2, 9, dtype=torch.int64), group=4).abs().sum() == 0


def test_an_action_of_one_frame_changes_the_prediction() -> None:
    network = _network(actions=5)
    latents, slots = torch.randn(1, 3, 2, 2, 2), torch.ones(1, 2, dtype=torch.int64)
    left, right = torch.zeros(1, 3, 5), torch.zeros(1, 3, 5)
    left[0, 1, 2] = right[0, 1, 3] = 1
    level, places = torch.full((1, 3), 0.5), torch.arange(3)[None]

    one, other = (network(latents, level, network.encode_slots(slots, shares), places) for shares in (left, right))

    assert (one[0, 1] - other[0, 1]).abs().max() > 1e-3


def test_actions_of_nought_are_the_same_as_none() -> None:
    network = _network(actions=5)
    latents, slots = torch.randn(1, 3, 2, 2, 2), torch.ones(1, 2, dtype=torch.int64)
    level, places = torch.full((1, 3), 0.5), torch.arange(3)[None]

    silent = network(latents, level, network.encode_slots(slots, torch.zeros(1, 3, 5)), places)

    assert torch.allclose(silent, network(latents, level, network.encode_slots(slots), places), atol=1e-6)


def test_a_network_without_actions_does_not_hear_them() -> None:
    network = _network(actions=0)
    slots = torch.ones(1, 2, dtype=torch.int64)

    assert network.encode_slots(slots, torch.ones(1, 3, 5)).frames is None


@pytest.mark.parametrize("first_has", [True, False])
def test_conditions_with_and_without_actions_go_into_one_batch(first_has: bool) -> None:
    network = _network(actions=5)
    slots = torch.ones(1, 2, dtype=torch.int64)
    told, silent = network.encode_slots(slots, torch.ones(1, 3, 5)), network.encode_slots(slots)

    both = told.stack(silent) if first_has else silent.stack(told)

    assert both.frames is not None
    assert both.frames.shape == (2, 3, 32)
    assert both.frames[int(first_has)].abs().sum() == 0
    assert both.frames[int(not first_has)].abs().sum() > 0
