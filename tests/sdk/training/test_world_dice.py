"""Chance as a pure function."""

import torch

from platemark.training.world.dice import Dice, scramble

CLIPS = torch.arange(4096)


def test_the_same_seed_and_clip_throw_the_same() -> None:
    assert torch.equal(Dice.of(7, CLIPS).table(3, 5), Dice.of(7, CLIPS).table(3, 5))


def test_a_clip_throws_the_same_in_any_company() -> None:
    together = Dice.of(7, CLIPS).table(3, 5)

    alone = Dice.of(7, torch.tensor([100])).table(3, 5)

    assert torch.equal(alone[0], together[100])


def test_a_longer_table_starts_with_the_shorter_one() -> None:
    dice = Dice.of(7, CLIPS[:8])

    assert torch.equal(dice.table(2, 100)[:, :10], dice.table(2, 10))


def test_seeds_lanes_and_clips_all_differ() -> None:
    dice = Dice.of(7, CLIPS)

    assert not torch.equal(dice.table(1, 1), dice.table(2, 1))
    assert not torch.equal(dice.table(1, 1), Dice.of(8, CLIPS).table(1, 1))
    assert dice.table(1, 1).unique().numel() > 4090


def test_numbers_are_even_and_in_their_range() -> None:
    numbers = Dice.of(1, CLIPS).uniform(9, -2.0, 6.0)

    assert numbers.shape == (4096, 1, 1, 1)
    assert -2 <= numbers.min() < -1.9 < 5.9 < numbers.max() < 6
    assert abs(float(numbers.mean()) - 2) < 0.15


def test_lanes_are_not_correlated() -> None:
    dice = Dice.of(1, CLIPS)

    both = torch.stack([dice.table(1, 1)[:, 0], dice.table(2, 1)[:, 0]])

    assert abs(float(torch.corrcoef(both)[0, 1])) < 0.05


def test_picks_are_even() -> None:
    counts = torch.bincount(Dice.of(1, CLIPS).pick(5, 4), minlength=4)

    assert counts.min() > 900


def test_large_clip_numbers_are_as_good_as_small_ones() -> None:
    far = Dice.of(1, CLIPS + (1 << 40)).table(1, 1)

    assert far.unique().numel() > 4090
    assert not torch.equal(far, Dice.of(1, CLIPS).table(1, 1))


def test_the_hash_has_known_answers() -> None:
    """Worked out once with the C function of the source, on unsigned 32-bit integers."""
    assert scramble(torch.tensor([0, 1, 0xFFFFFFFF])).tolist() == [0, 1753845952, 1734902346]


def test_dice_know_how_many_clips_they_are_for() -> None:
    assert Dice.of(0, CLIPS[:3]).size == 3
