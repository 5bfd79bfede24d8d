"""The upscaler in training, on tiny networks and pictures."""

from dataclasses import replace

import pytest
import torch

from platemark.generation.config import UpscalerConfig
from platemark.generation.upscaler import Upscaler
from platemark.training.trainer import Trainer
from platemark.training.upscaling import (
    PoolOfPairs,
    UpscalerTrainer,
    compare_enlarging,
    held_out_pairs,
    pairs_of_textures,
    pairs_of_world,
)
from platemark.training.world.clips import ClipShape, World
from platemark.training.world.dice import Dice

SHAPE = ClipShape(32, 32, 9)


@pytest.fixture
def upscaler() -> Upscaler:
    """One that has learned nothing yet."""
    torch.manual_seed(1)
    return Upscaler(UpscalerConfig(width=8, blocks=1))


def test_pairs_of_the_world_show_one_frame_of_every_latent_frame(trained: Trainer) -> None:
    pairs = pairs_of_world(trained.autoencoder, World(3), torch.arange(2), SHAPE)

    assert pairs.small.shape == (2 * 3, 3, 32, 32)
    assert pairs.large.shape == (2 * 3, 3, 64, 64)


def test_the_large_picture_is_the_same_frame_drawn_finer(trained: Trainer) -> None:
    world = World(3, family="sky")
    pairs = pairs_of_world(trained.autoencoder, world, torch.arange(1), SHAPE)

    first = world.render(torch.arange(1), SHAPE).floats[0, 0].permute(2, 0, 1)
    assert torch.allclose(torch.nn.functional.avg_pool2d(pairs.large[0], 2), first, atol=0.06)


def test_textures_are_shrunk_from_the_pictures_they_stand_beside() -> None:
    pairs = pairs_of_textures(Dice.of(1, torch.arange(4)), SHAPE)

    assert torch.allclose(torch.nn.functional.avg_pool2d(pairs.large, 2), pairs.small, atol=1e-6)
    assert float(pairs.large.abs().max()) <= 1


def test_no_two_textures_are_alike() -> None:
    large = pairs_of_textures(Dice.of(1, torch.arange(6)), SHAPE).large

    apart = [float((large[i] - large[j]).abs().mean()) for i in range(6) for j in range(i)]
    assert min(apart) > 0.02


def test_before_training_it_is_as_good_as_bicubic(trained: Trainer, upscaler: Upscaler) -> None:
    found = compare_enlarging(upscaler, held_out_pairs(trained.autoencoder, SHAPE, clips=3))

    assert found["upscaler"] == found["bicubic"]
    assert found["upscaler"] != found["lanczos"]


def test_the_same_pictures_again_and_again_are_learned(trained: Trainer, upscaler: Upscaler) -> None:
    pairs = PoolOfPairs(trained.autoencoder, SHAPE, count=2).draw(0)
    trainer = UpscalerTrainer(upscaler, lambda _: pairs, steps=10_000)

    losses = [trainer.step(number) for number in range(60)]

    assert losses[-1] < 0.99 * losses[0]


def test_a_draw_is_a_function_of_its_number(trained: Trainer) -> None:
    pool, again = (PoolOfPairs(trained.autoencoder, SHAPE, count=3) for _ in range(2))

    assert torch.equal(pool.draw(4).large, again.draw(4).large)
    assert not torch.equal(pool.draw(4).large, pool.draw(5).large)


def test_a_third_of_a_draw_are_textures(trained: Trainer) -> None:
    pool = PoolOfPairs(trained.autoencoder, SHAPE, count=2)

    found = pool.draw(3)

    textures = pairs_of_textures(Dice.of(2, torch.arange(6) + 18), SHAPE)
    assert len(found.small) == 18
    assert torch.equal(found.large[12:], textures.large)


def test_a_step_is_a_function_of_its_number(trained: Trainer, upscaler: Upscaler) -> None:
    pool = PoolOfPairs(trained.autoencoder, SHAPE, count=1)
    twin = Upscaler(upscaler.config)
    twin.load_state_dict(upscaler.state_dict())

    losses = [UpscalerTrainer(network, pool.draw, steps=9).step(4) for network in (upscaler, twin)]

    assert losses[0] == losses[1]


def test_a_mean_is_over_all_pictures(trained: Trainer, upscaler: Upscaler) -> None:
    pairs = held_out_pairs(trained.autoencoder, SHAPE, clips=2, family="flag")
    halves = [replace(pairs, small=pairs.small[i::2], large=pairs.large[i::2]) for i in (0, 1)]

    whole = compare_enlarging(upscaler, pairs)["bicubic"]
    parts = [compare_enlarging(upscaler, half)["bicubic"] for half in halves]
    assert whole.psnr == pytest.approx((parts[0].psnr + parts[1].psnr) / 2, abs=1e-3)
