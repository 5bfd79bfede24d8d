"""The one door to SQLite: how the ledger's file is made, opened, locked and locked out.

One rule: every failure leaves the file as it was found and becomes one of `LedgerUnavailable`,
`LedgerCorrupt` and `SchemaMismatch`, with what to do next.
"""

import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from platemark_provenance.errors import LedgerCorrupt, LedgerError, LedgerReadOnly, LedgerUnavailable, SchemaMismatch
from platemark_provenance.ledger.tables import SCHEMA_REVISION, TRIGGERS

OLDEST_SQLITE = (3, 37)
"""The first with STRICT tables."""
UPGRADE_FIX = "Run `platemark db upgrade`."

_REVISION = re.compile(r"r(\d{4})")
_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    # An acknowledged event survives a power cut, not only a killed process.
    "PRAGMA synchronous = FULL",
    # Erased payloads are overwritten, not only unlinked.
    "PRAGMA secure_delete = ON",
    # Without it INSERT OR REPLACE deletes rows behind the delete triggers.
    "PRAGMA recursive_triggers = ON",
    # A schema somebody altered gets no functions with side effects.
    "PRAGMA trusted_schema = OFF",
)
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT}
_DAMAGED |= {sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_SCHEMA}


def database_path(url: str) -> Path:
    """Give the file that a database URL names.

    Raises:
        LedgerUnavailable: the URL is not one of a SQLite file.
    """
    fix = "Write it as sqlite:////absolute/path/ledger.db."
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise LedgerUnavailable("The ledger's address should be a database URL and is not.", fix=fix) from error
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:") or parsed.query:
        raise LedgerUnavailable(
            f"The ledger of this version is a SQLite file; got {parsed.render_as_string()[:200]}.", fix=fix
        )
    return Path(str(parsed.database))


def create_database_file(path: Path) -> None:
    """Make an empty database file that only its owner reads. SQLite gives its side files the same mode.

    Raises:
        LedgerUnavailable: it cannot be made there. An existing file is left as it is.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise LedgerUnavailable(
            f"The ledger cannot be made at {path}: {error.strerror or error}.",
            fix="Make the directory, or give write permission on it.",
        ) from error


def open_engine(path: Path, *, busy_timeout_s: float, how: str = "mode=rw") -> Engine:
    """Open an existing database file. Transactions are deferred, or immediate with the option `write`.

    Args:
        path: an existing file; it is never made here.
        busy_timeout_s: how long to wait for another writer.
        how: see `connector`.

    Raises:
        LedgerUnavailable: there is no such file, or this SQLite is too old.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise LedgerUnavailable(
            f"The ledger needs SQLite 3.37 or newer; this Python has {sqlite3.sqlite_version}.",
            fix="Use a newer Python.",
        )
    if not _is_file(path):
        raise LedgerUnavailable(
            f"There is no ledger at {path}.", fix="Run `platemark init`, or `platemark db upgrade` in a home."
        )

    engine = create_engine(
        "sqlite://", creator=connector(path, busy_timeout_s, how=how), poolclass=QueuePool, pool_size=5, max_overflow=20
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns into a write fails at once when another writes, whatever the
        # timeout; one that says so at its beginning waits its turn.
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def connector(path: Path, busy_timeout_s: float, *, how: str = "mode=rw") -> Callable[[], sqlite3.Connection]:
    """Give a function that opens a connection with the ledger's settings to an existing file.

    Args:
        path: the file.
        busy_timeout_s: how long to wait for another writer.
        how: the parameters of SQLite's address.
    """
    # Made once: the working directory may change while the ledger is open.
    address = f"file:{quote(str(path.absolute()))}?{how}"

    def _connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address,
            uri=True,
            timeout=busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    return _connect


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a disk that fails; what is only missing gives False
        raise LedgerUnavailable(
            f"The ledger at {path} cannot be looked at: {error.strerror or error}.", fix="Check the disk and the path."
        ) from error


def reading_parameters(path: Path, busy_timeout_s: float) -> str:
    """Find out how a file can be read that must not, or cannot, be written.

    A file whose directory cannot be written has nowhere to put what readers share. It is then read as one that nobody
    changes, which is right only where no events wait in a write-ahead log beside it: those would be left out.

    Raises:
        LedgerUnavailable: it cannot be read; or events wait, so that a part of the log would be missing.
    """
    if not _is_file(path):
        raise LedgerUnavailable(f"There is no ledger at {path}.")
    try:
        with closing(connector(path, busy_timeout_s, how="mode=ro")()) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise _translated(error, path) from error
    else:
        return "mode=ro"
    waiting = path.with_name(f"{path.name}-wal")
    if waiting.exists() and waiting.stat().st_size:
        raise LedgerUnavailable(
            f"The ledger at {path} was not closed, and its last events wait in {waiting.name}.",
            fix="Copy the whole home to a place that can be written, and read it there.",
        )
    return "mode=ro&immutable=1"


def _driver_connection(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise LedgerUnavailable("The ledger's connection was closed.", fix="Open the ledger again.")
    return raw


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn what SQLAlchemy and SQLite raise inside the block into this project's errors.

    Raises:
        LedgerUnavailable: the database is locked, read-only, full or cannot be opened.
        LedgerCorrupt: the database's content is damaged or refuses what the program knows to be right.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise LedgerUnavailable("Too many threads use the ledger at once.", fix="Use fewer, or try again.") from error
    except (DBAPIError, sqlite3.Error) as error:
        raise _translated(error, path) from error
    except (StatementError, UnicodeDecodeError) as error:
        raise LedgerCorrupt(f"The ledger at {path} holds a value of the wrong type.", fix=_AUDIT_FIX) from error


_AUDIT_FIX = "Run `platemark audit verify`; keep the file as it is and restore a backup beside it."


def _translated(error: DBAPIError | sqlite3.Error, path: Path) -> LedgerError:
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", sqlite3.SQLITE_CANTOPEN) & 0xFF
    if code in _BUSY:
        return LedgerUnavailable(
            f"The ledger at {path} is locked by another program.", fix="Wait until it is done and try again."
        )
    # The files that readers and writers share cannot be made in such a directory.
    closed = code == sqlite3.SQLITE_CANTOPEN and path.exists() and not os.access(path.parent, os.W_OK)
    if code == sqlite3.SQLITE_READONLY or closed:
        return LedgerReadOnly(
            f"The ledger at {path} is read-only, so what is done with it cannot be written down.",
            fix="Give write permission on the file and its directory. Some commands read it with --read-only.",
        )
    if code == sqlite3.SQLITE_FULL:
        return LedgerUnavailable("The disk that holds the ledger is full.", fix="Free some space and try again.")
    if code in _DAMAGED:
        return LedgerCorrupt(f"The ledger at {path} is damaged: {original}.", fix=_AUDIT_FIX)
    return LedgerUnavailable(
        f"The ledger at {path} cannot be opened: {original}.",
        fix="Check the disk, and permissions on the directory.",
    )


def stored_revision(connection: Connection) -> str | None:
    """Give the schema revision that a database says it has, None for one without tables.

    Raises:
        SchemaMismatch: it has tables and does not say.
    """
    names = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
    if not names:
        return None
    if "alembic_version" in names:
        rows = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
        if len(rows) == 1 and isinstance(rows[0], str):
            return rows[0]
        # An upgrade of an empty file that was stopped half-way is rolled back as a whole; this is something
        # else.
    raise SchemaMismatch(
        "The database should be a platemark ledger; it has other tables and no schema revision.",
        fix="Check that the configured path is right.",
    )


def check_revision(found: str | None) -> None:
    """Refuse a schema that is not the one this program was written for.

    Raises:
        SchemaMismatch: it is missing, older, newer or unknown.
    """
    if found == SCHEMA_REVISION:
        return
    if found is None:
        raise SchemaMismatch("The database is empty; a ledger was expected.", fix=UPGRADE_FIX)
    match = _REVISION.fullmatch(found)
    if match is not None and match[0] < SCHEMA_REVISION:
        raise SchemaMismatch(
            f"The ledger has schema {found}; this program needs the newer {SCHEMA_REVISION}.", fix=UPGRADE_FIX
        )
    raise SchemaMismatch(
        f"The ledger has schema {found[:40]}; this program knows none after {SCHEMA_REVISION}.",
        fix="Install the newer platemark that wrote it.",
    )


def check_triggers(connection: Connection) -> None:
    """Refuse a database whose append-only guards are not exactly ours.

    Raises:
        LedgerCorrupt: one is missing, changed or added.
    """
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    found = {name: " ".join(sql.split()) for name, sql in rows}
    wanted = {name: " ".join(sql.split()) for name, sql in TRIGGERS.items()}
    if found != wanted:
        names = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
        raise LedgerCorrupt(f"The ledger's append-only guards were changed: {', '.join(names)[:200]}.", fix=_AUDIT_FIX)


def check_still_open(*, opened_by: int, closed: bool) -> None:
    """Refuse to go on after a ledger was closed, or in a forked child.

    Args:
        opened_by: the process that opened it.
        closed: whether it was closed.

    Raises:
        LedgerUnavailable: the ledger has to be opened again.
    """
    if os.getpid() != opened_by:
        raise LedgerUnavailable(
            "This ledger was opened before the process was forked; it is not usable in the child.",
            fix="Open it in the child process.",
        )
    if closed:
        raise LedgerUnavailable("This ledger was closed.", fix="Open it again.")


def refuse_to_write(*, read_only: bool) -> None:
    """Refuse to write to a ledger that was opened for reading only.

    Raises:
        LedgerReadOnly: it was.
    """
    if read_only:
        raise LedgerReadOnly("The ledger was opened for reading only.", fix="Open it without --read-only.")


class Database:
    """An open ledger file, shared by the threads of a process.

    Args:
        path: the file.
        busy_timeout_s: how long to wait for another process that writes.
        read_only: never write, also where the file could be written.

    Raises:
        LedgerUnavailable, LedgerCorrupt, SchemaMismatch: it cannot be used; nothing was changed.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        how = reading_parameters(path, busy_timeout_s) if read_only else "mode=rw"
        self._engine = open_engine(path, busy_timeout_s=busy_timeout_s, how=how)
        self._connect = connector(path, busy_timeout_s)
        self._writer = self._engine.execution_options(write=True)
        # One writer at a time in this process: SQLite's own queue between connections is unfair, threads need
        # not stand in it. Held across a whole transaction, so `_writing` belongs to the thread that holds it.
        self.lock = threading.RLock()
        """Held by whoever writes in this process."""
        self._writing: Connection | None = None
        self._raw: sqlite3.Connection | None = None
        self._process = os.getpid()
        self._spoiled = False
        self._closed = False
        try:
            self._check()
        except LedgerError:
            self.close()
            raise

    def _check(self) -> None:
        """Refuse, in this order: 1 damage, 2 another schema, 3 missing guards, 4 no permission to write."""
        with self.read() as connection:  # 1
            check_revision(stored_revision(connection))  # 2
            check_triggers(connection)  # 3
        if self.read_only:
            return
        with self.write() as connection:  # 4: BEGIN IMMEDIATE needs the write lock, so a read-only file stops here
            connection.exec_driver_sql("SELECT 1")
        with translated_errors(self.path), self._engine.connect() as connection:
            # Kept in the file; a copy made with VACUUM INTO lacks it.
            raw = connection.connection.driver_connection
            if isinstance(raw, sqlite3.Connection):
                raw.execute("PRAGMA journal_mode = WAL").fetchone()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database for the whole block.

        Inside a `write` block of the same thread it is that block's connection, so that a thread reads what
        it wrote.
        """
        self.check_usable()
        writing = self._writing if self.is_writing else None
        if writing is not None:
            yield writing
            return
        with translated_errors(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give the writing connection; everything in the block is kept, or nothing.

        A block inside a block of the same thread joins it. When an inner block fails, the outer one cannot be
        kept either, even where the error was caught between them.
        """
        self.check_usable()
        refuse_to_write(read_only=self.read_only)
        with self.lock:
            self.check_usable()
            if self._writing is None:
                yield from self._write_outermost()
            else:
                done = False
                try:
                    yield self._writing
                    done = True
                finally:
                    self._spoiled = self._spoiled or not done

    def _write_outermost(self) -> Iterator[Connection]:
        with translated_errors(self.path), self._writer.begin() as connection:
            self._writing, self._spoiled = connection, False
            try:
                yield connection
                if self._spoiled:
                    raise LedgerError("A part of this ledger transaction failed, so none of it was kept.")
            finally:
                self._writing = None

    @contextmanager
    def write_raw(self) -> Iterator[sqlite3.Connection]:
        """Give a connection below SQLAlchemy for the log's few statements; kept as a whole, or nothing.

        Inside a `write` block of the same thread it belongs to that block. Else it is always the same connection, so
        that SQLite can tell whether somebody else wrote in between.
        """
        self.check_usable()
        refuse_to_write(read_only=self.read_only)
        with self.lock:
            self.check_usable()
            if self._writing is not None:
                with self.write() as connection:
                    yield _driver_connection(connection)
            else:
                with translated_errors(self.path):
                    yield from self._write_raw_outermost()

    def _write_raw_outermost(self) -> Iterator[sqlite3.Connection]:
        if self._raw is None:
            self._raw = self._connect()
            # Each row that a guard looks at has its own undo record, which SQLite keeps in a file unless told not to.
            self._raw.execute("PRAGMA temp_store = MEMORY")
        done = False
        try:
            self._raw.execute("BEGIN IMMEDIATE")
            yield self._raw
            self._raw.execute("COMMIT")
            done = True
        finally:
            if not done and self._raw is not None:
                # Whatever stopped it may have left the connection in any state; closing rolls back.
                self._raw.close()
                self._raw = None

    def check_usable(self) -> None:
        """Refuse to go on after `close` or in a forked child; takes no lock, for a fork may have left it held.

        Raises:
            LedgerUnavailable: the ledger has to be opened again.
        """
        # Locks and threads do not come along, and SQLite forbids a connection to be used after a fork.
        check_still_open(opened_by=self._process, closed=self._closed)

    def empty_write_ahead_log(self) -> bool:
        """Move everything from SQLite's write-ahead log into the file and cut it to nothing.

        Returns:
            whether it is empty; another program that reads an older state keeps it, for as long as it reads.
        """
        self.check_usable()
        with self.lock, translated_errors(self.path), self._engine.connect() as connection:
            raw = connection.connection.cursor()
            try:
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                row = raw.fetchone()
            finally:
                raw.close()
        return row is not None and row[0] == 0

    @property
    def is_writing(self) -> bool:
        """Whether this thread is inside a `write` block."""
        if not self.lock.acquire(blocking=False):
            return False
        try:
            return self._writing is not None
        finally:
            self.lock.release()

    def close(self) -> None:
        """Close every connection; harmless when done twice."""
        self._closed = True
        if os.getpid() != self._process:
            self._engine.dispose(close=False)
            return
        if self._raw is not None:
            self._raw.close()
            self._raw = None
        self._engine.dispose()
