"""The stored tree gives the same roots and proofs as the tree it stands for, at every size and across tile borders."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from platemark_provenance.errors import LedgerCorrupt
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.database import Database
from platemark_provenance.ledger.frontier import TILE_WIDTH, Frontier
from platemark_provenance.ledger.merkle import leaf_hash, root_of_complete, tree_root
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.ledger.tables import tile
from platemark_provenance.ledger.tiles import StoredTree, split_hashes

LEAVES = [leaf_hash(str(i).encode()) for i in range(1_400)]
SIZES = [1, 2, 3, 255, 256, 257, 511, 512, 513, 768, 1_000, 1_400]


def in_memory(hashes: Sequence[bytes]) -> merkle.NodeReader:
    return lambda level, index: root_of_complete(hashes[index << level : (index + 1) << level])


def extend(connection: Connection, leaves: Sequence[bytes]) -> int:
    """Add leaves as the log does, and give the new size."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    tree = StoredTree(connection)
    frontier = Frontier(tree.size(), tree.read)
    frontier.extend(leaves)
    changes = [(item.is_new, (item.width, item.content, item.level, item.index)) for item in frontier.take_changes()]
    raw.executemany(
        "INSERT INTO tile (width, hashes, level, idx) VALUES (?, ?, ?, ?)", [row for is_new, row in changes if is_new]
    )
    raw.executemany(
        "UPDATE tile SET width = ?, hashes = ? WHERE level = ? AND idx = ?",
        [row for is_new, row in changes if not is_new],
    )
    return frontier.size


@pytest.fixture
def transaction(ledger_path: Path) -> Iterator[Connection]:
    """A writing transaction on an empty ledger, thrown away at the end."""
    database = Database(ledger_path, busy_timeout_s=1)
    with database.write() as connection:
        yield connection
    database.close()


def test_an_empty_tree_has_size_zero_and_the_empty_root(transaction: Connection) -> None:
    tree = StoredTree(transaction)

    assert (tree.size(), tree.root()) == (0, merkle.EMPTY_ROOT)


@pytest.mark.parametrize("size", SIZES)
def test_a_tree_filled_at_once_has_the_root_of_its_leaves(transaction: Connection, size: int) -> None:
    tree = StoredTree(transaction)

    assert extend(transaction, LEAVES[:size]) == size
    assert tree.root() == tree_root(size, in_memory(LEAVES))


@pytest.mark.parametrize("steps", [[1] * 20, [255, 1, 1], [256, 256], [100] * 7, [3, 600, 1, 500, 7], [1_100, 300]])
def test_a_tree_filled_in_steps_is_the_tree_filled_at_once(transaction: Connection, steps: list[int]) -> None:
    starts = [sum(steps[:i]) for i in range(len(steps))]

    sizes = [extend(transaction, LEAVES[s : s + n]) for s, n in zip(starts, steps, strict=True)]

    fresh = StoredTree(transaction)
    assert sizes == [s + n for s, n in zip(starts, steps, strict=True)]
    assert (fresh.size(), fresh.root()) == (sum(steps), tree_root(sum(steps), in_memory(LEAVES)))


@pytest.mark.parametrize("size", SIZES)
def test_the_root_of_every_earlier_size_can_still_be_told(transaction: Connection, size: int) -> None:
    tree = StoredTree(transaction)
    extend(transaction, LEAVES)

    assert tree.root(size) == tree_root(size, in_memory(LEAVES))


@pytest.mark.parametrize("index", [0, 1, 254, 255, 256, 257, 511, 512, 700, 1_023, 1_024, 1_279, 1_280, 1_399])
def test_inclusion_proofs_from_tiles_lead_to_the_root(transaction: Connection, index: int) -> None:
    tree = StoredTree(transaction)
    extend(transaction, LEAVES)

    proof = merkle.inclusion_proof(index, 1_400, tree.node)

    assert merkle.root_from_inclusion(LEAVES[index], index, 1_400, proof) == tree.root()


@pytest.mark.parametrize("old", [1, 255, 256, 257, 512, 999, 1_400])
def test_consistency_proofs_from_tiles_are_accepted(transaction: Connection, old: int) -> None:
    tree = StoredTree(transaction)
    extend(transaction, LEAVES)

    proof = merkle.consistency_proof(old, 1_400, tree.node)

    merkle.check_consistency((old, tree.root(old)), (1_400, tree.root()), proof)


def test_tiles_lie_as_the_tile_log_specification_says(transaction: Connection) -> None:
    extend(transaction, LEAVES[:600])

    rows = transaction.execute(select(tile.c.level, tile.c.idx, tile.c.width).order_by(tile.c.level, tile.c.idx)).all()

    assert [tuple(row) for row in rows] == [(0, 0, 256), (0, 1, 256), (0, 2, 88), (1, 0, 2)]


def test_a_full_tile_of_the_first_level_makes_a_hash_of_the_second_at_once(transaction: Connection) -> None:
    extend(transaction, LEAVES[:256])

    above = transaction.execute(select(tile.c.hashes).where(tile.c.level == 1)).scalar_one()

    assert above == tree_root(256, in_memory(LEAVES))


def test_a_tree_of_three_tile_levels_has_the_right_root(transaction: Connection) -> None:
    many = [leaf_hash(i.to_bytes(4, "big")) for i in range(TILE_WIDTH**2 + 300)]
    tree = StoredTree(transaction)

    extend(transaction, many)

    assert tree.root() == tree_root(len(many), in_memory(many))
    assert transaction.execute(select(tile.c.level).where(tile.c.level == 2)).scalar_one() == 2


def test_extending_by_nothing_changes_nothing(transaction: Connection) -> None:
    extend(transaction, LEAVES[:10])

    assert extend(transaction, []) == 10


def test_a_missing_tile_is_noticed_when_its_hashes_are_needed(transaction: Connection) -> None:
    values = {"level": 0, "idx": 1, "width": 1, "hashes": LEAVES[0]}
    transaction.execute(insert(tile).values(**values))

    with pytest.raises(LedgerCorrupt, match="tile 1/0 is missing"):
        StoredTree(transaction).root()


def test_a_tile_above_that_is_missing_stops_an_extension(transaction: Connection) -> None:
    hashes = b"".join(LEAVES[:TILE_WIDTH])
    transaction.execute(insert(tile).values(level=0, idx=0, width=256, hashes=hashes))
    transaction.execute(insert(tile).values(level=0, idx=1, width=255, hashes=hashes[32:]))

    with pytest.raises(LedgerCorrupt, match="tile 1/0"):
        extend(transaction, LEAVES[:1])


def test_splitting_a_tile_gives_its_hashes_in_order() -> None:
    assert split_hashes(b"".join(LEAVES[:5])) == LEAVES[:5]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tile SET hashes = zeroblob(64), width = 2 WHERE level = 0",
        "UPDATE tile SET hashes = hashes WHERE level = 0",
        "UPDATE tile SET width = 0, hashes = x'' WHERE level = 0",
        "UPDATE tile SET idx = 9 WHERE level = 0",
        "UPDATE tile SET level = 3 WHERE level = 0",
        "DELETE FROM tile",
        "INSERT OR REPLACE INTO tile VALUES (0, 0, 1, zeroblob(32))",
        "REPLACE INTO tile VALUES (0, 0, 1, zeroblob(32))",
    ],
)
def test_a_tile_can_only_grow(
    transaction: Connection, ledger_path: Path, statement: str, try_sql: Callable[[str], None]
) -> None:
    extend(transaction, LEAVES[:1])
    transaction.commit()

    with pytest.raises(sqlite3.IntegrityError, match="a tile only grows at its end"):
        try_sql(statement)


def test_a_tile_may_grow_at_its_end(story: Ledger, try_sql: Callable[[str], None]) -> None:
    try_sql("UPDATE tile SET width = 8, hashes = CAST(hashes || zeroblob(32) AS BLOB) WHERE level = 0")

    assert story.head().size == 8
