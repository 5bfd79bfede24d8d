"""Given frames come out bit for bit; made ones beside them take over what the model lost, less and less."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.generation.composing import MAX_SETTLING, compose, settling_frames
from platemark.generation.given import Footage
from platemark.generation.holes import Hole, Tempo, plan_holes
from platemark.generation.resize import RGB

TEMPO = Tempo(natural=1.0, group=4, window=5, goes_on=True)


def flat(level: int) -> RGB:
    return np.full((2, 3, 3), level, np.uint8)


def footage(first: int, *levels: int) -> Footage:
    return Footage(first, np.stack([flat(level) for level in levels]))


def grey(hole: Hole) -> Iterator[RGB]:
    """A model that sees everything as a grey of 100."""
    return (flat(100) for _ in hole.positions())


def levels(given: list[Footage], *, frames: int, settling: int) -> list[int]:
    holes = plan_holes(given, frames=frames, tempo=TEMPO)
    return [int(frame[0, 0, 0]) for frame in compose(given, holes, grey, settling=settling)]


def test_after_a_given_frame_the_difference_fades() -> None:
    assert levels([footage(0, 140)], frames=6, settling=4) == [140, 130, 120, 110, 100, 100]


def test_before_a_given_frame_the_difference_grows() -> None:
    assert levels([footage(5, 60)], frames=6, settling=4) == [100, 100, 90, 80, 70, 60]


def test_between_two_given_frames_both_differences_are_shared_out() -> None:
    assert levels([footage(0, 140), footage(4, 140)], frames=5, settling=12) == [140, 140, 140, 140, 140]


def test_between_far_frames_the_model_is_alone_in_the_middle() -> None:
    made = levels([footage(0, 140), footage(9, 60)], frames=10, settling=3)

    assert made == [140, 127, 113, 100, 100, 100, 100, 87, 73, 60]


def test_a_corrected_frame_stays_within_eight_bits() -> None:
    def dazzled(hole: Hole) -> Iterator[RGB]:
        """A model that makes white of everything after it saw black."""
        yield flat(0)
        yield from (flat(250) for _ in range(hole.first, hole.stop))

    given = [footage(0, 200)]
    holes = plan_holes(given, frames=3, tempo=TEMPO)

    assert [int(frame.max()) for frame in compose(given, holes, dazzled, settling=4)] == [200, 255, 255]


def scattered(gaps: list[tuple[int, int]], *, seed: int) -> list[Footage]:
    """Runs of random pictures with gaps before them."""
    random, place, given = np.random.default_rng(seed), 0, list[Footage]()
    for gap, count in gaps:
        given.append(Footage(place + gap, random.integers(0, 256, (count, 2, 3, 3), np.uint8)))
        place += gap + count
    return given


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.tuples(st.integers(1, 20), st.integers(1, 4)), min_size=1, max_size=4),
    settling=st.integers(1, 12),
    seed=st.integers(0, 1000),
)
def test_given_frames_come_out_bit_for_bit_wherever_they_stand(
    gaps: list[tuple[int, int]], settling: int, seed: int
) -> None:
    given = scattered(gaps, seed=seed)
    holes = plan_holes(given, frames=given[-1].stop + 3, tempo=TEMPO)

    clip = np.stack(list(compose(given, holes, grey, settling=settling)))

    assert len(clip) == given[-1].stop + 3
    assert all(np.array_equal(clip[each.first : each.stop], each.pixels) for each in given)


def test_a_clip_is_laid_out_as_a_stream() -> None:
    asked = list[int]()

    def watched(hole: Hole) -> Iterator[RGB]:
        """A model that tells how far it was asked."""
        for index, _ in enumerate(hole.positions()):
            asked.append(index)
            yield flat(100)

    given = [footage(0, 140)]
    stream = compose(given, plan_holes(given, frames=100, tempo=TEMPO), watched, settling=4)
    for _ in range(3):
        next(stream)

    assert asked == [0, 1, 2]


@pytest.mark.parametrize(("fps", "frames"), [(1, 1), (2, 1), (12, 6), (24, MAX_SETTLING), (60, MAX_SETTLING)])
def test_settling_takes_half_a_second_within_bounds(fps: int, frames: int) -> None:
    assert settling_frames(fps) == frames
