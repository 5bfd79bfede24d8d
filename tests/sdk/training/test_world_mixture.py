"""Which clips come more often in training."""

from collections import Counter

import pytest
import torch

from platemark.errors import RequestError
from platemark.training.config import NANO
from platemark.training.world.attributes import FAMILIES
from platemark.training.world.clips import Part, World, family_of
from platemark.training.world.holdout import is_held_out, split_family
from platemark.training.world.mixture import Emphasis, family_at, family_shares, repeated

MAPS_TEN_TIMES = (Emphasis("map", 10.0),)
FREE_FLIGHTS = (Emphasis("flying freely", 4),)


def test_without_emphasis_families_keep_their_own_shares() -> None:
    whole = sum(family.weight for family in FAMILIES)

    assert dict(family_shares(())) == pytest.approx({f.name: f.weight / whole for f in FAMILIES})


def test_shares_sum_to_one_under_any_mixture() -> None:
    assert sum(share for _, share in family_shares(NANO.mixture)) == pytest.approx(1)


def test_an_emphasised_family_gains_by_its_factor_against_the_others() -> None:
    before, after = dict(family_shares(())), dict(family_shares(MAPS_TEN_TIMES))

    assert after["map"] / after["sky"] == pytest.approx(10 * before["map"] / before["sky"])


@pytest.mark.parametrize(("chance", "name"), [(0.0, FAMILIES[0].name), (0.9999999, FAMILIES[-1].name)])
def test_the_ends_of_chance_fall_on_the_ends_of_the_list(chance: float, name: str) -> None:
    assert family_at(chance, ()) == name


def test_an_emphasised_family_is_really_drawn_more_often() -> None:
    counts = Counter(family_of(a) for a in World(1, mixture=MAPS_TEN_TIMES).attributes(torch.arange(2000)))

    assert counts["map"] / 2000 == pytest.approx(dict(family_shares(MAPS_TEN_TIMES))["map"], abs=0.03)


def test_an_emphasised_motion_is_drawn_more_often_in_its_family() -> None:
    world = World(1, family="voxels", mixture=FREE_FLIGHTS)

    counts = Counter(a.motion for a in world.attributes(torch.arange(800)))

    assert counts["flying freely"] / 800 == pytest.approx(0.5, abs=0.06)


def test_a_mixture_of_other_things_leaves_a_family_as_it_was() -> None:
    plain, mixed = World(3, family="flag"), World(3, family="flag", mixture=FREE_FLIGHTS)

    assert plain.attributes(torch.arange(50)) == mixed.attributes(torch.arange(50))


def test_repeating_lists_the_same_combinations_and_no_others() -> None:
    pool = split_family("voxels").train

    assert set(repeated(pool, FREE_FLIGHTS)) == set(pool)
    assert repeated(pool, FREE_FLIGHTS)[: len(pool)] == pool


def test_no_emphasis_draws_what_is_held_out() -> None:
    clips = World(5, Part.TRAIN, mixture=NANO.mixture).attributes(torch.arange(300))

    assert not any(is_held_out(attributes) for attributes in clips)


@pytest.mark.parametrize(
    ("name", "times", "message"),
    [
        ("unicorn", 2.0, "no family or motion 'unicorn'"),
        ("map", 0.0, "over 0"),
        ("map", -1.0, "over 0"),
        ("map", 65.0, "at most 64"),
        ("map", float("nan"), "over 0"),
        ("bouncing", 1.5, "whole number"),
    ],
)
def test_an_emphasis_that_means_nothing_is_refused(name: str, times: float, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        Emphasis(name, times)
