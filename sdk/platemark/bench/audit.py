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
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark.bench.claims import Claim, Options
from platemark.errors import RequestError
from platemark_migrations import upgrade
from platemark_provenance.ledger.audit import LedgerReport
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.exports.writing import ExportSource, write_events
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.receipt import verify_receipt
from platemark_provenance.ledger.store import Ledger, LedgerSettings

SUBJECT = "somebody.unmistakable"
SECRET = b"unmistakable"
QUICK_EVENTS, EVENTS = 20_000, 1_000_000
ERASED_EVENTS, JOBS = 10_000, 10_000
TURNS = 200
CHECKED_SINCE = 10_000
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Clock:
    """Goes on by a second each time it is asked."""

    now: datetime = _START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def measure(options: Options) -> list[Claim]:
    """Measure checks, receipts, queries, an export, an erasure and a start after a crash."""
    events = QUICK_EVENTS if options.quick else EVENTS
    with tempfile.TemporaryDirectory() as folder, _ledger(Path(folder)) as ledger:
        _fill(ledger, events)
        claims = [*_checks(ledger, events), *_receipts(ledger, events), *_queries(ledger, events)]
        claims += [_export(ledger, events), *_erasure(ledger, Path(folder))]
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


def _checks(ledger: Ledger, events: int) -> Iterator[Claim]:
    """Check everything, then only what came after a checkpoint; `events` are in the ledger."""
    earlier = ledger.checkpoint()
    wall = time.perf_counter()
    seconds = _timed(lambda: _sound(ledger.verify()))
    wall = time.perf_counter() - wall
    yield Claim(f"{events:,} events checked with their columns", seconds, "s", 10 if events >= EVENTS else None)
    yield Claim(f"the same check of {events:,} events, by the clock", wall, "s", None)
    _fill(ledger, CHECKED_SINCE)
    ledger.checkpoint()
    seconds = _timed(lambda: _sound(ledger.verify(since=earlier)))
    yield Claim(f"the last {CHECKED_SINCE:,} of more than {events:,} events checked", seconds, "s", 0.3)


def _sound(report: LedgerReport) -> None:
    if not report.ok:
        raise RequestError(f"The ledger made for this benchmark should be sound: {report.reason}")


def _receipts(ledger: Ledger, events: int) -> Iterator[Claim]:
    """Build receipts of clips all over a log that is signed, and check them with the public key alone."""
    draw = random.Random(13)  # the same clips each time
    clips = [f"clip-{draw.randrange(events // 8)}" for _ in range(TURNS)]
    ledger.receipt(clips[0])
    receipts: list[bytes] = []
    built = sorted(_timed(partial(_add_receipt, ledger, receipts, clip)) for clip in clips)
    checked = sorted(_timed(partial(verify_receipt, each, None, ledger.public_key)) for each in receipts)
    yield Claim(f"a receipt built from {events:,} signed events, median", built[TURNS // 2] * 1000, "ms", 1)
    yield Claim("a receipt verified offline, median", checked[TURNS // 2] * 1000, "ms", 1)


def _add_receipt(ledger: Ledger, receipts: list[bytes], clip: str) -> None:
    receipts.append(ledger.receipt(clip))


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
        times = _times(ledger, question)
        yield Claim(f"a page of 50 {name}, of {events:,} events, p99", _nth(times), "ms", 10)
        yield Claim(f"a page of 50 {name}, of {events:,} events, p50", sorted(times)[TURNS // 2] * 1000, "ms", None)
    deep = _nth([_timed(_page_after(ledger, turn * 99_991 % events)) for turn in range(1, TURNS)])
    yield Claim(f"a page from anywhere in {events:,} events, p99", deep, "ms", 10)


def _page_after(ledger: Ledger, cursor: int) -> Callable[[], object]:
    return lambda: ledger.page(Filter(), after=str(cursor), limit=50)


def _nth(seconds: list[float]) -> float:
    """Give the 99th percentile, in milliseconds."""
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1000


def _times(ledger: Ledger, question: Callable[[random.Random], Filter]) -> list[float]:
    draw = random.Random(11)  # the same questions each time
    return [_timed(lambda: ledger.page(question(draw), limit=50)) for _ in range(TURNS)]


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
