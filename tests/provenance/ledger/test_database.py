"""A database that cannot be used gives one clear error and is left exactly as it was found."""

import contextlib
import hashlib
import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import platemark_migrations
from platemark_provenance.errors import LedgerCorrupt, LedgerUnavailable, SchemaMismatch
from platemark_provenance.ledger.database import Database, check_revision, database_path
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.ledger.tables import SCHEMA_REVISION, TRIGGERS

EVENT = NewEvent(EventType.HOME_CREATED)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def change_by_hand(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@contextlib.contextmanager
def lock_held(path: Path, statement: str) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
        yield


def test_a_missing_database_is_not_made(tmp_path: Path, settings: LedgerSettings) -> None:
    with pytest.raises(LedgerUnavailable, match="no ledger at") as caught:
        Ledger.open(f"sqlite:///{tmp_path}/gone.db", settings=settings)

    assert "platemark init" in caught.value.fix
    assert list(tmp_path.glob("gone*")) == []


def test_a_database_in_a_missing_directory_is_not_made(tmp_path: Path, settings: LedgerSettings) -> None:
    with pytest.raises(LedgerUnavailable, match="no ledger at"):
        Ledger.open(f"sqlite:///{tmp_path}/gone/ledger.db", settings=settings)

    assert not (tmp_path / "gone").exists()


def test_a_disk_that_fails_while_the_ledger_is_looked_for_is_unavailable(
    url: str, settings: LedgerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, **_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "stat", fail)

    with pytest.raises(LedgerUnavailable, match="cannot be looked at: Input/output error"):
        Ledger.open(url, settings=settings)


def test_a_directory_is_not_a_database(tmp_path: Path, settings: LedgerSettings) -> None:
    with pytest.raises(LedgerUnavailable, match="no ledger at"):
        Ledger.open(f"sqlite:///{tmp_path}", settings=settings)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ledger.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:ledger.db?mode=memory&uri=true",
        "mysql://news:hunter2@db.example/ledger",
    ],
)
def test_an_address_that_names_no_sqlite_file_is_refused(url: str, settings: LedgerSettings) -> None:
    with pytest.raises(LedgerUnavailable) as caught:
        Ledger.open(url, settings=settings)

    assert "sqlite:////" in caught.value.fix
    assert "hunter2" not in str(caught.value)


def test_an_address_gives_its_path() -> None:
    assert database_path("sqlite:////srv/news room/ledger.db") == Path("/srv/news room/ledger.db")
    assert database_path("sqlite:///ledger.db") == Path("ledger.db")


@pytest.mark.parametrize("name", ["with space.db", "per%20cent.db", "question?.db", "hash#.db", "한글.db"])
def test_a_path_may_hold_characters_that_mean_something_in_addresses(
    tmp_path: Path, settings: LedgerSettings, name: str
) -> None:
    (tmp_path / "made.db").touch()
    platemark_migrations.upgrade(f"sqlite:///{tmp_path}/made.db")
    (tmp_path / "made.db").rename(tmp_path / name)

    with contextlib.closing(Database(tmp_path / name, busy_timeout_s=1)) as database:
        assert database.path.name == name


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_locked_database_is_unavailable_after_the_wait(
    ledger_path: Path, url: str, settings: LedgerSettings, statement: str
) -> None:
    with lock_held(ledger_path, statement), pytest.raises(LedgerUnavailable, match="locked by another program"):
        Ledger.open(url, settings=settings)


def test_an_append_to_a_locked_database_says_so_and_writes_nothing(ledger: Ledger, ledger_path: Path) -> None:
    with lock_held(ledger_path, "BEGIN IMMEDIATE"), pytest.raises(LedgerUnavailable, match="locked"):
        ledger.append(EVENT)

    assert ledger.head().size == 0


def test_an_append_after_the_lock_is_gone_succeeds(ledger: Ledger, ledger_path: Path) -> None:
    with lock_held(ledger_path, "BEGIN IMMEDIATE"), pytest.raises(LedgerUnavailable):
        ledger.append(EVENT)

    assert ledger.append(EVENT).seq == 0


def test_reading_goes_on_while_another_program_writes(story: Ledger, ledger_path: Path) -> None:
    with lock_held(ledger_path, "BEGIN IMMEDIATE"):
        assert len(story.trace("clip-a")) == 6


@pytest.mark.parametrize(
    "content",
    [b"this is not a database, it is a plain text file that somebody put here", b"SQLite format 3\x00" + b"\xff" * 200],
    ids=["text", "garbled_header"],
)
def test_a_file_that_is_no_database_is_corrupt_and_untouched(
    tmp_path: Path, settings: LedgerSettings, content: bytes
) -> None:
    path = tmp_path / "noise.db"
    path.write_bytes(content)

    with pytest.raises(LedgerCorrupt, match="damaged") as caught:
        Ledger.open(f"sqlite:///{path}", settings=settings)

    assert "audit verify" in caught.value.fix
    assert path.read_bytes() == content


def test_a_database_with_its_schema_overwritten_is_corrupt_and_untouched(
    ledger_path: Path, url: str, settings: LedgerSettings
) -> None:
    content = bytearray(ledger_path.read_bytes())
    content[100:4096] = b"\xa5" * 3996
    ledger_path.write_bytes(content)

    with pytest.raises(LedgerCorrupt):
        Ledger.open(url, settings=settings)

    assert ledger_path.read_bytes() == bytes(content)


def test_a_newer_schema_is_refused_with_the_way_out_and_untouched(
    ledger_path: Path, url: str, settings: LedgerSettings
) -> None:
    change_by_hand(ledger_path, "UPDATE alembic_version SET version_num = 'r9999'")
    before = digest(ledger_path)

    with pytest.raises(
        SchemaMismatch, match=f"schema r9999; this program knows none after {SCHEMA_REVISION}"
    ) as caught:
        Ledger.open(url, settings=settings)

    assert "newer platemark" in caught.value.fix
    assert digest(ledger_path) == before


def test_an_older_schema_is_refused_with_the_command_that_mends_it(
    ledger_path: Path, url: str, settings: LedgerSettings
) -> None:
    change_by_hand(ledger_path, "UPDATE alembic_version SET version_num = 'r0000'")
    before = digest(ledger_path)

    with pytest.raises(SchemaMismatch, match=f"needs the newer {SCHEMA_REVISION}") as caught:
        Ledger.open(url, settings=settings)

    assert "platemark db upgrade" in caught.value.fix
    assert digest(ledger_path) == before


@pytest.mark.parametrize("revision", ["", "ae1027a6acf", "r1", "r99999", "R0001"])
def test_a_revision_of_somebody_elses_is_refused(revision: str) -> None:
    with pytest.raises(SchemaMismatch, match="knows none after"):
        check_revision(revision)


def test_the_revision_of_this_program_is_accepted() -> None:
    check_revision(SCHEMA_REVISION)


def test_an_empty_file_is_no_ledger_and_stays_empty(tmp_path: Path, settings: LedgerSettings) -> None:
    path = tmp_path / "empty.db"
    path.touch()

    with pytest.raises(SchemaMismatch, match="empty") as caught:
        Ledger.open(f"sqlite:///{path}", settings=settings)

    assert "platemark db upgrade" in caught.value.fix
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE photos (id INTEGER)"],
        ["CREATE TABLE alembic_version (version_num TEXT)"],
        ["CREATE TABLE alembic_version (version_num TEXT)", "INSERT INTO alembic_version VALUES ('r0001'), ('r0002')"],
    ],
    ids=["other_tables", "no_revision", "two_revisions"],
)
def test_a_database_of_another_program_is_refused(
    tmp_path: Path, settings: LedgerSettings, statements: list[str]
) -> None:
    path = tmp_path / "photos.db"
    change_by_hand(path, *statements)
    before = digest(path)

    with pytest.raises(SchemaMismatch, match="should be a platemark ledger"):
        Ledger.open(f"sqlite:///{path}", settings=settings)

    assert digest(path) == before


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_missing_guard_is_noticed_at_open(ledger_path: Path, url: str, settings: LedgerSettings, name: str) -> None:
    change_by_hand(ledger_path, f"DROP TRIGGER {name}")

    with pytest.raises(LedgerCorrupt, match=f"guards were changed: {name}"):
        Ledger.open(url, settings=settings)


def test_a_guard_that_guards_nothing_is_noticed_at_open(ledger_path: Path, url: str, settings: LedgerSettings) -> None:
    change_by_hand(
        ledger_path,
        "DROP TRIGGER event_no_delete",
        "CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT 1; END",
    )

    with pytest.raises(LedgerCorrupt, match="event_no_delete"):
        Ledger.open(url, settings=settings)


def test_a_trigger_that_somebody_added_is_noticed_at_open(
    ledger_path: Path, url: str, settings: LedgerSettings
) -> None:
    change_by_hand(
        ledger_path,
        "CREATE TRIGGER copy AFTER INSERT ON sealed_payload BEGIN INSERT INTO actor VALUES ('x', NEW.event_id); END",
    )

    with pytest.raises(LedgerCorrupt, match="guards were changed: copy"):
        Ledger.open(url, settings=settings)


def test_a_missing_table_is_a_clear_error_when_it_is_needed(
    ledger_path: Path, url: str, settings: LedgerSettings
) -> None:
    change_by_hand(ledger_path, "DROP TABLE actor")

    with Ledger.open(url, settings=settings) as ledger, pytest.raises(LedgerCorrupt, match="no such table"):
        ledger.append(NewEvent(EventType.PROMPT_SUBMITTED, actor="jw.kim"))


def test_a_closed_ledger_says_so(url: str, settings: LedgerSettings) -> None:
    ledger = Ledger.open(url, settings=settings)
    ledger.close()
    ledger.close()

    with pytest.raises(LedgerUnavailable, match="closed"):
        ledger.append(EVENT)
    with pytest.raises(LedgerUnavailable, match="closed"):
        ledger.head()


def test_side_files_are_as_private_as_the_database(ledger: Ledger, ledger_path: Path) -> None:
    ledger.append(EVENT)

    modes = {path.name: path.stat().st_mode & 0o777 for path in ledger_path.parent.glob("ledger.db*")}

    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}


def test_a_closed_ledger_leaves_only_the_database(url: str, settings: LedgerSettings, ledger_path: Path) -> None:
    with Ledger.open(url, settings=settings) as ledger:
        ledger.append(EVENT)

    assert [path.name for path in ledger_path.parent.glob("ledger.db*")] == ["ledger.db"]


def test_a_copy_without_write_ahead_logging_gets_it_back(
    ledger_path: Path, tmp_path: Path, settings: LedgerSettings
) -> None:
    copy = tmp_path / "restored.db"
    change_by_hand(ledger_path, f"VACUUM INTO '{copy}'")

    Ledger.open(f"sqlite:///{copy}", settings=settings).close()

    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("foreign_keys", 1), ("synchronous", 2), ("secure_delete", 1), ("recursive_triggers", 1), ("trusted_schema", 0)],
)
def test_every_connection_has_the_safe_settings(ledger_path: Path, pragma: str, value: int) -> None:
    with contextlib.closing(Database(ledger_path, busy_timeout_s=1)) as database, database.read() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


# Root may write anywhere, so these run in a process that gave up that privilege (and are ordinary for others).
WITHOUT_PRIVILEGE = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
if hasattr(libc, "prctl"):  # PR_CAPBSET_DROP of CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH; only Linux has these
    libc.prctl(24, 1, 0, 0, 0), libc.prctl(24, 2, 0, 0, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
OPEN_AND_APPEND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from platemark_provenance.errors import LedgerError
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger, LedgerSettings
settings = LedgerSettings("o", Ed25519PrivateKey.generate(), bytes(32), lambda: datetime.now(UTC), Path(sys.argv[2]))
try:
    with Ledger.open(f"sqlite:///{sys.argv[1]}", settings=settings) as ledger:
        PREPARE
        while True:
            ledger.append(NewEvent(EventType.HOME_CREATED, facts={"text": "x" * 50_000}))
except LedgerError as error:
    print(type(error).__name__, error)
"""


def run_in_child(tmp_path: Path, database: Path, *, prepare: str = "pass") -> str:
    script = tmp_path / "open_and_append.py"
    script.write_text(textwrap.dedent(OPEN_AND_APPEND).replace("PREPARE", prepare))
    command = [sys.executable, "-c", WITHOUT_PRIVILEGE, str(script), str(database), str(tmp_path / "head")]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture
def readonly_directory(tmp_path: Path) -> Iterator[Path]:
    """A directory with a migrated ledger in which nothing can be made."""
    directory = tmp_path / "shelf"
    directory.mkdir()
    platemark_migrations.upgrade(f"sqlite:///{directory}/ledger.db")
    directory.chmod(0o500)
    yield directory
    directory.chmod(0o700)


def test_a_read_only_file_is_unavailable_and_untouched(tmp_path: Path, ledger_path: Path) -> None:
    ledger_path.chmod(0o400)
    before = digest(ledger_path)

    said = run_in_child(tmp_path, ledger_path)

    assert said.startswith("LedgerReadOnly")
    assert "read-only" in said
    assert digest(ledger_path) == before


def test_a_read_only_directory_makes_the_ledger_unavailable(tmp_path: Path, readonly_directory: Path) -> None:
    before = digest(readonly_directory / "ledger.db")

    said = run_in_child(tmp_path, readonly_directory / "ledger.db")

    assert said.startswith("LedgerReadOnly")
    assert "permission" in said
    assert digest(readonly_directory / "ledger.db") == before


def test_a_file_of_somebody_else_is_unavailable(tmp_path: Path, ledger_path: Path) -> None:
    ledger_path.chmod(0o000)

    said = run_in_child(tmp_path, ledger_path)

    assert said.startswith("LedgerUnavailable")
    assert "permission" in said


def test_a_full_disk_stops_appends_with_an_error_and_keeps_what_was_there(
    tmp_path: Path, ledger_path: Path, url: str, settings: LedgerSettings
) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))"

    said = run_in_child(tmp_path, ledger_path, prepare=limit)

    assert said.startswith("LedgerUnavailable")
    with Ledger.open(url, settings=replace(settings, payload_key=bytes(32))) as ledger:
        report = ledger.verify()
        assert report.ok
        assert report.size > 5


def test_errors_never_show_the_keys(settings: LedgerSettings) -> None:
    assert "payload key for tests" not in repr(settings)
    assert "signing_key" not in repr(settings)


def test_the_database_is_found_relative_to_the_working_directory(
    ledger_path: Path, settings: LedgerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ledger_path.parent)

    with Ledger.open("sqlite:///ledger.db", settings=settings) as ledger:
        os.chdir("/")
        assert ledger.append(EVENT).seq == 0


def test_two_ledgers_in_one_program_see_each_others_events(
    url: str, settings: LedgerSettings, ledger: Ledger, tamper: Callable[[str], None]
) -> None:
    with Ledger.open(url, settings=settings) as other:
        ledger.append(EVENT)
        other.append(EVENT)

    assert ledger.head().size == 2
    assert ledger.verify().ok
