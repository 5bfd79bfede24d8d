"""A witness's folder is made once, whole, and for one name."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from platemark.errors import HomeError, KeyUnavailable, RequestError
from platemark.homes.witness_folder import KEY_FILE, NAME_FILE, add_logs, open_witness


def noon() -> datetime:
    return datetime(2026, 3, 14, 12, tzinfo=UTC)


def key_of(folder: Path, name: str = "") -> str:
    with open_witness(folder, name=name, clock=noon) as book:
        return book.cosigner.verifier_key.text()


def test_a_witness_keeps_its_name_and_key(tmp_path: Path) -> None:
    first = key_of(tmp_path / "w", "partner.example/w1")

    assert first.startswith("partner.example/w1+")
    assert key_of(tmp_path / "w") == first
    assert key_of(tmp_path / "w", "partner.example/w1") == first


def test_its_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    key_of(tmp_path / "w", "partner.example/w1")

    assert (tmp_path / "w").stat().st_mode & 0o077 == 0
    assert (tmp_path / "w" / KEY_FILE).stat().st_mode & 0o077 == 0


def test_a_witness_is_not_renamed(tmp_path: Path) -> None:
    key_of(tmp_path / "w", "partner.example/w1")

    with pytest.raises(RequestError, match="is called"):
        key_of(tmp_path / "w", "partner.example/w2")


@pytest.mark.parametrize("name", ["", "two words", "a+b", "n" * 300])
def test_a_new_witness_needs_a_name_that_can_stand_in_a_note(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="needs a name"):
        key_of(tmp_path / "w", name)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")

    with pytest.raises(HomeError, match="other things"):
        key_of(tmp_path, "partner.example/w1")


def test_a_folder_that_lost_its_key_is_not_given_a_new_one(tmp_path: Path) -> None:
    key_of(tmp_path / "w", "partner.example/w1")
    (tmp_path / "w" / KEY_FILE).unlink()

    with pytest.raises(KeyUnavailable):
        key_of(tmp_path / "w")


def test_a_folder_that_lost_its_name_is_not_made_anew(tmp_path: Path) -> None:
    key_of(tmp_path / "w", "partner.example/w1")
    (tmp_path / "w" / NAME_FILE).unlink()

    with pytest.raises(HomeError, match="other things"):
        key_of(tmp_path / "w", "partner.example/w1")


def test_a_name_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    key_of(tmp_path / "w", "partner.example/w1")
    (tmp_path / "w" / NAME_FILE).write_bytes(b"\xff\xfe")

    with pytest.raises(HomeError):
        key_of(tmp_path / "w")


@pytest.mark.parametrize("key", ["", "nonsense", "a.example/log+00000000+AAAA", "n" * 10_000])
def test_what_is_no_key_of_a_log_is_a_wrong_request(tmp_path: Path, key: str) -> None:
    with (
        open_witness(tmp_path / "w", name="partner.example/w1", clock=noon) as book,
        pytest.raises(RequestError, match="verifier key"),
    ):
        add_logs(book, [key])


def test_the_key_of_a_witness_is_no_key_of_a_log(tmp_path: Path) -> None:
    with (
        open_witness(tmp_path / "w", name="partner.example/w1", clock=noon) as book,
        pytest.raises(RequestError, match="no log's key"),
    ):
        add_logs(book, [book.cosigner.verifier_key.text()])


def test_a_folder_whose_making_was_interrupted_is_refused_and_not_completed(tmp_path: Path) -> None:
    key_of(tmp_path / "w", "partner.example/w1")
    (tmp_path / "w" / NAME_FILE).unlink()

    with pytest.raises(HomeError, match="no witness"):
        key_of(tmp_path / "w", "partner.example/w1")
