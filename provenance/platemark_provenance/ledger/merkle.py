"""The Merkle tree behind the ledger: roots, proofs and their checks.

One rule: pure functions of bytes and numbers; no storage, no clock, no input or output.

A *node reader* gives the hash of a complete subtree: `node(level, index)` covers the leaves from
`index * 2**level` up to, not including, `(index + 1) * 2**level`; level 0 is the leaf hashes themselves.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

from platemark_provenance.errors import VerificationError

_sha256 = hashlib.sha256

NodeReader: TypeAlias = Callable[[int, int], bytes]

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves. Source: RFC 6962 section 2.1."""

LONGEST_PROOF = 64
"""A proof is at most one hash a level, and sizes stay below 2**63; bounds what a stranger can hand in."""


def leaf_hash(content: bytes) -> bytes:
    """Hash one entry. Source: RFC 6962 section 2.1, `SHA-256(0x00 || d)`."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours into their parent. Source: RFC 6962 section 2.1, `SHA-256(0x01 || l || r)`."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_complete(hashes: Sequence[bytes]) -> bytes:
    """Fold a power-of-two run of neighbouring hashes into the root of their subtree.

    Args:
        hashes: 1, 2, 4, 8 ... hashes of one level, left to right.
    """
    row = list(hashes)
    while len(row) > 1:
        neighbours = iter(row)
        # `node_hash` written out: this is half of what building a tree costs.
        row = [_sha256(b"\x01" + left + right).digest() for left, right in zip(neighbours, neighbours, strict=True)]
    return row[0]


def tree_root(size: int, node: NodeReader) -> bytes:
    """Give the root of the first `size` leaves. Source: RFC 6962 section 2.1, `MTH`."""
    return EMPTY_ROOT if size == 0 else _range_root(0, size, node)


def inclusion_proof(index: int, size: int, node: NodeReader) -> tuple[bytes, ...]:
    """List the hashes that lead from a leaf to the root, leaf's sibling first.

    Raises:
        VerificationError: the tree has no such leaf.

    Source: RFC 6962 section 2.1.1, `PATH(m, D[n])`.
    """
    if not 0 <= index < size:
        raise VerificationError(f"A tree of {size} leaves has no leaf {index}.")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            proof.append(_range_root(split, end, node))
            end = split
        else:
            proof.append(_range_root(start, split, node))
            start = split
    return tuple(reversed(proof))


def consistency_proof(old_size: int, new_size: int, node: NodeReader) -> tuple[bytes, ...]:
    """List the hashes that show the first tree to be the beginning of the second.

    Raises:
        VerificationError: the first tree is empty or larger than the second.

    Source: RFC 6962 section 2.1.2, `PROOF(m, D[n])`.
    """
    if not 0 < old_size <= new_size:
        raise VerificationError(f"A tree of {old_size} leaves cannot be the beginning of one of {new_size}.")
    proof: list[bytes] = []
    start, end, known = 0, new_size, True
    while old_size != end:
        split = start + _split(end - start)
        if old_size <= split:
            proof.append(_range_root(split, end, node))
            end = split
        else:
            proof.append(_range_root(start, split, node))
            start, known = split, False
    if not known:
        proof.append(_range_root(start, end, node))
    return tuple(reversed(proof))


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Compute the root that an inclusion proof leads to; the caller compares it with one it trusts.

    Raises:
        VerificationError: the proof has the wrong number of hashes for this leaf and size, or a hash of the
            wrong length.

    Source: RFC 9162 section 2.1.3.2 (the same trees as RFC 6962, with the check spelled out).
    """
    if not 0 <= index < size:
        raise VerificationError(f"A tree of {size} leaves has no leaf {index}.")
    _check_hashes((leaf, *proof))
    node, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise VerificationError("The inclusion proof is longer than the tree is high.")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise VerificationError("The inclusion proof is shorter than the tree is high.")
    return root


def check_consistency(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> None:
    """Check that one tree, given as size and root, is the beginning of another.

    Raises:
        VerificationError: it is not, or the proof does not show it.

    Source: RFC 9162 section 2.1.4.2.
    """
    (old_size, old_root), (new_size, new_root) = old, new
    if not 0 < old_size <= new_size:
        raise VerificationError(f"A tree of {old_size} leaves cannot be the beginning of one of {new_size}.")
    _check_hashes((old_root, new_root, *proof))
    if old_size == new_size:
        if proof or old_root != new_root:
            raise VerificationError(f"Two different trees of {old_size} leaves.")
        return
    # A tree of a power of two is a whole subtree of the larger one: its root starts both computations.
    path = (old_root, *proof) if old_size & (old_size - 1) == 0 else tuple(proof)
    if not path or _consistent_roots(old_size, new_size, path) != (old_root, new_root):
        raise VerificationError(f"The tree of {old_size} leaves is not the beginning of the tree of {new_size}.")


def _consistent_roots(old_size: int, new_size: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Give the roots of both trees that the path leads to, or None where its length cannot be right."""
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_root = new_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            old_root, new_root = node_hash(sibling, old_root), node_hash(sibling, new_root)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new_root = node_hash(new_root, sibling)
        node, last = node >> 1, last >> 1
    return (old_root, new_root) if last == 0 else None


def _split(count: int) -> int:
    """Give the largest power of two below `count` (at least 2). Source: RFC 6962 section 2.1, `k`."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_root(start: int, end: int, node: NodeReader) -> bytes:
    """Root of the leaves from `start` to `end`; `start` is a multiple of every power of two in between."""
    roots: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        roots.append(node(level, start >> level))
        start += 1 << level
    root = roots.pop()
    while roots:
        root = node_hash(roots.pop(), root)
    return root


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if len(hashes) > LONGEST_PROOF + 2:
        raise VerificationError(f"A proof holds at most {LONGEST_PROOF} hashes; this one has more.")
    if any(len(item) != HASH_BYTES for item in hashes):
        raise VerificationError(f"Every hash of a proof has {HASH_BYTES} bytes; one here has not.")
