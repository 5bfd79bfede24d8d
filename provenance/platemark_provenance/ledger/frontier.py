"""The right-hand edge of the tree: what it takes to add leaves and to tell the root.

One rule: no storage. It starts from the partial tiles it is handed and lists the tiles that it changed; reading and
writing them is its owner's business, so that every database keeps the same tree.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from platemark_provenance.errors import LedgerCorrupt
from platemark_provenance.ledger.merkle import EMPTY_ROOT, HASH_BYTES, node_hash, root_of_complete

TILE_WIDTH = 256
"""Hashes in a full tile. Source: C2SP tlog-tiles, "Merkle Tree"."""
LEVELS_A_TILE = 8

TileReader: TypeAlias = Callable[[int, int], bytes]
"""Gives the content of tile (level, index), empty where there is none."""


@dataclass(frozen=True, slots=True)
class ChangedTile:
    """A tile that has grown.

    Args:
        level: tile level; its hashes are nodes of tree level `8 * level`.
        index: its place in the level.
        content: all its hashes.
        is_new: whether it had none before.
    """

    level: int
    index: int
    content: bytes
    is_new: bool

    @property
    def width(self) -> int:
        """Count its hashes."""
        return len(self.content) // HASH_BYTES


class Frontier:
    """The edge of a tree of `size` leaves.

    Adding a leaf takes one hash of a node on average, telling the root at most one a level: complete subtrees at
    the edge are kept by their roots.

    Args:
        size: number of leaves.
        read: gives the partial tile at the end of each level; complete tiles are not asked for.

    Raises:
        LedgerCorrupt: a partial tile is missing or has not the hashes that the size asks for.
    """

    def __init__(self, size: int, read: TileReader) -> None:
        self.size = size
        self._edge: dict[int, bytearray] = {}
        self._stored: dict[int, int] = {}
        self._full: list[ChangedTile] = []
        self._peaks: list[bytes] = []
        level, count = 0, size
        while count:
            index, width = divmod(count, TILE_WIDTH)
            content = read(level, index) if width else b""
            if len(content) != width * HASH_BYTES:
                raise LedgerCorrupt(f"The ledger's tile {level}/{index} does not have the {width} hashes expected.")
            self._edge[level], self._stored[level] = bytearray(content), width
            self._peaks = _peaks(content, width) + self._peaks
            level, count = level + 1, index

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes at the end."""
        for leaf in leaves:
            self._push(0, leaf)
            root, position, level = leaf, self.size, 0
            while position & 1:
                root = node_hash(self._peaks.pop(), root)
                position, level = position >> 1, level + 1
                if level % LEVELS_A_TILE == 0:
                    self._push(level // LEVELS_A_TILE, root)
            self._peaks.append(root)
            self.size += 1

    def root(self) -> bytes:
        """Give the root of all leaves. Source: RFC 6962 section 2.1, `MTH`."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def take_changes(self) -> list[ChangedTile]:
        """List the tiles that grew since the last call, complete ones first; they count as stored from now on."""
        changes, self._full = self._full, []
        for level, content in self._edge.items():
            width = len(content) // HASH_BYTES
            if width > self._stored.get(level, 0):
                index = (self.size >> (LEVELS_A_TILE * level)) // TILE_WIDTH
                changes.append(ChangedTile(level, index, bytes(content), not self._stored.get(level, 0)))
                self._stored[level] = width
        return changes

    def _push(self, level: int, item: bytes) -> None:
        content = self._edge.setdefault(level, bytearray())
        content += item
        if len(content) == TILE_WIDTH * HASH_BYTES:
            index = (self.size >> (LEVELS_A_TILE * level)) // TILE_WIDTH
            self._full.append(ChangedTile(level, index, bytes(content), not self._stored.get(level, 0)))
            self._edge[level], self._stored[level] = bytearray(), 0


def _peaks(content: bytes, width: int) -> list[bytes]:
    """Give the roots of the complete subtrees that `width` hashes fall into, the largest first."""
    peaks: list[bytes] = []
    start = 0
    for bit in reversed(range(LEVELS_A_TILE)):
        if width >> bit & 1:
            end = start + (HASH_BYTES << bit)
            run = content[start:end]
            peaks.append(root_of_complete([run[i : i + HASH_BYTES] for i in range(0, len(run), HASH_BYTES)]))
            start = end
    return peaks
