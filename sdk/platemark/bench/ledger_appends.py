"""Appending to a SQLite file, beside the plain module without hashing, tree or guards.

One rule: the two take turns, so that whatever else the machine does befalls both.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from platemark.bench.claims import Claim, Options
from platemark.bench.ledger_events import PEER_COLUMNS, PEER_INDEXES, opened, our_event, peer_row
from platemark_migrations import upgrade
from platemark_provenance.ledger.store import Ledger

BATCH = 100
QUICK_TURNS, TURNS = 40, 400
THREADS, EACH = 16, 20
_PEER = "raw sqlite3 without hashing"


@dataclass(slots=True)
class Spent:
    """What one side spent, in seconds."""

    wall: float = 0.0
    cpu: float = 0.0

    def add(self, action: Callable[[], object]) -> None:
        """Do something and count what it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


def measure_appends(options: Options) -> Iterator[Claim]:
    """Measure batches, single commits, and threads that share commits."""
    turns = QUICK_TURNS if options.quick else TURNS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        upgrade(f"sqlite:///{folder}/ledger.db")
        peer = _peer(folder / "peer.db")
        with opened(f"sqlite:///{folder}/ledger.db", folder) as ledger:
            yield from _beside(ledger, peer, turns, BATCH, (f"batches of {BATCH}", 0.8))
            yield from _beside(ledger, peer, turns, 1, ("single commits", 0.6))
            yield _together(ledger)
        peer.close()


def _beside(
    ledger: Ledger, peer: sqlite3.Connection, turns: int, size: int, about: tuple[str, float]
) -> Iterator[Claim]:
    what, target = about
    ours, theirs = Spent(), Spent()
    numbers = count()
    for turn in range(turns):
        some = [next(numbers) for _ in range(size)]
        sides = [(ours, partial(_append, ledger, some)), (theirs, partial(_insert, peer, some))]
        for spent, action in sides if turn % 2 else reversed(sides):
            spent.add(action)
    events = turns * size
    for clock, target_of, mine, others in (
        ("by the clock", target, ours.wall, theirs.wall),
        ("in processor time", None, ours.cpu, theirs.cpu),
    ):
        claim = f"events appended in {what}, FULL, {clock}"
        yield Claim(claim, events / mine, "events/s", target_of, _PEER, others / mine, least=True)


def _append(ledger: Ledger, numbers: list[int]) -> None:
    ledger.append_all([our_event(number) for number in numbers])


def _together(ledger: Ledger) -> Claim:
    """Compare threads that append at once with the same number of appends one after the other."""
    alone, shared = Spent(), Spent()
    alone.add(lambda: [ledger.append(our_event(number)) for number in range(THREADS * EACH // 4)])
    with ThreadPoolExecutor(THREADS) as pool:
        work = [our_event(number) for number in range(EACH)]
        shared.add(lambda: list(pool.map(lambda _: [ledger.append(new) for new in work], range(THREADS))))
    rate, one = THREADS * EACH / shared.wall, THREADS * EACH / 4 / alone.wall
    claim = f"events appended by {THREADS} threads of one program, each told when its own is on the disk"
    return Claim(claim, rate, "events/s", 8, "one commit each, one after the other", rate / one, least=True)


def _peer(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")
    columns = "event_id TEXT, ts_us INTEGER, type TEXT, clip TEXT, actor TEXT, desk TEXT, decision TEXT, model TEXT"
    connection.execute(f"CREATE TABLE peer (seq INTEGER PRIMARY KEY, {columns}, body BLOB)")
    for statement in PEER_INDEXES:
        connection.execute(statement)
    return connection


_INSERT = "INSERT INTO peer (" + PEER_COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (columns of ours)


def _insert(peer: sqlite3.Connection, numbers: list[int]) -> None:
    rows = [peer_row(number) for number in numbers]
    peer.execute("BEGIN IMMEDIATE")
    peer.executemany(_INSERT, rows)
    peer.execute("COMMIT")
