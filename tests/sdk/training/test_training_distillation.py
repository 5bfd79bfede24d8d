"""A student that needs no guidance."""

import pytest
import torch

from platemark.training.distillation import USUAL_WEIGHT, WEIGHTS_OF_SCENES, Distiller, Lesson
from platemark.training.pool import Encoded
from platemark.training.trainer import Trainer
from platemark.training.world.attributes import SLOT_VALUES

LESSON = Lesson(steps=12, batch=4)


@pytest.fixture
def distiller(trained: Trainer) -> Distiller:
    """A lesson of a tiny teacher whose outputs follow what it is told."""
    teacher = trained.averaged_transformer()
    for layer in (teacher.modulation, teacher.last_modulation, teacher.patch_out):
        torch.nn.init.normal_(layer.weight, std=0.05)
    chunk = trained._encode_chunk(0)

    def draw(step: int, size: int, generator: torch.Generator) -> Encoded:
        """Take clips of one chunk."""
        places = torch.randint(0, len(chunk.slots), (size,), generator=generator)
        return Encoded(chunk.latents[places], chunk.slots[places], chunk.actions[places])

    return Distiller(teacher, LESSON, draw)


def _error(distiller: Distiller) -> float:
    example = distiller.example(99, torch.Generator().manual_seed(5))
    level = example.level[:, :, None, None, None]
    noisy = (1 - level) * example.clean + level * example.noise
    student = distiller.taught()
    predicted = student(noisy, example.level, student.encode_slots(example.slots, example.actions), example.frame_index)
    return float((predicted - distiller.guided(noisy, example)).square().mean())


def test_a_student_comes_nearer_to_its_guided_teacher(distiller: Distiller) -> None:
    before = _error(distiller)

    for number in range(12):
        distiller.step(number)

    assert _error(distiller) < before


def test_the_teacher_is_not_changed(distiller: Distiller) -> None:
    before = {name: weight.clone() for name, weight in distiller._teacher.state_dict().items()}

    distiller.step(0)

    assert all(torch.equal(weight, before[name]) for name, weight in distiller._teacher.state_dict().items())


def test_a_step_depends_on_its_number_alone(distiller: Distiller) -> None:
    first = distiller.example(3, torch.Generator().manual_seed(3))
    again = distiller.example(3, torch.Generator().manual_seed(3))

    assert torch.equal(first.noise, again.noise)
    assert torch.equal(first.level, again.level)


def test_levels_are_those_of_the_walk_and_a_little_around(distiller: Distiller) -> None:
    level = distiller.example(1, torch.Generator().manual_seed(1)).level

    assert level.max() <= 1
    assert level[level > 0].min() > 0.1


def test_every_scene_has_a_weight_between_none_and_much() -> None:
    weights = [WEIGHTS_OF_SCENES.get(scene, USUAL_WEIGHT) for scene in SLOT_VALUES["scene"]]

    assert set(WEIGHTS_OF_SCENES) <= set(SLOT_VALUES["scene"])
    assert 1 < min(weights) <= max(weights) <= 4


def test_a_step_costs_five_passes(distiller: Distiller) -> None:
    one, two = (distiller.flops_a_step(frames=3, height=4, width=side) for side in (4, 8))

    assert two > one > 0
