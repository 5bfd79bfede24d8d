"""A check that begins at an earlier checkpoint: quicker, and strict about everything after it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger.checkpoint import Checkpoint, sign_checkpoint
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.merkle import EMPTY_ROOT, leaf_hash, root_of_complete, tree_root
from platemark_provenance.ledger.store import Ledger, LedgerSettings

EVENT = NewEvent(EventType.CLIP_VERIFIED, clip="late", sealed={"prompt": "rain"})


def test_it_begins_at_the_tile_the_checkpoint_ends_in(long_story: Ledger) -> None:
    note = long_story.checkpoint()
    long_story.append_all([EVENT] * 300)

    report = long_story.verify(since=note)

    assert (report.ok, report.size, report.checked_from) == (True, 900, 512)
    assert report.root == long_story.head().root == long_story.verify().root


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 600])
def test_it_may_begin_at_any_size(long_story: Ledger, settings: LedgerSettings, size: int) -> None:
    root = EMPTY_ROOT if size == 0 else _root(long_story, size)
    note = sign_checkpoint(Checkpoint(settings.origin, size, root), settings.signing_key)

    report = long_story.verify(since=note)

    assert (report.ok, report.checked_from) == (True, size - size % 256)


@pytest.mark.parametrize(
    ("sql", "seq", "column"),
    [
        ("UPDATE event SET clip = 'other' WHERE seq = 700", 700, "clip"),
        ("UPDATE event SET ts_us = ts_us + 1 WHERE seq = 599", 599, "ts_us"),
        ("UPDATE event SET body = CAST(replace(body, 'late', 'last') AS BLOB) WHERE seq = 700", 700, "body"),
        ("UPDATE event SET leaf = zeroblob(32) WHERE seq = 700", 700, "leaf"),
        ("UPDATE sealed_payload SET nonce = zeroblob(12) WHERE event_id = (SELECT event_id FROM event WHERE seq = 700)",
         700, "sealed_payload"),
        ("UPDATE tile SET hashes = zeroblob(width * 32) WHERE level = 0 AND idx = 3", 768, "tile.hashes"),
        ("UPDATE tile SET hashes = CAST(substr(hashes, 1, 64) || zeroblob(32) AS BLOB) WHERE level = 1",
         512, "tile.hashes"),
        ("DELETE FROM tile WHERE level = 0 AND idx = 3", 768, "tile.idx"),
        ("DELETE FROM event WHERE seq = 700", 700, "seq"),
    ],
)  # fmt: skip
def test_what_was_changed_after_it_is_named(
    long_story: Ledger, tamper: Callable[[str], None], sql: str, seq: int, column: str
) -> None:
    note = long_story.checkpoint()
    long_story.append_all([replace(EVENT, sealed={"prompt": f"rain {n}"}) for n in range(300)])
    tamper(sql)

    report = long_story.verify(since=note)

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, seq, column)


def test_tiles_changed_before_it_are_found_through_its_root(long_story: Ledger, tamper: Callable[[str], None]) -> None:
    note = long_story.checkpoint()
    tamper("UPDATE tile SET hashes = zeroblob(64) WHERE level = 1")

    report = long_story.verify(since=note)

    assert (report.ok, report.first_bad_column) == (False, "tile.hashes")


def test_a_body_changed_before_it_is_left_to_a_full_check(long_story: Ledger, tamper: Callable[[str], None]) -> None:
    note = long_story.checkpoint()
    tamper("UPDATE event SET clip = 'other' WHERE seq = 5")

    assert long_story.verify(since=note).ok
    assert long_story.verify().first_bad_seq == 5


def test_a_log_cut_below_it_is_too_short(long_story: Ledger, settings: LedgerSettings) -> None:
    note = sign_checkpoint(Checkpoint(settings.origin, 601, bytes(32)), settings.signing_key)

    report = long_story.verify(since=note)

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, 600, "seq")


def test_another_log_of_the_same_length_is_not_its_continuation(long_story: Ledger, settings: LedgerSettings) -> None:
    note = sign_checkpoint(Checkpoint(settings.origin, 600, bytes(32)), settings.signing_key)

    assert long_story.verify(since=note).first_bad_column == "tile.hashes"


def test_a_note_that_the_log_did_not_sign_is_refused(long_story: Ledger) -> None:
    with pytest.raises(VerificationError):
        long_story.verify(since=b"news.example/provenance\n600\n")


@pytest.mark.parametrize("body", ["not json", "[]", "1", '{"v":1}', '{"v":1} x'])
def test_bytes_that_are_no_event_are_named_even_where_leaf_and_tree_fit(
    story: Ledger, tamper: Callable[[str], None], body: str
) -> None:
    tamper(f"UPDATE event SET body = CAST('{body}' AS BLOB) WHERE seq = 3; UPDATE event SET leaf = leaf_hash(body)")

    report = story.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, 3, "body")


def _root(ledger: Ledger, size: int) -> bytes:
    hashes = [leaf_hash(event.body) for event in ledger.query(order="oldest")]
    return tree_root(size, lambda level, i: root_of_complete(hashes[i << level : (i + 1) << level]))
