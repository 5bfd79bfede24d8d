"""The Merkle tree as stored, for reading: rows of up to 256 hashes that only grow.

One rule: a tree belongs to one transaction; it reads each tile at most once and keeps nothing for the next.
"""

from sqlalchemy import Connection, bindparam, select

from platemark_provenance.errors import LedgerCorrupt
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.frontier import LEVELS_A_TILE, TILE_WIDTH
from platemark_provenance.ledger.tables import tile

_HASHES = select(tile.c.hashes).where(tile.c.level == bindparam("level"), tile.c.idx == bindparam("idx"))


class StoredTree:
    """The tree inside one transaction.

    Args:
        connection: the transaction.
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
        tile_level, inner = divmod(level, LEVELS_A_TILE)
        start = index << inner
        tile_index, offset = divmod(start, TILE_WIDTH)
        content = self.read(tile_level, tile_index)
        count = 1 << inner
        if len(content) < (offset + count) * merkle.HASH_BYTES:
            raise LedgerCorrupt(f"The ledger's tile {tile_level}/{tile_index} is missing or too short.")
        wanted = content[offset * merkle.HASH_BYTES : (offset + count) * merkle.HASH_BYTES]
        return wanted if count == 1 else merkle.root_of_complete(split_hashes(wanted))

    def read(self, level: int, index: int) -> bytes:
        """Give the hashes of a tile as they are stored, empty where there is none."""
        key = (level, index)
        if key not in self._tiles:
            found = self._connection.execute(_HASHES, {"level": level, "idx": index}).scalar()
            self._tiles[key] = b"" if found is None else bytes(found)
        return self._tiles[key]


def split_hashes(content: bytes) -> list[bytes]:
    """Cut the content of a tile into its hashes."""
    return [content[i : i + merkle.HASH_BYTES] for i in range(0, len(content), merkle.HASH_BYTES)]
