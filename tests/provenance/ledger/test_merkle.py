"""The tree is the one of RFC 6962: published vectors, definitions word for word, and no proof of anything else."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.merkle import (
    EMPTY_ROOT,
    LONGEST_PROOF,
    check_consistency,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of_complete,
    tree_root,
)

# The eight leaves, roots and proofs that the Certificate Transparency projects test their trees with.
CT_LEAVES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CT_CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def reader(hashes: Sequence[bytes]) -> merkle.NodeReader:
    """Read nodes of a tree whose leaf hashes lie in a list."""
    return lambda level, index: root_of_complete(hashes[index << level : (index + 1) << level])


def mth(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it stands there."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    k = largest_power_of_two_below(len(hashes))
    return node_hash(mth(hashes[:k]), mth(hashes[k:]))


def path(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1, as it stands there."""
    if len(hashes) == 1:
        return []
    k = largest_power_of_two_below(len(hashes))
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: Sequence[bytes], known: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2, as it stands there."""
    if m == len(hashes):
        return [] if known else [mth(hashes)]
    k = largest_power_of_two_below(len(hashes))
    if m <= k:
        return [*subproof(m, hashes[:k], known), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], False), mth(hashes[:k])]


def largest_power_of_two_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(i).encode()) for i in range(count)]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_certificate_transparency_vectors(size: int) -> None:
    hashes = [leaf_hash(entry) for entry in CT_LEAVES]

    assert tree_root(size, reader(hashes)).hex() == CT_ROOTS[size - 1]


def test_the_root_of_an_empty_tree_is_the_hash_of_nothing() -> None:
    assert tree_root(0, reader([])) == EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize(("index", "size", "expected"), CT_INCLUSION)
def test_inclusion_proofs_are_those_of_the_vectors(index: int, size: int, expected: list[str]) -> None:
    hashes = [leaf_hash(entry) for entry in CT_LEAVES]

    proof = inclusion_proof(index, size, reader(hashes))

    assert [item.hex() for item in proof] == expected


@pytest.mark.parametrize(("old", "new", "expected"), CT_CONSISTENCY)
def test_consistency_proofs_are_those_of_the_vectors(old: int, new: int, expected: list[str]) -> None:
    hashes = [leaf_hash(entry) for entry in CT_LEAVES]

    proof = consistency_proof(old, new, reader(hashes))

    assert [item.hex() for item in proof] == expected


def test_a_leaf_and_a_node_of_the_same_bytes_hash_differently() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")

    assert leaf_hash(left + right) != node_hash(left, right)


@given(st.integers(1, 300))
def test_roots_follow_the_definition(size: int) -> None:
    hashes = leaves(size)

    assert tree_root(size, reader(hashes)) == mth(hashes)


@given(st.data(), st.integers(1, 200))
def test_inclusion_proofs_follow_the_definition(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))

    assert list(inclusion_proof(index, size, reader(hashes))) == path(index, hashes)


@given(st.data(), st.integers(1, 200))
def test_consistency_proofs_follow_the_definition(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    old = data.draw(st.integers(1, size))

    assert list(consistency_proof(old, size, reader(hashes))) == subproof(old, hashes, True)


@given(st.data(), st.integers(1, 300))
def test_every_inclusion_proof_leads_to_the_root(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, reader(hashes))

    assert root_from_inclusion(hashes[index], index, size, proof) == mth(hashes)


@given(st.data(), st.integers(1, 300))
def test_every_consistency_proof_is_accepted(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    old = data.draw(st.integers(1, size))
    proof = consistency_proof(old, size, reader(hashes))

    check_consistency((old, mth(hashes[:old])), (size, mth(hashes)), proof)


@given(st.data(), st.integers(2, 200))
def test_an_inclusion_proof_does_not_fit_another_place(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index))
    proof = inclusion_proof(index, size, reader(hashes))

    assert _root_or_none(hashes[index], other, size, proof) != mth(hashes)


@given(st.data(), st.integers(2, 200))
def test_an_inclusion_proof_with_one_changed_bit_leads_elsewhere(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(index, size, reader(hashes)))
    place, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    changed = int.from_bytes(proof[place], "big") ^ (1 << bit)
    proof[place] = changed.to_bytes(32, "big")

    assert root_from_inclusion(hashes[index], index, size, proof) != mth(hashes)


@given(st.data(), st.integers(1, 200))
def test_an_inclusion_proof_of_the_wrong_length_is_refused(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, reader(hashes))

    with pytest.raises(VerificationError, match="longer"):
        root_from_inclusion(hashes[index], index, size, (*proof, hashes[0]))


@given(st.data(), st.integers(2, 200))
def test_an_inclusion_proof_cut_short_is_refused(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, reader(hashes))

    with pytest.raises(VerificationError, match="shorter"):
        root_from_inclusion(hashes[index], index, size, proof[:-1])


@given(st.data(), st.integers(2, 120))
def test_two_trees_that_differ_are_not_consistent(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    old = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, old - 1))
    proof = consistency_proof(old, size, reader(hashes))
    other = [*hashes[:changed], leaf_hash(b"forged"), *hashes[changed + 1 :]]

    with pytest.raises(VerificationError):
        check_consistency((old, mth(other[:old])), (size, mth(hashes)), proof)


@given(st.data(), st.integers(2, 120))
def test_a_forged_new_tree_is_not_consistent(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    other = [*hashes[:changed], leaf_hash(b"forged"), *hashes[changed + 1 :]]
    proof = consistency_proof(old, size, reader(other))

    with pytest.raises(VerificationError):
        check_consistency((old, mth(hashes[:old])), (size, mth(other)), proof)


@given(st.data(), st.integers(2, 120))
def test_a_consistency_proof_with_a_hash_missing_is_refused(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    old = data.draw(st.integers(1, size - 1))
    proof = consistency_proof(old, size, reader(hashes))

    with pytest.raises(VerificationError):
        check_consistency((old, mth(hashes[:old])), (size, mth(hashes)), proof[:-1])


@given(st.data(), st.integers(2, 120))
def test_a_consistency_proof_with_a_hash_too_many_is_refused(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    old = data.draw(st.integers(1, size - 1))
    proof = consistency_proof(old, size, reader(hashes))

    with pytest.raises(VerificationError):
        check_consistency((old, mth(hashes[:old])), (size, mth(hashes)), (*proof, hashes[0]))


@given(st.integers(1, 200), st.integers(1, 200), st.lists(st.binary(min_size=32, max_size=32), max_size=9))
def test_random_hashes_prove_nothing(old: int, new: int, proof: list[bytes]) -> None:
    assume(old < new)
    hashes = leaves(new)

    with pytest.raises(VerificationError):
        check_consistency((old, leaf_hash(b"forged")), (new, mth(hashes)), proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0), (7, 3)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(VerificationError, match="no leaf"):
        inclusion_proof(index, size, reader(leaves(8)))


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_a_leaf_outside_the_tree_is_not_looked_for(index: int, size: int) -> None:
    with pytest.raises(VerificationError, match="no leaf"):
        root_from_inclusion(leaf_hash(b""), index, size, [])


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_a_tree_is_not_the_beginning_of_a_smaller_one(old: int, new: int) -> None:
    with pytest.raises(VerificationError, match="cannot be the beginning"):
        consistency_proof(old, new, reader(leaves(8)))


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3)])
def test_impossible_sizes_are_refused_before_any_hash(old: int, new: int) -> None:
    with pytest.raises(VerificationError, match="cannot be the beginning"):
        check_consistency((old, EMPTY_ROOT), (new, EMPTY_ROOT), [])


def test_two_roots_of_one_size_are_called_different_trees() -> None:
    with pytest.raises(VerificationError, match="Two different trees of 3"):
        check_consistency((3, leaf_hash(b"a")), (3, leaf_hash(b"b")), [])


def test_equal_trees_need_no_proof_and_take_none() -> None:
    root = mth(leaves(3))

    with pytest.raises(VerificationError):
        check_consistency((3, root), (3, root), [root])


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_hash_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(VerificationError, match="32 bytes"):
        root_from_inclusion(leaf_hash(b"a"), 0, 2, [b"x" * length])


def test_a_proof_longer_than_any_tree_is_refused_at_once() -> None:
    with pytest.raises(VerificationError, match="at most"):
        root_from_inclusion(leaf_hash(b"a"), 0, 2, [leaf_hash(b"b")] * (LONGEST_PROOF + 2))


def _root_or_none(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    try:
        return root_from_inclusion(leaf, index, size, proof)
    except VerificationError:
        return None
