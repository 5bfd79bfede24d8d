"""Frames are judged by what a viewer would see: flashing, darkness, standstill."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark_policy.decision import Verdict
from platemark_policy.errors import PolicyError
from platemark_policy.frames import FrameFacts, FrameScreen, judge_frames

RGB = npt.NDArray[np.uint8]
FPS = 24


def grey(level: int, *, height: int = 96, width: int = 128) -> RGB:
    return np.full((height, width, 3), level, dtype=np.uint8)


def flashing(hz: float, *, seconds: float = 2, low: int = 20, high: int = 230, share: float = 1.0) -> Iterator[RGB]:
    """A square wave of brightness over the left share of the picture."""
    for index in range(round(FPS * seconds)):
        frame = grey(low)
        bright = int(index * 2 * hz / FPS) % 2
        frame[:, : round(frame.shape[1] * share)] = high if bright else low
        yield frame


def feed(screen: FrameScreen, frames: Iterator[RGB]) -> None:
    for frame in frames:
        screen.feed(frame)


def measured(frames: Iterator[RGB], *, fps: float = FPS) -> FrameFacts:
    screen = FrameScreen(fps=fps)
    feed(screen, frames)
    return screen.facts()


def rules(facts: FrameFacts) -> list[str]:
    return [finding.rule_id for finding in judge_frames(facts)]


@pytest.mark.parametrize("hz", [4, 6, 12])
def test_more_than_three_flashes_a_second_are_found(hz: float) -> None:
    facts = measured(flashing(hz))

    assert facts.is_flashing
    assert facts.flashing_area == 1.0


@pytest.mark.parametrize("hz", [0.5, 1, 2, 3])
def test_three_flashes_a_second_are_within_the_limit(hz: float) -> None:
    assert not measured(flashing(hz)).is_flashing


@pytest.mark.parametrize(("share", "found"), [(0.2, False), (0.25, False), (0.3, True), (0.5, True)])
def test_only_more_than_a_quarter_of_the_picture_counts(share: float, found: bool) -> None:
    assert measured(flashing(6, share=share)).is_flashing is found


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        pytest.param(20, 95, True, id="just over a tenth of the peak"),
        pytest.param(20, 85, False, id="just under a tenth of the peak"),
        pytest.param(232, 255, False, id="both states bright"),
        pytest.param(0, 60, False, id="both states dark"),
        pytest.param(200, 255, True, id="the darker state below eight tenths"),
    ],
)
def test_only_large_luminance_changes_count(low: int, high: int, found: bool) -> None:
    assert measured(flashing(6, low=low, high=high)).is_flashing is found


def test_flashing_is_dated_by_the_second_it_ends() -> None:
    calm = (grey(20) for _ in range(2 * FPS))
    screen = FrameScreen(fps=FPS)
    feed(screen, calm)
    feed(screen, flashing(6))

    assert 2.0 < screen.facts().flashing_at_s <= 3.1


def test_slow_fades_are_no_flashes() -> None:
    levels = (128 + 100 * np.sin(np.arange(4 * FPS) * 2 * np.pi / FPS)).astype(int)

    assert not measured(grey(int(level)) for level in levels).is_flashing


def test_gradual_flashes_count_like_sudden_ones() -> None:
    levels = (128 + 100 * np.sin(np.arange(2 * FPS) * 2 * np.pi * 4 / FPS)).astype(int)

    assert measured(grey(int(level)) for level in levels).is_flashing


def test_parts_that_take_turns_count_together() -> None:
    def frames() -> Iterator[RGB]:
        for first, second in zip(flashing(6, share=0.2), flashing(5, share=0.4), strict=True):
            yield np.concatenate([first[:48], second[48:]])

    assert measured(frames()).flashing_area == pytest.approx(0.3, abs=0.05)


def test_the_limit_follows_the_frame_rate() -> None:
    frames = [grey(20 if index % 2 else 230) for index in range(24)]

    assert measured(iter(frames), fps=24).is_flashing
    assert not measured(iter(frames[:6]), fps=3).is_flashing


def test_moving_shapes_are_no_flashes() -> None:
    def frames() -> Iterator[RGB]:
        for index in range(2 * FPS):
            frame = grey(240)
            frame[30:60, 2 * index : 2 * index + 24] = (200, 20, 20)
            yield frame

    facts = measured(frames())

    assert rules(facts) == []


def test_noise_is_no_flash() -> None:
    random = np.random.default_rng(7)
    frames = (random.integers(0, 256, (256, 256, 3), dtype=np.uint8) for _ in range(FPS))

    assert not measured(frames).is_flashing


def test_a_black_clip_is_noticed() -> None:
    facts = measured(grey(3) for _ in range(FPS))

    assert facts.is_black
    assert rules(facts) == ["F02"]


def test_a_clip_with_one_light_is_not_black() -> None:
    frame = grey(0)
    frame[40:48, 60:68] = 200

    assert not measured(iter([frame, frame])).is_black


def test_a_motionless_clip_is_noticed() -> None:
    facts = measured(grey(120 + index % 2) for index in range(FPS))

    assert rules(facts) == ["F03"]


def test_one_frame_stands_still_rightly() -> None:
    assert rules(measured(iter([grey(120)]))) == []


def test_flashing_blocks_and_the_rest_waits() -> None:
    facts = FrameFacts(frames=48, fps=24, flashing_area=0.5, flashing_at_s=1, brightest=0.001, largest_step=0)

    findings = judge_frames(facts)

    assert [(finding.rule_id, finding.action) for finding in findings] == [
        ("F01", Verdict.BLOCK),
        ("F02", Verdict.REVIEW),
    ]
    assert all(finding.stage == "frame" and finding.layer == "frames" and finding.span is None for finding in findings)


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (31, 33), (128, 128), (97, 401)])
def test_any_size_can_be_measured(size: tuple[int, int]) -> None:
    height, width = size

    facts = measured(iter([grey(0, height=height, width=width), grey(255, height=height, width=width)]))

    assert (facts.frames, facts.largest_step) == (2, 255)
    assert facts.brightest == pytest.approx(1.0)


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(np.zeros((8, 8), np.uint8), id="grey"),
        pytest.param(np.zeros((8, 8, 4), np.uint8), id="with alpha"),
        pytest.param(np.zeros((8, 8, 3), np.float32), id="floating point"),
        pytest.param(np.zeros((0, 8, 3), np.uint8), id="empty"),
    ],
)
def test_a_frame_of_another_kind_is_refused(frame: RGB) -> None:
    with pytest.raises(PolicyError, match="Expected a uint8"):
        FrameScreen(fps=FPS).feed(frame)


def test_a_frame_of_another_size_is_refused() -> None:
    screen = FrameScreen(fps=FPS)
    screen.feed(grey(0))

    with pytest.raises(PolicyError, match="Expected every frame"):
        screen.feed(grey(0, height=48))


@pytest.mark.parametrize("fps", [0, 0.5, -24, 241, float("nan")])
def test_an_impossible_frame_rate_is_refused(fps: float) -> None:
    with pytest.raises(PolicyError, match="frames a second"):
        FrameScreen(fps=fps)


def test_no_frames_have_no_facts() -> None:
    with pytest.raises(PolicyError, match="at least one frame"):
        FrameScreen(fps=FPS).facts()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=30))
def test_facts_stay_within_their_ranges(levels: list[int]) -> None:
    facts = measured(grey(level, height=16, width=16) for level in levels)

    assert 0 <= facts.flashing_area <= 1
    assert 0 <= facts.brightest <= 1.0001
    assert facts.largest_step <= max(levels) - min(levels)
