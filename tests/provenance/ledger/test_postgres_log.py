"""The same ledger on a PostgreSQL server: one order for all writers, each desk its own view, and a past that stays."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import URL, create_engine, make_url, text

import platemark_migrations
from platemark_provenance.errors import (
    LedgerCorrupt,
    LedgerError,
    LedgerRequestError,
    LedgerUnavailable,
    SchemaMismatch,
)
from platemark_provenance.ledger.checkpoint import open_checkpoint
from platemark_provenance.ledger.event import EventType, NewEvent, SealedState
from platemark_provenance.ledger.merkle import leaf_hash, root_of_complete, tree_root
from platemark_provenance.ledger.postgres_guards import POSTGRES_GUARDS, postgres_guards
from platemark_provenance.ledger.receipt import verify_receipt
from platemark_provenance.ledger.store import Ledger, LedgerSettings

EVENT = NewEvent(EventType.CLIP_PUBLISHED, clip="clip-a", desk="weather", facts={"path": "a.mp4"})
EVENT_ID = "019dd6c0-0000-7000-8000-000000000001"
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)
GONE = (
    "DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
    "AND datname = current_database() AND backend_type = 'client backend') "
    "LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END $$"
)
Sql = Callable[..., list[tuple[Any, ...]]]


def role_url(server_url: str, role: str) -> str:
    return make_url(server_url).set(username=role).render_as_string(hide_password=False)


@pytest.fixture
def weather_url(server_url: str, on_server: Sql) -> str:
    """The address for a role that writes and reads for the weather desk only."""
    role = "weather_" + make_url(server_url).database[-12:]  # type: ignore[index]
    on_server(f"CREATE ROLE {role} LOGIN")
    platemark_migrations.grant(server_url, role, desks=["weather"])
    return role_url(server_url, role)


# The same interface


def test_the_tree_is_that_of_the_stored_bytes_over_tile_borders(server_ledger: Ledger) -> None:
    appended = [server_ledger.append_all([replace(EVENT, facts={"n": n})] * 130)[-1] for n in range(5)]

    hashes = [leaf_hash(event.body) for event in server_ledger.query(order="oldest")]
    roots = [
        tree_root(size, lambda level, i: root_of_complete(hashes[i << level : (i + 1) << level])).hex()
        for size in range(130, 651, 130)
    ]
    assert [item.root for item in appended] == roots
    assert server_ledger.head().root == roots[-1]


def test_everything_of_an_event_comes_back(server_ledger: Ledger) -> None:
    server_ledger.append(replace(EVENT, actor="jw.kim", decision="allow", model="m-1", sealed={"prompt": "rain"}))

    (event,) = server_ledger.trace("clip-a")

    assert (event.actor_name, event.decision, event.model, event.desk) == ("jw.kim", "allow", "m-1", "weather")
    assert (event.sealed_state, event.sealed) == (SealedState.OPENED, {"prompt": "rain"})


def test_a_check_of_the_whole_log_passes_and_a_receipt_holds(server_ledger: Ledger) -> None:
    server_ledger.append_all([EVENT] * 300)
    note = server_ledger.checkpoint()

    report = server_ledger.verify(against=note)

    assert (report.ok, report.size, report.checkpoint) == (True, 300, 300)
    assert verify_receipt(server_ledger.receipt("clip-a"), None, server_ledger.public_key).index == 299


def test_a_retry_after_a_lost_answer_gives_the_same_place(server_ledger: Ledger) -> None:
    mine = replace(EVENT, event_id=EVENT_ID, sealed={"prompt": "rain"})
    first = server_ledger.append(mine)
    server_ledger.append(EVENT)

    assert server_ledger.append(mine).seq == first.seq
    assert server_ledger.head().size == 2


def test_an_id_of_another_event_is_refused(server_ledger: Ledger) -> None:
    server_ledger.append(replace(EVENT, event_id=EVENT_ID))

    with pytest.raises(LedgerRequestError, match="belongs to a different event"):
        server_ledger.append(replace(EVENT, event_id=EVENT_ID, clip="other"))


def test_words_in_the_facts_are_found(server_ledger: Ledger) -> None:
    server_ledger.append(replace(EVENT, facts={"name": "100% Regen_a"}))
    server_ledger.append(replace(EVENT, facts={"name": "sun"}))

    assert [event.seq for event in server_ledger.query(text="100% regen_A")] == [0]


def test_a_text_with_nul_is_refused_and_nothing_is_kept(server_ledger: Ledger) -> None:
    with pytest.raises(LedgerRequestError, match="NUL"):
        server_ledger.append(replace(EVENT, facts={"text": "a\0b"}))

    assert server_ledger.head().size == 0


def test_an_atomic_block_keeps_events_and_registry_together(server_ledger: Ledger) -> None:
    with server_ledger.atomic():
        seq = server_ledger.append(EVENT).seq
        server_ledger.registry.reserve_mark(b"12345678", "clip-a", request_sha256="ab" * 32)

    assert (seq, server_ledger.registry.issued_marks()) == (0, (b"12345678",))
    assert server_ledger.verify().ok


def test_an_atomic_block_that_fails_keeps_nothing(server_ledger: Ledger) -> None:
    def fail() -> None:
        with server_ledger.atomic():
            server_ledger.append(EVENT)
            server_ledger.append(EVENT, wait="staged")
            server_ledger.registry.reserve_mark(b"12345678", "clip-a", request_sha256="ab" * 32)
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert (server_ledger.head().size, server_ledger.registry.issued_marks()) == (0, ())
    assert server_ledger.append(EVENT).seq == 0


def test_a_staged_event_gets_its_place_by_itself(
    server_ledger: Ledger, server_url: str, settings: LedgerSettings
) -> None:
    staged = server_ledger.append(EVENT, wait="staged")

    server_ledger.close()

    with Ledger.open(server_url, settings=settings) as again:
        assert [event.event_id for event in again.query()] == [staged.event_id]


def test_a_clock_that_went_back_is_an_event(server_ledger: Ledger, move_clock: Callable[[float], None]) -> None:
    server_ledger.append(EVENT)
    move_clock(-3_600)
    server_ledger.append(EVENT)

    assert [event.type for event in server_ledger.query(order="oldest")] == [
        "clip.published",
        "clock.regressed",
        "clip.published",
    ]


def test_a_tree_smaller_than_the_one_signed_is_not_signed(
    server_ledger: Ledger, server_url: str, settings: LedgerSettings, tmp_path: Path
) -> None:
    with Ledger.open(server_url, settings=replace(settings, state_path=tmp_path / "theirs")) as other:
        other.append(EVENT)
        (tmp_path / "ahead").write_bytes(other.checkpoint())
        other.append(EVENT)

    with Ledger.open(server_url, settings=replace(settings, state_path=tmp_path / "ahead")) as later:
        assert open_checkpoint(later.checkpoint(), later.public_key).size == 2


# Many at once


def test_writers_at_once_get_one_order_without_gaps(server_url: str, settings: LedgerSettings) -> None:
    patient = replace(settings, busy_timeout_s=20)
    with (
        Ledger.open(server_url, settings=patient) as one,
        Ledger.open(server_url, settings=patient) as two,
        ThreadPoolExecutor(8) as pool,
    ):
        seqs = list(pool.map(lambda n: (one if n % 2 else two).append(replace(EVENT, facts={"n": n})).seq, range(120)))

        assert sorted(seqs) == list(range(120))
        assert one.verify().ok


HOLDER = """
import sys, time, psycopg
options = "-c search_path=platemark,pg_temp -c idle_in_transaction_session_timeout=700"
with psycopg.connect(sys.argv[1], options=options) as c:
    c.execute("SELECT integrate(10, true)")
    print("held", flush=True)
    time.sleep(60)
    c.commit()
"""


def test_a_program_that_was_stopped_with_the_lock_loses_it_and_keeps_nothing(
    server_url: str, settings: LedgerSettings
) -> None:
    with (
        Ledger.open(server_url, settings=replace(settings, busy_timeout_s=20)) as ledger,
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, plain(server_url)], stdout=subprocess.PIPE, text=True
        ) as holder,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGSTOP)
        seq = ledger.append(EVENT).seq
        holder.send_signal(signal.SIGCONT)
        holder.kill()

        assert seq == 0
        assert ledger.verify().ok


def test_a_connection_cut_in_the_middle_keeps_all_or_nothing(
    server_url: str, on_server: Sql, settings: LedgerSettings
) -> None:
    with Ledger.open(server_url, settings=replace(settings, busy_timeout_s=5)) as ledger:
        ledger.append(EVENT)
        with pytest.raises(LedgerUnavailable, match="cannot be reached"), ledger.atomic():
            ledger.append(EVENT)
            on_server(CUT)
            ledger.append(EVENT)

    with Ledger.open(server_url, settings=settings) as again:
        assert again.head().size == 1
        assert again.append(EVENT).seq == 1
        assert again.verify().ok


def test_after_its_connections_were_cut_the_next_append_connects_again(server_ledger: Ledger, on_server: Sql) -> None:
    server_ledger.append(replace(EVENT, event_id=EVENT_ID))
    on_server(CUT)

    assert server_ledger.append(EVENT).seq == 1
    assert server_ledger.append(replace(EVENT, event_id=EVENT_ID)).seq == 0


def test_after_its_connections_were_cut_the_next_reading_connects_again(server_ledger: Ledger, on_server: Sql) -> None:
    server_ledger.append(EVENT)
    on_server(CUT)
    on_server(GONE)

    assert server_ledger.head().size == 1


def test_reading_sees_one_state_while_others_write(server_ledger: Ledger) -> None:
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(server_ledger.append, EVENT) for _ in range(20)]
        checks = [pool.submit(server_ledger.verify) for _ in range(4)]

        assert sorted(item.result().seq for item in writers) == list(range(20))
        assert all(item.result().ok for item in checks)


# Append-only


@pytest.fixture(scope="module")
def kept(server: URL, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of one signed event that no test changes: the server refuses each attempt."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE kept TEMPLATE template")
        connection.exec_driver_sql("CREATE ROLE kept_weather LOGIN")
    engine.dispose()
    url = server.set(database="kept").render_as_string(hide_password=False)
    platemark_migrations.grant(url, "kept_weather", desks=["weather"])
    settings = LedgerSettings(
        origin="news.example/provenance",
        signing_key=Ed25519PrivateKey.generate(),
        payload_key=bytes(32),
        clock=lambda: datetime(2026, 3, 14, tzinfo=UTC),
        state_path=tmp_path_factory.mktemp("kept") / "head",
    )
    with Ledger.open(url, settings=settings) as ledger:
        ledger.append(EVENT)
        ledger.checkpoint()
    return url


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET clip = 'x'",
        "DELETE FROM event",
        "TRUNCATE event CASCADE",
        "INSERT INTO event SELECT seq + 5, 'x', ts_us, type, clip, actor, desk, decision, model, body, leaf FROM event",
        "INSERT INTO event SELECT seq, 'x', ts_us, type, clip, actor, desk, decision, model, body, leaf FROM event"
        " ON CONFLICT (seq) DO UPDATE SET clip = 'x'",
        "UPDATE tile SET hashes = hashes",
        "DELETE FROM tile",
        "TRUNCATE tile",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
        "UPDATE log_head SET size = 0",
        "DELETE FROM log_head",
    ],
)
@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_not_even_the_owner_or_a_replica_changes_the_log(kept: str, statement: str, mode: str) -> None:
    options = f"-c search_path=platemark -c session_replication_role={mode}"

    with (
        psycopg.connect(plain(kept), options=options) as connection,
        pytest.raises(psycopg.errors.RaiseException, match=r"append-only|only grows|stays as it is"),
    ):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE event DISABLE TRIGGER event_no_change", "trigger event_no_change"),
        ("ALTER TABLE event ENABLE REPLICA TRIGGER event_no_change", "trigger event_no_change"),
        ("DROP TRIGGER tile_only_grows ON tile", "trigger tile_only_grows"),
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
            "refuse",
        ),
        ("ALTER FUNCTION stage SECURITY INVOKER", "function stage"),
        ("ALTER TABLE event DISABLE ROW LEVEL SECURITY", "row security event"),
        (
            "CREATE TRIGGER extra AFTER INSERT ON actor EXECUTE FUNCTION refuse_change()",
            "trigger extra",
        ),
    ],
)
def test_a_changed_guard_is_noticed_at_open(
    server_url: str, on_server: Sql, settings: LedgerSettings, statement: str, named: str
) -> None:
    on_server(statement)

    with pytest.raises(LedgerCorrupt, match=rf"guards were changed.*{named}"):
        Ledger.open(server_url, settings=settings)


def test_the_list_of_guards_is_what_the_migrations_make(server_url: str) -> None:
    engine = create_engine(server_url, connect_args={"options": "-c search_path=platemark"})
    with engine.connect() as connection:
        found = postgres_guards(connection)
    engine.dispose()

    assert found == POSTGRES_GUARDS


def test_an_administrator_who_switches_the_guards_off_is_found_by_the_tree(
    server_ledger: Ledger, on_server: Sql
) -> None:
    server_ledger.append_all([EVENT] * 3)
    server_ledger.checkpoint()
    on_server(
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "UPDATE event SET clip = 'other' WHERE seq = 1",
        "ALTER TABLE event ENABLE TRIGGER ALL",
        "ALTER TABLE event ENABLE ALWAYS TRIGGER event_no_change",
        "ALTER TABLE event ENABLE ALWAYS TRIGGER event_in_order",
    )

    report = server_ledger.verify()

    assert (report.ok, report.first_bad_seq, report.first_bad_column) == (False, 1, "clip")


# Roles and desks


def test_a_role_appends_for_its_desk_and_reads_it_back(weather_url: str, settings: LedgerSettings) -> None:
    with Ledger.open(weather_url, settings=replace(settings, busy_timeout_s=5)) as ledger:
        appended = ledger.append(replace(EVENT, actor="jw.kim", sealed={"prompt": "rain"}))
        with ledger.atomic():
            ledger.append(EVENT)

        assert appended.seq == 0
        assert [event.actor_name for event in ledger.trace("clip-a")] == ["jw.kim", None]
        assert open_checkpoint(ledger.checkpoint(), ledger.public_key).size == 2


def test_a_wrong_desk_sees_nothing(server_ledger: Ledger, weather_url: str, settings: LedgerSettings) -> None:
    server_ledger.append(replace(EVENT, desk="sports", actor="jw.kim", sealed={"prompt": "goal"}))
    server_ledger.append(replace(EVENT, desk=None, clip="clip-b"))

    with Ledger.open(weather_url, settings=settings) as ledger:
        assert list(ledger.query()) == []
        assert ledger.trace("clip-a") == ()

    engine = create_engine(weather_url, connect_args={"options": "-c search_path=platemark"})
    with closing(engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
        rows = [
            cursor.execute(f"SELECT count(*) FROM {name}").fetchone() for name in ("event", "sealed_payload", "actor")
        ]  # type: ignore[func-returns-value]
    engine.dispose()
    assert rows == [(0,), (0,), (0,)]


def test_a_role_does_not_write_for_another_desk(weather_url: str, settings: LedgerSettings) -> None:
    with Ledger.open(weather_url, settings=settings) as ledger:
        with pytest.raises(LedgerUnavailable, match="no events for the desk sports") as caught:
            ledger.append(replace(EVENT, desk="sports"))

        assert "db grant" in caught.value.fix
        assert ledger.head().size == 0


def test_a_role_that_sees_some_desks_cannot_claim_to_have_checked_the_log(
    weather_url: str, settings: LedgerSettings
) -> None:
    with (
        Ledger.open(weather_url, settings=settings) as ledger,
        pytest.raises(LedgerRequestError, match="some desks only"),
    ):
        ledger.verify()


def test_a_role_for_every_desk_checks_the_whole_log(
    server_ledger: Ledger, server_url: str, on_server: Sql, settings: LedgerSettings
) -> None:
    server_ledger.append(EVENT)
    role = "auditor_" + make_url(server_url).database[-12:]  # type: ignore[index]
    on_server(f"CREATE ROLE {role} LOGIN")
    platemark_migrations.grant(server_url, role, desks=["*"])

    with Ledger.open(role_url(server_url, role), settings=settings) as ledger:
        assert (ledger.verify().ok, ledger.verify().size) == (True, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO event VALUES (0, 'x', 0, 't', null, null, null, null, null, '', '')",
        "UPDATE event SET clip = 'x'",
        "DELETE FROM event",
        "TRUNCATE event",
        "INSERT INTO event_inbox (event_id, ts_us, type, body) VALUES ('x', 0, 't', '')",
        "SELECT * FROM event_inbox",
        "UPDATE log_head SET size = 7",
        "INSERT INTO desk_access VALUES (current_user, '*')",
        "DELETE FROM sealed_payload",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "DROP TABLE event",
        "SELECT extend_tiles(0, 0, '')",
        "SELECT place('{}')",
        "SELECT keep_parts('{}', '{}', '{}')",
        "SELECT spelled('{}', '{}', '{}', '{}', '{}', '{}')",
        "SET session_replication_role = replica",
    ],
)
def test_a_granted_role_has_no_right_but_to_append_and_to_read(kept: str, statement: str) -> None:
    address = plain(role_url(kept, "kept_weather"))

    with (
        psycopg.connect(address, options="-c search_path=platemark") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_a_role_that_was_granted_nothing_is_told_what_to_do(
    server_url: str, on_server: Sql, settings: LedgerSettings
) -> None:
    role = "stranger_" + make_url(server_url).database[-12:]  # type: ignore[index]
    on_server(f"CREATE ROLE {role} LOGIN")

    with pytest.raises(LedgerError) as caught:
        Ledger.open(role_url(server_url, role), settings=settings)

    assert "db grant" in caught.value.fix


# Reaching the server


def test_a_server_that_is_not_there_is_unavailable_and_its_password_is_not_shown(
    settings: LedgerSettings, tmp_path: Path
) -> None:
    with pytest.raises(LedgerUnavailable, match="cannot be reached") as caught:
        Ledger.open(f"postgresql://news:hunter2@/ledger?host={tmp_path}", settings=settings)

    assert "hunter2" not in str(caught.value)


def test_a_database_without_a_ledger_is_named(server: Any, settings: LedgerSettings) -> None:
    with pytest.raises(SchemaMismatch, match="empty") as caught:
        Ledger.open(server.render_as_string(hide_password=False), settings=settings)

    assert "db upgrade" in caught.value.fix


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_threads_share_the_connections_of_one_ledger(server_ledger: Ledger) -> None:
    done = threading.Event()

    def hold() -> None:
        with server_ledger.atomic():
            server_ledger.append(EVENT, wait="staged")
            done.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    appended = server_ledger.append(EVENT)
    done.set()
    holder.join()

    assert appended.seq == 0


def test_the_number_of_waiting_events_never_shows_in_the_log(server_ledger: Ledger, on_server: Sql) -> None:
    server_ledger.append_all([EVENT] * 3)

    assert on_server("SELECT count(*) FROM event_inbox") == [(0,)]
    assert on_server(str(text("SELECT size FROM log_head"))) == [(3,)]


# One call


def test_an_append_waits_for_whoever_gives_out_places_and_is_told_where_it_went(
    server_ledger: Ledger, on_server: Sql, server_url: str
) -> None:
    done = threading.Event()

    def hold() -> None:
        with psycopg.connect(plain(server_url)) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtext('platemark.places'))")
            done.wait(0.3)

    holder = threading.Thread(target=hold)
    holder.start()
    threading.Event().wait(0.1)
    appended = server_ledger.append(replace(EVENT, sealed={"prompt": "rain"}))
    done.set()
    holder.join()

    assert (appended.seq, appended.root) == (0, server_ledger.head().root)
    assert server_ledger.trace("clip-a")[0].sealed == {"prompt": "rain"}
    assert on_server("SELECT count(*) FROM event_inbox") == [(0,)]


def test_an_append_that_waits_too_long_says_that_it_is_kept_and_a_retry_learns_its_place(
    server_url: str, settings: LedgerSettings
) -> None:
    mine = replace(EVENT, event_id=EVENT_ID)
    with Ledger.open(server_url, settings=replace(settings, busy_timeout_s=0.2)) as ledger:
        with psycopg.connect(plain(server_url)) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtext('platemark.places'))")
            with pytest.raises(LedgerUnavailable, match="kept, and have no place") as caught:
                ledger.append(mine)

        assert "same ids" in caught.value.fix
        assert ledger.append(mine).seq == 0
        assert ledger.head().size == 1


def test_the_root_told_is_right_where_many_events_of_others_came_in_between(
    server_ledger: Ledger, server_url: str, settings: LedgerSettings
) -> None:
    server_ledger.append(EVENT)
    with Ledger.open(server_url, settings=replace(settings, busy_timeout_s=10)) as other:
        other.append_all([EVENT] * 700)
        near = server_ledger.append(EVENT)
        other.append_all([EVENT] * 1_000)
        other.append_all([EVENT] * 1_100)
        far = server_ledger.append(EVENT)

    hashes = [leaf_hash(event.body) for event in server_ledger.query(order="oldest")]
    roots = [
        tree_root(size, lambda level, i: root_of_complete(hashes[i << level : (i + 1) << level])).hex()
        for size in (near.size, far.size)
    ]
    assert [near.root, far.root] == roots


def test_the_same_event_twice_in_one_call_has_one_place(server_ledger: Ledger) -> None:
    mine = replace(EVENT, event_id=EVENT_ID)

    first, second, third = server_ledger.append_all([mine, mine, EVENT])

    assert (first.seq, second.seq, third.seq, server_ledger.head().size) == (0, 0, 1, 2)


def test_events_that_were_staged_go_before_those_that_come_later(
    server_url: str, settings: LedgerSettings, on_server: Sql
) -> None:
    with Ledger.open(server_url, settings=replace(settings, busy_timeout_s=10)) as ledger:
        with ledger.atomic():
            staged = ledger.append(EVENT, wait="staged")
        appended = ledger.append(EVENT)

        assert appended.seq == 1
        assert next(iter(ledger.query(order="oldest"))).event_id == staged.event_id
