"""On PostgreSQL the steps lead to the tables in the code, once, whoever runs them and however."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgres_server import run_on_server, shared_server
from sqlalchemy import create_engine, make_url

import platemark_migrations
from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError, SchemaMismatch
from platemark_provenance.ledger.tables import SCHEMA_REVISION, metadata


@pytest.fixture
def url() -> str:
    """The address of an empty database."""
    name = "m" + uuid4().hex
    server = shared_server()
    run_on_server(server, f"CREATE DATABASE {name}")
    return server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


def run_sql(url: str, statement: str) -> None:
    with psycopg.connect(url, options="-c search_path=platemark") as connection:
        connection.execute(statement.encode())


def test_the_steps_make_the_tables_that_the_code_has(url: str) -> None:
    platemark_migrations.upgrade(url)

    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"), connect_args={"options": "-c search_path=platemark"}
    )
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    own = {"event_inbox", "log_head", "desk_access", "alembic_version"}
    left = [item for item in differences if not (item[0] == "remove_table" and item[1].name in own)]
    assert left == []


def test_upgrading_again_changes_nothing(url: str) -> None:
    platemark_migrations.upgrade(url)

    assert platemark_migrations.upgrade(url) == SCHEMA_REVISION
    assert platemark_migrations.current(url) == SCHEMA_REVISION
    platemark_migrations.check(url)


def test_programs_that_upgrade_at_once_make_one_ledger(url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(platemark_migrations.upgrade, [url] * 3)) == [SCHEMA_REVISION] * 3

    platemark_migrations.check(url)


def test_the_sql_for_administrators_makes_the_same_ledger(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(platemark_migrations.offline_sql("postgresql").encode())

    platemark_migrations.check(url)


def test_an_empty_database_has_no_revision_and_fails_the_check(url: str) -> None:
    assert platemark_migrations.current(url) is None
    with pytest.raises(SchemaMismatch, match="empty"):
        platemark_migrations.check(url)


def test_tables_of_somebody_else_are_not_touched(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(b"CREATE SCHEMA platemark CREATE TABLE photos (id integer)")

    with pytest.raises(SchemaMismatch, match="should hold a ledger"):
        platemark_migrations.upgrade(url)


def test_a_newer_schema_is_refused(url: str) -> None:
    platemark_migrations.upgrade(url)
    run_sql(url, "UPDATE alembic_version SET version_num = 'r9999'")

    with pytest.raises(SchemaMismatch, match="none after"):
        platemark_migrations.upgrade(url)


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("DROP INDEX ix_event_clip", "tables were changed: ix_event_clip"),
        ("DROP TABLE mark", "tables were changed: .*mark"),
        ("DROP TRIGGER head_stays ON log_head", "guards were changed: trigger head_stays"),
    ],
)
def test_a_schema_changed_by_hand_fails_the_check(url: str, statement: str, complaint: str) -> None:
    platemark_migrations.upgrade(url)
    run_sql(url, statement)

    with pytest.raises(LedgerCorrupt, match=complaint):
        platemark_migrations.check(url)


def test_desks_are_granted_on_a_server_only(tmp_path: Path) -> None:
    with pytest.raises(LedgerRequestError, match="on PostgreSQL"):
        platemark_migrations.grant(f"sqlite:///{tmp_path}/ledger.db", "news", desks=["*"])


def test_a_role_is_granted_at_least_one_desk(url: str) -> None:
    with pytest.raises(LedgerRequestError, match="at least one desk"):
        platemark_migrations.grant(url, "news", desks=[])


def test_a_role_whose_name_is_an_attempt_is_only_a_name(url: str) -> None:
    platemark_migrations.upgrade(url)
    name = 'x"; DROP TABLE mark; --'
    run_sql(url, 'CREATE ROLE "x""; DROP TABLE mark; --"')

    platemark_migrations.grant(url, name, desks=["weather"])

    platemark_migrations.check(url)
