"""Steps of both networks."""

from dataclasses import replace

import pytest
import torch

from platemark.training.compute import Compute
from platemark.training.config import Course, TrainingConfig
from platemark.training.run import run
from platemark.training.tally import Budget, Stage
from platemark.training.trainer import Trainer
from platemark.training.world.attributes import FAMILIES
from platemark.training.world.mixture import Emphasis


def _weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    networks = {"a": trainer.autoencoder, "t": trainer.transformer}
    live = {f"{k}.{name}": tensor for k, network in networks.items() for name, tensor in network.state_dict().items()}
    return live | {f"average.{name}": tensor for name, tensor in trainer.average.weights.items()}


def _same(first: Trainer, second: Trainer) -> bool:
    ours, theirs = _weights(first), _weights(second)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.fixture
def trained(trainer: Trainer) -> Trainer:
    """Both stages, a few steps each."""
    run(trainer, Budget.of_steps(4, 6), None)
    return trainer


def test_the_same_configuration_begins_with_the_same_weights(tiny: TrainingConfig, cpu: Compute) -> None:
    torch.manual_seed(1)
    first = Trainer(tiny, compute=cpu)
    torch.manual_seed(2)
    second = Trainer(tiny, compute=cpu)

    assert _same(first, second)


def test_another_seed_begins_with_others(tiny: TrainingConfig, cpu: Compute, trainer: Trainer) -> None:
    assert not _same(trainer, Trainer(replace(tiny, seed=2), compute=cpu))


def test_making_a_trainer_leaves_the_global_generator_alone(tiny: TrainingConfig, cpu: Compute) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)

    torch.manual_seed(5)
    Trainer(tiny, compute=cpu)

    assert torch.equal(torch.rand(1), expected)


def test_the_same_run_twice_gives_the_same_bits(tiny: TrainingConfig, cpu: Compute, trained: Trainer) -> None:
    again = Trainer(tiny, compute=cpu)

    run(again, Budget.of_steps(4, 6), None)

    assert _same(trained, again)


def test_both_networks_learn(tiny: TrainingConfig, cpu: Compute, trained: Trainer) -> None:
    fresh = _weights(Trainer(tiny, compute=cpu))

    changed = {name for name, tensor in _weights(trained).items() if not torch.equal(tensor, fresh[name])}

    assert {"a.encoder.head.weight", "a.decoder.head.weight", "a.basis", "a.latent_scale"} <= changed
    assert {"t.patch_out.weight", "t.conditioner.token.weight", "average.patch_out.weight"} <= changed


def test_a_step_counts_itself(trainer: Trainer) -> None:
    trainer.begin_stage()

    trainer.step(0.0)

    assert (trainer.tally.step, trainer.tally.samples) == (1, 2)
    assert trainer.tally.cost.flops > 1e6


def test_the_autoencoder_is_frozen_once_the_transformer_learns(trained: Trainer) -> None:
    assert not any(parameter.requires_grad for parameter in trained.autoencoder.parameters())


def test_the_curriculum_follows_the_progress(trainer: Trainer) -> None:
    frames = [trainer.course_at(progress).frames for progress in (0.0, 0.39, 0.41, 1.0)]

    assert frames == [1, 1, 0, 0]


def _flights(cpu: Compute, tiny: TrainingConfig) -> Trainer:
    """A run whose second half has nothing but flights, at its transformer's first step."""
    only = tuple(Emphasis(family.name, 1e-3) for family in FAMILIES if family.name != "voxels")
    trainer = Trainer(replace(tiny, courses=(Course(1, 8, 0.5), Course(0, 4, 0.5, only))), compute=cpu)
    trainer.tally = trainer.tally.next_stage()
    trainer.enter_transformer_stage()
    return trainer


def test_a_course_with_a_mixture_draws_from_it(cpu: Compute, tiny: TrainingConfig) -> None:
    trainer = _flights(cpu, tiny)

    trainer.step(0.1)
    before = trainer.pool.draw(0, 16, generator=torch.Generator().manual_seed(1)).actions
    trainer.step(0.9)
    after = trainer.pool.draw(1, 16, generator=torch.Generator().manual_seed(1)).actions

    assert int((after.sum(dim=(1, 2)) > 0).sum()) >= 14
    assert int((before.sum(dim=(1, 2)) > 0).sum()) < 14


def test_a_run_that_is_taken_up_in_a_course_meets_the_same_clips(cpu: Compute, tiny: TrainingConfig) -> None:
    through, afresh = _flights(cpu, tiny), _flights(cpu, tiny)
    through.step(0.1)
    afresh.tally = through.tally

    through.step(0.9)
    afresh.step(0.9)

    draws = [each.pool.draw(1, 8, generator=torch.Generator().manual_seed(1)).latents for each in (through, afresh)]
    assert torch.equal(*draws)


def test_the_validation_loss_is_always_the_same(trained: Trainer) -> None:
    assert trained.validation_loss() == trained.validation_loss()


def test_the_averaged_network_is_the_average(trained: Trainer) -> None:
    network = trained.averaged_transformer()

    assert dict(network.named_parameters()).keys() == trained.average.weights.keys()
    assert all(torch.equal(weight, trained.average.weights[name]) for name, weight in network.named_parameters())
    assert not network.training


def test_an_adopted_autoencoder_goes_straight_to_the_transformer(
    tiny: TrainingConfig, cpu: Compute, trained: Trainer
) -> None:
    other = Trainer(tiny, compute=cpu)

    other.adopt_autoencoder(trained.autoencoder)

    assert other.tally.stage is Stage.TRANSFORMER
    assert torch.equal(other.autoencoder.basis, trained.autoencoder.basis)
    assert torch.isfinite(torch.tensor(other.step(0.0)))
