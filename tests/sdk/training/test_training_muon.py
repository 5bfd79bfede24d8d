"""Muon on the matrices of blocks, AdamW on the rest."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from platemark.training.compute import Compute
from platemark.training.config import Optimiser, TrainingConfig
from platemark.training.muon import Muon, descent, orthogonal
from platemark.training.optimisation import Adam
from platemark.training.trainer import Trainer

PLAIN = Optimiser(method="muon", rate=0.01, warmup=0, anneal=0.0, decay=0.0)


class _Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.ModuleList([nn.ModuleDict({"attention_in": nn.Linear(4, 12, bias=False)})])
        self.head = nn.Linear(4, 1)

    def loss(self) -> Tensor:
        """The squared length of everything."""
        return torch.stack([parameter.square().sum() for parameter in self.parameters()]).sum()


@pytest.fixture
def network() -> _Net:
    """One matrix for Muon, one that AdamW keeps, and a bias."""
    return _Net()


@pytest.mark.parametrize("shape", [(2, 6, 6), (1, 4, 9), (3, 9, 4)])
def test_singular_values_are_brought_near_one(shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)

    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))

    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.3


@pytest.mark.parametrize("factor", [2.0**-10, 1.0, 2.0**10])
def test_the_size_of_a_gradient_does_not_matter(factor: float) -> None:
    torch.manual_seed(1)
    gradient = torch.randn(1, 5, 5)

    assert torch.allclose(orthogonal(gradient * factor), orthogonal(gradient), atol=0.05)


def test_a_gradient_of_nought_moves_nothing() -> None:
    assert not orthogonal(torch.zeros(1, 4, 4)).any()


def test_a_step_goes_down(network: _Net) -> None:
    muon, before = Muon(network, PLAIN), float(network.loss().detach())

    muon.step(network.loss(), step=0, progress=0.0)

    assert float(network.loss().detach()) < before


def test_both_kinds_of_parameters_move(network: _Net) -> None:
    before = {name: p.detach().clone() for name, p in network.named_parameters()}

    Muon(network, PLAIN).step(network.loss(), step=0, progress=0.0)

    assert all(not torch.equal(p, before[name]) for name, p in network.named_parameters())


def test_queries_keys_and_values_are_moved_each_by_itself(network: _Net) -> None:
    """Each third gets an update of full rank, even where one third's gradient is far larger."""
    weight = network.blocks[0].get_parameter("attention_in.weight")
    before = weight.detach().clone()
    scale = torch.tensor([1.0, 1e3, 1e-3]).repeat_interleave(4)[:, None]

    Muon(network, replace(PLAIN, clip=1e9)).step((weight * scale * torch.randn(12, 4)).sum(), step=0, progress=0.0)

    sizes = (weight.detach() - before).unflatten(0, (3, 4)).norm(dim=(1, 2))
    assert float(sizes.max() / sizes.min()) < 1.5


def test_decay_shrinks_a_matrix_whose_gradient_is_nought(network: _Net) -> None:
    weight = network.blocks[0].get_parameter("attention_in.weight")
    before = weight.detach().clone()

    Muon(network, replace(PLAIN, decay=0.5)).step(network.loss() * 0, step=0, progress=0.0)

    assert torch.allclose(weight, before * (1 - 0.01 * 0.5))


def test_a_matrix_outside_the_loss_stays(network: _Net) -> None:
    weight = network.blocks[0].get_parameter("attention_in.weight")
    before = weight.detach().clone()

    Muon(network, PLAIN).step(network.head.weight.square().sum(), step=0, progress=0.0)

    assert torch.equal(weight, before)


def test_a_saved_state_goes_on_to_the_same_bits(network: _Net) -> None:
    muon = Muon(network, PLAIN)
    muon.step(network.loss(), step=0, progress=0.0)
    other = _Net()
    other.load_state_dict(network.state_dict())
    again = Muon(other, PLAIN)
    again.load({name: tensor.clone() for name, tensor in muon.tensors()})

    muon.step(network.loss(), step=1, progress=0.1)
    again.step(other.loss(), step=1, progress=0.1)

    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(("method", "kind"), [("adamw", Adam), ("muon", Muon)])
def test_settings_name_the_optimiser(network: _Net, method: str, kind: type[object]) -> None:
    assert isinstance(descent(network, Optimiser(method="muon" if method == "muon" else "adamw")), kind)


def test_a_trainer_learns_with_muon(tiny: TrainingConfig, cpu: Compute) -> None:
    trainer = Trainer(replace(tiny, optimiser=replace(tiny.optimiser, method="muon")), compute=cpu)
    trainer.tally = trainer.tally.next_stage()
    trainer.enter_transformer_stage()

    losses = [trainer.step(0.0) for _ in range(12)]

    assert isinstance(trainer.adam, Muon)
    assert sum(losses[-4:]) < sum(losses[:4])
