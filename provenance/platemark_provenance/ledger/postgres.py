"""The one door to PostgreSQL: how the ledger's database is reached, and what its errors mean here.

One rule: every failure leaves the log as it was and becomes one of `LedgerUnavailable`, `LedgerCorrupt`,
`LedgerRequestError` and `SchemaMismatch`, without the address's password.
"""

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TypeAlias

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, NoSuchModuleError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from platemark_provenance.errors import (
    LedgerCorrupt,
    LedgerError,
    LedgerReadOnly,
    LedgerRequestError,
    LedgerUnavailable,
    SchemaMismatch,
)
from platemark_provenance.ledger.database import Database, check_revision, check_still_open, refuse_to_write
from platemark_provenance.ledger.postgres_guards import check_postgres_guards

SCHEMA = "platemark"
_STOPPED_HOLDER_MS = 10_000
"""How long a transaction may sit idle: a program that was stopped while it held the log's head loses it."""
_BAD_CLASSES = {"22": "a value it cannot hold", "23": "what it refuses", "42": "a schema it does not know"}
_LOCKED = {"55P03", "57014", "40P01", "40001"}
_NOT_ALLOWED = {"42501", "28000", "28P01"}
_READ_ONLY = {"25006"}
_FULL = {"53100"}


def is_postgres_url(url: str) -> bool:
    """Tell whether a database URL names a PostgreSQL server."""
    return url.startswith(("postgresql:", "postgresql+psycopg:", "postgres:"))


def server_url(url: str) -> URL:
    """Give the address of a PostgreSQL server with the driver we use.

    Raises:
        LedgerUnavailable: the driver is not installed.
    """
    return make_url(url).set(drivername="postgresql+psycopg")


def open_server(url: str, *, busy_timeout_s: float) -> Engine:
    """Make an engine for a PostgreSQL server; nothing is connected yet.

    Raises:
        LedgerUnavailable: psycopg is not installed.
    """
    options = (
        f"-c search_path={SCHEMA},pg_temp -c lock_timeout={int(busy_timeout_s * 1000)} "
        f"-c idle_in_transaction_session_timeout={_STOPPED_HOLDER_MS} -c synchronous_commit=on -c timezone=UTC"
    )
    address = server_url(url)
    given = address.query.get("options")
    if isinstance(given, str):
        options = f"{given} {options}"
    address = address.difference_update_query(["options"])
    try:
        engine = create_engine(
            address, connect_args={"options": options, "connect_timeout": 10}, pool_size=5, max_overflow=20
        )
    except (ImportError, NoSuchModuleError) as error:
        raise LedgerUnavailable(
            "A ledger on PostgreSQL needs psycopg, which is not installed.",
            fix='Install it: pip install "platemark[postgres]"',
        ) from error
    event.listen(engine, "checkout", _refuse_if_cut_off)
    return engine


class _HasSocket(Protocol):
    def fileno(self) -> int:
        """Give the socket of a connection, as psycopg does."""
        ...


def _refuse_if_cut_off(connection: _HasSocket, record: object, proxy: object) -> None:
    """Let the pool connect anew where the server said goodbye meanwhile; costs no question to the server.

    Nobody speaks on an idle connection, so bytes or an end that wait there are the server's farewell.
    """
    del record, proxy
    if select.select([connection.fileno()], [], [], 0)[0]:
        raise DisconnectionError("The server closed an idle connection.")


def was_cut_off(error: LedgerUnavailable) -> bool:
    """Tell whether an error means that the connection was lost, so that asking again makes a new one."""
    return isinstance(error.__cause__, DBAPIError) and error.__cause__.connection_invalidated


def was_locked(error: DBAPIError) -> bool:
    """Tell whether a lock was waited for in vain."""
    return getattr(error.orig, "sqlstate", None) == "55P03"


@contextmanager
def translated_server_errors(where: str) -> Iterator[None]:
    """Turn what SQLAlchemy and psycopg raise inside the block into this project's errors.

    Raises:
        LedgerUnavailable: the server is away, busy, full, read-only, or refuses the role.
        LedgerRequestError: an event holds what PostgreSQL cannot.
        LedgerCorrupt: the database refuses what the program knows to be right.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise LedgerUnavailable("Too many threads use the ledger at once.", fix="Use fewer, or try again.") from error
    except DBAPIError as error:
        raise _translated(error, where) from error
    except StatementError as error:
        raise LedgerCorrupt(f"The ledger at {where} holds a value of the wrong type.") from error


def _translated(error: DBAPIError, where: str) -> LedgerError:
    state = str(getattr(error.orig, "sqlstate", "") or "")
    said = str(error.orig).strip().splitlines()[0][:200] if str(error.orig).strip() else "no reason given"
    if state in _NOT_ALLOWED:
        return LedgerUnavailable(
            f"The database role may not do this: {said}.", fix="Run `platemark db grant ROLE --desk DESK` as the owner."
        )
    if state in _LOCKED:
        return LedgerUnavailable(f"The ledger at {where} is locked by another program.", fix="Try again.")
    if state in _READ_ONLY:
        return LedgerReadOnly(
            f"The ledger at {where} is read-only, so what is done with it cannot be written down.",
            fix="Use the address of the primary server. Some commands read it with --read-only.",
        )
    if state in _FULL:
        return LedgerUnavailable("The disk that holds the ledger is full.", fix="Free some space and try again.")
    if state == "22P05":
        return LedgerRequestError("PostgreSQL keeps no text with a NUL character in it.", fix="Remove it.")
    if state[:2] in _BAD_CLASSES or state == "P0001":
        return LedgerCorrupt(
            f"The ledger at {where} refused: {said}.", fix="Run `platemark audit verify`; restore a backup beside it."
        )
    return LedgerUnavailable(
        f"The ledger at {where} cannot be reached: {said}.", fix="Check the server and the network, then try again."
    )


def stored_server_revision(connection: Connection) -> str | None:
    """Give the schema revision that a database says it has, None where there is no ledger.

    Raises:
        SchemaMismatch: there are tables in the ledger's schema and none says.
    """
    query = text("SELECT tablename FROM pg_tables WHERE schemaname = :schema")
    names = set(connection.execute(query, {"schema": SCHEMA}).scalars())
    if not names:
        return None
    if "alembic_version" in names:
        rows = connection.execute(text("SELECT version_num FROM platemark.alembic_version")).scalars().all()
        if len(rows) == 1:
            return str(rows[0])
    raise SchemaMismatch(
        f"The schema {SCHEMA} should hold a ledger; it has other tables and no schema revision.",
        fix="Check that the configured address is right.",
    )


class PostgresDatabase:
    """An open ledger on a PostgreSQL server, shared by the threads of a process.

    Args:
        url: its address.
        busy_timeout_s: how long to wait for a lock.
        read_only: never write, such as on a standby server.

    Raises:
        LedgerUnavailable, LedgerCorrupt, SchemaMismatch: it cannot be used; nothing was changed.
    """

    def __init__(self, url: str, *, busy_timeout_s: float, read_only: bool = False) -> None:
        self.read_only = read_only
        address = server_url(url)
        self.where = f"{address.host or 'the local server'}/{address.database or ''}"
        self._engine = open_server(url, busy_timeout_s=busy_timeout_s)
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._writers = self._engine.execution_options(isolation_level="READ COMMITTED")
        self._callers = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._here = threading.local()
        self._process = os.getpid()
        self._closed = False
        try:
            with self.read() as connection:
                check_revision(stored_server_revision(connection))
                check_postgres_guards(connection)
        except LedgerError:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database for the whole block; see `Database.read`."""
        self.check_usable()
        writing = self._writing
        if writing is not None:
            yield writing
            return
        with translated_server_errors(self.where), self._snapshots.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give this thread's writing connection; everything in the block is kept, or nothing.

        A block inside a block of the same thread joins it; when an inner one fails, nothing of the outer one is kept.
        """
        self.check_usable()
        refuse_to_write(read_only=self.read_only)
        writing = self._writing
        if writing is not None:
            done = False
            try:
                yield writing
                done = True
            finally:
                self._here.spoiled = self._here.spoiled or not done
            return
        with translated_server_errors(self.where), self._writers.begin() as connection:
            self._here.connection, self._here.spoiled = connection, False
            try:
                yield connection
                if self._here.spoiled:
                    raise LedgerError("A part of this ledger transaction failed, so none of it was kept.")
            finally:
                self._here.connection = None

    @contextmanager
    def call(self) -> Iterator[Connection]:
        """Give a connection on which each statement is a transaction of its own, for functions that do all at once.

        Must not be used inside a `write` block, which it would not belong to.
        """
        self.check_usable()
        refuse_to_write(read_only=self.read_only)
        with translated_server_errors(self.where), self._callers.connect() as connection:
            yield connection

    @property
    def _writing(self) -> Connection | None:
        return getattr(self._here, "connection", None)

    @property
    def is_writing(self) -> bool:
        """Whether this thread is inside a `write` block."""
        return self._writing is not None

    def check_usable(self) -> None:
        """Refuse to go on after `close` or in a forked child.

        Raises:
            LedgerUnavailable: the ledger has to be opened again.
        """
        check_still_open(opened_by=self._process, closed=self._closed)

    def empty_write_ahead_log(self) -> bool:
        """Say that the server's own logs and backups still hold what was deleted: they are not ours to empty."""
        return False

    def close(self) -> None:
        """Close every connection; harmless when done twice."""
        self._closed = True
        self._engine.dispose(close=os.getpid() == self._process)


LedgerDatabase: TypeAlias = Database | PostgresDatabase
"""An open ledger of either kind; both give `read` and `write` blocks with a SQLAlchemy connection."""
