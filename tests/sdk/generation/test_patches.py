"""Cutting and joining lose nothing, at any size."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.generation.patches import (
    grid_side,
    group_frames,
    pad_to_multiple,
    patchify,
    ungroup_frames,
    unpatchify,
)

SIDES = st.integers(1, 9)


@settings(max_examples=60, deadline=None)
@given(b=st.integers(1, 2), t=st.integers(1, 4), h=SIDES, w=SIDES, c=st.integers(1, 3), patch=st.integers(1, 4))
def test_unpatchify_undoes_patchify_at_every_size(b: int, t: int, h: int, w: int, c: int, patch: int) -> None:
    latents = torch.randn(b, t, h, w, c)

    joined = unpatchify(patchify(latents, patch=patch), patch=patch, height=h, width=w)

    assert torch.equal(joined, latents)


@pytest.mark.parametrize(
    ("height", "width", "tokens"),
    [(8, 8, 16), (7, 9, 4 * 5), (1, 1, 1), (2, 5, 3)],
)
def test_a_side_that_does_not_divide_gets_one_more_token(height: int, width: int, tokens: int) -> None:
    latents = torch.zeros(1, 3, height, width, 5)

    cut = patchify(latents, patch=2)

    assert cut.shape == (1, 3, tokens, 2 * 2 * 5)


def test_a_token_holds_the_positions_of_its_square() -> None:
    latents = torch.arange(16.0).reshape(1, 1, 4, 4, 1)

    tokens = patchify(latents, patch=2)

    assert tokens[0, 0, 0].tolist() == [0, 1, 4, 5]
    assert tokens[0, 0, 3].tolist() == [10, 11, 14, 15]


def test_padding_of_an_odd_side_is_zero() -> None:
    latents = torch.ones(1, 1, 1, 3, 1)

    tokens = patchify(latents, patch=2)

    assert tokens[0, 0, 1].tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(("side", "patch", "count"), [(8, 2, 4), (9, 2, 5), (1, 4, 1), (12, 5, 3)])
def test_the_grid_covers_the_whole_side(side: int, patch: int, count: int) -> None:
    assert grid_side(side, patch) == count


@settings(max_examples=60, deadline=None)
@given(t=st.integers(1, 11), group=st.integers(1, 5), h=st.integers(1, 3), w=st.integers(1, 3))
def test_ungrouping_undoes_grouping_at_every_length(t: int, group: int, h: int, w: int) -> None:
    video = torch.randn(2, t, h, w, 3)

    joined = ungroup_frames(group_frames(video, group=group), frames=t)

    assert torch.equal(joined, video)


@pytest.mark.parametrize(("frames", "groups"), [(1, 1), (2, 2), (5, 2), (17, 5)])
def test_a_clip_has_one_group_for_its_first_frame(frames: int, groups: int) -> None:
    video = torch.zeros(1, frames, 2, 2, 3)

    grouped = group_frames(video, group=4)

    assert grouped.shape == (1, groups, 4, 2, 2, 3)


def test_the_first_group_is_the_first_frame_repeated() -> None:
    video = torch.arange(5.0).reshape(1, 5, 1, 1, 1)

    grouped = group_frames(video, group=4)

    assert grouped[0, 0].flatten().tolist() == [0, 0, 0, 0]
    assert grouped[0, 1].flatten().tolist() == [1, 2, 3, 4]


def test_a_last_group_that_is_not_full_repeats_the_last_frame() -> None:
    video = torch.arange(3.0).reshape(1, 3, 1, 1, 1)

    grouped = group_frames(video, group=4)

    assert grouped[0, 1].flatten().tolist() == [1, 2, 2, 2]


@pytest.mark.parametrize(
    ("height", "width", "padded"),
    [(8, 8, (8, 8)), (9, 15, (16, 16)), (1, 17, (8, 24))],
)
def test_sides_are_padded_to_the_next_multiple(height: int, width: int, padded: tuple[int, int]) -> None:
    video = torch.zeros(1, 2, height, width, 3)

    result = pad_to_multiple(video, multiple=8)

    assert result.shape == (1, 2, *padded, 3)


def test_padding_repeats_the_last_row_and_column() -> None:
    video = torch.arange(4.0).reshape(1, 1, 2, 2, 1)

    result = pad_to_multiple(video, multiple=3)[0, 0, :, :, 0]

    assert result.tolist() == [[0, 1, 1], [2, 3, 3], [2, 3, 3]]
