"""On toy models whose answer is known in closed form the sampler gives that answer."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

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
from platemark.generation.transformer import Condition


class GaussianDenoiser:
    """The exact answer for data that is normal around a mean: E[x0 | x_t] for x_t = (1 - t) x0 + t e.

    Along the exact flow the noise e ends at mean + spread * e, which is what a perfect sampler would give.
    """

    def __init__(self, mean: float, spread: float) -> None:
        self.mean, self.spread = mean, spread

    def __call__(self, latents: Tensor, noise_level: Tensor, condition: Condition, frame_index: Tensor) -> Tensor:
        t = noise_level[..., None, None, None]
        gain = (1 - t) * self.spread**2 / ((1 - t) ** 2 * self.spread**2 + t**2)
        return self.mean + gain * (latents - (1 - t) * self.mean)


class ShareDenoiser:
    """A model that always takes a fixed share of what it is shown for the answer."""

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, latents: Tensor, noise_level: Tensor, condition: Condition, frame_index: Tensor) -> Tensor:
        return self.share * latents


class PlaceDenoiser:
    """A model that answers with the index of the frame it was asked about, scaled by its condition."""

    def __call__(self, latents: Tensor, noise_level: Tensor, condition: Condition, frame_index: Tensor) -> Tensor:
        scaled = frame_index * condition.vector[:, :1]
        return scaled[..., None, None, None].expand_as(latents).clone()


class Recorder:
    """A model that answers zero and keeps what it was shown."""

    def __init__(self) -> None:
        self.levels: list[Tensor] = []
        self.latents: list[Tensor] = []

    def __call__(self, latents: Tensor, noise_level: Tensor, condition: Condition, frame_index: Tensor) -> Tensor:
        self.levels.append(noise_level.clone())
        self.latents.append(latents.clone())
        return torch.zeros_like(latents)


def condition(value: float = 1.0, *, b: int = 1) -> Condition:
    return Condition(torch.zeros(b, 1, 1), torch.full((b, 1), value))


def walk(
    steps: int, *, guidance: float = 1.0, shift: float = 1.0, given: GivenFrames | None = None, empty: float = 0.0
) -> Walk:
    return Walk(SamplerConfig(steps, guidance, shift), Guidance(condition(), condition(empty)), given)


def noise(seed: int = 5, *, t: int = 3) -> Tensor:
    return draw_noise(seed, range(t), height=4, width=6, channels=2)[None]


def positions(t: int = 3) -> Tensor:
    return torch.arange(t)[None]


def gaussian_error(steps: int, *, shift: float = 1.0) -> float:
    model, start = GaussianDenoiser(0.7, 0.4), noise()
    result = sample(model, start, positions(), walk(steps, shift=shift))
    return float((result - (0.7 + 0.4 * start)).abs().max())


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (2.0, 0.5), (-1.0, 2.0), (0.3, 0.05)])
def test_normal_data_is_sampled_along_its_exact_flow(mean: float, spread: float) -> None:
    start = noise()

    result = sample(GaussianDenoiser(mean, spread), start, positions(), walk(250))

    torch.testing.assert_close(result, mean + spread * start, atol=0.05, rtol=0.02)


def test_samples_of_normal_data_have_its_mean_and_spread() -> None:
    start = draw_noise(11, range(8), height=24, width=24, channels=4)[None]

    result = sample(GaussianDenoiser(1.5, 0.25), start, positions(8), walk(120, shift=2.0))

    assert float(result.mean()) == pytest.approx(1.5, abs=0.02)
    assert float(result.std()) == pytest.approx(0.25, abs=0.02)


def test_twice_the_steps_halve_the_error_as_euler_promises() -> None:
    errors = [gaussian_error(steps) for steps in (25, 50, 100, 200)]

    ratios = [coarse / fine for coarse, fine in itertools.pairwise(errors)]
    assert all(1.6 < ratio < 2.6 for ratio in ratios)


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0, 5.0])
def test_the_shift_changes_the_way_and_not_the_end(shift: float) -> None:
    assert gaussian_error(250, shift=shift) < 0.05


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 5, 16])
@pytest.mark.parametrize("shift", [1.0, 2.0])
def test_a_fixed_share_gives_the_product_of_the_steps(share: float, steps: int, shift: float) -> None:
    start = noise()
    levels = noise_schedule(steps, shift=shift).double().tolist()
    factor = math.prod(1 - (1 - share) * (1 - after / before) for before, after in itertools.pairwise(levels))

    result = sample(ShareDenoiser(share), start, positions(), walk(steps, shift=shift))

    torch.testing.assert_close(result, start * factor, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shift", [0.1, 0.5, 1.0, 2.0, 20.0])
@pytest.mark.parametrize("steps", [1, 3, 250])
def test_the_schedule_is_the_shift_of_equation_23_and_its_own_inverse(shift: float, steps: int) -> None:
    levels = noise_schedule(steps, shift=shift)

    even = levels / (shift - (shift - 1) * levels)
    torch.testing.assert_close(even, torch.linspace(1, 0, steps + 1), atol=1e-5, rtol=1e-4)


def test_the_model_is_shown_the_schedule_it_is_walked_down() -> None:
    model = Recorder()

    sample(model, noise(), positions(), walk(6, shift=2.0))

    shown = torch.stack([levels[0, 0] for levels in model.levels])
    torch.testing.assert_close(shown, noise_schedule(6, shift=2.0)[:-1])


def test_the_first_thing_the_model_sees_is_the_noise_itself() -> None:
    model, start = Recorder(), noise()

    sample(model, start, positions(), walk(3))

    assert torch.equal(model.latents[0], start)


def test_towards_a_fixed_answer_the_latents_move_on_a_straight_line() -> None:
    model, start = Recorder(), noise()

    sample(model, start, positions(), walk(8, shift=3.0))

    levels = noise_schedule(8, shift=3.0)
    for_each_level = [start * level for level in levels[:-1]]
    torch.testing.assert_close(torch.stack(model.latents), torch.stack(for_each_level), atol=1e-5, rtol=1e-5)


def test_each_frame_is_asked_about_at_its_own_place() -> None:
    result = sample(PlaceDenoiser(), noise(t=4), torch.tensor([[0, 3, 7, 9]]), walk(5))

    assert result[0, :, 0, 0, 0].tolist() == pytest.approx([0, 3, 7, 9], abs=1e-4)


@pytest.mark.parametrize("weight", [1.0, 1.5, 3.0, 20.0])
def test_guidance_is_linear_between_the_two_answers(weight: float) -> None:
    start = noise()

    result = guide(PlaceDenoiser(), start, torch.ones(1, 3), positions(), walk(1, guidance=weight, empty=0.25))

    expected = [place * (0.25 + weight * 0.75) for place in range(3)]
    assert result[0, :, 0, 0, 0].tolist() == pytest.approx(expected, abs=1e-4)


def test_two_clips_in_one_batch_are_the_clips_made_alone() -> None:
    first, second = noise(1), noise(2)
    both = Walk(SamplerConfig(7, 1.0, 2.0), Guidance(condition(b=2), condition(0.0, b=2)))

    together = sample(GaussianDenoiser(1, 0.5), torch.cat([first, second]), positions().expand(2, -1), both)

    alone = [sample(GaussianDenoiser(1, 0.5), each, positions(), walk(7, shift=2.0)) for each in (first, second)]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_a_given_frame_stands_still_while_the_others_reach_their_answer(place: int, guidance: float) -> None:
    start, known = noise(), torch.full((1, 3, 4, 6, 2), 9.0)
    mask = torch.zeros(1, 3, dtype=torch.bool)
    mask[0, place] = True

    given_walk = walk(6, guidance=guidance, given=GivenFrames(known, mask))
    result = sample(ShareDenoiser(0.0), start, positions(), given_walk)

    assert torch.equal(result[:, place], known[:, place])
    others = [frame for frame in range(3) if frame != place]
    torch.testing.assert_close(result[:, others], torch.zeros(1, 2, 4, 6, 2), atol=1e-5, rtol=0)


def test_when_every_frame_is_given_nothing_is_changed() -> None:
    known = torch.randn(1, 3, 4, 6, 2, generator=torch.Generator().manual_seed(1))
    given_walk = walk(4, given=GivenFrames(known, torch.ones(1, 3, dtype=torch.bool)))

    assert torch.equal(sample(ShareDenoiser(0.5), noise(), positions(), given_walk), known)


def test_what_lies_in_frames_that_are_not_given_is_never_read() -> None:
    mask = torch.tensor([[True, False, False]])
    clean, dirty = torch.zeros(1, 3, 4, 6, 2), torch.full((1, 3, 4, 6, 2), float("nan"))
    dirty[:, 0] = 0

    results = [
        sample(GaussianDenoiser(1, 1), noise(), positions(), walk(5, given=GivenFrames(known, mask)))
        for known in (clean, dirty)
    ]

    assert torch.equal(*results)


# -- noise -------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**63 - 2), frame=st.integers(0, 1000))
def test_neighbouring_seeds_and_frames_never_share_noise(seed: int, frame: int) -> None:
    seeds = {noise_seed(seed, frame), noise_seed(seed + 1, frame), noise_seed(seed, frame + 1)}

    assert len(seeds) == 3
    assert all(0 <= each < 2**63 for each in seeds)


@pytest.mark.parametrize(("first", "second"), [((1, 23), (12, 3)), ((0, 11), (1, 1)), ((10, 0), (1, 0))])
def test_seed_and_frame_are_not_run_together(first: tuple[int, int], second: tuple[int, int]) -> None:
    assert noise_seed(*first) != noise_seed(*second)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (7, 8), (2**31 - 1, 2**31), (2**62, 2**62 + 1)])
def test_the_noise_of_neighbouring_seeds_is_not_alike(first: int, second: int) -> None:
    a, b = (draw_noise(seed, [0], height=32, width=32, channels=16).flatten() for seed in (first, second))

    assert abs(float((a * b).mean())) < 0.03


def test_the_noise_of_neighbouring_frames_is_not_alike() -> None:
    frames = draw_noise(3, range(6), height=32, width=32, channels=16).flatten(1)

    alike = (frames @ frames.T / frames.shape[1]).fill_diagonal_(0).abs().max()
    assert float(alike) < 0.04


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(5)), seed=st.integers(0, 2**63 - 1))
def test_frames_asked_for_in_any_order_have_the_same_noise(order: list[int], seed: int) -> None:
    whole = draw_noise(seed, range(5), height=2, width=3, channels=2)

    assert torch.equal(draw_noise(seed, order, height=2, width=3, channels=2), whole[order])


def test_sampling_leaves_gradients_off_inside_and_the_caller_as_before() -> None:
    result = sample(ShareDenoiser(0.5), noise(), positions(), walk(2))

    assert not result.requires_grad
    assert not torch.is_inference_mode_enabled()
