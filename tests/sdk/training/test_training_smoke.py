"""A minute's training, in seconds: does it learn at all?"""

from dataclasses import replace

import pytest
import torch

from platemark.training.compute import Compute
from platemark.training.config import Course, Optimiser, TrainingConfig
from platemark.training.evaluate import through
from platemark.training.reconstruction import psnr
from platemark.training.run import run
from platemark.training.tally import Budget, Stage
from platemark.training.trainer import Trainer
from platemark.training.world.clips import Part, World


@pytest.mark.slow
def test_a_few_seconds_of_training_beat_none(tiny: TrainingConfig, cpu: Compute) -> None:
    config = replace(
        tiny,
        optimiser=Optimiser(rate=3e-3, warmup=20),
        courses=(Course(1, 16, 0.3), Course(0, 8, 0.7)),
        pool_chunks=8,
        pool_refresh=8,
        average=0.98,
    )
    trainer = Trainer(config, compute=cpu)
    batch = World(1, Part.HELD_OUT).render(torch.arange(16), config.clips)
    run(trainer, Budget.of_steps(150, 1), None)
    untrained = Trainer(config, compute=cpu)
    untrained.adopt_autoencoder(trainer.autoencoder)
    learner = Trainer(config, compute=cpu)
    learner.adopt_autoencoder(trainer.autoencoder)

    run(learner, Budget.of_steps(1, 400), None)

    points = [point.loss for point in learner.tally.curve if point.stage is Stage.TRANSFORMER]
    restored = through(trainer.autoencoder, batch).float() / 127.5 - 1
    assert points[-1] < 0.5 * points[0]
    assert learner.validation_loss() < 0.4 * untrained.validation_loss()
    assert float(psnr(restored, batch.floats).mean()) > 20
