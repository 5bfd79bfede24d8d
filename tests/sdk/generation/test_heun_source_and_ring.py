"""The ways of walking from noise besides plain Euler steps: Heun's, from a source, around a ring."""

import itertools

import pytest
import torch
from torch import Tensor

from platemark.errors import GenerationError
from platemark.generation.config import SamplerConfig
from platemark.generation.sampler import GivenFrames, Guidance, Walk, draw_noise, sample, sample_ring
from platemark.generation.transformer import Condition, VideoTransformer

POSITIONS = torch.arange(3)[None]
NOTHING = Condition(torch.zeros(1, 1, 1), torch.zeros(1, 1))


class Gaussian:
    """The exact denoiser of data that is normal with this mean and deviation; remembers what it was shown."""

    def __init__(self, mean: float = 2.0, deviation: float = 0.5) -> None:
        self.mean, self.deviation = mean, deviation
        self.shown: list[Tensor] = []

    def __call__(self, latents: Tensor, noise_level: Tensor, condition: Condition, frame_index: Tensor) -> Tensor:
        self.shown.append(latents.clone())
        level = noise_level[..., None, None, None]
        variance = ((1 - level) * self.deviation) ** 2 + level**2
        gain = (1 - level) * self.deviation**2 / variance.clamp(min=1e-12)
        return self.mean + gain * (latents - (1 - level) * self.mean)


def noise(frames: int = 3, seed: int = 0) -> Tensor:
    return draw_noise(seed, range(frames), height=3, width=5, channels=2)[None]


def walk(steps: int = 4, *, method: str = "euler", **more: object) -> Walk:
    config = SamplerConfig(steps, 1.0, 1.0, method)  # type: ignore[arg-type]  # refused values are tested too
    return Walk(config, Guidance(NOTHING, NOTHING), **more)  # type: ignore[arg-type]  # as above


def error(method: str, steps: int) -> float:
    """The distance from where the exact flow ends: mean + deviation * noise."""
    ended = sample(Gaussian(), noise(), POSITIONS, walk(steps, method=method))
    return float((ended - (2.0 + 0.5 * noise())).abs().mean())


@pytest.mark.parametrize("steps", [4, 8, 16])
def test_heun_comes_nearer_to_the_exact_flow_than_euler(steps: int) -> None:
    assert error("heun", steps) < 0.5 * error("euler", steps)


def test_eight_heun_steps_beat_fifteen_euler_steps_for_the_same_work() -> None:
    assert error("heun", 8) < error("euler", 15)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_heun_asks_the_model_twice_a_step_but_for_the_last(steps: int) -> None:
    model = Gaussian()

    sample(model, noise(), POSITIONS, walk(steps, method="heun"))

    assert len(model.shown) == 2 * steps - 1


def test_one_heun_step_is_one_euler_step() -> None:
    heun = sample(Gaussian(), noise(), POSITIONS, walk(1, method="heun"))
    euler = sample(Gaussian(), noise(), POSITIONS, walk(1, method="euler"))

    assert torch.equal(heun, euler)


def test_heun_keeps_given_frames_exactly(tiny_transformer: VideoTransformer) -> None:
    known = torch.randn(1, 3, 3, 5, 3)
    mask = torch.tensor([[True, False, True]])
    slots = tiny_transformer.encode_slots(torch.tensor([[1, 2]]))
    settings = Walk(SamplerConfig(3, 1.0, 2.0, "heun"), Guidance(slots, slots), GivenFrames(known, mask))
    start = draw_noise(0, range(3), height=3, width=5, channels=3)[None]

    ended = sample(tiny_transformer, start, POSITIONS, settings)

    assert torch.equal(ended[:, [0, 2]], known[:, [0, 2]])
    assert not torch.allclose(ended[:, 1], known[:, 1])


def test_another_method_is_refused() -> None:
    with pytest.raises(GenerationError, match="euler or heun"):
        walk(method="rk4")


def test_strength_nothing_gives_the_source_back_unasked() -> None:
    source, model = torch.randn(1, 3, 3, 5, 2), Gaussian()

    ended = sample(model, noise(), POSITIONS, walk(source=source, strength=0.0))

    assert torch.equal(ended, source)
    assert model.shown == []


def test_full_strength_forgets_the_source_to_the_last_bit() -> None:
    source = torch.randn(1, 3, 3, 5, 2)

    ended = sample(Gaussian(), noise(), POSITIONS, walk(source=source, strength=1.0))

    assert torch.equal(ended, sample(Gaussian(), noise(), POSITIONS, walk()))


def test_a_walk_from_a_source_starts_at_its_strength() -> None:
    source, model = torch.full((1, 3, 3, 5, 2), 4.0), Gaussian()

    sample(model, noise(), POSITIONS, walk(steps=4, source=source, strength=0.6))

    assert torch.allclose(model.shown[0], 0.4 * source + 0.6 * noise())
    assert len(model.shown) == 3  # levels 0.6, 0.5, 0.25


@pytest.mark.parametrize("strength", [0.3, 0.5, 0.75, 0.9])
def test_levels_fall_from_the_strength_to_nothing(strength: float) -> None:
    levels = walk(steps=8, source=torch.zeros(1), strength=strength).levels()

    assert (levels[0], levels[-1]) == (strength, 0.0)
    assert all(a > b for a, b in itertools.pairwise(levels))


@pytest.mark.parametrize("count", [2, 3, 4, 5, 7, 9])
def test_a_ring_of_any_length_ends_where_the_flow_ends(count: int) -> None:
    ended = sample_ring(Gaussian(), noise(count), walk(8), window=5, seed=1)

    straight = sample(Gaussian(), noise(count), torch.arange(count)[None], walk(8))
    assert torch.allclose(ended, straight, atol=1e-5)


def test_each_window_of_a_ring_starts_with_the_frame_before_it() -> None:
    model = Gaussian()

    sample_ring(model, noise(6), walk(1), window=4, seed=3)

    first, second = model.shown
    assert torch.equal(second[:, 0], first[:, -1])
    assert torch.equal(first[:, 0], second[:, -1])


def test_a_ring_is_turned_from_step_to_step() -> None:
    model = Gaussian(mean=0.0, deviation=1.0)  # predicts in proportion to what it is shown, whatever the level

    sample_ring(model, noise(6), walk(6), window=7, seed=3)

    starts = {tuple((shown[0, 1, 0, 0] / shown[0].abs().max()).tolist()) for shown in model.shown}
    assert len(starts) > 2


def test_the_same_seed_turns_a_ring_alike(tiny_transformer: VideoTransformer) -> None:
    slots = tiny_transformer.encode_slots(torch.tensor([[1, 2]]))
    settings = Walk(SamplerConfig(3, 1.0, 2.0), Guidance(slots, slots))
    start = draw_noise(0, range(4), height=3, width=5, channels=3)[None]

    one, same, other = (sample_ring(tiny_transformer, start, settings, window=3, seed=s) for s in (5, 5, 6))

    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_steps_around_a_ring_are_reported() -> None:
    steps = list[int]()

    sample_ring(Gaussian(), noise(4), walk(3), window=5, seed=0, on_step=steps.append)

    assert steps == [1, 2, 3]
