"""Drift is how far a clip's look moves from its first second; a seam is one step among others."""

import numpy as np
import pytest

from platemark.generation.drift import Drift, DriftMeter, Seam, SeamMeter, measure_seam
from platemark.generation.resize import RGB


def flat(*level: int) -> RGB:
    return np.broadcast_to(np.array(level, np.uint8), (2, 3, 3)).copy()


def drift_of(*levels: int, fps: int = 2) -> Drift:
    meter = DriftMeter(fps)
    list(map(meter.feed, (flat(level, level, level) for level in levels)))
    return meter.drift


@pytest.mark.parametrize("levels", [(), (5,), (5, 9)])
def test_less_than_two_seconds_do_not_drift(levels: tuple[int, ...]) -> None:
    assert drift_of(*levels).levels == 0.0


def test_a_clip_that_stays_does_not_drift() -> None:
    assert drift_of(7, 7, 7, 7, 7, 7) == Drift(0.0, 0, 3)


def test_the_farthest_second_counts() -> None:
    assert drift_of(10, 10, 30, 34, 20, 20) == Drift(22.0, 1, 3)


def test_what_comes_and_goes_within_a_second_is_no_drift() -> None:
    assert drift_of(10, 30, 30, 10, 20, 20).levels == 0.0


def test_a_second_that_has_begun_is_not_counted() -> None:
    assert drift_of(10, 10, 10, 10, 255) == Drift(0.0, 0, 2)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_one_colour_that_drifts_is_enough(channel: int) -> None:
    meter = DriftMeter(1)
    colour = [10, 10, 10]
    meter.feed(flat(*colour))
    colour[channel] = 25

    meter.feed(flat(*colour))

    assert meter.drift == Drift(15.0, 1, 2)


def test_a_seam_is_the_step_from_the_last_frame_to_the_first() -> None:
    assert measure_seam(flat(level, level, level) for level in (10, 20, 30, 20)) == Seam(10.0, 10.0)


def test_a_snap_shows_against_the_median() -> None:
    seam = measure_seam(flat(level, level, level) for level in (0, 1, 2, 3, 100))

    assert seam == Seam(100.0, 1.0)


@pytest.mark.parametrize("count", [0, 1])
def test_a_single_frame_has_no_seam(count: int) -> None:
    assert measure_seam([flat(3, 3, 3)] * count) == Seam(0.0, 0.0)


def test_differences_do_not_wrap_around_eight_bits() -> None:
    assert measure_seam([flat(250, 250, 250), flat(5, 5, 5)]).step == 245.0


def test_a_seam_is_measured_while_the_frames_go_by_and_none_is_lost() -> None:
    meter = SeamMeter()
    frames = [(flat(level, level, level), str(level)) for level in (10, 20, 30, 20)]

    passed = list(meter.watch(frames, picture=lambda pair: pair[0]))

    assert [name for _, name in passed] == ["10", "20", "30", "20"]
    assert meter.seam == Seam(10.0, 10.0)
