"""Files that wait for a time-stamp are remembered, whole or not at all."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from platemark_provenance.digest import Sha256Hex
from platemark_provenance.errors import SigningError
from platemark_provenance.stamp_queue import StampQueue, WaitingStamp

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _waiting(number: int) -> WaitingStamp:
    sha256 = Sha256Hex(f"{number:064x}")
    return WaitingStamp(Path(f"/clips/{number}.mp4"), sha256, f"urn:c2pa:{number}", START - timedelta(days=number))


@pytest.fixture
def queue(tmp_path: Path) -> StampQueue:
    return StampQueue(tmp_path / "waiting")


def test_nothing_waits_in_a_home_that_never_missed_a_stamp(queue: StampQueue) -> None:
    assert queue.waiting() == ()


def test_the_longest_wait_comes_first(queue: StampQueue) -> None:
    queue.add(_waiting(1))
    queue.add(_waiting(3))
    queue.add(_waiting(2))

    assert queue.waiting() == (_waiting(3), _waiting(2), _waiting(1))


def test_a_file_waits_once(queue: StampQueue) -> None:
    queue.add(_waiting(1))
    queue.add(_waiting(1))

    assert queue.waiting() == (_waiting(1),)


def test_what_is_done_waits_no_more(queue: StampQueue) -> None:
    queue.add(_waiting(1))
    queue.add(_waiting(2))

    queue.done(_waiting(1))
    queue.done(_waiting(1))

    assert queue.waiting() == (_waiting(2),)


def test_done_in_an_empty_home_is_no_error(queue: StampQueue) -> None:
    queue.done(_waiting(1))

    assert queue.waiting() == ()


def test_only_we_can_look_into_the_folder(queue: StampQueue, tmp_path: Path) -> None:
    queue.add(_waiting(1))

    assert (tmp_path / "waiting").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"schema":1}',
        b"\xff",
        b'{"path":3,"sha256":"a","label":"b","since":"2026-05-01T12:00:00+00:00"}',
        b'{"path":"/c","sha256":"other","label":"b","since":"2026-05-01T12:00:00+00:00"}',
        b'{"path":"/c","sha256":"a","label":"b","since":"2026-05-01T12:00:00"}',
    ],
)
def test_an_entry_that_cannot_be_believed_is_named_and_kept(queue: StampQueue, tmp_path: Path, content: bytes) -> None:
    queue.add(_waiting(1))
    odd = tmp_path / "waiting" / "a.waiting.json"
    odd.write_bytes(content)

    with pytest.raises(SigningError, match=r"a\.waiting\.json"):
        queue.waiting()

    assert odd.read_bytes() == content


def test_a_full_disk_is_said(queue: StampQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", fail)

    with pytest.raises(SigningError, match="No space left"):
        queue.add(_waiting(1))

    monkeypatch.undo()
    assert queue.waiting() == ()
