"""Holes between given frames are planned alike, whatever the task."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.generation.given import Footage
from platemark.generation.holes import Hole, HoleWindow, Tempo, plan_holes

SKY = Tempo(natural=1.0, group=4, window=5, goes_on=True)
CHART = Tempo(natural=1.0, group=4, window=5, goes_on=False)


def run(first: int, count: int = 1) -> Footage:
    return Footage(first, np.zeros((count, 1, 1, 3), np.uint8))


def only(given: list[Footage], *, frames: int, tempo: Tempo = SKY) -> Hole:
    (hole,) = plan_holes(given, frames=frames, tempo=tempo)
    return hole


def test_a_first_frame_leaves_one_hole_to_the_end() -> None:
    hole = only([run(0)], frames=17)

    assert (hole.first, hole.stop, hole.before, hole.after) == (1, 17, True, False)
    assert list(hole.positions()) == list(range(17))
    assert (hole.latents, hole.decoded) == (5, 5)


def test_a_short_clip_is_sampled_whole_and_decoded_as_far_as_it_goes() -> None:
    hole = only([run(0)], frames=4)

    assert (hole.latents, hole.decoded) == (5, 2)


def test_a_last_frame_leaves_one_hole_from_the_start() -> None:
    hole = only([run(17, 3)], frames=20)

    assert (hole.first, hole.stop, hole.before, hole.after) == (0, 17, False, True)
    assert (hole.end, hole.latents) == (17.0, 6)


def test_between_two_frames_the_pace_bends_so_that_the_second_starts_a_latent_frame() -> None:
    hole = only([run(0), run(12)], frames=13)

    assert hole.end == 13.0
    assert hole.pace == pytest.approx(13 / 12)
    assert list(hole.positions())[-1] == pytest.approx(13.0)


def test_neighbouring_keyframes_leave_no_hole() -> None:
    assert plan_holes([run(0), run(1), run(2)], frames=3, tempo=SKY) == ()


def test_a_single_missing_frame_is_blended_from_what_is_given() -> None:
    hole = only([run(0), run(2)], frames=3)

    assert hole.latents == 2
    assert hole.windows(5) == (HoleWindow(0, 2, 1),)


def test_holes_are_found_in_order_however_frames_are_given() -> None:
    holes = plan_holes([run(20, 4), run(4, 2)], frames=30, tempo=SKY)

    assert [(hole.first, hole.stop) for hole in holes] == [(0, 4), (6, 20), (24, 30)]


def test_a_motion_that_ends_is_slowed_down_and_then_held() -> None:
    hole = only([run(0)], frames=61, tempo=CHART)

    assert (hole.pace, hole.end, hole.latents) == (0.5, 16.0, 5)
    assert list(hole.positions())[32:] == [16.0] * 29


def test_a_motion_that_ends_is_slowed_down_rather_than_made_twice_between_frames() -> None:
    hole = only([run(0), run(24)], frames=25, tempo=CHART)

    assert hole.latents == 5
    assert hole.pace == pytest.approx(13 / 24)


def test_a_hole_with_a_start_is_made_forwards() -> None:
    assert only([run(0)], frames=37).windows(5) == (HoleWindow(0, 5, 0), HoleWindow(4, 9, 5), HoleWindow(8, 10, 9))


def test_a_hole_with_both_ends_is_cut_evenly() -> None:
    assert only([run(0), run(25)], frames=26).windows(5) == (HoleWindow(0, 5, 1), HoleWindow(4, 8, 5))


def test_a_hole_with_an_end_is_made_backwards_with_a_spare_first_frame() -> None:
    hole = only([run(33, 2)], frames=35)

    assert hole.latents == 10
    assert hole.windows(5) == (HoleWindow(5, 10, 6), HoleWindow(2, 7, 3), HoleWindow(0, 4, 0))


tempos = st.builds(
    Tempo,
    natural=st.floats(0.2, 12.0),
    group=st.integers(1, 6),
    window=st.integers(3, 8),
    goes_on=st.booleans(),
)
runs = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 5)), min_size=1, max_size=5)


def laid_out(gaps: list[tuple[int, int]], *, lead: bool) -> list[Footage]:
    """Runs with gaps between them, and before the first one where there is a lead."""
    place, footage = (0 if lead else -gaps[0][0]), list[Footage]()
    for gap, count in gaps:
        footage.append(run(place + gap, count))
        place += gap + count
    return footage


def knowledge(hole: Hole, length: int) -> list[tuple[set[int], set[int]]]:
    """For each window of a hole the latent frames it holds and those known before it; last, those known in the end."""
    known = ({0} if hole.before else set[int]()) | ({hole.latents - 1} if hole.after else set[int]())
    steps = list[tuple[set[int], set[int]]]()
    for window in hole.windows(length):
        steps.append((set(range(window.first, window.stop)), set(known)))
        known |= set(range(window.keep, window.stop))
    return [*steps, (set(), known)]


@settings(max_examples=200, deadline=None)
@given(gaps=runs, lead=st.booleans(), tail=st.integers(0, 70), tempo=tempos)
def test_holes_and_given_frames_tile_the_clip(gaps: list[tuple[int, int]], lead: bool, tail: int, tempo: Tempo) -> None:
    footage = laid_out(gaps, lead=lead)
    frames = footage[-1].stop + tail

    holes = plan_holes(footage, frames=frames, tempo=tempo)

    covered = sorted([*((f.first, f.stop) for f in footage), *((h.first, h.stop) for h in holes)])
    assert [first for first, _ in covered] == [0, *(stop for _, stop in covered[:-1])]
    assert covered[-1][1] == frames


@settings(max_examples=200, deadline=None)
@given(before=st.booleans(), span=st.integers(1, 400), after=st.booleans(), tempo=tempos)
def test_every_latent_frame_of_a_hole_is_made_in_windows_that_know_something(
    before: bool, span: int, after: bool, tempo: Tempo
) -> None:
    start = int(before or not after)
    footage = [run(0)] * start + [run(start + span)] * after
    (hole,) = plan_holes(footage, frames=start + span + after, tempo=tempo)

    *steps, (_, known) = knowledge(hole, tempo.window)

    assert all(len(places) <= tempo.window for places, _ in steps)
    assert all(places & known_before for places, known_before in steps)
    assert known == set(range(hole.latents))


@settings(max_examples=200, deadline=None)
@given(after=st.booleans(), span=st.integers(1, 400), tempo=tempos)
def test_positions_rise_and_stay_within_what_is_decoded(after: bool, span: int, tempo: Tempo) -> None:
    footage = [run(0)] + [run(1 + span)] * after
    (hole,) = plan_holes(footage, frames=1 + span + after, tempo=tempo)

    positions = list(hole.positions())

    assert len(positions) == span + 1 + after
    assert positions == sorted(positions)
    assert positions[0] == 0
    assert positions[-1] <= (hole.decoded - 1) * tempo.group
