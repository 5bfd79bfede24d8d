"""AdamW, its schedule, and the average."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from platemark.training.config import Optimiser
from platemark.training.optimisation import Adam, Average, learning_rate

PLAIN = Optimiser(rate=0.01, warmup=10, anneal=0.5)


@pytest.mark.parametrize(
    ("step", "progress", "share"),
    [
        (0, 0.0, 0.1),
        (4, 0.0, 0.5),
        (9, 0.1, 1.0),
        (500, 0.49, 1.0),
        (500, 0.75, 0.5),
        (500, 1.0, 0.02),
    ],
)
def test_the_rate_warms_up_stays_and_falls(step: int, progress: float, share: float) -> None:
    assert learning_rate(PLAIN, step=step, progress=progress) == pytest.approx(0.01 * share)


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_without_warmup_and_anneal_the_rate_is_flat(progress: float) -> None:
    flat = replace(PLAIN, warmup=0, anneal=0.0)

    assert learning_rate(flat, step=0, progress=progress) == 0.01


@pytest.fixture
def network() -> nn.Module:
    """One matrix that decays, one that does not, and a bias."""
    torch.manual_seed(0)
    return nn.ModuleDict({"blocks": nn.ModuleList([nn.Linear(3, 3)]), "head": nn.Linear(3, 1)})


def _loss(network: nn.Module) -> torch.Tensor:
    return torch.stack([parameter.square().sum() for parameter in network.parameters()]).sum()


def test_a_step_goes_down(network: nn.Module) -> None:
    adam, before = Adam(network, PLAIN), float(_loss(network).detach())

    adam.step(_loss(network), step=50, progress=0.0)

    assert float(_loss(network).detach()) < before


def test_only_matrices_of_blocks_decay(network: nn.Module) -> None:
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    adam = Adam(network, replace(PLAIN, decay=0.5))

    adam.step(_loss(network) * 0, step=50, progress=0.0)

    changed = {name for name, p in network.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {"blocks.0.weight"}


def test_the_norm_of_the_gradient_is_told_before_it_is_cut(network: nn.Module) -> None:
    norm = Adam(network, PLAIN).step(_loss(network) * 1e6, step=0, progress=0.0)

    assert norm > 1e5


def test_a_state_that_was_saved_goes_on_to_the_same_bits(network: nn.Module) -> None:
    adam = Adam(network, PLAIN)
    adam.step(_loss(network), step=0, progress=0.0)
    saved = {name: tensor.clone() for name, tensor in adam.tensors()}
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    adam.step(_loss(network), step=1, progress=0.0)
    expected = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    network.load_state_dict(weights)
    again = Adam(network, PLAIN)
    again.load(saved)
    again.step(_loss(network), step=1, progress=0.0)

    assert all(torch.equal(tensor, expected[name]) for name, tensor in network.state_dict().items())


def test_an_optimiser_without_a_step_has_nothing_to_save(network: nn.Module) -> None:
    assert list(Adam(network, PLAIN).tensors()) == []


def test_the_average_follows_closely_at_first_and_slowly_later(network: nn.Module) -> None:
    average = Average(network, keep=0.9)
    weight = dict(network.named_parameters())["head.weight"]
    start = average.weights["head.weight"].clone()
    with torch.no_grad():
        weight.add_(1)

    average.update(0)
    early = average.weights["head.weight"] - start
    average.update(10_000)
    late = average.weights["head.weight"] - start

    assert torch.allclose(early, torch.full_like(early, 0.9))
    assert torch.allclose(late, torch.full_like(late, 0.91))


def test_an_average_that_was_saved_is_taken_back(network: nn.Module) -> None:
    average = Average(network, keep=0.9)
    saved = {name: torch.full_like(tensor, 7) for name, tensor in average.weights.items()}

    average.load(saved)

    assert all((tensor == 7).all() for tensor in average.weights.values())
