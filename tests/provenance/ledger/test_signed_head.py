"""The file beside the database keeps the highest signed head, whole or not at all."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.errors import LedgerCorrupt, LedgerUnavailable
from platemark_provenance.ledger.checkpoint import Checkpoint, sign_checkpoint
from platemark_provenance.ledger.signed_head import read_signed_head, write_signed_head

ORIGIN = "news.example/provenance"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
HEAD = Checkpoint(ORIGIN, 5, bytes(32))
NOTE = sign_checkpoint(HEAD, KEY)


def test_a_head_that_was_written_reads_back(tmp_path: Path) -> None:
    write_signed_head(tmp_path / "head", NOTE)

    assert read_signed_head(tmp_path / "head", KEY.public_key(), origin=ORIGIN) == HEAD


def test_before_the_first_signature_there_is_no_head(tmp_path: Path) -> None:
    assert read_signed_head(tmp_path / "head", KEY.public_key(), origin=ORIGIN) is None


def test_writing_replaces_the_file_and_leaves_no_other(tmp_path: Path) -> None:
    write_signed_head(tmp_path / "head", NOTE)
    later = sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), KEY)

    write_signed_head(tmp_path / "head", later)

    assert [path.name for path in tmp_path.iterdir()] == ["head"]
    assert (tmp_path / "head").read_bytes() == later


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    write_signed_head(tmp_path / "head", NOTE)

    assert (tmp_path / "head").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"garbage", NOTE[:-5], NOTE.replace(b"5", b"6", 1), NOTE + b"x" * 70_000])
def test_a_file_that_was_changed_is_called_corrupt(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head").write_bytes(content)

    with pytest.raises(LedgerCorrupt, match="not one that this ledger signed"):
        read_signed_head(tmp_path / "head", KEY.public_key(), origin=ORIGIN)


def test_the_head_of_another_log_is_called_corrupt(tmp_path: Path) -> None:
    write_signed_head(tmp_path / "head", sign_checkpoint(Checkpoint("other", 5, bytes(32)), KEY))

    with pytest.raises(LedgerCorrupt):
        read_signed_head(tmp_path / "head", KEY.public_key(), origin=ORIGIN)


def test_a_directory_in_its_place_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "head").mkdir()

    with pytest.raises(LedgerUnavailable, match="cannot be read"):
        read_signed_head(tmp_path / "head", KEY.public_key(), origin=ORIGIN)


def test_a_missing_directory_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="cannot be written"):
        write_signed_head(tmp_path / "gone" / "head", NOTE)

    assert list(tmp_path.iterdir()) == []


def test_a_head_that_cannot_be_replaced_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "head").mkdir()

    with pytest.raises(LedgerUnavailable):
        write_signed_head(tmp_path / "head", NOTE)

    assert [path.name for path in tmp_path.iterdir()] == ["head"]
