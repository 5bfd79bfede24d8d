"""A plan says how the clip is really made: grid, length, windows, pace."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.clip import Size
from platemark.generation.backends.embedded import CARD
from platemark.generation.card import ModelCard, WeightFile, read_card
from platemark.generation.plan import MAX_STRETCH, ClipPlan, Window, describe, plan_clip, plan_windows
from platemark.generation.scenes import SCENE_RULES, SCENES, SlotValues

SEA, CHART = SCENE_RULES["sea"].defaults, SCENE_RULES["chart"].defaults
SQUARE = Size(512, 512)


def plan(values: SlotValues, size: Size = SQUARE, *, frames: int = 24, fps: int = 12) -> ClipPlan:
    return plan_clip(read_card(CARD), values, size, frames=frames, fps=fps)


def test_two_seconds_of_sea_need_two_windows() -> None:
    planned = plan(SEA)

    assert (planned.latent_frames, planned.native_frames) == (7, 25)
    assert [planned.position(frame) for frame in (0, 1, 23)] == [0, 1, 23]


def test_a_clip_within_the_trained_length_is_sampled_at_the_trained_length() -> None:
    planned = plan(SEA, frames=3)

    assert planned.latent_frames == 5
    assert planned.decoded == 2


@pytest.mark.parametrize(
    ("frames", "fps", "native_frames"),
    [(1, 12, 1), (2, 12, 5), (17, 12, 17), (18, 12, 21), (48, 24, 25), (120, 60, 25), (4, 2, 21), (3600, 60, 721)],
)
def test_an_endless_scene_gets_the_frames_its_length_needs(frames: int, fps: int, native_frames: int) -> None:
    assert plan(SEA, frames=frames, fps=fps).native_frames == native_frames


def test_a_faster_clip_takes_smaller_steps_in_native_time() -> None:
    planned = plan(SEA, frames=48, fps=24)

    assert planned.pace == 0.5


@pytest.mark.parametrize(
    ("frames", "slower", "last"),
    [(5, 1.0, 4.0), (17, 1.0, 16.0), (25, 1.5, 16.0), (33, 2.0, 16.0), (600, 2.0, 16.0)],
)
def test_a_motion_that_ends_is_slowed_a_little_and_then_holds(frames: int, slower: float, last: float) -> None:
    planned = plan(CHART, frames=frames)

    assert planned.slower == slower
    assert planned.position(frames - 1) == last


def test_a_motion_that_ends_never_asks_for_frames_beyond_its_end() -> None:
    planned = plan(CHART, frames=720)

    assert planned.native_frames == 17
    assert planned.position(719) == 16


@pytest.mark.parametrize(
    ("size", "columns", "fit"),
    [
        (Size(512, 512), 8, "whole"),
        (Size(1280, 720), 14, "crop"),
        (Size(1024, 768), 10, "crop"),
        (Size(2048, 858), 20, "crop"),
        (Size(2048, 128), 24, "crop"),
        (Size(720, 1280), 8, "crop"),
    ],
)
def test_a_wide_sea_is_sampled_on_a_wide_grid(size: Size, columns: int, fit: str) -> None:
    planned = plan(SEA, size)

    assert (planned.rows, planned.columns, planned.fit) == (8, columns, fit)
    assert planned.native_width == columns * 8


@pytest.mark.parametrize("size", [Size(1280, 720), Size(720, 1280), Size(2048, 128)])
def test_a_chart_keeps_its_grid_whatever_the_frame(size: Size) -> None:
    planned = plan(CHART, size)

    assert (planned.rows, planned.columns, planned.fit) == (8, 8, "background")


@settings(max_examples=80, deadline=None)
@given(
    name=st.sampled_from(SCENES),
    width=st.integers(64, 1024),
    height=st.integers(64, 1024),
    frames=st.integers(1, 3600),
    fps=st.integers(1, 60),
)
def test_every_plan_holds_together(name: str, width: int, height: int, frames: int, fps: int) -> None:
    planned = plan(SCENE_RULES[name].defaults, Size(2 * width, 2 * height), frames=frames, fps=fps)

    positions = [planned.position(frame) for frame in range(frames)]
    assert positions == sorted(positions)
    assert positions[0] == 0
    assert positions[-1] <= planned.native_frames - 1
    assert planned.decoded <= planned.latent_frames
    assert planned.columns % 2 == 0
    assert planned.slower is None or 1 <= planned.slower <= MAX_STRETCH


@pytest.mark.parametrize(
    ("latent_frames", "windows"),
    [
        (1, (Window(0, 1, 0),)),
        (5, (Window(0, 5, 0),)),
        (6, (Window(0, 5, 0), Window(4, 6, 1))),
        (9, (Window(0, 5, 0), Window(4, 9, 1))),
        (11, (Window(0, 5, 0), Window(4, 9, 1), Window(8, 11, 1))),
    ],
)
def test_each_window_starts_with_the_last_frame_of_the_one_before(
    latent_frames: int, windows: tuple[Window, ...]
) -> None:
    assert plan_windows(latent_frames, length=5) == windows


@settings(max_examples=60, deadline=None)
@given(latent_frames=st.integers(1, 400), length=st.integers(2, 9))
def test_windows_make_every_latent_frame_once(latent_frames: int, length: int) -> None:
    windows = plan_windows(latent_frames, length=length)

    made = [frame for window in windows for frame in range(window.first + window.given, window.stop)]
    assert made == list(range(latent_frames))


@pytest.mark.parametrize(
    ("values", "size", "words"),
    [
        (SEA, SQUARE, ("64x64", "512x512", "Lanczos", "12 to 12 frames")),
        (SEA, Size(1280, 720), ("112x64", "centre-cropped", "1280x720")),
        (CHART, Size(1280, 720), ("64x64", "background drawn out", "slowed 1.44 times", "last frame held")),
    ],
)
def test_the_plan_is_told_in_words(card: ModelCard, values: SlotValues, size: Size, words: tuple[str, ...]) -> None:
    told = describe(plan(values, size), size, fps=12, card=card)

    assert [word for word in words if word not in told] == []


def test_a_clip_that_needs_no_slowing_does_not_speak_of_it(card: ModelCard) -> None:
    told = describe(plan(CHART, frames=5), SQUARE, fps=12, card=card)

    assert "slowed" not in told


@pytest.mark.parametrize(
    ("name", "columns"), [("map", 8), ("flag", 8), ("cube", 8), ("countdown", 8), ("voxels", 14), ("sky", 14)]
)
def test_only_what_goes_on_beyond_its_edges_is_drawn_on_a_wider_grid(name: str, columns: int) -> None:
    assert plan(SCENE_RULES[name].defaults, Size(1280, 720)).columns == columns


@pytest.mark.parametrize(("file", "told"), [(None, False), (WeightFile("u", "0" * 64, 1, 1), True)])
def test_a_learned_upscaler_is_told_where_there_is_one(card: ModelCard, file: WeightFile | None, told: bool) -> None:
    with_or_without = replace(card, weights=replace(card.weights, upscaler=file))

    words = describe(plan(SEA, SQUARE), SQUARE, fps=12, card=with_or_without)

    assert ("doubled by a learned upscaler" in words) is told


def test_values_without_a_scene_have_no_plan(card: ModelCard) -> None:
    with pytest.raises(KeyError):
        plan_clip(card, SlotValues(), SQUARE, frames=1, fps=12)
