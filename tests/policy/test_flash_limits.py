"""The frame screen on made-up flashes of every rate and area, and on the motion that ordinary clips are made of."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark_policy.decision import Verdict
from platemark_policy.engine import Engine
from platemark_policy.frames import FrameFacts, FrameScreen, judge_frames
from platemark_policy.nudity import Looks
from platemark_policy.pack import RulePack

RGB = npt.NDArray[np.uint8]
CALM = FrameFacts(frames=48, fps=24, flashing_area=0, flashing_at_s=0, brightest=0.8, largest_step=90)


def grey(level: int, *, height: int = 128, width: int = 128) -> RGB:
    return np.full((height, width, 3), level, np.uint8)


def facts_of(frames: Iterable[RGB], *, fps: float) -> FrameFacts:
    screen = FrameScreen(fps=fps)
    for frame in frames:
        screen.feed(frame)
    return screen.facts()


def facts_after_each(frames: Iterable[RGB], *, fps: float) -> Iterator[FrameFacts]:
    screen = FrameScreen(fps=fps)
    for frame in frames:
        screen.feed(frame)
        yield screen.facts()


def rule_ids(facts: FrameFacts) -> set[str]:
    return {finding.rule_id for finding in judge_frames(facts)}


def square_wave(hz: float, *, fps: int, seconds: float = 2, low: int = 20, high: int = 235) -> Iterator[RGB]:
    for index in range(round(fps * seconds)):
        yield grey(high if int(index * 2 * hz / fps) % 2 else low)


def patch_flashes(rows: slice, columns: slice, *, fps: int = 24, hz: int = 6, side: int = 128) -> Iterator[RGB]:
    for index in range(2 * fps):
        frame = grey(20, height=side, width=side)
        frame[rows, columns] = 235 if int(index * 2 * hz / fps) % 2 else 20
        yield frame


def corner_lit(level: int) -> RGB:
    frame = grey(20)
    frame[:80, :96] = level
    return frame


# -- rates -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [12, 24, 25, 30, 50, 60])
@pytest.mark.parametrize("hz", [1, 2, 3])
def test_up_to_three_flashes_a_second_are_within_the_limit_at_every_rate(fps: int, hz: int) -> None:
    facts = facts_of(square_wave(hz, fps=fps), fps=fps)

    assert facts.flashing_area == 0


@pytest.mark.parametrize("fps", [12, 24, 25, 30, 50, 60])
@pytest.mark.parametrize("hz", [4, 5, 6])
def test_more_flashes_are_found_at_every_rate(fps: int, hz: int) -> None:
    facts = facts_of(square_wave(hz, fps=fps), fps=fps)

    assert facts.flashing_area == 1
    assert "F01" in rule_ids(facts)


@settings(max_examples=40, deadline=None)
@given(fps=st.integers(8, 60), hz=st.floats(4.0, 30.0))
def test_any_rate_above_the_limit_that_the_frames_can_show_is_found(fps: int, hz: float) -> None:
    shown = min(hz, fps / 2)

    facts = facts_of(square_wave(shown, fps=fps, seconds=2.5), fps=fps)

    assert facts.is_flashing


@settings(max_examples=40, deadline=None)
@given(fps=st.integers(1, 60), hz=st.floats(0.1, 2.9))
def test_no_rate_below_the_limit_is_found(fps: int, hz: float) -> None:
    facts = facts_of(square_wave(hz, fps=fps, seconds=3), fps=fps)

    assert not facts.is_flashing


@pytest.mark.parametrize(("fps", "found"), [(1, False), (4, False), (6, False), (7, True), (12, True), (60, True)])
def test_every_other_frame_flashes_once_there_are_seven_frames_a_second(fps: int, found: bool) -> None:
    frames = [grey(235 if index % 2 else 20) for index in range(3 * fps + 1)]

    assert facts_of(frames, fps=fps).is_flashing is found


def test_a_burst_in_a_long_calm_clip_is_found_and_dated() -> None:
    calm = [grey(60) for _ in range(24 * 5)]
    burst = list(square_wave(6, fps=24, seconds=1))

    facts = facts_of([*calm, *burst, *calm], fps=24)

    assert facts.is_flashing
    assert 5.0 < facts.flashing_at_s <= 6.1


def test_six_changes_spread_over_two_seconds_are_no_burst() -> None:
    frames = [grey(level) for level in [20, 235] * 4 for _ in range(8)]

    assert facts_of(frames, fps=24).flashing_area == 0


# -- areas -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "columns", "found"),
    [
        pytest.param(slice(0, 64), slice(0, 64), False, id="a quarter in a corner"),
        pytest.param(slice(32, 96), slice(32, 96), False, id="a quarter in the middle"),
        pytest.param(slice(0, 72), slice(0, 64), True, id="a little more than a quarter"),
        pytest.param(slice(0, 32), slice(0, 128), False, id="a quarter as a band"),
        pytest.param(slice(0, 40), slice(0, 128), True, id="a wider band"),
        pytest.param(slice(0, 128), slice(48, 80), False, id="a quarter as a column"),
        pytest.param(slice(0, 128), slice(40, 88), True, id="a wider column"),
        pytest.param(slice(0, 8), slice(0, 8), False, id="one lamp"),
    ],
)
def test_only_more_than_a_quarter_counts_wherever_it_is(rows: slice, columns: slice, found: bool) -> None:
    assert facts_of(patch_flashes(rows, columns), fps=24).is_flashing is found


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(0, 16), columns=st.integers(0, 16))
def test_the_area_is_the_share_of_the_picture_that_flashes(rows: int, columns: int) -> None:
    facts = facts_of(patch_flashes(slice(0, 8 * rows), slice(0, 8 * columns)), fps=24)

    assert facts.flashing_area == pytest.approx(rows * columns / 256)


@pytest.mark.parametrize("size", [(128, 128), (128, 2048), (2048, 128), (130, 254), (720, 1280), (1080, 606)])
def test_a_flash_is_found_at_every_size(size: tuple[int, int]) -> None:
    frames = (grey(235 if index % 2 else 20, height=size[0], width=size[1]) for index in range(13))

    assert facts_of(frames, fps=12).flashing_area == 1


# -- levels ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 255, True),
        (0, 100, True),
        (0, 80, False),  # from nothing to 8 % of the peak
        (200, 235, True),
        (235, 255, False),  # the darker one is above 80 % of the peak
        (120, 130, False),
        (100, 140, True),
    ],
)
def test_a_change_counts_from_a_tenth_of_the_peak_when_its_dark_side_is_dark(low: int, high: int, found: bool) -> None:
    facts = facts_of(square_wave(6, fps=24, low=low, high=high), fps=24)

    assert facts.is_flashing is found


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        pytest.param((255, 0, 0), (0, 0, 0), True, id="red and black"),
        pytest.param((0, 0, 255), (0, 0, 0), False, id="blue and black: 7 % of the peak"),
        pytest.param((0, 255, 0), (255, 0, 0), True, id="green and red"),
        pytest.param((255, 255, 0), (255, 255, 255), False, id="yellow and white"),
    ],
)
def test_colours_count_by_their_luminance(
    first: tuple[int, int, int], second: tuple[int, int, int], found: bool
) -> None:
    frames = [np.tile(np.array(first if index % 2 else second, np.uint8), (128, 128, 1)) for index in range(24)]

    assert facts_of(frames, fps=12).is_flashing is found


def test_flashes_under_grain_are_found() -> None:
    random = np.random.default_rng(1)
    grain = random.integers(-12, 13, (48, 128, 128, 1))
    waves = np.stack(list(square_wave(6, fps=24)))

    frames = (waves.astype(np.int16) + grain).clip(0, 255).astype(np.uint8)

    assert facts_of(frames, fps=24).is_flashing


# -- ordinary motion ---------------------------------------------------------------------------------------------------


def panning(speed: int, *, fps: int = 24) -> Iterator[RGB]:
    """A pan over hills: soft light and dark, a picture width in several seconds."""
    x = np.arange(2048)
    line = 120 + 60 * np.sin(x / 60) + 30 * np.sin(x / 23)
    for index in range(3 * fps):
        yield np.repeat(np.tile(line[index * speed : index * speed + 128, None], (1, 3))[None], 128, 0).astype(np.uint8)


def rising_bars(*, fps: int = 24) -> Iterator[RGB]:
    for index in range(2 * fps):
        frame = grey(245)
        for bar in range(4):
            frame[128 - (index * (bar + 1)) // 2 :, 12 + 30 * bar : 32 + 30 * bar] = (30, 60, 200)
        yield frame


def rolling_ball(*, fps: int = 24) -> Iterator[RGB]:
    y, x = np.mgrid[0:128, 0:128]
    for index in range(2 * fps):
        frame = grey(250)
        frame[(y - 64) ** 2 + (x - 3 * index) ** 2 < 400] = (220, 20, 20)
        yield frame


def falling_snow(*, fps: int = 24) -> Iterator[RGB]:
    random = np.random.default_rng(3)
    flakes = random.integers(0, 128, (150, 2))
    for index in range(2 * fps):
        frame = grey(40)
        frame[(flakes[:, 0] + 2 * index) % 128, flakes[:, 1]] = 240
        yield frame


def rolling_credits(*, fps: int = 24) -> Iterator[RGB]:
    """White lines on black, three lines in two seconds."""
    for index in range(3 * fps):
        frame = grey(16)
        for line in range(-1, 8):
            top = line * 24 + 40 - index
            frame[max(0, top) : max(0, top + 6), 24:104] = 235
        yield frame


def dissolving(*, fps: int = 24) -> Iterator[RGB]:
    for index in range(2 * fps):
        yield grey(round(20 + 210 * index / (2 * fps - 1)))


def cutting(*, fps: int = 24) -> Iterator[RGB]:
    """A hard cut every half second, from dark to bright and back."""
    for index in range(3 * fps):
        yield grey(220 if index // (fps // 2) % 2 else 30)


def breathing(*, fps: int = 24) -> Iterator[RGB]:
    for index in range(4 * fps):
        yield grey(round(120 + 100 * np.sin(2 * np.pi * index / fps)))


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(panning(1), id="slow pan"),
        pytest.param(panning(4), id="quick pan"),
        pytest.param(rising_bars(), id="rising bars"),
        pytest.param(rolling_ball(), id="rolling ball"),
        pytest.param(falling_snow(), id="falling snow"),
        pytest.param(rolling_credits(), id="rolling credits"),
        pytest.param(dissolving(), id="a dissolve"),
        pytest.param(cutting(), id="two cuts a second"),
        pytest.param(breathing(), id="a light that breathes once a second"),
    ],
)
def test_ordinary_motion_is_no_flash_and_no_standstill(frames: Iterator[RGB]) -> None:
    assert rule_ids(facts_of(frames, fps=24)) == set()


@pytest.mark.parametrize("fps", [12, 24, 30, 60])
def test_a_rolling_ball_is_no_flash_at_any_rate(fps: int) -> None:
    assert facts_of(rolling_ball(fps=fps), fps=fps).flashing_area == 0


# -- edges -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [1, 12, 60])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_one_frame_neither_flashes_nor_stands_still(fps: int, level: int) -> None:
    facts = facts_of([grey(level)], fps=fps)

    assert (facts.frames, facts.flashing_area, facts.flashing_at_s, facts.largest_step) == (1, 0, 0, 0)
    assert rule_ids(facts) == ({"F02"} if level == 0 else set())


def test_two_frames_that_differ_by_rounding_stand_still() -> None:
    assert rule_ids(facts_of([grey(100), grey(101)], fps=24)) == {"F03"}
    assert rule_ids(facts_of([grey(100), grey(102)], fps=24)) == set()


@pytest.mark.parametrize("level", [13, 20])
def test_black_begins_where_nothing_can_be_seen(level: int) -> None:
    facts = facts_of([grey(level), grey(level)], fps=24)

    assert facts.is_black is (level == 13)


def test_one_bright_frame_is_enough_not_to_be_black() -> None:
    frames = [grey(0)] * 20 + [grey(200)] + [grey(0)] * 20

    assert not facts_of(frames, fps=24).is_black


@settings(max_examples=30, deadline=None)
@given(levels=st.lists(st.integers(0, 255), min_size=1, max_size=40), fps=st.integers(1, 60))
def test_facts_do_not_depend_on_when_they_are_asked_for(levels: list[int], fps: int) -> None:
    answers = list(facts_after_each(map(grey, levels), fps=fps))

    assert answers[-1] == facts_of(map(grey, levels), fps=fps)
    assert [facts.frames for facts in answers] == list(range(1, len(levels) + 1))


@settings(max_examples=30, deadline=None)
@given(levels=st.lists(st.integers(0, 255), min_size=2, max_size=40), more=st.lists(st.integers(0, 255), max_size=20))
def test_more_frames_never_take_a_flash_or_a_light_back(levels: list[int], more: list[int]) -> None:
    short, long = (facts_of(map(grey, each), fps=12) for each in (levels, levels + more))

    assert long.flashing_area >= short.flashing_area
    assert long.brightest >= short.brightest
    assert long.largest_step >= short.largest_step


@settings(max_examples=30, deadline=None)
@given(levels=st.lists(st.integers(0, 255), min_size=2, max_size=40))
def test_a_clip_turned_on_its_side_or_mirrored_flashes_alike(levels: list[int]) -> None:
    frames = [corner_lit(level) for level in levels]

    upright = facts_of(frames, fps=12)

    assert facts_of((frame[::-1, ::-1] for frame in frames), fps=12).flashing_area == upright.flashing_area
    assert facts_of((frame.transpose(1, 0, 2) for frame in frames), fps=12).flashing_area == upright.flashing_area


def test_the_screen_does_not_hold_on_to_the_frame_it_was_fed() -> None:
    screen, frame = FrameScreen(fps=24), grey(50)
    screen.feed(frame)

    frame[:] = 255
    screen.feed(grey(50))

    assert screen.facts().largest_step == 0


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(replace(CALM, flashing_area=float("nan")), id="area"),
        pytest.param(replace(CALM, brightest=float("nan")), id="brightness"),
    ],
)
def test_facts_that_are_no_numbers_do_not_pass(newsroom: RulePack, facts: FrameFacts) -> None:
    decision = Engine(newsroom, input_key=b"k" * 32).screen_frames(
        facts, at=datetime(2026, 1, 1, tzinfo=UTC), decision_id="d"
    )

    assert decision.verdict is not Verdict.ALLOW


@pytest.mark.parametrize(
    ("area", "verdict"), [(0.0, Verdict.ALLOW), (0.25, Verdict.ALLOW), (0.2500001, Verdict.BLOCK), (1.0, Verdict.BLOCK)]
)
def test_the_limit_of_a_quarter_is_exact(newsroom: RulePack, area: float, verdict: Verdict) -> None:
    decision = Engine(newsroom, input_key=b"k" * 32).screen_frames(
        replace(CALM, flashing_area=area),
        at=datetime(2026, 1, 1, tzinfo=UTC),
        decision_id="d",
        looks=Looks((0,), (0.01,)),
    )

    assert decision.verdict is verdict
