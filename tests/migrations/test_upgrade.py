"""An upgrade makes or mends a ledger as a whole, quietly, and refuses what it does not know."""

import contextlib
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import MetaData

import platemark_migrations
import platemark_provenance
from platemark_provenance.errors import LedgerCorrupt, LedgerUnavailable, SchemaMismatch
from platemark_provenance.ledger import database
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.ledger.tables import SCHEMA_REVISION, TRIGGERS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a ledger is to be."""
    return tmp_path / "ledger.db"


@pytest.fixture
def url(path: Path) -> str:
    """Its address."""
    return f"sqlite:///{path}"


@pytest.fixture
def settings(tmp_path: Path) -> LedgerSettings:
    """Enough to open a ledger."""
    return LedgerSettings(
        origin="news.example/provenance",
        signing_key=Ed25519PrivateKey.from_private_bytes(b"k" * 32),
        payload_key=bytes(32),
        clock=lambda: datetime(2026, 3, 14, tzinfo=UTC),
        state_path=tmp_path / "signed-head",
    )


def run_sql(path: Path, *statements: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [row for statement in statements for row in connection.execute(statement)]


def test_an_upgrade_makes_a_ledger_that_opens(url: str, settings: LedgerSettings) -> None:
    assert platemark_migrations.upgrade(url) == SCHEMA_REVISION

    with Ledger.open(url, settings=settings) as ledger:
        assert ledger.append(NewEvent(EventType.HOME_CREATED)).seq == 0


def test_a_new_ledger_is_readable_by_its_owner_only(url: str, path: Path) -> None:
    before = os.umask(0)
    try:
        platemark_migrations.upgrade(url)
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_new_ledger_writes_ahead(url: str, path: Path) -> None:
    platemark_migrations.upgrade(url)

    assert run_sql(path, "PRAGMA journal_mode") == [("wal",)]


def test_an_upgrade_leaves_one_file(url: str, tmp_path: Path) -> None:
    platemark_migrations.upgrade(url)

    assert [item.name for item in tmp_path.iterdir()] == ["ledger.db"]


def test_an_empty_file_becomes_a_ledger(url: str, path: Path) -> None:
    path.touch()

    platemark_migrations.upgrade(url)

    platemark_migrations.check(url)


def test_upgrading_again_changes_nothing(url: str, path: Path, settings: LedgerSettings) -> None:
    platemark_migrations.upgrade(url)
    with Ledger.open(url, settings=settings) as ledger:
        ledger.append_all([NewEvent(EventType.HOME_CREATED)] * 300)
        ledger.checkpoint()
        root = ledger.head().root
    before = path.read_bytes()

    assert platemark_migrations.upgrade(url) == SCHEMA_REVISION

    assert path.read_bytes() == before
    with Ledger.open(url, settings=settings) as ledger:
        assert (ledger.head().root, ledger.verify().ok) == (root, True)


def test_an_open_ledger_does_not_mind_an_upgrade(url: str, settings: LedgerSettings) -> None:
    platemark_migrations.upgrade(url)

    with Ledger.open(url, settings=settings) as ledger:
        ledger.append(NewEvent(EventType.HOME_CREATED))
        platemark_migrations.upgrade(url)
        ledger.append(NewEvent(EventType.HOME_CREATED))

        assert ledger.verify().ok


def test_a_newer_schema_is_not_touched(url: str, path: Path) -> None:
    platemark_migrations.upgrade(url)
    run_sql(path, "UPDATE alembic_version SET version_num = 'r0042'")
    before = path.read_bytes()

    with pytest.raises(SchemaMismatch, match="r0042") as caught:
        platemark_migrations.upgrade(url)

    assert "newer platemark" in caught.value.fix
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_not_touched(url: str, path: Path) -> None:
    run_sql(path, "CREATE TABLE photos (id INTEGER)")
    before = path.read_bytes()

    with pytest.raises(SchemaMismatch, match="should be a platemark ledger"):
        platemark_migrations.upgrade(url)

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_not_touched(url: str, path: Path) -> None:
    path.write_bytes(b"a text that somebody wrote, long enough to be looked at" * 20)
    before = path.read_bytes()

    with pytest.raises(LedgerCorrupt, match="damaged"):
        platemark_migrations.upgrade(url)

    assert path.read_bytes() == before


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="cannot be made") as caught:
        platemark_migrations.upgrade(f"sqlite:///{tmp_path}/gone/ledger.db")

    assert "directory" in caught.value.fix
    assert list(tmp_path.iterdir()) == []


def test_a_locked_ledger_is_not_upgraded(url: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    platemark_migrations.upgrade(url)
    monkeypatch.setattr(platemark_migrations, "BUSY_TIMEOUT_S", 0.05)

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailable, match="locked"):
            platemark_migrations.upgrade(url)


def test_an_upgrade_that_fails_at_its_end_leaves_nothing_of_itself(
    url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(connection: object) -> None:
        raise LedgerCorrupt("The guards are not there.")

    monkeypatch.setattr(database, "check_triggers", refuse)

    with pytest.raises(LedgerCorrupt):
        platemark_migrations.upgrade(url)

    assert run_sql(path, "SELECT name FROM sqlite_master") == []


def test_an_upgrade_that_failed_can_be_done_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(platemark_migrations, "metadata", MetaData())
        with pytest.raises(LedgerCorrupt, match="tables were changed"):
            platemark_migrations.upgrade(url)

    assert platemark_migrations.upgrade(url) == SCHEMA_REVISION
    platemark_migrations.check(url)


def test_threads_that_upgrade_at_once_make_one_ledger(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        revisions = list(pool.map(platemark_migrations.upgrade, [url] * 4))

    assert revisions == [SCHEMA_REVISION] * 4
    platemark_migrations.check(url)


def test_programs_that_upgrade_at_once_make_one_ledger(url: str) -> None:
    program = f"import platemark_migrations; print(platemark_migrations.upgrade({url!r}))"
    programs = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(3)]

    said = [item.communicate(timeout=60)[0] for item in programs]

    assert said == [f"{SCHEMA_REVISION}\n"] * 3
    platemark_migrations.check(url)


# Asking


def test_the_head_is_the_newest_revision() -> None:
    assert platemark_migrations.head() == SCHEMA_REVISION


def test_the_current_revision_is_the_one_upgraded_to(url: str) -> None:
    platemark_migrations.upgrade(url)

    assert platemark_migrations.current(url) == platemark_migrations.head()


def test_an_empty_database_has_no_revision(url: str, path: Path) -> None:
    path.touch()

    assert platemark_migrations.current(url) is None


def test_a_revision_newer_than_this_program_can_be_told(url: str, path: Path) -> None:
    platemark_migrations.upgrade(url)
    run_sql(path, "UPDATE alembic_version SET version_num = 'r0042'")

    assert platemark_migrations.current(url) == "r0042"


@pytest.mark.parametrize("ask", [platemark_migrations.current, platemark_migrations.check])
def test_asking_about_a_missing_database_does_not_make_it(url: str, path: Path, ask: object) -> None:
    assert callable(ask)

    with pytest.raises(LedgerUnavailable, match="no ledger at"):
        ask(url)

    assert not path.exists()


@pytest.mark.parametrize(
    "ask", [platemark_migrations.current, platemark_migrations.check, platemark_migrations.upgrade]
)
def test_a_server_of_another_kind_is_not_asked(ask: object) -> None:
    assert callable(ask)

    with pytest.raises(LedgerUnavailable, match="SQLite file"):
        ask("mysql://db.example/ledger")


def test_a_sound_schema_passes_the_check(url: str) -> None:
    platemark_migrations.upgrade(url)

    platemark_migrations.check(url)


def test_an_empty_database_fails_the_check(url: str, path: Path) -> None:
    path.touch()

    with pytest.raises(SchemaMismatch, match="empty"):
        platemark_migrations.check(url)


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("DROP TRIGGER event_no_delete", "guards were changed: event_no_delete"),
        ("DROP TABLE actor", "tables were changed: actor"),
        ("DROP INDEX ix_event_clip", "tables were changed: ix_event_clip"),
        ("CREATE TABLE shadow (id INTEGER)", "tables were changed: shadow"),
        ("CREATE VIEW shadow AS SELECT 1", "tables were changed: shadow"),
    ],
)
def test_a_schema_changed_by_hand_fails_the_check(url: str, path: Path, statement: str, complaint: str) -> None:
    platemark_migrations.upgrade(url)
    run_sql(path, statement)

    with pytest.raises(LedgerCorrupt, match=complaint):
        platemark_migrations.check(url)


# Quiet and self-contained


@pytest.fixture
def logging_state() -> Iterator[None]:
    """Fails the test when it leaves logging in another state than it found."""

    def state() -> object:
        root = logging.getLogger()
        alembic = logging.getLogger("alembic")
        return root.level, list(root.handlers), alembic.level, list(alembic.handlers), alembic.disabled

    before = state()
    yield
    assert state() == before


def test_an_upgrade_says_nothing_and_sets_nothing_up(
    url: str, logging_state: None, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    environment, directory, import_path = dict(os.environ), Path.cwd(), list(sys.path)

    platemark_migrations.upgrade(url)

    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert (dict(os.environ), Path.cwd(), list(sys.path)) == (environment, directory, import_path)


def test_importing_does_nothing_to_the_disk(tmp_path: Path) -> None:
    program = "import platemark_migrations"

    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)

    assert list(tmp_path.iterdir()) == []


def test_an_upgrade_works_from_an_installed_copy_in_a_directory_with_an_odd_name(tmp_path: Path) -> None:
    site = tmp_path / "site %(here)s packages"
    ignore = shutil.ignore_patterns("__pycache__")
    for package in (platemark_migrations, platemark_provenance):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, site / source.name, ignore=ignore)
    program = (
        "import platemark_migrations as m; print(m.__file__);"
        f"print(m.upgrade('sqlite:///{tmp_path}/new.db')); m.check('sqlite:///{tmp_path}/new.db')"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}

    done = subprocess.run(
        [sys.executable, "-c", program], cwd="/", env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == [str(site / "platemark_migrations" / "__init__.py"), SCHEMA_REVISION]
    assert done.stderr == ""


def test_the_guards_are_among_what_an_upgrade_makes(url: str, path: Path) -> None:
    platemark_migrations.upgrade(url)

    names = {row[0] for row in run_sql(path, "SELECT name FROM sqlite_master WHERE type = 'trigger'")}

    assert names == set(TRIGGERS)
