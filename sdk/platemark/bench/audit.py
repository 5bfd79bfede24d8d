"""How quickly the log answers, lets a person go, and starts again; measured on a ledger made for it.

One rule: nothing is measured on an empty ledger; the number of events is in each claim. Processor time, so that a busy
machine changes little; what waits for the disk is not in it.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark.bench.claims import Claim, Options
from platemark_migrations import upgrade
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.exports.writing import ExportSource, write_events
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.store import Ledger, LedgerSettings

SUBJECT = "somebody.unmistakable"
SECRET = b"unmistakable"
QUICK_EVENTS, EVENTS = 20_000, 1_000_000
ERASED_EVENTS, JOBS = 10_000, 10_000
TURNS = 200
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Clock:
    """Goes on by a second each time it is asked."""

    now: datetime = _START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def measure(options: Options) -> list[Claim]:
    """Measure queries, an export, an erasure and a start after a crash."""
    events = QUICK_EVENTS if options.quick else EVENTS
    with tempfile.TemporaryDirectory() as folder, _ledger(Path(folder)) as ledger:
        _fill(ledger, events)
        claims = [*_queries(ledger, events), _export(ledger, events), *_erasure(ledger, Path(folder))]
        return [*claims, *_recovery(ledger)]


@contextmanager
def _ledger(folder: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{folder}/ledger.db"
    upgrade(url)
    settings = LedgerSettings(
        origin="bench.example/audit",
        signing_key=Ed25519PrivateKey.generate(),
        payload_key=bytes(32),
        clock=_Clock(),
        state_path=folder / "signed-head",
        keeps_words=True,
    )
    with Ledger.open(url, settings=settings) as ledger:
        yield ledger


def _fill(ledger: Ledger, count: int) -> None:
    """A newsroom's log: eight events a clip, forty people, six desks, one decision in thirty not allow."""
    draw = random.Random(7)  # the same log each time
    kinds = [
        EventType.POLICY_DECIDED,
        EventType.GENERATION_STARTED,
        EventType.MANIFEST_SIGNED,
        EventType.CLIP_PUBLISHED,
    ]
    batch: list[NewEvent] = []
    for number in range(count):
        kind = kinds[number % len(kinds)]
        decided = kind == EventType.POLICY_DECIDED
        decision = draw.choices(("allow", "review", "block"), (29, 0.7, 0.3))[0] if decided else None
        batch.append(
            NewEvent(
                kind,
                clip=f"clip-{number // 8}",
                actor=f"person-{draw.randrange(40)}",
                desk=f"desk-{draw.randrange(6)}",
                decision=decision,
                model="rare" if number % 5_000 == 0 else "embedded",
                facts={"sha256": f"{number:064x}", "label": f"urn:c2pa:{number}", "name": "clip.mp4"},
            )
        )
        if len(batch) == 1_000:
            ledger.append_all(batch)
            batch.clear()
    if batch:
        ledger.append_all(batch)


def _queries(ledger: Ledger, events: int) -> Iterator[Claim]:
    middle = _START + timedelta(seconds=events // 2)
    questions: dict[str, Callable[[random.Random], Filter]] = {
        "by clip": lambda draw: Filter(clip=f"clip-{draw.randrange(events // 8)}"),
        "by person": lambda draw: Filter(actor=f"person-{draw.randrange(40)}"),
        "by desk and decision": lambda draw: Filter(desk=f"desk-{draw.randrange(6)}", decision="block"),
        "by type": lambda draw: Filter(type="clip.published"),
        "by a rare model": lambda draw: Filter(model="rare"),
        "by time": lambda draw: Filter(since=middle, until=middle + timedelta(hours=draw.randrange(1, 24))),
    }
    for name, question in questions.items():
        yield Claim(f"a page of 50 {name}, of {events:,} events, p99", _p99(ledger, question), "ms", 10)
    deep = _nth([_timed(_page_after(ledger, turn * 99_991 % events)) for turn in range(1, TURNS)])
    yield Claim(f"a page from anywhere in {events:,} events, p99", deep, "ms", 10)


def _page_after(ledger: Ledger, cursor: int) -> Callable[[], object]:
    return lambda: ledger.page(Filter(), after=str(cursor), limit=50)


def _nth(seconds: list[float]) -> float:
    """Give the 99th percentile, in milliseconds."""
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1000


def _p99(ledger: Ledger, question: Callable[[random.Random], Filter]) -> float:
    draw = random.Random(11)  # the same questions each time
    return _nth([_timed(lambda: ledger.page(question(draw), limit=50)) for _ in range(TURNS)])


def _export(ledger: Ledger, events: int) -> Claim:
    def _write() -> None:
        with tempfile.TemporaryFile() as file:
            write_events(ledger.query(order="oldest"), file, form="jsonl", source=ExportSource("bench", "0"))

    return Claim("events exported as JSON lines", events / _timed(_write), "events/s", None)


def _erasure(ledger: Ledger, folder: Path) -> Iterator[Claim]:
    sealed = {"prompt": "an unmistakable prompt about umbrellas in the rain", "byline": "Kim Unmistakable"}
    for _ in range(ERASED_EVENTS // 1_000):
        ledger.append_all([NewEvent(EventType.PROMPT_SUBMITTED, actor=SUBJECT, sealed=sealed) for _ in range(1_000)])
    seconds = _timed(lambda: ledger.subjects.erase(SUBJECT, reason="a request"))
    left = sum(path.read_bytes().lower().count(SECRET) for path in folder.iterdir())
    yield Claim(f"a person with {ERASED_EVENTS:,} sealed events is erased", seconds, "s", 1)
    yield Claim("times a word of theirs is left in the files", left, "", 0)


def _recovery(ledger: Ledger) -> Iterator[Claim]:
    submitted = _timed(lambda: ledger.jobs.submit([{"prompt": str(number)} for number in range(JOBS)]))
    for number in range(100):
        ledger.jobs.claim(f"dead-{number}", lease_s=3600)
    seconds = _timed(lambda: ledger.jobs.recover(lambda worker: False))
    yield Claim(f"{JOBS:,} jobs are queued, requests sealed", submitted, "s", None)
    yield Claim(f"a start with {JOBS:,} jobs in the queue, 100 of dead workers", seconds, "s", 2)


def _timed(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started
