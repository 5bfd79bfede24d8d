"""The edge of the tree, however it is cut and read again, gives the roots and tiles of the whole tree."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark_provenance.errors import LedgerCorrupt
from platemark_provenance.ledger.frontier import TILE_WIDTH, ChangedTile, Frontier
from platemark_provenance.ledger.merkle import EMPTY_ROOT, leaf_hash, root_of_complete, tree_root

LEAVES = [leaf_hash(n.to_bytes(4, "big")) for n in range(3_000)]


def nothing(level: int, index: int) -> bytes:
    raise AssertionError(f"tile {level}/{index} was read")


def expected_root(size: int) -> bytes:
    return tree_root(size, lambda level, i: root_of_complete(LEAVES[i << level : (i + 1) << level]))


def stored(changes: Sequence[ChangedTile]) -> dict[tuple[int, int], bytes]:
    return {(tile.level, tile.index): tile.content for tile in changes}


def test_an_empty_edge_reads_nothing_and_has_the_empty_root() -> None:
    assert Frontier(0, nothing).root() == EMPTY_ROOT


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2_000), st.integers(0, 1_000))
def test_an_edge_read_again_goes_on_as_if_it_had_never_been_away(first: int, more: int) -> None:
    whole = Frontier(0, nothing)
    whole.extend(LEAVES[:first])
    tiles = stored(whole.take_changes())

    again = Frontier(first, lambda level, index: tiles[level, index])
    again.extend(LEAVES[first : first + more])

    assert (again.size, again.root()) == (first + more, expected_root(first + more))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=4))
def test_tiles_hold_every_hash_of_their_level_in_order(steps: list[int]) -> None:
    edge, tiles = Frontier(0, nothing), dict[tuple[int, int], bytes]()
    position = 0
    for step in steps:
        edge.extend(LEAVES[position : position + step])
        tiles |= stored(edge.take_changes())
        position += step

    level_0 = b"".join(tiles[key] for key in sorted(tiles) if key[0] == 0)
    level_1 = b"".join(tiles[key] for key in sorted(tiles) if key[0] == 1)

    assert level_0 == b"".join(LEAVES[:position])
    assert level_1 == b"".join(
        root_of_complete(LEAVES[start : start + TILE_WIDTH])
        for start in range(0, position - position % TILE_WIDTH, TILE_WIDTH)
    )


def test_a_tile_is_new_once_and_grows_after_that() -> None:
    edge = Frontier(0, nothing)
    edge.extend(LEAVES[:10])
    first = edge.take_changes()
    edge.extend(LEAVES[10:20])
    second = edge.take_changes()

    assert [(tile.is_new, tile.width) for tile in first] == [(True, 10)]
    assert [(tile.is_new, tile.width) for tile in second] == [(False, 20)]


def test_a_tile_that_was_filled_and_begun_again_in_one_go_is_two_changes() -> None:
    edge = Frontier(0, nothing)
    edge.extend(LEAVES[:200])
    edge.take_changes()
    edge.extend(LEAVES[200:300])

    changes = [(tile.level, tile.index, tile.width, tile.is_new) for tile in edge.take_changes()]

    assert changes == [(0, 0, 256, False), (0, 1, 44, True), (1, 0, 1, True)]


def test_nothing_added_is_nothing_changed() -> None:
    edge = Frontier(0, nothing)
    edge.extend(LEAVES[:256])
    edge.take_changes()

    assert edge.take_changes() == []


@pytest.mark.parametrize("content", [b"", LEAVES[0], b"".join(LEAVES[:4]), b"".join(LEAVES[:3])[:-1]])
def test_a_partial_tile_that_has_not_what_the_size_asks_for_is_refused(content: bytes) -> None:
    with pytest.raises(LedgerCorrupt, match="tile 0/0 does not have the 3 hashes expected"):
        Frontier(3, lambda level, index: content)
