"""A training run small enough for a test: 32 by 32 pixels, 9 frames, networks of a few thousand weights."""

from dataclasses import replace

import pytest
import torch

from platemark.generation.config import AutoencoderConfig, TransformerConfig
from platemark.training.compute import Compute
from platemark.training.config import Course, Optimiser, TrainingConfig
from platemark.training.run import run
from platemark.training.tally import Budget
from platemark.training.trainer import Trainer
from platemark.training.world.attributes import SLOT_SIZES
from platemark.training.world.clips import ClipShape

TINY = TrainingConfig(
    name="tiny",
    clips=ClipShape(32, 32, 9),
    autoencoder=AutoencoderConfig(
        latent_channels=8,
        fine_width=8,
        coarse_width=16,
        encoder_blocks=1,
        coarse_decoder_blocks=1,
        fine_decoder_blocks=1,
    ),
    transformer=TransformerConfig(
        latent_channels=8, slot_sizes=SLOT_SIZES, width=32, depth=2, heads=2, time_frequencies=8, actions=5
    ),
    autoencoder_batch=2,
    autoencoder_optimiser=Optimiser(rate=1e-3, warmup=2, anneal=1.0),
    optimiser=Optimiser(rate=1e-3, warmup=2),
    basis_clips=8,
    courses=(Course(1, 8, 0.4), Course(0, 4, 0.6)),
    pool_chunks=2,
    pool_refresh=3,
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Compute on one thread: the machine may be busy, and the bits must not depend on it."""
    torch.set_num_threads(1)


@pytest.fixture
def tiny() -> TrainingConfig:
    """The configuration of a tiny run."""
    return replace(TINY)


@pytest.fixture
def cpu() -> Compute:
    """The processor, as the trainer uses it."""
    return Compute(torch.device("cpu"), half=False, compiles=False)


@pytest.fixture
def trainer(tiny: TrainingConfig, cpu: Compute) -> Trainer:
    """A tiny run that has not begun."""
    return Trainer(tiny, compute=cpu)


@pytest.fixture
def trained(trainer: Trainer) -> Trainer:
    """A run that hardly learned anything."""
    run(trainer, Budget.of_steps(3, 3), None)
    return trainer
