"""What is never trained on."""

from dataclasses import fields

import pytest

from platemark.training.world.attributes import FAMILIES, Attributes, combinations
from platemark.training.world.holdout import SHARE, is_held_out, split_family

NAMES = [family.name for family in FAMILIES]


def _values(clips: tuple[Attributes, ...]) -> set[tuple[str, str]]:
    return {(f.name, getattr(a, f.name)) for a in clips for f in fields(a) if getattr(a, f.name) is not None}


@pytest.mark.parametrize("name", NAMES)
def test_both_parts_together_are_the_whole_family(name: str) -> None:
    split = split_family(name)

    assert set(split.train) | set(split.held_out) == set(combinations(name))
    assert not set(split.train) & set(split.held_out)


@pytest.mark.parametrize("name", NAMES)
def test_every_family_holds_something_out(name: str) -> None:
    assert split_family(name).held_out


@pytest.mark.parametrize("name", NAMES)
def test_every_single_value_stays_in_training(name: str) -> None:
    assert _values(split_family(name).train) == _values(combinations(name))


@pytest.mark.parametrize("name", NAMES)
def test_no_more_than_a_third_is_held_out_even_of_a_small_family(name: str) -> None:
    split = split_family(name)

    assert len(split.held_out) * 3 <= len(split.train) + len(split.held_out)


def test_a_large_family_holds_out_one_in_eight() -> None:
    split = split_family("shapes")

    assert len(split.held_out) / len(combinations("shapes")) == pytest.approx(1 / SHARE, abs=0.01)


def test_every_motion_of_shapes_is_among_what_is_held_out() -> None:
    assert {a.motion for a in split_family("shapes").held_out} == {a.motion for a in combinations("shapes")}


def test_a_combination_knows_on_which_side_it_is() -> None:
    split = split_family("sea")

    assert is_held_out(split.held_out[0])
    assert not is_held_out(split.train[0])


def test_what_is_held_out_never_changes() -> None:
    held = split_family("sky").held_out

    assert sorted((a.motion, a.time, a.amount) for a in held) == [
        ("drifting left", "day", "few"),
        ("drifting right", "day", "few"),
    ]
