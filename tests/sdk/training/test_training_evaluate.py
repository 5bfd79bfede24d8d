"""Scores of networks beside their ceiling."""

import json

import pytest
import torch

from platemark.generation.config import SamplerConfig
from platemark.training.evaluate import Asked, Evaluation, Question, evaluate, flicker, generate, loop_seam, through
from platemark.training.trainer import Trainer
from platemark.training.world.clips import World


@pytest.fixture
def question(trained: Trainer) -> Question:
    """Twenty clips, two steps each."""
    return Question(20, trained.config.clips, SamplerConfig(steps=2))


@pytest.fixture
def found(trained: Trainer, question: Question) -> Evaluation:
    """What was found."""
    return evaluate(trained.autoencoder, trained.averaged_transformer(), question)


def test_generated_clips_stand_between_chance_and_their_ceilings(found: Evaluation) -> None:
    assert found.real.clips == found.autoencoder.clips == found.generated.clips == 20
    assert found.real.everything >= found.autoencoder.everything >= found.generated.everything


def test_every_family_that_came_has_a_psnr(found: Evaluation) -> None:
    assert found.psnr.keys() == found.real.by_family.keys()
    assert all(5 < value < 60 for value in found.psnr.values())


def test_an_evaluation_is_plain_json(found: Evaluation) -> None:
    words = json.loads(json.dumps(found.to_json()))

    assert words["real"]["clips"] == 20
    assert set(words) == {"real", "autoencoder", "generated", "psnr", "flicker", "seam"}


def test_a_clip_is_made_the_same_in_any_batch(trained: Trainer, question: Question) -> None:
    network = trained.averaged_transformer()
    slots = World(1).render(torch.arange(3), question.shape).slots
    actions = torch.zeros(3, 3, 5)

    together = generate(trained.autoencoder, network, Asked(slots, actions), question)
    alone = generate(trained.autoencoder, network, Asked(slots[2:], actions[2:]), question, first=2)

    assert (together[2].int() - alone[0].int()).abs().max() <= 1


def test_what_goes_through_the_autoencoder_keeps_its_form(trained: Trainer, question: Question) -> None:
    batch = World(1).render(torch.arange(2), question.shape)

    assert through(trained.autoencoder, batch).shape == batch.video.shape
    assert through(trained.autoencoder, batch).dtype == torch.uint8


def _ramp(levels: list[int]) -> torch.Tensor:
    return torch.tensor(levels, dtype=torch.uint8)[None, :, None, None, None].expand(1, -1, 4, 4, 3)


@pytest.mark.parametrize(("levels", "expected"), [([0, 10, 20, 30], 0.0), ([0, 10, 0, 10], 20.0), ([5, 5, 5, 5], 0.0)])
def test_flicker_is_unsteadiness_and_not_movement(levels: list[int], expected: float) -> None:
    assert float(flicker(_ramp(levels))) == expected


@pytest.mark.parametrize(("levels", "expected"), [([0, 10, 20, 10], 1.0), ([0, 10, 20, 30], 3.0)])
def test_a_seam_is_measured_in_steps(levels: list[int], expected: float) -> None:
    assert float(loop_seam(_ramp(levels))) == pytest.approx(expected)
