"""What SQLite and PostgreSQL spell differently, in one place.

One rule: small questions and answers on a connection that somebody else opened; nothing here decides anything.
"""

from sqlalchemy import ColumnElement, Connection, Text, cast, func, insert, literal_column, select, text

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.database import check_triggers
from platemark_provenance.ledger.postgres_guards import check_postgres_guards
from platemark_provenance.ledger.tables import checkpoint, event

_LAST = select(func.max(event.c.seq))


def is_postgres(connection: Connection) -> bool:
    """Tell whether a connection leads to PostgreSQL."""
    return connection.dialect.name == "postgresql"


def logged_size(connection: Connection) -> int:
    """Count the events of the log, whichever of them this connection may read."""
    if is_postgres(connection):
        return int(connection.execute(text("SELECT size FROM log_head")).scalar_one())
    last = connection.execute(_LAST).scalar()
    return 0 if last is None else int(last) + 1


def hold_signing(connection: Connection) -> None:
    """Let one transaction at a time sign a tree head; a writer of a SQLite file is alone anyway."""
    if is_postgres(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('platemark.sign'))"))


def remember_checkpoint(connection: Connection, size: int, root: bytes, note: bytes) -> None:
    """Store a signed tree head."""
    if is_postgres(connection):
        row = {"size": size, "root": root, "note": note}
        connection.execute(text("SELECT remember_checkpoint(:size, :root, :note)"), row)
    else:
        connection.execute(insert(checkpoint).values(size=size, root=root, note=note))


def check_guards(connection: Connection) -> None:
    """Refuse a database whose append-only guards are not exactly ours.

    Raises:
        LedgerCorrupt: one is missing, changed or added.
    """
    if is_postgres(connection):
        check_postgres_guards(connection)
    else:
        check_triggers(connection)


def structure_fault(connection: Connection) -> str | None:
    """Say what is wrong with the database's own structure, None where nothing is or the server answers for it.

    Raises:
        LedgerRequestError: this role may not read the whole log, so it cannot check it.
    """
    if not is_postgres(connection):
        found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        return None if found == "ok" else str(found)
    if not connection.execute(text("SELECT sees_all()")).scalar():
        raise LedgerRequestError(
            "This database role reads the events of some desks only; a check needs all of them.",
            fix="Use a role that was granted every desk.",
        )
    return None


def facts_as_text(dialect: str) -> ColumnElement[str]:
    """Give the open facts of an event as the JSON they are stored as."""
    if dialect == "postgresql":
        return literal_column("(convert_from(event.body, 'UTF8')::json -> 'facts')::text", Text)
    return func.json_extract(cast(event.c.body, Text), "$.facts")
