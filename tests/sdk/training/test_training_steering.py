"""Reading back what a camera did."""

import numpy as np
import pytest
import torch

from platemark.generation.config import SamplerConfig
from platemark.training.evaluate import Question
from platemark.training.oracle import as_measured
from platemark.training.steering import measure_actions, read_actions, told_actions
from platemark.training.trainer import Trainer
from platemark.training.world.attributes import Attributes
from platemark.training.world.clips import ClipShape, render_clips
from platemark.training.world.dice import Dice

SHAPE = ClipShape(64, 64, 17)


def _read(motion: str, clips: int = 12) -> list[str]:
    attributes = (Attributes("voxels", colour="green", time="day", motion=motion),) * clips
    video = render_clips(attributes, Dice.of(7, torch.arange(clips)), SHAPE).video
    return [action for clip in as_measured(video) for action in read_actions(clip)]


@pytest.mark.parametrize(
    ("motion", "action"),
    [
        ("turning left", "turn left"),
        ("turning right", "turn right"),
        ("jumping", "jump"),
        ("flying forward", "forward"),
    ],
)
def test_what_a_real_camera_does_is_read_back(motion: str, action: str) -> None:
    read = _read(motion)

    assert len(read) == 24
    assert read.count(action) >= 20


def test_a_still_picture_is_no_turn_and_no_jump() -> None:
    assert read_actions(np.full((17, 64, 64, 3), 90, np.uint8)) == ["forward", "forward"]


def test_told_actions_are_those_of_each_pair_of_latent_frames() -> None:
    assert told_actions([1, *[2] * 8, *[4] * 8]) == ["turn left", "jump"]


def test_flights_are_scored_beside_real_and_restored_ones(trained: Trainer) -> None:
    question = Question(3, ClipShape(64, 64, 17), SamplerConfig(1, 1.0, 1.0))

    found = measure_actions(trained.autoencoder, trained.averaged_transformer(), question)

    assert found.generated.of == found.autoencoder.of == found.real.of == 6
    assert found.real.hits >= 5
