"""Things that stay themselves."""

import math

import numpy as np
import pytest
import torch

from platemark.generation.config import SamplerConfig
from platemark.training.consistency import (
    change_behind_column,
    measure_permanence,
    measure_reprojection,
    reprojection_error,
)
from platemark.training.evaluate import Question
from platemark.training.measures import Clip
from platemark.training.oracle import as_measured
from platemark.training.trainer import Trainer
from platemark.training.world.attributes import Attributes
from platemark.training.world.clips import ClipShape, World

SHAPE = ClipShape(64, 64, 17)


def _clip(family: str) -> tuple[Clip, Attributes]:
    batch = World(11, family=family).render(torch.arange(1), SHAPE)
    return as_measured(batch.video)[0].copy(), batch.attributes[0]


def test_a_real_shape_comes_out_as_it_went_in() -> None:
    change = change_behind_column(*_clip("occluder"))

    assert change is not None
    assert change < 0.01


def test_a_shape_that_comes_out_in_another_colour_has_changed() -> None:
    clip, asked = _clip("occluder")
    kept = change_behind_column(clip, asked)
    side = clip[9:, :, 44:] if asked.motion == "moving right" else clip[9:, :, :20]
    side[...] = side[..., ::-1] // 2 + 60

    changed = change_behind_column(clip, asked)

    assert kept is not None
    assert changed is None or changed > kept


def test_a_shape_that_never_comes_out_cannot_be_compared() -> None:
    clip, asked = _clip("occluder")
    clip[9:] = clip[8]

    assert change_behind_column(clip, asked) is None


def test_a_real_cube_is_rigid() -> None:
    error = reprojection_error(*_clip("cube"))

    assert error is not None
    assert error < 0.05


def test_a_cube_that_is_stretched_over_time_is_not_rigid() -> None:
    clip, asked = _clip("cube")
    rigid = reprojection_error(clip, asked)
    for frame in range(8, 17):
        clip[frame] = np.roll(clip[frame], frame - 8, axis=1)

    bent = reprojection_error(clip, asked)

    assert rigid is not None
    assert bent is not None
    assert bent > 2 * rigid


def test_an_empty_picture_has_no_cube() -> None:
    _, asked = _clip("cube")
    ground = World(11, family="cube").render(torch.arange(1), SHAPE).video[0, 0, 0, 0].numpy()

    assert reprojection_error(np.broadcast_to(ground, (17, 64, 64, 3)), asked) is None


@pytest.mark.parametrize("measure", [measure_permanence, measure_reprojection])
def test_made_clips_are_measured_beside_restored_and_real_ones(trained: Trainer, measure: object) -> None:
    question = Question(2, trained.config.clips, SamplerConfig(1, 1.0, 1.0))

    found = measure(trained.autoencoder, trained.averaged_transformer(), question)  # type: ignore[operator]

    assert found.real.clips + found.real.missing == found.generated.clips + found.generated.missing == 2
    assert found.real.clips == 0 or not math.isnan(found.real.mean)
