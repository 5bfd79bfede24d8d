"""Whatever is asked for within bounds gets a plan, the same every time, and exactly the frames it names."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.clip import MAX_SECONDS, MAX_SEED, MAX_SIDE, MIN_SIDE, Size
from platemark.errors import RequestError
from platemark.generation.backend import MAX_GUIDANCE, MAX_STEPS, GenerationRequest
from platemark.generation.backends.embedded import CARD, EmbeddedGenerator
from platemark.generation.backends.testcard import TestCardGenerator
from platemark.generation.card import read_card
from platemark.generation.finish import blend_in_time, draw_out_background, even_out_groups, fit_frame
from platemark.generation.plan import ClipPlan, plan_clip, plan_windows
from platemark.generation.resize import Picture, resize
from platemark.generation.scenes import SCENE_RULES, SCENES, SlotValues, goes_on

EMBEDDED, TEST_CARD = EmbeddedGenerator(threads=1), TestCardGenerator()
SIDES = st.integers(MIN_SIDE // 2, MAX_SIDE // 2).map(lambda half: 2 * half)
SIZES = st.builds(Size, SIDES, SIDES)
SCENE_PROMPTS = {
    "circle": "a red circle",
    "square": "a spinning square",
    "triangle": "a growing triangle",
    "sky": "clouds in the sky",
    "sea": "the sea",
    "chart": "a chart",
    "globe": "a globe",
    "city rain": "rain in a city",
    "city snow": "snow in a city",
}


@st.composite
def requests(draw: st.DrawFn) -> GenerationRequest:
    """Any request that the bounds allow, of any scene."""
    fps = draw(st.integers(1, 60))
    return GenerationRequest(
        prompt=draw(st.sampled_from(list(SCENE_PROMPTS.values()))),
        size=draw(SIZES),
        frames=draw(st.integers(1, int(MAX_SECONDS * fps))),
        fps=fps,
        seed=draw(st.integers(0, MAX_SEED)),
        steps=draw(st.none() | st.integers(1, MAX_STEPS)),
        guidance=draw(st.none() | st.floats(1, MAX_GUIDANCE)),
    )


def plan_of(request: GenerationRequest, scene: str) -> ClipPlan:
    values = SCENE_RULES[scene].defaults
    return plan_clip(read_card(CARD), values, request.size, frames=request.frames, fps=request.fps)


# -- resolving ---------------------------------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(requests())
def test_any_request_within_bounds_is_resolved_the_same_every_time(request: GenerationRequest) -> None:
    first, second = EMBEDDED.resolve(request), EmbeddedGenerator(threads=2).resolve(request)

    assert first == second
    assert EMBEDDED.estimate(first) == EMBEDDED.estimate(second)


@settings(max_examples=120, deadline=None)
@given(requests())
def test_a_plan_keeps_the_request_as_it_was_asked(request: GenerationRequest) -> None:
    before = {slot.name: getattr(request, slot.name) for slot in fields(request)}

    resolved = EMBEDDED.resolve(request)

    assert resolved.request is request
    assert {slot.name: getattr(request, slot.name) for slot in fields(request)} == before


@settings(max_examples=120, deadline=None)
@given(requests())
def test_a_plan_does_what_was_asked_or_says_what_it_does_instead(request: GenerationRequest) -> None:
    resolved = EMBEDDED.resolve(request)

    assert resolved.steps == (request.steps or read_card(CARD).sampler.steps)
    assert request.guidance in (None, resolved.guidance)
    assert str(request.size) in resolved.resampling
    assert f"{resolved.native_width}x{resolved.native_height}" in resolved.resampling
    assert f"{resolved.native_fps} to {request.fps} frames a second" in resolved.resampling


@settings(max_examples=120, deadline=None)
@given(requests())
def test_a_cost_is_a_positive_number_of_whole_passes(request: GenerationRequest) -> None:
    resolved = EMBEDDED.resolve(request)

    cost = EMBEDDED.estimate(resolved)

    assert (cost.seconds or 0) > 0
    assert 0 < cost.peak_bytes < 2**31
    assert cost.forwards % resolved.steps == 0


@settings(max_examples=60, deadline=None)
@given(requests(), st.integers(0, MAX_SEED))
def test_the_seed_changes_nothing_in_a_plan(request: GenerationRequest, seed: int) -> None:
    other = replace(request, seed=seed)

    assert replace(EMBEDDED.resolve(other), request=request) == EMBEDDED.resolve(request)


@settings(max_examples=60, deadline=None)
@given(requests())
def test_more_steps_never_cost_less(request: GenerationRequest) -> None:
    few, many = (EMBEDDED.resolve(replace(request, steps=steps)) for steps in (3, 30))

    assert EMBEDDED.estimate(few).seconds < EMBEDDED.estimate(many).seconds
    assert 10 * EMBEDDED.estimate(few).forwards == EMBEDDED.estimate(many).forwards


@settings(max_examples=80, deadline=None)
@given(st.text(min_size=1, max_size=60), requests())
def test_no_prompt_makes_a_plan_fail_with_anything_but_a_refusal(prompt: str, request: GenerationRequest) -> None:
    with suppress(RequestError):
        assert EMBEDDED.resolve(replace(request, prompt=prompt)).request.prompt == prompt


@settings(max_examples=60, deadline=None)
@given(requests())
def test_the_test_card_plans_to_draw_what_was_asked(request: GenerationRequest) -> None:
    resolved = TEST_CARD.resolve(request)

    assert (resolved.native_width, resolved.native_height) == (request.size.width, request.size.height)
    assert (resolved.native_frames, resolved.native_fps) == (request.frames, request.fps)
    assert set(resolved.ignored_words) == set(re.findall(r"\w+", request.prompt.lower()))


# -- the arithmetic of a plan -----------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(requests(), st.sampled_from(SCENES))
def test_the_windows_of_any_plan_decode_to_enough_frames_and_no_group_too_many(
    request: GenerationRequest, scene: str
) -> None:
    planned = plan_of(request, scene)

    group = read_card(CARD).architecture.autoencoder.group_frames
    reached = planned.position(planned.frames - 1)
    assert planned.native_frames - 1 - group < reached <= planned.native_frames - 1
    assert sum(
        window.stop - window.first - window.given for window in plan_windows(planned.latent_frames, length=5)
    ) == (planned.latent_frames)


@settings(max_examples=200, deadline=None)
@given(requests(), st.sampled_from([name for name in SCENES if goes_on(SCENE_RULES[name].defaults)]))
def test_an_endless_scene_runs_at_its_natural_pace_at_any_rate(request: GenerationRequest, scene: str) -> None:
    planned = plan_of(request, scene)

    assert planned.slower is None
    assert planned.pace * request.fps == pytest.approx(read_card(CARD).native.fps)
    assert planned.position(planned.frames - 1) == pytest.approx((request.frames - 1) * planned.pace, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["circle", "chart"]),
    st.sampled_from([(6, 12), (12, 24), (15, 30), (30, 60), (20, 60)]),
    st.integers(1, 300),
)
def test_a_finer_rate_shows_the_same_moments(scene: str, rates: tuple[int, int], frames: int) -> None:
    coarse_fps, fine_fps = rates
    times = fine_fps // coarse_fps
    values, size = SCENE_RULES[scene].defaults, Size(256, 256)
    coarse = plan_clip(read_card(CARD), values, size, frames=frames, fps=coarse_fps)
    fine = plan_clip(read_card(CARD), values, size, frames=(frames - 1) * times + 1, fps=fine_fps)

    shared = [fine.position(frame * times) for frame in range(frames)]

    assert shared == pytest.approx([coarse.position(frame) for frame in range(frames)], abs=1e-5)


@settings(max_examples=150, deadline=None)
@given(SIZES, st.sampled_from(SCENES))
def test_the_grid_depends_on_the_shape_of_the_frame_and_not_on_its_size(size: Size, scene: str) -> None:
    half = Size(max(MIN_SIDE, size.width // 4 * 2), max(MIN_SIDE, size.height // 4 * 2))
    double = Size(min(MAX_SIDE, 2 * half.width), min(MAX_SIDE, 2 * half.height))
    values = SCENE_RULES[scene].defaults

    small, large = (plan_clip(read_card(CARD), values, each, frames=5, fps=12) for each in (half, double))

    same_shape = half.width * double.height == half.height * double.width
    assert not same_shape or (small.columns, small.fit) == (large.columns, large.fit)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(("frames", "fps"), [(1, 1), (60, 1), (1, 60), (3600, 60), (2, 60), (59, 59), (61, 60), (7, 7)])
def test_the_corners_of_length_and_rate_have_plans(scene: str, frames: int, fps: int) -> None:
    planned = plan_clip(read_card(CARD), SCENE_RULES[scene].defaults, Size(128, 128), frames=frames, fps=fps)

    assert planned.frames == frames
    assert planned.position(0) == 0
    assert planned.native_frames >= 1


# -- finishing ---------------------------------------------------------------------------------------------------------


def native_frames(plan: ClipPlan) -> Iterator[Picture]:
    """Flat pictures whose level is their number."""
    for index in range(plan.native_frames):
        yield np.full((2, 2, 3), index, np.float32)


@settings(max_examples=120, deadline=None)
@given(requests(), st.sampled_from(SCENES))
def test_any_plan_is_filled_with_exactly_its_frames(request: GenerationRequest, scene: str) -> None:
    planned = plan_of(replace(request, frames=min(request.frames, 200)), scene)

    pictures = list(blend_in_time(native_frames(planned), planned))

    levels = [float(picture[0, 0, 0]) for picture in pictures]
    assert len(levels) == planned.frames
    assert levels == pytest.approx([planned.position(frame) for frame in range(planned.frames)], abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_evening_out_keeps_every_frame_of_every_group(lengths: list[int], strength: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    groups = [random.uniform(0, 255, (length, 3, 2, 3)).astype(np.float32) for length in lengths]

    evened = list(even_out_groups(iter(groups), strength=strength))

    assert len(evened) == sum(lengths)
    assert {frame.shape for frame in evened} == {(3, 2, 3)}


def shape_plan(fit: str, columns: int) -> ClipPlan:
    scene = "sea" if fit == "crop" else "circle"
    size = Size(512, 512) if columns == 8 else Size(min(2048, 64 * columns), 512)
    planned = plan_clip(read_card(CARD), SCENE_RULES[scene].defaults, size, frames=1, fps=12)
    return replace(planned, fit="crop" if fit == "crop" else "background")


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(MIN_SIDE // 2, 400).map(lambda half: 2 * half),
    height=st.integers(MIN_SIDE // 2, 400).map(lambda half: 2 * half),
    fit=st.sampled_from(["crop", "background"]),
    columns=st.sampled_from([8, 14, 24]),
    level=st.integers(0, 255),
)
def test_a_frame_of_any_aspect_ratio_has_exactly_its_size_and_stays_flat(
    width: int, height: int, fit: str, columns: int, level: int
) -> None:
    picture = np.full((64, 8 * columns, 3), level, np.float32)

    frame = fit_frame(picture, shape_plan(fit, columns), width=width, height=height)

    assert frame.shape == (height, width, 3)
    assert frame.dtype == np.uint8
    assert set(np.unique(frame).tolist()) == {level}


@settings(max_examples=60, deadline=None)
@given(width=st.integers(64, 2048), height=st.integers(64, 2048))
def test_a_drawn_out_background_meets_the_aspect_ratio_within_a_pixel_a_side(width: int, height: int) -> None:
    picture = np.zeros((64, 64, 3), np.float32)

    h, w = draw_out_background(picture, width=width, height=height).shape[:2]

    assert min(h, w) == 64
    assert abs(w - h * width / height) <= 2 or abs(h - w * height / width) <= 2


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_resizing_is_linear(h: int, w: int, height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = (random.uniform(0, 255, (h, w, 3)).astype(np.float32) for _ in range(2))

    together = resize(first + 2 * second, height=height, width=width)

    apart = resize(first, height=height, width=width) + 2 * resize(second, height=height, width=width)
    np.testing.assert_allclose(together, apart, atol=0.05)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_resizing_a_mirrored_picture_mirrors_the_result(h: int, w: int, height: int, width: int, seed: int) -> None:
    picture = np.random.default_rng(seed).uniform(0, 255, (h, w, 3)).astype(np.float32)

    mirrored = resize(picture[::-1, ::-1], height=height, width=width)

    np.testing.assert_allclose(mirrored, resize(picture, height=height, width=width)[::-1, ::-1], atol=0.01)


def test_values_with_an_unknown_scene_are_no_plan() -> None:
    with pytest.raises(KeyError):
        plan_clip(read_card(CARD), SlotValues(scene="moon"), Size(128, 128), frames=1, fps=12)
