"""A stopwatch that does not count a second twice."""

from collections.abc import Iterator

import pytest

from platemark.progress import JobProgress, Stopwatch


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_report_reads_as_its_stage_and_where_it_is() -> None:
    assert str(JobProgress("sign")) == "sign"
    assert str(JobProgress("render:frames", 3, 24)) == "render:frames 3/24"


def test_time_inside_an_inner_stage_counts_for_the_inner_one_alone() -> None:
    clock = Clock()
    watch = Stopwatch(clock)

    with watch.stage("outer"):
        clock.seconds += 1
        with watch.stage("inner"):
            clock.seconds += 5

    assert watch.seconds == {"outer": 1, "inner": 5}


def test_the_same_stage_twice_adds_up() -> None:
    clock = Clock()
    watch = Stopwatch(clock)

    with watch.stage("sign"):
        clock.seconds += 1
    with watch.stage("sign"):
        clock.seconds += 2

    assert watch.seconds == {"sign": 3}


def test_a_chain_of_iterators_splits_the_time_between_them_and_passes_every_item_on() -> None:
    clock = Clock()
    watch = Stopwatch(clock)

    def source() -> Iterator[int]:
        for number in range(3):
            clock.seconds += 10
            yield number

    def doubled(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            clock.seconds += 1
            yield 2 * item

    items = list(watch.iterate("second", doubled(watch.iterate("first", source()))))

    assert items == [0, 2, 4]
    assert watch.seconds == {"first": 30, "second": 3}


def test_a_stage_that_fails_is_timed_too() -> None:
    clock = Clock()
    watch = Stopwatch(clock)

    with pytest.raises(ValueError, match="broken"), watch.stage("sign"):
        clock.seconds += 4
        raise ValueError("broken")

    assert watch.seconds == {"sign": 4}
