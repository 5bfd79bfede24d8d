"""A filled ledger of every older revision comes up to date: same events, same root, same guards, and a copy."""

import contextlib
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine

import platemark_migrations
from platemark_migrations import scripts
from platemark_provenance.errors import LedgerUnavailable
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.ledger.tables import SCHEMA_REVISION, TRIGGERS

OLDER = [f"r{number:04}" for number in range(1, int(SCHEMA_REVISION[1:]))]
HISTORY = [
    NewEvent(EventType.PROMPT_SUBMITTED, clip=f"clip-{n}", actor="jw.kim", desk="weather", sealed={"prompt": "rain"})
    for n in range(300)
]


def to_revision(path: Path, revision: str) -> None:
    """Make an empty ledger of an older revision, as the program of that time did."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        scripts.run(connection, revision)
    engine.dispose()


def copy_log(source: Path, target: Path) -> None:
    """Carry the log over, row by row, into a ledger whose log tables have the same columns."""
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS source", (str(source),))
        for table in ("event", "tile", "checkpoint", "sealed_payload", "actor"):
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM source.{table} ORDER BY rowid")


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


@pytest.fixture
def old_root(tmp_path: Path, settings: LedgerSettings) -> str:
    """The root of 300 signed events in `filled.db`."""
    platemark_migrations.upgrade(f"sqlite:///{tmp_path}/filled.db")
    with Ledger.open(f"sqlite:///{tmp_path}/filled.db", settings=settings) as ledger:
        ledger.append_all(HISTORY)
        ledger.checkpoint()
        return ledger.head().root


@pytest.fixture(params=OLDER)
def old(request: pytest.FixtureRequest, tmp_path: Path, old_root: str) -> Path:
    """A ledger of an older revision with the same 300 events."""
    path = tmp_path / "old.db"
    to_revision(path, request.param)
    copy_log(tmp_path / "filled.db", path)
    return path


def revision_of(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_a_filled_ledger_of_an_older_revision_keeps_its_events_and_its_root(
    old: Path, old_root: str, settings: LedgerSettings
) -> None:
    platemark_migrations.upgrade(f"sqlite:///{old}")

    with Ledger.open(f"sqlite:///{old}", settings=settings) as ledger:
        assert (ledger.head().root, ledger.verify().ok, ledger.verify().checkpoint) == (old_root, True, 300)
        assert ledger.append(HISTORY[0]).seq == 300


def test_an_upgraded_ledger_has_its_guards(old: Path) -> None:
    platemark_migrations.upgrade(f"sqlite:///{old}")

    platemark_migrations.check(f"sqlite:///{old}")
    with contextlib.closing(sqlite3.connect(old)) as connection:
        rows = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'")
        assert rows.fetchone() == (len(TRIGGERS),)


def test_an_older_ledger_is_copied_before_it_is_upgraded(old: Path) -> None:
    before = revision_of(old)

    platemark_migrations.upgrade(f"sqlite:///{old}")

    backup = old.with_name(f"old.db.{before}.backup")
    assert revision_of(backup) == before
    assert backup.stat().st_mode & 0o777 == 0o600
    with contextlib.closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (300,)


def test_a_backup_never_overwrites_another(old: Path) -> None:
    before = revision_of(old)
    first = old.with_name(f"old.db.{before}.backup")
    first.write_bytes(b"something that somebody keeps")

    platemark_migrations.upgrade(f"sqlite:///{old}")

    assert first.read_bytes() == b"something that somebody keeps"
    assert revision_of(old.with_name(f"old.db.{before}.backup-2")) == before


def test_a_backup_can_be_upgraded_in_its_turn(old: Path, old_root: str, settings: LedgerSettings) -> None:
    before = revision_of(old)
    platemark_migrations.upgrade(f"sqlite:///{old}")
    restored = shutil.copy2(old.with_name(f"old.db.{before}.backup"), old.with_name("restored.db"))

    platemark_migrations.upgrade(f"sqlite:///{restored}")

    with Ledger.open(f"sqlite:///{restored}", settings=settings) as ledger:
        assert ledger.head().root == old_root


def test_an_upgrade_that_cannot_be_backed_up_is_not_done(old: Path) -> None:
    before = revision_of(old)
    names = [f"old.db.{before}.backup", *(f"old.db.{before}.backup-{n}" for n in range(2, 100))]
    list(map(Path.touch, map(old.with_name, names)))

    with pytest.raises(LedgerUnavailable, match="a hundred backups"):
        platemark_migrations.upgrade(f"sqlite:///{old}")

    assert revision_of(old) == before


def test_a_new_ledger_and_one_that_is_up_to_date_make_no_backup(tmp_path: Path) -> None:
    platemark_migrations.upgrade(f"sqlite:///{tmp_path}/new.db")
    platemark_migrations.upgrade(f"sqlite:///{tmp_path}/new.db")

    assert [path.name for path in tmp_path.iterdir()] == ["new.db"]
