"""The ledger's schema on PostgreSQL: make it, check it, and let roles use it.

One rule: one transaction under one advisory lock, so that two programs that upgrade at once do it once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from platemark_migrations import scripts
from platemark_provenance.errors import LedgerCorrupt
from platemark_provenance.ledger.database import check_revision
from platemark_provenance.ledger.postgres import (
    SCHEMA,
    open_server,
    server_url,
    stored_server_revision,
    translated_server_errors,
)
from platemark_provenance.ledger.postgres_guards import check_postgres_guards
from platemark_provenance.ledger.tables import metadata

FIRST = "r0001"
"""The revision before the first that PostgreSQL has."""
_LOG = ("event", "tile", "checkpoint", "sealed_payload", "actor", "log_head", "alembic_version")
_FUNCTIONS = (
    "stage",
    "integrate",
    "places",
    "remember_checkpoint",
    "my_desks",
    "sees_all",
    "keep",
    "settle",
    "settle_here",
    "append",
)


def current(url: str) -> str | None:
    """Give the schema revision of a database, None where there is no ledger."""
    with _connected(url) as connection:
        return stored_server_revision(connection)


def check(url: str) -> None:
    """Refuse a database that the ledger would not open; see `platemark_migrations.check`."""
    with _connected(url) as connection:
        check_revision(stored_server_revision(connection))
        _check_invariants(connection)


def upgrade(url: str) -> None:
    """Make the schema, or bring it to the newest revision; see `platemark_migrations.upgrade`."""
    with _connected(url) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('platemark.upgrade'))"))
        found = stored_server_revision(connection)
        if found is not None and found not in scripts.known():
            check_revision(found)
        if found is None:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            connection.execute(text(f"REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC"))
            MigrationContext.configure(connection).stamp(scripts.scripts(), FIRST)
        scripts.run(connection)
        _check_invariants(connection)


def grant(url: str, role: str, desks: Sequence[str]) -> None:
    """Let a role use the ledger for some desks; see `platemark_migrations.grant`."""
    with _connected(url) as connection:
        name = connection.dialect.identifier_preparer.quote_identifier(role)
        # The index of words would tell one desk what another wrote, so only those who read everything get it.
        hidden = set() if "*" in desks else {"search_word"}
        beside = sorted(set(metadata.tables) - set(_LOG) - hidden)
        for statement in (
            f"GRANT USAGE ON SCHEMA {SCHEMA} TO {name}",
            f"GRANT SELECT ON {', '.join(_LOG)} TO {name}",
            f"GRANT SELECT, INSERT, UPDATE ON {', '.join(beside)} TO {name}",
            f"GRANT EXECUTE ON FUNCTION {', '.join(_FUNCTIONS)} TO {name}",
        ):
            connection.exec_driver_sql(statement.replace("%", "%%"))
        insert = text("INSERT INTO desk_access VALUES (:role, :desk) ON CONFLICT DO NOTHING")
        connection.execute(insert, [{"role": role, "desk": desk} for desk in desks])


def offline_sql() -> str:
    """Give the SQL that makes a ledger from nothing."""
    return "\n".join(
        (
            f"CREATE SCHEMA {SCHEMA};",
            f"REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC;",
            f"SET search_path = {SCHEMA}, pg_temp;",
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);",
            "INSERT INTO alembic_version VALUES ('r0001');",
            scripts.offline("postgresql", f"{FIRST}:head"),
        )
    )


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    address = server_url(url)
    engine = open_server(url, busy_timeout_s=30)
    try:
        where = f"{address.host or 'the local server'}/{address.database}"
        with translated_server_errors(where), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _check_invariants(connection: Connection) -> None:
    """Refuse a schema whose tables, indexes or guards are not those that the ledger's code expects."""
    check_postgres_guards(connection)
    names = text(
        "SELECT tablename FROM pg_tables WHERE schemaname = :schema "
        "UNION ALL SELECT indexname FROM pg_indexes WHERE schemaname = :schema"
    )
    found = set(connection.execute(names, {"schema": SCHEMA}).scalars())
    wanted = {str(index.name) for table in metadata.tables.values() for index in table.indexes}
    missing = sorted((set(metadata.tables) | wanted) - found)
    if missing:
        raise LedgerCorrupt(
            f"The ledger's tables were changed: {', '.join(missing)[:200]}.", fix="Restore the database from a backup."
        )
