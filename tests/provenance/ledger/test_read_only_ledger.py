"""A ledger that is opened for reading only is never written, and misses no event that was kept."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from platemark_provenance.errors import LedgerReadOnly, LedgerUnavailable, PlatemarkError
from platemark_provenance.ledger import database
from platemark_provenance.ledger.database import reading_parameters
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.reading_log import Reader
from platemark_provenance.ledger.store import Ledger, LedgerSettings


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.suffix != ".db-shm"
    }


@pytest.fixture
def folder(told: Path, tmp_path: Path) -> Path:
    """A copy of a ledger with seven events, closed."""
    return Path(shutil.copytree(told, tmp_path / "medium"))


@pytest.fixture
def reading(folder: Path, settings: LedgerSettings) -> Iterator[Ledger]:
    """The ledger, opened for reading only."""
    wanted = replace(settings, state_path=folder / "signed-head", read_only=True)
    with Ledger.open(f"sqlite:///{folder}/ledger.db", settings=wanted) as opened:
        yield opened


def test_everything_can_be_read(reading: Ledger) -> None:
    assert reading.head().size == 7
    assert len(reading.trace("clip-a")) == 6
    assert reading.trace("clip-a")[0].sealed is not None
    assert [event.seq for event in reading.page(Filter(type="clip.published")).events] == [5]


def test_the_whole_log_can_be_checked(reading: Ledger) -> None:
    report = reading.verify()

    assert report.ok
    assert report.checkpoint == 7


def test_reading_changes_no_file(folder: Path, settings: LedgerSettings) -> None:
    before = fingerprint(folder)
    wanted = replace(settings, state_path=folder / "signed-head", read_only=True)

    with Ledger.open(f"sqlite:///{folder}/ledger.db", settings=wanted) as ledger:
        ledger.verify()
        list(ledger.query())

    # An empty write-ahead log may come or go; SQLite removes one when the last connection closes.
    passing = {"ledger.db-wal": ""}
    assert fingerprint(folder) | passing == before | passing


@pytest.mark.parametrize(
    "act",
    [
        lambda ledger: ledger.append(NewEvent(EventType.AUDIT_QUERIED)),
        lambda ledger: ledger.append(NewEvent(EventType.AUDIT_QUERIED), wait="staged"),
        lambda ledger: ledger.checkpoint(),
        lambda ledger: ledger.subjects.erase("jw.kim", reason="asked", actor="dpo"),
        lambda ledger: ledger.anchors.keep(7, "directory", "/x", b"y"),
        lambda ledger: ledger.atomic().__enter__(),
    ],
    ids=["append", "stage", "checkpoint", "erase", "anchor", "atomic"],
)
def test_whatever_writes_is_refused(reading: Ledger, act: Callable[[Ledger], object]) -> None:
    with pytest.raises(LedgerReadOnly, match="for reading only"):
        act(reading)

    assert reading.head().size == 7


def test_a_receipt_is_given_where_the_signed_head_stands_and_changes_nothing(reading: Ledger, folder: Path) -> None:
    before = fingerprint(folder)

    receipt = reading.receipt("clip-a")

    assert receipt.startswith(b"c2sp.org/tlog-proof")
    assert fingerprint(folder) | {"ledger.db-wal": ""} == before | {"ledger.db-wal": ""}


def test_a_reader_leaves_no_trace_and_gets_its_answer(reading: Ledger) -> None:
    reader = Reader(reading, "auditor")

    assert len(reader.page(Filter()).events) == 7
    assert len(reader.trace("clip-a")) == 6
    assert len(list(reader.export(Filter(), form="jsonl"))) == 7
    assert reader.record("report", found=None, asked={}) is None
    assert reading.head().size == 7


def test_a_ledger_that_another_program_writes_is_read_as_it_goes_on(
    folder: Path, settings: LedgerSettings, reading: Ledger
) -> None:
    with Ledger.open(
        f"sqlite:///{folder}/ledger.db", settings=replace(settings, state_path=folder / "signed-head")
    ) as w:
        w.append(NewEvent(EventType.AUDIT_QUERIED))

        assert reading.head().size == 8


def test_events_that_wait_beside_the_file_are_never_left_out(
    folder: Path, settings: LedgerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "ledger.db"
    (folder / "ledger.db-wal").write_bytes(b"events wait here")

    def closed(*arguments: object, **options: object) -> Callable[[], sqlite3.Connection]:
        def fail() -> sqlite3.Connection:
            return sqlite3.connect("file:/nowhere/at/all?mode=ro", uri=True)

        return fail

    monkeypatch.setattr(database, "connector", closed)

    with pytest.raises(LedgerUnavailable, match=r"its last events wait in ledger\.db-wal") as refused:
        reading_parameters(path, 0.05)
    assert "Copy the whole home" in refused.value.fix


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="no ledger"):
        reading_parameters(tmp_path / "none.db", 0.05)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_bytes(b"Dear editor, " * 100)

    with pytest.raises(PlatemarkError):
        reading_parameters(tmp_path / "letter.db", 0.05)


def test_a_file_that_can_be_shared_is_read_beside_its_writers(folder: Path) -> None:
    assert reading_parameters(folder / "ledger.db", 0.05) == "mode=ro"


def test_a_ledger_on_a_server_is_not_written_either(server_url: str, settings: LedgerSettings) -> None:
    wanted = replace(settings, busy_timeout_s=10)
    with Ledger.open(server_url, settings=wanted) as ledger:
        ledger.append(NewEvent(EventType.AUDIT_QUERIED))

    with Ledger.open(server_url, settings=replace(wanted, read_only=True)) as ledger:
        assert ledger.head().size == 1
        assert ledger.verify().ok
        with pytest.raises(LedgerReadOnly):
            ledger.append(NewEvent(EventType.AUDIT_QUERIED))


def may_mount() -> bool:
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "-rm", "true"], check=False).returncode == 0


ON_MEDIUM = """
import sys
from pathlib import Path
from platemark_provenance.ledger.database import Database, reading_parameters
from platemark_provenance.errors import LedgerReadOnly
path = Path(sys.argv[1])
try:
    Database(path, busy_timeout_s=1)
except LedgerReadOnly as error:
    print("refused:", error.fix)
print(reading_parameters(path, 1))
database = Database(path, busy_timeout_s=1, read_only=True)
with database.read() as connection:
    print(connection.exec_driver_sql("SELECT count(*) FROM event").scalar())
database.close()
"""


@pytest.mark.skipif(not may_mount(), reason="this system lets nobody but root make a read-only medium")
def test_on_a_medium_that_is_read_only_writing_is_refused_and_reading_works(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" -c "$3" "$1/ledger.db"'

    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(folder), sys.executable, ON_MEDIUM],
        capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip

    assert done.stdout.splitlines() == [
        "refused: Give write permission on the file and its directory. Some commands read it with --read-only.",
        "mode=ro&immutable=1",
        "7",
    ], done.stderr
