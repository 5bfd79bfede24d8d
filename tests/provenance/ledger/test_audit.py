"""Whatever is changed in the database, the check finds it and names the first event and column that are wrong."""

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger.audit import LedgerReport
from platemark_provenance.ledger.checkpoint import Checkpoint, sign_checkpoint
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.ledger.tables import actor, checkpoint, event, sealed_payload, tile

Tamper = Callable[[str], None]

# Column of `event`, SQL for another value, and what the check calls it. Event 5 has a clip, an actor and a desk.
EDITS = {
    "seq": ("70", "seq"),
    "event_id": ("'019dd6c0-0000-7000-8000-000000000009'", "event_id"),
    "ts_us": ("ts_us + 1", "ts_us"),
    "type": ("'clip.withdrawn'", "type"),
    "clip": ("'clip-b'", "clip"),
    "actor": ("'p-aaaaaaaaaaaaaaaa'", "actor"),
    "desk": ("'sport'", "desk"),
    "decision": ("'allow'", "decision"),
    "model": ("'another'", "model"),
    "body": ("CAST(replace(CAST(body AS TEXT), 'a.mp4', 'b.mp4') AS BLOB)", "body"),
    "leaf": ("zeroblob(32)", "leaf"),
}


def test_an_untouched_ledger_is_sound(story: Ledger) -> None:
    report = story.verify()

    assert report == LedgerReport(
        ok=True,
        size=7,
        root=story.head().root,
        checkpoint=7,
        first_bad_seq=None,
        first_bad_column=None,
        reason=None,
    )


def test_an_empty_ledger_is_sound(ledger: Ledger) -> None:
    report = ledger.verify()

    assert (report.ok, report.size, report.checkpoint) == (True, 0, None)


def test_an_empty_ledger_that_was_signed_is_sound(ledger: Ledger) -> None:
    ledger.checkpoint()

    assert (ledger.verify().ok, ledger.verify().checkpoint) == (True, 0)


def test_a_ledger_of_several_tiles_is_sound(long_story: Ledger) -> None:
    assert (long_story.verify().ok, long_story.verify().size) == (True, 600)


def test_the_edits_below_cover_every_column_of_an_event() -> None:
    assert list(EDITS) == event.columns.keys()


@pytest.mark.parametrize(("column", "value", "named"), [(name, *edit) for name, edit in EDITS.items()])
def test_an_edit_of_any_column_is_found_and_named(
    story: Ledger, tamper: Tamper, column: str, value: str, named: str
) -> None:
    tamper(f"UPDATE event SET {column} = {value} WHERE seq = 5")

    report = story.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, 5, named)


@pytest.mark.parametrize("column", ["clip", "actor", "desk"])
def test_a_column_that_was_emptied_is_found(story: Ledger, tamper: Tamper, column: str) -> None:
    tamper(f"UPDATE event SET {column} = NULL WHERE seq = 5")

    report = story.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, 5, column)


@pytest.mark.parametrize("seq", [0, 1, 2, 3, 4, 5, 6])
def test_a_change_of_an_events_bytes_with_their_leaf_is_found(story: Ledger, tamper: Tamper, seq: int) -> None:
    tamper(
        f"UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'facts', 'fakes') AS BLOB) WHERE seq = {seq};"
        f"UPDATE event SET leaf = leaf_hash(body) WHERE seq = {seq}"
    )

    report = story.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, seq, "tile.hashes")


@pytest.mark.parametrize("seq", [0, 3, 6])
def test_a_removed_event_is_found(story: Ledger, tamper: Tamper, seq: int) -> None:
    tamper(f"DELETE FROM sealed_payload; DELETE FROM event WHERE seq = {seq}")

    report = story.verify()

    assert (report.ok, report.first_bad_seq) == (False, seq)


def test_a_removed_event_with_the_rest_moved_up_is_found(story: Ledger, tamper: Tamper) -> None:
    tamper("DELETE FROM event WHERE seq = 3; UPDATE event SET seq = seq - 1 WHERE seq > 3")

    report = story.verify()

    assert (report.ok, report.first_bad_seq) == (False, 3)


def test_two_swapped_events_are_found(story: Ledger, tamper: Tamper) -> None:
    tamper(
        "UPDATE event SET seq = 99 WHERE seq = 2; UPDATE event SET seq = 2 WHERE seq = 4;"
        "UPDATE event SET seq = 4 WHERE seq = 99"
    )

    report = story.verify()

    assert (report.ok, report.first_bad_seq) == (False, 2)


def test_an_event_put_at_the_end_past_the_program_is_found(story: Ledger, tamper: Tamper) -> None:
    tamper(
        "INSERT INTO event SELECT 7, 'x', ts_us, type, clip, actor, desk, decision, model, "
        "CAST(replace(CAST(body AS TEXT), event_id, 'x') AS BLOB), leaf FROM event WHERE seq = 3;"
        "UPDATE event SET leaf = leaf_hash(body) WHERE seq = 7"
    )

    report = story.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, 7, "tile.width")


@pytest.mark.parametrize(
    ("statement", "seq", "column"),
    [
        ("UPDATE tile SET hashes = zeroblob(224)", 0, "tile.hashes"),
        ("UPDATE tile SET hashes = CAST(substr(hashes, 1, 160) || zeroblob(64) AS BLOB)", 5, "tile.hashes"),
        ("UPDATE tile SET width = 6, hashes = substr(hashes, 1, 192)", 6, "tile.width"),
        ("UPDATE tile SET width = 8, hashes = CAST(hashes || zeroblob(32) AS BLOB)", 7, "tile.width"),
        ("UPDATE tile SET idx = 1", 0, "tile.idx"),
        ("UPDATE tile SET level = 1", 0, "tile.idx"),
        ("DELETE FROM tile", 0, "tile.idx"),
        ("INSERT INTO tile VALUES (0, 1, 1, zeroblob(32))", 7, "tile.idx"),
        ("INSERT INTO tile VALUES (1, 0, 1, zeroblob(32))", 7, "tile.idx"),
        ("INSERT INTO tile VALUES (5, 0, 1, zeroblob(32))", 7, "tile.idx"),
    ],
)
def test_a_changed_tile_is_found(story: Ledger, tamper: Tamper, statement: str, seq: int, column: str) -> None:
    tamper(statement)

    report = story.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, seq, column)


@pytest.mark.parametrize(
    ("statement", "seq", "column"),
    [
        ("UPDATE event SET desk = 'x' WHERE seq = 300", 300, "desk"),
        ("UPDATE tile SET hashes = zeroblob(8192) WHERE idx = 1 AND level = 0", 256, "tile.hashes"),
        ("UPDATE tile SET hashes = zeroblob(64) WHERE level = 1", 0, "tile.hashes"),
        (
            "UPDATE tile SET hashes = CAST(substr(hashes, 1, 32) || zeroblob(32) AS BLOB) WHERE level = 1",
            256,
            "tile.hashes",
        ),
        ("UPDATE tile SET width = 1, hashes = substr(hashes, 1, 32) WHERE level = 1", 256, "tile.width"),
        ("DELETE FROM tile WHERE level = 1", 0, "tile.idx"),
        ("DELETE FROM tile WHERE idx = 2", 512, "tile.idx"),
        ("DELETE FROM event WHERE seq = 256", 256, "seq"),
        ("DELETE FROM event WHERE seq >= 512", 512, "tile.idx"),
        ("UPDATE tile SET idx = 7 WHERE idx = 1", 256, "tile.idx"),
    ],
)
def test_a_change_beyond_the_first_tile_is_found(
    long_story: Ledger, tamper: Tamper, statement: str, seq: int, column: str
) -> None:
    tamper(statement)

    report = long_story.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, seq, column)


# The tree rebuilt over what is left: everything inside the database fits again.
CUT = "DELETE FROM event WHERE seq = 6; UPDATE tile SET width = 6, hashes = substr(hashes, 1, 192)"
FORGE = (
    "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'weather', 'politic') AS BLOB), desk = 'politic' "
    "WHERE seq = 2; UPDATE event SET leaf = leaf_hash(body) WHERE seq = 2;"
    "UPDATE tile SET hashes = CAST(substr(hashes, 1, 64) || (SELECT leaf FROM event WHERE seq = 2) || "
    "substr(hashes, 97) AS BLOB)"
)


def test_a_forged_event_with_the_tree_rebuilt_is_found_by_its_checkpoints(story: Ledger, tamper: Tamper) -> None:
    tamper(FORGE)

    report = story.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, 0, "body")
    assert report.reason == "An event from 0 to 5 is not the one that a signed checkpoint covers."


def test_a_forged_event_is_narrowed_down_to_the_checkpoints_around_it(story: Ledger, tamper: Tamper) -> None:
    tamper(
        "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'trusted', 'revoked') AS BLOB) WHERE seq = 6;"
        "UPDATE event SET leaf = leaf_hash(body) WHERE seq = 6;"
        "UPDATE tile SET hashes = CAST(substr(hashes, 1, 192) || (SELECT leaf FROM event WHERE seq = 6) AS BLOB)"
    )

    report = story.verify()

    assert (report.ok, report.first_bad_seq, report.checkpoint) == (False, 6, 6)


def test_a_forged_event_with_the_checkpoints_removed_is_found_by_the_file_outside(
    story: Ledger, tamper: Tamper
) -> None:
    tamper(FORGE + "; DELETE FROM checkpoint")

    report = story.verify()

    assert not report.ok
    assert report.reason == "An event from 0 to 6 is not the one that a checkpoint kept outside the database covers."


def test_events_cut_off_the_end_are_found_by_a_checkpoint(story: Ledger, tamper: Tamper) -> None:
    tamper(CUT)

    report = story.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, 6, "seq")
    assert report.reason == "Events from 6 on are missing: a signed checkpoint covers 7 events."


def test_events_cut_off_with_their_checkpoint_are_found_by_the_file_outside(story: Ledger, tamper: Tamper) -> None:
    tamper(CUT + "; DELETE FROM checkpoint WHERE size = 7")

    report = story.verify()

    assert (report.ok, report.first_bad_seq) == (False, 6)
    assert "kept outside the database covers 7 events" in str(report.reason)


def test_a_restored_backup_is_found_by_the_file_outside(
    url: str, settings: LedgerSettings, ledger_path: Path, tmp_path: Path
) -> None:
    with Ledger.open(url, settings=settings) as ledger:
        ledger.append(NewEvent(EventType.HOME_CREATED))
        ledger.checkpoint()
    shutil.copy(ledger_path, tmp_path / "backup.db")
    with Ledger.open(url, settings=settings) as ledger:
        ledger.append(NewEvent(EventType.CLIP_PUBLISHED, clip="clip-a"))
        ledger.checkpoint()
    shutil.copy(tmp_path / "backup.db", ledger_path)

    with Ledger.open(url, settings=settings) as ledger:
        report = ledger.verify()

    assert (report.ok, report.first_bad_seq, report.size) == (False, 1, 1)


def test_everything_rolled_back_is_found_by_a_checkpoint_somebody_kept(
    story: Ledger, tamper: Tamper, settings: LedgerSettings
) -> None:
    kept = story.checkpoint()
    tamper(CUT + "; DELETE FROM checkpoint WHERE size = 7")
    settings.state_path.unlink()

    alone, against = story.verify(), story.verify(against=kept)

    assert alone.ok
    assert (against.ok, against.first_bad_seq) == (False, 6)


def test_a_checkpoint_somebody_kept_fits_a_sound_ledger(story: Ledger) -> None:
    assert story.verify(against=story.checkpoint()).ok


def test_a_checkpoint_of_a_stranger_is_not_compared_with(story: Ledger) -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    note = sign_checkpoint(Checkpoint("news.example/provenance", 7, bytes(32)), stranger)

    with pytest.raises(VerificationError, match="not signed by the ledger's key"):
        story.verify(against=note)


@pytest.mark.parametrize(
    ("statement", "column"),
    [
        ("UPDATE checkpoint SET root = zeroblob(32) WHERE size = 7", "checkpoint.root"),
        ("UPDATE checkpoint SET size = 5 WHERE size = 7", "checkpoint.size"),
        ("UPDATE checkpoint SET note = zeroblob(100) WHERE size = 7", "checkpoint.note"),
        ("UPDATE checkpoint SET note = CAST(note || ' ' AS BLOB) WHERE size = 7", "checkpoint.note"),
    ],
)
def test_a_changed_checkpoint_is_found(story: Ledger, tamper: Tamper, statement: str, column: str) -> None:
    tamper(statement)

    report = story.verify()

    assert (report.ok, report.first_bad_column) == (False, column)


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE sealed_payload SET ciphertext = zeroblob(40)", 1),
        ("UPDATE sealed_payload SET nonce = zeroblob(12)", 1),
        ("UPDATE sealed_payload SET event_id = (SELECT event_id FROM event WHERE seq = 3)", 3),
        ("UPDATE sealed_payload SET event_id = 'nobody'", None),
    ],
)
def test_a_changed_sealed_part_is_found(story: Ledger, tamper: Tamper, statement: str, seq: int | None) -> None:
    tamper(statement)

    report = story.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, seq, "sealed_payload")


@pytest.mark.parametrize(
    "statement", ["UPDATE actor SET identity = 'somebody.else'", "UPDATE actor SET pseudonym = 'p-aaaaaaaaaaaaaaaa'"]
)
def test_an_event_blamed_on_somebody_else_is_found(story: Ledger, tamper: Tamper, statement: str) -> None:
    tamper(statement)

    report = story.verify()

    assert (report.ok, report.first_bad_column) == (False, "actor.identity")


def test_the_edits_above_cover_the_columns_of_the_other_tables() -> None:
    assert set(tile.columns.keys()) == {"level", "idx", "width", "hashes"}
    assert set(checkpoint.columns.keys()) == {"size", "root", "note"}
    assert set(sealed_payload.columns.keys()) == {"event_id", "nonce", "ciphertext"}
    assert set(actor.columns.keys()) == {"pseudonym", "identity"}


def test_guards_dropped_while_the_ledger_is_open_are_found(story: Ledger, try_sql: Tamper) -> None:
    try_sql("DROP TRIGGER event_no_update")

    report = story.verify()

    assert (report.ok, report.reason) == (False, "The ledger's append-only guards were changed: event_no_update.")


def test_bytes_that_are_no_event_at_all_are_found(story: Ledger, tamper: Tamper) -> None:
    tamper("UPDATE event SET body = x'ff', leaf = leaf_hash(x'ff') WHERE seq = 3")

    report = story.verify()

    assert (report.first_bad_seq, report.first_bad_column) == (3, "body")


def test_an_index_that_hides_an_event_is_found(story: Ledger, ledger_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(ledger_path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        # The index says that it holds other events than it does: queries by clip would miss the rest.
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX ix_event_clip ON event (clip, seq) WHERE seq < 3' "
            "WHERE name = 'ix_event_clip'"
        )
        connection.execute("PRAGMA schema_version = 999")

    report = story.verify()

    assert (report.ok, report.first_bad_seq) == (False, None)
    assert "damaged" in str(report.reason)


def test_a_page_of_noise_in_the_file_is_found(
    url: str, settings: LedgerSettings, ledger_path: Path, long_story: Ledger
) -> None:
    long_story.close()
    content = bytearray(ledger_path.read_bytes())
    start = content.index(b'"clip":"clip-300"') // 4096 * 4096
    content[start : start + 4096] = b"\xa5" * 4096
    ledger_path.write_bytes(content)

    with Ledger.open(url, settings=settings) as ledger:
        report = ledger.verify()

    assert not report.ok
    assert "damaged" in str(report.reason)


def test_a_changed_file_outside_the_database_is_found(story: Ledger, settings: LedgerSettings) -> None:
    settings.state_path.write_bytes(b"garbage")

    report = story.verify()

    assert not report.ok
    assert "signed head" in str(report.reason)


def test_a_check_changes_nothing(story: Ledger, ledger_path: Path, settings: LedgerSettings) -> None:
    with contextlib.closing(sqlite3.connect(ledger_path)) as connection:
        before = list(connection.iterdump())
        story.verify()
        after = list(connection.iterdump())

    assert before == after


def test_a_report_as_json_has_the_fields_of_the_command(story: Ledger) -> None:
    shown = story.verify().to_json()

    assert shown == {
        "ok": True,
        "size": 7,
        "root": story.head().root,
        "checkpoint": 7,
        "first_bad_seq": None,
        "first_bad_column": None,
        "reason": None,
        "checked_from": 0,
    }


# Any byte of any event's text or bytes, turned into another one: 40 draws, the same in every run.
RANDOM = random.Random(20_260_314)
BLOBS = [
    (RANDOM.randrange(7), RANDOM.choice(["body", "leaf"]), RANDOM.random(), RANDOM.randrange(1, 256)) for _ in range(40)
]


@pytest.mark.parametrize(("seq", "column", "where", "flip"), BLOBS)
def test_one_changed_byte_of_any_event_is_found(
    story: Ledger, ledger_path: Path, tamper: Tamper, seq: int, column: str, where: float, flip: int
) -> None:
    with contextlib.closing(sqlite3.connect(ledger_path)) as connection:
        row = connection.execute(f"SELECT {column} FROM event WHERE seq = {seq}").fetchone()
    changed = bytearray(row[0])
    changed[int(where * len(changed))] ^= flip

    tamper(f"UPDATE event SET {column} = x'{changed.hex()}' WHERE seq = {seq}")

    report = story.verify()
    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, seq, column)
