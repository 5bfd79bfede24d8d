"""The ledger's schema, step by step: make it, bring it up to date, tell how old it is.

One rule: forward only. A revision is never edited after a release, imports nothing of ours, and never touches
a stored event. New revisions are written by hand after the pattern of `versions/r0001_ledger.py`.
"""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPICursor

from platemark_migrations import postgres, scripts
from platemark_migrations.scripts import head
from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError, LedgerUnavailable
from platemark_provenance.ledger import database
from platemark_provenance.ledger.postgres import is_postgres_url
from platemark_provenance.ledger.tables import metadata

__all__ = ["check", "current", "grant", "head", "offline_sql", "upgrade"]

BUSY_TIMEOUT_S = 30.0


def current(url: str) -> str | None:
    """Give the revision of a database, None for an empty one. Nothing is changed.

    Raises:
        LedgerUnavailable, LedgerCorrupt, SchemaMismatch: it cannot be read or is not a ledger.
    """
    if is_postgres_url(url):
        return postgres.current(url)
    path = database.database_path(url)
    engine = database.open_engine(path, busy_timeout_s=BUSY_TIMEOUT_S)
    try:
        with database.translated_errors(path), engine.begin() as connection:
            return database.stored_revision(connection)
    finally:
        engine.dispose()


def check(url: str) -> None:
    """Refuse a database that the ledger would not open, or whose tables are not those of its revision.

    Raises:
        SchemaMismatch: its schema is missing, older or newer.
        LedgerCorrupt: its tables, indexes or guards were changed.
        LedgerUnavailable: it cannot be read.
    """
    if is_postgres_url(url):
        postgres.check(url)
        return
    path = database.database_path(url)
    engine = database.open_engine(path, busy_timeout_s=BUSY_TIMEOUT_S)
    try:
        with database.translated_errors(path), engine.begin() as connection:
            database.check_revision(database.stored_revision(connection))
            _check_invariants(connection)
    finally:
        engine.dispose()


def upgrade(url: str) -> str:
    """Make the database if there is none, bring it to the newest revision, and give that revision.

    All steps are one transaction: a database is as it was or as it should be. Doing it again does nothing. A ledger
    of an older revision is copied first, to `NAME.REVISION.backup` beside it.

    Raises:
        SchemaMismatch: the database is newer than this program, or not a ledger.
        LedgerUnavailable: it cannot be made or written.
        LedgerCorrupt: it is damaged.
    """
    if is_postgres_url(url):
        postgres.upgrade(url)
        return head()
    path = database.database_path(url)
    if not path.exists():
        database.create_database_file(path)
    engine = database.open_engine(path, busy_timeout_s=BUSY_TIMEOUT_S)
    try:
        with database.translated_errors(path):
            _back_up(engine, path)
            _upgrade(engine)
    finally:
        engine.dispose()
    return head()


def grant(url: str, role: str, *, desks: Sequence[str]) -> None:
    """Let a database role write and read the ledger for some desks, "*" for all. PostgreSQL only; run it as the owner.

    The role gets EXECUTE on the functions that append and SELECT on the log, limited to its desks; it can change
    the registry beside the log, and nothing that was logged.

    Raises:
        LedgerRequestError: the address is a file, or no desk was named.
        LedgerUnavailable, LedgerCorrupt: it was not granted.
    """
    if not is_postgres_url(url) or not desks:
        raise LedgerRequestError(
            "Roles are granted desks on PostgreSQL; a SQLite file is read by whoever may read the file.",
            fix="Name a PostgreSQL address and at least one desk.",
        )
    postgres.grant(url, role, desks)


def offline_sql(dialect: Literal["sqlite", "postgresql"]) -> str:
    """Give the SQL that makes a ledger from nothing, for those who may not let a program change a schema."""
    return postgres.offline_sql() if dialect == "postgresql" else scripts.offline("sqlite", "head")


def _back_up(engine: Engine, path: Path) -> None:
    """Copy a ledger of an older revision as it is now, with one transaction's view and nothing of its free pages."""
    with engine.begin() as connection:
        found = database.stored_revision(connection)
    if found is None or found not in scripts.known() or found == head():
        return
    taken = [
        path.with_name(f"{path.name}.{found}.backup"),
        *(path.with_name(f"{path.name}.{found}.backup-{n}") for n in range(2, 100)),
    ]
    backup = next((each for each in taken if not each.exists()), None)
    if backup is None:
        raise LedgerUnavailable("There are a hundred backups of this ledger already.", fix=f"Move {taken[0]} away.")
    database.create_database_file(backup)
    with engine.connect() as connection:
        raw = connection.connection.cursor()
        try:
            # SQLite writes into an empty file that exists: it keeps the mode that only its owner reads.
            raw.execute("VACUUM INTO ?", (str(backup),))
        except sqlite3.Error:
            backup.unlink(missing_ok=True)
            raise
        finally:
            raw.close()


def _upgrade(engine: Engine) -> None:
    with engine.execution_options(write=True).begin() as connection:
        found = database.stored_revision(connection)
        if found is not None and found not in scripts.known():
            database.check_revision(found)
        scripts.run(connection)
        _check_invariants(connection)
    with engine.connect() as connection:
        raw = connection.connection.cursor()
        try:
            _keep_in_wal(raw)
        finally:
            raw.close()


def _keep_in_wal(cursor: DBAPICursor) -> None:
    """Switch the file to WAL: readers do not stop writers, and an acknowledged write is one sync.

    SQLite does not wait for others here, whatever its busy timeout says, so we do.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _check_invariants(connection: Connection) -> None:
    """Refuse a schema whose tables, indexes or guards are not those that the ledger's code expects."""
    database.check_triggers(connection)
    rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE sql IS NOT NULL AND type <> 'trigger'")
    found = set(rows.scalars()) - {"alembic_version"}
    wanted = set(metadata.tables) | {str(index.name) for table in metadata.tables.values() for index in table.indexes}
    if found != wanted:
        raise LedgerCorrupt(
            f"The ledger's tables were changed: {', '.join(sorted(found ^ wanted))[:200]}.",
            fix="Restore the database from a backup.",
        )
