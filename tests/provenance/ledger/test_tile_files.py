"""The log as C2SP tiles: the names and bytes that other tools expect, written bit by bit, and a witness of its own."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.errors import LedgerCorrupt, LedgerUnavailable, VerificationError
from platemark_provenance.ledger.checkpoint import open_checkpoint
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.merkle import leaf_hash, root_of_complete, tree_root
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.ledger.tile_files import ENTRIES, TileCopy, read_copy, tile_path

EVENT = NewEvent(EventType.CLIP_VERIFIED, clip="late")


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 5, 17, "tile/0/005.p/17"),
        (1, 1_000, 256, "tile/1/x001/000"),
        (3, 1_234_067, 256, "tile/3/x001/x234/067"),
        (ENTRIES, 999, 1, "tile/entries/999.p/1"),
    ],
)
def test_files_have_the_names_of_the_specification(level: int | str, index: int, width: int, path: str) -> None:
    assert tile_path(level, index, width) == Path(path)


def test_a_copy_holds_hashes_entries_and_the_checkpoint(long_story: Ledger, tmp_path: Path) -> None:
    copy = long_story.copy_tiles(tmp_path / "copy")

    assert copy == TileCopy(600, 600, 8)
    assert names(tmp_path / "copy") == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]


def test_its_tiles_are_the_tree_that_its_checkpoint_signs(long_story: Ledger, tmp_path: Path) -> None:
    long_story.copy_tiles(tmp_path)

    signed = open_checkpoint((tmp_path / "checkpoint").read_bytes(), long_story.public_key)
    content = b"".join((tmp_path / f"tile/0/{name}").read_bytes() for name in ("000", "001", "002.p/88"))
    hashes = [content[i : i + 32] for i in range(0, len(content), 32)]
    above = (tmp_path / "tile/1/000.p/2").read_bytes()
    assert tree_root(600, lambda level, i: root_of_complete(hashes[i << level : (i + 1) << level])) == signed.root
    assert above == root_of_complete(hashes[:256]) + root_of_complete(hashes[256:512])


def test_its_entries_are_the_stored_bytes(long_story: Ledger, tmp_path: Path) -> None:
    long_story.copy_tiles(tmp_path)

    bundle = (tmp_path / "tile/entries/000").read_bytes()
    first = next(long_story.query(order="oldest")).body
    assert bundle.startswith(len(first).to_bytes(2, "big") + first)
    assert (tmp_path / "tile/0/000").read_bytes()[:32] == leaf_hash(first)


def test_a_second_time_only_what_is_new_is_written(long_story: Ledger, tmp_path: Path) -> None:
    long_story.copy_tiles(tmp_path)
    old = (tmp_path / "tile/entries/001").stat().st_mtime_ns
    long_story.append_all([EVENT] * 200)

    copy = long_story.copy_tiles(tmp_path)

    assert (copy.size, copy.added) == (800, 200)
    assert (tmp_path / "tile/entries/001").stat().st_mtime_ns == old
    assert {"tile/0/002", "tile/0/003.p/32", "tile/1/000.p/3"} < set(names(tmp_path))
    assert long_story.verify_copy(tmp_path).ok


def test_a_copy_that_is_up_to_date_is_left_alone(long_story: Ledger, tmp_path: Path) -> None:
    long_story.copy_tiles(tmp_path)

    assert long_story.copy_tiles(tmp_path) == TileCopy(600, 0, 0)


def test_a_copy_that_was_broken_off_is_the_older_copy_and_is_finished(long_story: Ledger, tmp_path: Path) -> None:
    long_story.copy_tiles(tmp_path)
    note = (tmp_path / "checkpoint").read_bytes()
    long_story.append_all([EVENT] * 200)
    long_story.copy_tiles(tmp_path)
    (tmp_path / "checkpoint").write_bytes(note)
    (tmp_path / "tile/entries/003.p/32").unlink()

    assert long_story.verify_copy(tmp_path).ok
    assert long_story.copy_tiles(tmp_path).added == 200


def test_an_empty_log_has_a_checkpoint_only(ledger: Ledger, tmp_path: Path) -> None:
    ledger.copy_tiles(tmp_path / "copy")

    assert names(tmp_path / "copy") == ["checkpoint"]
    assert ledger.verify_copy(tmp_path / "copy").ok


def test_a_log_that_was_put_back_with_its_state_is_found_by_its_copy(
    long_story: Ledger, settings: LedgerSettings, url: str, ledger_path: Path, told_at_length: Path, tmp_path: Path
) -> None:
    long_story.append_all([EVENT] * 10)
    long_story.copy_tiles(tmp_path / "copy")
    long_story.close()
    (tmp_path / "ledger.db-wal").unlink(missing_ok=True)
    shutil.copy2(told_at_length / "ledger.db", ledger_path)
    shutil.copy2(told_at_length / "signed-head", settings.state_path)

    with Ledger.open(url, settings=settings) as back:
        report = back.verify_copy(tmp_path / "copy")
        with pytest.raises(LedgerCorrupt, match="610 signed events"):
            back.copy_tiles(tmp_path / "copy")
        assert back.verify().ok

    assert (report.ok, report.first_bad_seq) == (False, 600)


def test_a_history_that_was_written_anew_is_named_at_its_first_event(
    story: Ledger, settings: LedgerSettings, tamper: Callable[[str], None], tmp_path: Path
) -> None:
    story.copy_tiles(tmp_path / "copy")
    tamper(
        "UPDATE event SET body = CAST(replace(body, 'clip-a', 'clip-b') AS BLOB), clip = 'clip-b' WHERE seq = 3; "
        "UPDATE event SET leaf = leaf_hash(body); DELETE FROM checkpoint; SELECT 1"
    )
    settings.state_path.unlink()

    report = story.verify_copy(tmp_path / "copy")

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, 3, "body")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00", b"\xff\xff{}", b"\x00\x00" * 257, b"\x00\x00" * 256],
    ids=["empty", "half a length", "shorter than it says", "too many", "others"],
)
def test_a_copy_that_is_not_what_was_signed_proves_nothing(long_story: Ledger, tmp_path: Path, content: bytes) -> None:
    long_story.copy_tiles(tmp_path)
    (tmp_path / "tile/entries/001").write_bytes(content)

    with pytest.raises(VerificationError, match="entries"):
        long_story.verify_copy(tmp_path)


def test_a_copy_with_a_file_missing_proves_nothing(long_story: Ledger, tmp_path: Path) -> None:
    long_story.copy_tiles(tmp_path)
    (tmp_path / "tile/entries/001").unlink()

    with pytest.raises(VerificationError, match="tile/entries/001 cannot be read"):
        long_story.verify_copy(tmp_path)


def test_a_folder_without_a_checkpoint_is_no_copy(long_story: Ledger, tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="no checkpoint"):
        long_story.verify_copy(tmp_path)


def test_a_copy_of_another_log_is_not_written_to(long_story: Ledger, url: str, tmp_path: Path) -> None:
    long_story.copy_tiles(tmp_path / "copy")
    before = names(tmp_path / "copy")
    long_story.append(EVENT)

    (tmp_path / "copy/checkpoint").write_bytes(b"another.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")

    with pytest.raises(VerificationError):
        long_story.copy_tiles(tmp_path / "copy")
    assert names(tmp_path / "copy") == before


def test_a_copy_under_another_key_is_refused(long_story: Ledger, settings: LedgerSettings, tmp_path: Path) -> None:
    long_story.copy_tiles(tmp_path)
    other = replace(settings, signing_key=Ed25519PrivateKey.generate(), state_path=tmp_path / "state")
    signed = open_checkpoint((tmp_path / "checkpoint").read_bytes(), long_story.public_key)

    with pytest.raises(VerificationError, match="not signed by"):
        open_checkpoint((tmp_path / "checkpoint").read_bytes(), other.signing_key.public_key())
    assert sum(len(bodies) for bodies in read_copy(tmp_path, signed)) == 600


def test_a_place_that_is_a_file_is_unavailable(long_story: Ledger, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("a file")

    with pytest.raises(LedgerUnavailable, match="cannot be written"):
        long_story.copy_tiles(tmp_path / "copy")
