"""A ledger in a temporary directory, a clock that stands still, and a hand that tampers with the file."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from postgres_server import run_on_server, shared_server
from sqlalchemy import URL, Engine, create_engine, event

import platemark_migrations
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.ledger.tables import TRIGGERS

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
_SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(b"a ledger signing key for tests  ")


class _Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    """The ledger's clock."""
    return _Clock()


@pytest.fixture
def move_clock(clock: _Clock) -> Callable[[float], None]:
    """Move the ledger's clock by seconds, back where negative."""

    def move(seconds: float) -> None:
        clock.now += timedelta(seconds=seconds)

    return move


@pytest.fixture
def signing_key() -> Ed25519PrivateKey:
    """The same ledger key in every test."""
    return _SIGNING_KEY


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database to copy."""
    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    platemark_migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def ledger_path(tmp_path: Path, migrated: Path) -> Path:
    """A migrated, empty database."""
    return Path(shutil.copy2(migrated, tmp_path / "ledger.db"))


@pytest.fixture
def url(ledger_path: Path) -> str:
    """The address of the migrated database."""
    return f"sqlite:///{ledger_path}"


def _settings(directory: Path, clock: _Clock) -> LedgerSettings:
    return LedgerSettings(
        origin="news.example/provenance",
        signing_key=_SIGNING_KEY,
        payload_key=b"a payload key for tests, 32 byte",
        clock=clock,
        state_path=directory / "signed-head",
        busy_timeout_s=0.05,
    )


@pytest.fixture
def settings(tmp_path: Path, clock: _Clock) -> LedgerSettings:
    """Settings with a short wait for locks."""
    return _settings(tmp_path, clock)


@pytest.fixture
def ledger(url: str, settings: LedgerSettings) -> Iterator[Ledger]:
    """An open, empty ledger."""
    with Ledger.open(url, settings=settings) as opened:
        yield opened


STORY = (
    NewEvent(EventType.HOME_CREATED, facts={"organisation": "News Example"}),
    NewEvent(
        EventType.PROMPT_SUBMITTED,
        clip="clip-a",
        actor="jw.kim",
        desk="weather",
        facts={"characters": 18},
        sealed={"prompt": "rain over the city", "byline": "Kim Ji-woo"},
    ),
    NewEvent(EventType.POLICY_DECIDED, clip="clip-a", desk="weather", decision="allow", facts={"pack": "newsroom"}),
    NewEvent(EventType.GENERATION_FINISHED, clip="clip-a", model="embedded-1", facts={"seconds": 2.5}),
    NewEvent(EventType.MANIFEST_SIGNED, clip="clip-a", facts={"sha256": "ab" * 32}),
    NewEvent(EventType.CLIP_PUBLISHED, clip="clip-a", actor="jw.kim", desk="weather", facts={"path": "a.mp4"}),
    NewEvent(EventType.CLIP_VERIFIED, clip="clip-a", facts={"verdict": "trusted"}),
)


@pytest.fixture(scope="session")
def server() -> URL:
    """A PostgreSQL server, with an empty ledger in the database `template`."""
    address = shared_server()
    run_on_server(address, "CREATE DATABASE template")
    platemark_migrations.upgrade(as_text(address.set(database="template")))
    return address


@pytest.fixture
def server_url(server: URL, request: pytest.FixtureRequest) -> str:
    """The address of an empty ledger of this test's own on the server, as its owner."""
    name = "t" + uuid4().hex
    run_on_server(server, f"CREATE DATABASE {name} TEMPLATE template")
    return as_text(server.set(database=name))


@pytest.fixture
def server_ledger(server_url: str, settings: LedgerSettings) -> Iterator[Ledger]:
    """An open, empty ledger on the server."""
    with Ledger.open(server_url, settings=replace(settings, busy_timeout_s=10)) as opened:
        yield opened


@pytest.fixture
def on_server(server_url: str) -> Callable[..., list[tuple[Any, ...]]]:
    """Run statements in the ledger's schema as its owner, and give the rows of the last."""

    def run(*statements: str) -> list[tuple[Any, ...]]:
        engine = create_engine(server_url, connect_args={"options": "-c search_path=platemark"})
        try:
            with engine.begin() as connection:
                results = [connection.exec_driver_sql(statement) for statement in statements]
                return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []
        finally:
            engine.dispose()

    return run


def as_text(address: URL) -> str:
    return address.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def told(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the seven events above, signed after the sixth and after the last. Not to be changed."""
    directory = tmp_path_factory.mktemp("told")
    shutil.copy2(migrated, directory / "ledger.db")
    with Ledger.open(f"sqlite:///{directory}/ledger.db", settings=_settings(directory, _Clock())) as ledger:
        ledger.append_all(STORY[:6])
        ledger.checkpoint()
        ledger.append(STORY[6])
        ledger.checkpoint()
    return directory


@pytest.fixture(scope="session")
def told_at_length(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with 600 signed events: two full tiles, a partial one, and one above them. Not to be changed."""
    directory = tmp_path_factory.mktemp("told_at_length")
    shutil.copy2(migrated, directory / "ledger.db")
    queries = [NewEvent(EventType.AUDIT_QUERIED, clip=f"clip-{i}", facts={"i": i}) for i in range(600)]
    with Ledger.open(f"sqlite:///{directory}/ledger.db", settings=_settings(directory, _Clock())) as ledger:
        ledger.append_all(queries)
        ledger.checkpoint()
    return directory


@pytest.fixture
def story(told: Path, ledger_path: Path, url: str, settings: LedgerSettings) -> Iterator[Ledger]:
    """A ledger with seven events, signed after the sixth and after the last."""
    shutil.copy2(told / "ledger.db", ledger_path)
    shutil.copy2(told / "signed-head", settings.state_path)
    with Ledger.open(url, settings=settings) as opened:
        yield opened


@pytest.fixture
def long_story(told_at_length: Path, ledger_path: Path, url: str, settings: LedgerSettings) -> Iterator[Ledger]:
    """A ledger with 600 signed events."""
    shutil.copy2(told_at_length / "ledger.db", ledger_path)
    shutil.copy2(told_at_length / "signed-head", settings.state_path)
    with Ledger.open(url, settings=settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def archive(told: Path) -> Iterator[Ledger]:
    """The seven events for tests that only read."""
    with Ledger.open(f"sqlite:///{told}/ledger.db", settings=_settings(told, _Clock())) as opened:
        yield opened


@pytest.fixture
def tamper(ledger_path: Path) -> Callable[[str], None]:
    """Run SQL on the file as somebody who knows how: guards off, change, guards on again.

    The SQL has a function `leaf_hash(body)` and one `rebuild_tree()` that makes tiles fit the leaves (up to 256).
    """

    def run(sql: str) -> None:
        with contextlib.closing(sqlite3.connect(ledger_path, isolation_level=None)) as connection:
            connection.create_function("leaf_hash", 1, merkle.leaf_hash)
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute("BEGIN IMMEDIATE")
            for name in TRIGGERS:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in sql.split(";"):
                connection.execute(statement)
            for trigger in TRIGGERS.values():
                connection.execute(trigger)
            connection.execute("COMMIT")

    return run


@pytest.fixture
def try_sql(ledger_path: Path) -> Callable[[str], None]:
    """Run one statement on the file as any SQLite tool would, guards and all."""

    def run(statement: str) -> None:
        with contextlib.closing(sqlite3.connect(ledger_path, isolation_level=None)) as connection:
            connection.execute(statement)

    return run


@pytest.fixture
def explain(ledger_path: Path) -> Callable[[Callable[[], object]], str]:
    """Give SQLite's plan for the last question that an action asks of the ledger."""

    def plan(action: Callable[[], object]) -> str:
        asked: list[tuple[str, Any]] = []

        def note(*arguments: Any) -> None:
            asked.append((str(arguments[2]), arguments[3]))

        event.listen(Engine, "before_cursor_execute", note)
        try:
            action()
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        statement, parameters = asked[-1]
        with contextlib.closing(sqlite3.connect(ledger_path)) as connection:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(str(row[-1]) for row in rows)

    return plan
