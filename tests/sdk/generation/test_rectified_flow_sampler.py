"""The sampler is a pure function of noise, condition and settings."""

import math

import pytest
import torch
from torch import Tensor

from platemark.errors import Cancelled
from platemark.generation.backend import CancelToken
from platemark.generation.config import SamplerConfig
from platemark.generation.sampler import (
    GivenFrames,
    Guidance,
    Walk,
    draw_noise,
    guide,
    noise_schedule,
    noise_seed,
    sample,
)
from platemark.generation.transformer import Condition, VideoTransformer

POSITIONS = torch.arange(3)[None]


class Painter:
    """A denoiser that always predicts the condition's value, and remembers what it was shown."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.levels: list[Tensor] = []

    def __call__(self, latents: Tensor, noise_level: Tensor, condition: Condition, frame_index: Tensor) -> Tensor:
        self.batches.append(len(latents))
        self.levels.append(noise_level.clone())
        return condition.vector[:, 0][:, None, None, None, None].expand_as(latents)


def value(number: float) -> Condition:
    return Condition(torch.zeros(1, 1, 1), torch.full((1, 1), number))


def walk(*, steps: int = 4, guidance: float = 1.0, given: GivenFrames | None = None, target: float = 2.0) -> Walk:
    return Walk(SamplerConfig(steps, guidance, 2.0), Guidance(value(target), value(0.5)), given)


def noise(seed: int = 0) -> Tensor:
    return draw_noise(seed, range(3), height=3, width=5, channels=2)[None]


def tiny_walk(network: VideoTransformer, *, guidance: float = 2.0, given: GivenFrames | None = None) -> Walk:
    slots = torch.tensor([[1, 2]])
    both = Guidance(network.encode_slots(slots), network.encode_slots(slots * 0))
    return Walk(SamplerConfig(3, guidance, 2.0), both, given)


def tiny_noise(seed: int = 0) -> Tensor:
    return draw_noise(seed, range(3), height=3, width=5, channels=3)[None]


@pytest.mark.parametrize("steps", [1, 2, 7, 16])
def test_the_schedule_falls_from_pure_noise_to_none(steps: int) -> None:
    levels = noise_schedule(steps, shift=2.0)

    assert len(levels) == steps + 1
    assert (float(levels[0]), float(levels[-1])) == (1.0, 0.0)
    assert bool((levels[1:] < levels[:-1]).all())


def test_an_unshifted_schedule_is_even() -> None:
    levels = noise_schedule(4, shift=1.0)

    assert levels.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_a_shift_spends_more_of_the_walk_at_high_noise() -> None:
    even, shifted = noise_schedule(8, shift=1.0), noise_schedule(8, shift=3.0)

    assert bool((shifted[1:-1] > even[1:-1]).all())


@pytest.mark.parametrize("steps", [1, 3, 16])
def test_the_walk_ends_at_what_the_model_predicts(steps: int) -> None:
    latents = sample(Painter(), noise(), POSITIONS, walk(steps=steps, target=2.0))

    assert torch.allclose(latents, torch.full_like(latents, 2.0), atol=1e-5)


def test_the_model_is_asked_once_a_step() -> None:
    painter = Painter()

    sample(painter, noise(), POSITIONS, walk(steps=5))

    assert len(painter.levels) == 5


def test_guidance_of_one_asks_for_no_second_opinion() -> None:
    painter = Painter()

    sample(painter, noise(), POSITIONS, walk(guidance=1.0))

    assert set(painter.batches) == {1}


def test_guidance_asks_for_both_conditions_in_one_batch() -> None:
    painter = Painter()

    sample(painter, noise(), POSITIONS, walk(guidance=3.0))

    assert set(painter.batches) == {2}


@pytest.mark.parametrize(("weight", "expected"), [(1.0, 2.0), (2.0, 3.5), (3.0, 5.0)])
def test_guidance_moves_away_from_the_empty_condition(weight: float, expected: float) -> None:
    predicted = guide(Painter(), noise(), torch.ones(1, 3), POSITIONS, walk(guidance=weight, target=2.0))

    assert torch.allclose(predicted, torch.full_like(predicted, expected))


def test_guidance_of_one_equals_no_guidance(tiny_transformer: VideoTransformer) -> None:
    settings = tiny_walk(tiny_transformer, guidance=1.0)
    levels = torch.full((1, 3), 0.7)

    guided = guide(tiny_transformer, tiny_noise(), levels, POSITIONS, settings)
    plain = tiny_transformer(tiny_noise(), levels, settings.guidance.condition, POSITIONS)

    assert torch.equal(guided, plain)


def test_guidance_just_above_one_is_nearly_no_guidance(tiny_transformer: VideoTransformer) -> None:
    exact = sample(tiny_transformer, tiny_noise(), POSITIONS, tiny_walk(tiny_transformer, guidance=1.0))

    nearly = sample(tiny_transformer, tiny_noise(), POSITIONS, tiny_walk(tiny_transformer, guidance=1.0 + 1e-6))

    assert torch.allclose(exact, nearly, atol=1e-3)


def test_the_same_noise_gives_the_same_latents(tiny_transformer: VideoTransformer) -> None:
    settings = tiny_walk(tiny_transformer)

    first = sample(tiny_transformer, tiny_noise(), POSITIONS, settings)
    second = sample(tiny_transformer, tiny_noise(), POSITIONS, settings)

    assert torch.equal(first, second)


def test_another_seed_gives_other_latents(tiny_transformer: VideoTransformer) -> None:
    settings = tiny_walk(tiny_transformer)

    first = sample(tiny_transformer, tiny_noise(1), POSITIONS, settings)
    second = sample(tiny_transformer, tiny_noise(2), POSITIONS, settings)

    assert not torch.allclose(first, second)


def test_the_sampler_leaves_its_noise_alone() -> None:
    start = noise()
    before = start.clone()

    sample(Painter(), start, POSITIONS, walk())

    assert torch.equal(start, before)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_given_frame_is_kept_exactly(tiny_transformer: VideoTransformer, place: int) -> None:
    known = torch.randn(1, 3, 3, 5, 3)
    mask = torch.zeros(1, 3, dtype=torch.bool)
    mask[0, place] = True

    latents = sample(
        tiny_transformer, tiny_noise(), POSITIONS, tiny_walk(tiny_transformer, given=GivenFrames(known, mask))
    )

    assert torch.equal(latents[:, place], known[:, place])
    assert not torch.allclose(latents[~mask], known[~mask])


def test_a_given_frame_is_shown_without_noise_and_the_others_with_it() -> None:
    painter = Painter()
    mask = torch.tensor([[True, False, False]])

    sample(painter, noise(), POSITIONS, walk(steps=3, given=GivenFrames(torch.zeros(1, 3, 3, 5, 2), mask)))

    levels = torch.cat(painter.levels)
    assert bool((levels[:, 0] == 0).all())
    assert bool((levels[:, 1:] > 0).all())


def test_a_given_frame_changes_the_frames_beside_it(tiny_transformer: VideoTransformer) -> None:
    mask = torch.tensor([[True, False, False]])
    dark, bright = (GivenFrames(torch.full((1, 3, 3, 5, 3), level), mask) for level in (-2.0, 2.0))

    one = sample(tiny_transformer, tiny_noise(), POSITIONS, tiny_walk(tiny_transformer, given=dark))
    other = sample(tiny_transformer, tiny_noise(), POSITIONS, tiny_walk(tiny_transformer, given=bright))

    assert not torch.allclose(one[:, 1:], other[:, 1:])


def test_each_step_is_reported_in_order() -> None:
    steps: list[int] = []

    sample(Painter(), noise(), POSITIONS, walk(steps=4), on_step=steps.append)

    assert steps == [1, 2, 3, 4]


def test_a_cancelled_walk_ends_after_the_step_it_is_in() -> None:
    painter, token = Painter(), CancelToken()

    def cancel_after_two(step: int) -> None:
        token.cancel() if step == 2 else None
        token.raise_if_cancelled()

    with pytest.raises(Cancelled):
        sample(painter, noise(), POSITIONS, walk(steps=9), on_step=cancel_after_two)

    assert len(painter.levels) == 2


def test_the_noise_of_a_frame_does_not_depend_on_its_company() -> None:
    whole = draw_noise(5, range(6), height=3, width=5, channels=2)

    part = draw_noise(5, [4, 2], height=3, width=5, channels=2)

    assert torch.equal(part[0], whole[4])
    assert torch.equal(part[1], whole[2])


def test_a_longer_clip_starts_from_the_same_noise() -> None:
    short = draw_noise(5, range(2), height=3, width=5, channels=2)
    long = draw_noise(5, range(9), height=3, width=5, channels=2)

    assert torch.equal(long[:2], short)


def test_drawing_noise_does_not_touch_the_global_generator() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)

    draw_noise(5, range(2), height=3, width=5, channels=2)

    assert torch.equal(torch.rand(1), expected)


def test_noise_is_standard_normal() -> None:
    drawn = draw_noise(1, range(8), height=16, width=16, channels=16)

    assert abs(float(drawn.mean())) < 0.02
    assert abs(float(drawn.std()) - 1) < 0.02


def test_seeds_of_neighbours_have_nothing_in_common() -> None:
    seeds = {noise_seed(seed, frame) for seed in range(40) for frame in range(40)}

    assert len(seeds) == 1600
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**63 - 1])
def test_every_seed_of_a_request_can_be_drawn(seed: int) -> None:
    drawn = draw_noise(seed, [0, 10_000], height=1, width=1, channels=1)

    assert all(math.isfinite(number) for number in drawn.flatten().tolist())


def test_the_noise_of_a_seed_never_changes() -> None:
    """Published clips name their seed: this value is a promise, not a measurement."""
    assert noise_seed(7, 0) == 7_138_138_886_208_027_681
