"""The Merkle tree as stored: rows of up to 256 hashes that only grow.

One rule: a tree belongs to one transaction; it reads each tile at most once and keeps nothing for the next.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from platemark_provenance.errors import LedgerCorrupt
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.tables import tile

TILE_WIDTH = 256
"""Hashes in a full tile. Source: C2SP tlog-tiles, "Merkle Tree"."""
_LEVELS_A_TILE = 8


class StoredTree:
    """The tree inside one transaction.

    Args:
        connection: the transaction; one that may write where `extend` is used.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tiles: dict[tuple[int, int], bytes] = {}

    def size(self) -> int:
        """Count the leaves."""
        last = self._connection.execute(
            select(tile.c.idx, tile.c.width).where(tile.c.level == 0).order_by(tile.c.idx.desc()).limit(1)
        ).first()
        return 0 if last is None else int(last.idx) * TILE_WIDTH + int(last.width)

    def extend(self, leaves: Sequence[bytes]) -> int:
        """Add leaf hashes at the end, complete the tiles above, and give the new size.

        Raises:
            LedgerCorrupt: the stored tiles do not fit together.
        """
        size = self.size()
        level, hashes = 0, list(leaves)
        while hashes:
            hashes = self._extend_level(level, size >> (_LEVELS_A_TILE * level), hashes)
            level += 1
        return size + len(leaves)

    def root(self, size: int | None = None) -> bytes:
        """Give the root of the first `size` leaves, of all by default.

        Raises:
            LedgerCorrupt: a tile is missing or short.
        """
        return merkle.tree_root(self.size() if size is None else size, self.node)

    def node(self, level: int, index: int) -> bytes:
        """Give the hash of a complete subtree; see `merkle.NodeReader`.

        Raises:
            LedgerCorrupt: a tile is missing or short.
        """
        tile_level, inner = divmod(level, _LEVELS_A_TILE)
        start = index << inner
        tile_index, offset = divmod(start, TILE_WIDTH)
        content = self._read(tile_level, tile_index)
        count = 1 << inner
        if len(content) < (offset + count) * merkle.HASH_BYTES:
            raise LedgerCorrupt(f"The ledger's tile {tile_level}/{tile_index} is missing or too short.")
        return merkle.root_of_complete(split_hashes(content)[offset : offset + count])

    def _extend_level(self, level: int, count: int, hashes: list[bytes]) -> list[bytes]:
        """Add hashes after the first `count` of a level; give the roots of the tiles that this completes."""
        completed: list[bytes] = []
        while hashes:
            index, offset = divmod(count, TILE_WIDTH)
            before = self._read(level, index) if offset else b""
            if len(before) != offset * merkle.HASH_BYTES:
                raise LedgerCorrupt(f"The ledger's tile {level}/{index} does not have the {offset} hashes expected.")
            added, hashes = hashes[: TILE_WIDTH - offset], hashes[TILE_WIDTH - offset :]
            content = before + b"".join(added)
            self._write(level, index, content)
            count += len(added)
            if count % TILE_WIDTH == 0:
                completed.append(merkle.root_of_complete(split_hashes(content)))
        return completed

    def _read(self, level: int, index: int) -> bytes:
        key = (level, index)
        if key not in self._tiles:
            row = self._connection.execute(
                select(tile.c.hashes).where(tile.c.level == level, tile.c.idx == index)
            ).first()
            self._tiles[key] = b"" if row is None else bytes(row.hashes)
        return self._tiles[key]

    def _write(self, level: int, index: int, content: bytes) -> None:
        width = len(content) // merkle.HASH_BYTES
        changed = self._connection.execute(
            update(tile).where(tile.c.level == level, tile.c.idx == index).values(width=width, hashes=content)
        )
        if changed.rowcount == 0:
            self._connection.execute(insert(tile).values(level=level, idx=index, width=width, hashes=content))
        self._tiles[level, index] = content


def split_hashes(content: bytes) -> list[bytes]:
    """Cut the content of a tile into its hashes."""
    return [content[i : i + merkle.HASH_BYTES] for i in range(0, len(content), merkle.HASH_BYTES)]
