"""A filled ledger on PostgreSQL comes up to date from every older revision: same events, same root, newer functions."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from postgres_server import run_on_server, shared_server
from sqlalchemy import create_engine, text

import platemark_migrations
from platemark_migrations import scripts
from platemark_provenance.ledger.event import EventType, NewEvent, Stamp, encode_body
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.ledger.tables import SCHEMA_REVISION, metadata

OLDER = [f"r{number:04}" for number in range(3, int(SCHEMA_REVISION[1:]))]
"""Before r0003 nothing could be appended on a server: the table of words was not there yet."""
BODIES = [
    encode_body(
        NewEvent(EventType.CLIP_PUBLISHED, clip=f"clip-{n}", desk="weather", facts={"n": n}),
        Stamp(f"019dd6c0-0000-7000-8000-{n:012}", 1_773_489_600_000_000 + n, None, None),
    )
    for n in range(300)
]


@pytest.fixture(params=OLDER)
def old(request: pytest.FixtureRequest) -> str:
    """The address of a ledger of an older revision with 300 events, as the program of that time made it."""
    name, server = "o" + uuid4().hex, shared_server()
    run_on_server(server, f"CREATE DATABASE {name}")
    address = server.set(database=name)
    engine = create_engine(address, connect_args={"options": "-c search_path=platemark,pg_temp"})
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA platemark"))
        MigrationContext.configure(connection).stamp(scripts.scripts(), "r0001")
        scripts.run(connection, request.param)
        ids = [f"019dd6c0-0000-7000-8000-{n:012}" for n in range(300)]
        nothing = [None] * 300
        connection.exec_driver_sql(
            "SELECT stage(%s::text[], %b::bytea[], %s::bytea[], %s::bytea[], %s::text[], %s::text[])",
            (ids, BODIES, nothing, nothing, nothing, nothing),
        )
        connection.execute(text("SELECT integrate(1000, true)"))
    engine.dispose()
    return address.render_as_string(hide_password=False)


@pytest.fixture
def settings(tmp_path: Path) -> LedgerSettings:
    """Enough to open a ledger."""
    return LedgerSettings(
        origin="news.example/provenance",
        signing_key=Ed25519PrivateKey.from_private_bytes(b"k" * 32),
        payload_key=bytes(32),
        clock=lambda: datetime(2026, 3, 15, tzinfo=UTC),
        state_path=tmp_path / "signed-head",
        busy_timeout_s=10,
    )


def test_a_filled_ledger_of_an_older_revision_keeps_its_events_and_goes_on(old: str, settings: LedgerSettings) -> None:
    platemark_migrations.upgrade(old)

    with Ledger.open(old, settings=settings) as ledger:
        assert [event.body for event in ledger.query(order="oldest")] == BODIES
        assert ledger.append(NewEvent(EventType.AUDIT_QUERIED)).seq == 300
        assert ledger.verify().ok


def test_an_upgraded_server_has_the_tables_of_the_code_and_its_guards(old: str) -> None:
    platemark_migrations.upgrade(old)

    platemark_migrations.check(old)
    engine = create_engine(old, connect_args={"options": "-c search_path=platemark"})
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    own = {"event_inbox", "log_head", "desk_access", "alembic_version"}
    assert [item for item in differences if not (item[0] == "remove_table" and item[1].name in own)] == []


def test_a_role_that_was_granted_before_appends_after_the_upgrade(old: str, settings: LedgerSettings) -> None:
    role = "news_" + uuid4().hex[:12]
    server = shared_server()
    run_on_server(server, f"CREATE ROLE {role} LOGIN")
    engine = create_engine(old, connect_args={"options": "-c search_path=platemark"})
    with engine.begin() as connection:
        for statement in (
            f"GRANT USAGE ON SCHEMA platemark TO {role}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA platemark TO {role}",
            f"GRANT EXECUTE ON FUNCTION stage, integrate, places, remember_checkpoint, my_desks, sees_all TO {role}",
            f"INSERT INTO desk_access VALUES ('{role}', 'weather')",
        ):
            connection.execute(text(statement))
    engine.dispose()

    platemark_migrations.upgrade(old)

    url = server.set(database=old.rpartition("/")[2].partition("?")[0], username=role)
    with Ledger.open(url.render_as_string(hide_password=False), settings=settings) as ledger:
        assert ledger.append(NewEvent(EventType.AUDIT_QUERIED, desk="weather")).seq == 300
