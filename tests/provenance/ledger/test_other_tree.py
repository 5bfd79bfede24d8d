"""Another implementation of the same trees, written by others, computes the same roots and accepts our proofs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.frontier import Frontier
from platemark_provenance.ledger.merkle import leaf_hash, root_of_complete


def reader(entries: list[bytes]) -> merkle.NodeReader:
    hashes = [leaf_hash(entry) for entry in entries]
    return lambda level, index: root_of_complete(hashes[index << level : (index + 1) << level])


def their_tree(entries: list[bytes]) -> InmemoryTree:
    return InmemoryTree.init_from_entries(entries, algorithm="sha256")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=20), min_size=1, max_size=300))
def test_both_compute_the_same_root_at_once_and_step_by_step(entries: list[bytes]) -> None:
    edge = Frontier(0, lambda level, index: b"")
    edge.extend([leaf_hash(entry) for entry in entries])

    theirs = their_tree(entries).get_root()

    assert edge.root() == merkle.tree_root(len(entries), reader(entries)) == theirs


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=8), min_size=2, max_size=200), st.data())
def test_both_agree_on_the_root_of_every_beginning(entries: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(entries)))

    assert their_tree(entries).get_root(size) == merkle.tree_root(size, reader(entries))


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 300])
def test_a_changed_entry_is_another_root_for_both(size: int) -> None:
    entries = [bytes([n % 256, n // 256]) for n in range(size)]
    changed = [*entries[:-1], b"another"]

    ours = [merkle.tree_root(size, reader(each)) for each in (entries, changed)]
    theirs = [their_tree(each).get_root() for each in (entries, changed)]

    assert ours == theirs
    assert ours[0] != ours[1]
