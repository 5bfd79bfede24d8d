"""Many threads and many programs write one log: nothing is lost, nothing forks, nothing deadlocks."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from platemark_provenance.ledger.checkpoint import open_checkpoint
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.merkle import leaf_hash, root_of_complete, tree_root
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.store import Ledger, LedgerSettings

EVENT = NewEvent(EventType.AUDIT_QUERIED)

WRITER = """
import json, os, sys
from datetime import UTC, datetime
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger, LedgerSettings
database, state, name, count = sys.argv[1:5]
settings = LedgerSettings(
    origin="news.example/provenance",
    signing_key=Ed25519PrivateKey.from_private_bytes(b"a ledger signing key for tests  "),
    payload_key=b"a payload key for tests, 32 byte",
    clock=lambda: datetime.now(UTC),
    state_path=Path(state),
)
with Ledger.open(f"sqlite:///{database}", settings=settings) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(count)):
        appended = ledger.append(
            NewEvent(EventType.PROMPT_SUBMITTED, clip=name, facts={"n": number}, sealed={"prompt": "x" * 900})
        )
        print(json.dumps([appended.seq, appended.event_id]), flush=True)
        if number % 10 == 0:
            ledger.checkpoint()
"""


def start_writer(settings: LedgerSettings, path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(settings.state_path), name, str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def let_go(writer: subprocess.Popen[str]) -> None:
    """Wait until a writer has opened the ledger, then let it write."""
    assert writer.stdout is not None
    assert writer.stdin is not None
    assert writer.stdout.readline() == "ready\n"
    writer.stdin.write("go\n")
    writer.stdin.flush()


def test_threads_that_append_at_once_get_a_place_each(url: str, settings: LedgerSettings) -> None:
    with Ledger.open(url, settings=settings) as ledger, ThreadPoolExecutor(8) as pool:
        appended = list(pool.map(lambda n: ledger.append(replace(EVENT, facts={"n": n})), range(96)))

        assert sorted(item.seq for item in appended) == list(range(96))
        assert ledger.verify().ok
        assert sorted(str(event.facts["n"]) for event in ledger.query()) == sorted(map(str, range(96)))


def test_the_root_a_thread_is_told_is_that_of_its_size(url: str, settings: LedgerSettings) -> None:
    with Ledger.open(url, settings=settings) as ledger, ThreadPoolExecutor(6) as pool:
        appended = list(pool.map(lambda _: ledger.append(EVENT), range(40)))

        bodies = [event.body for event in ledger.query(order="oldest")]
        hashes = [leaf_hash(body) for body in bodies]
        roots = {
            item.size: tree_root(item.size, lambda level, i: root_of_complete(hashes[i << level : (i + 1) << level]))
            for item in appended
        }
        assert {item.root == roots[item.size].hex() for item in appended} == {True}
        assert max(appended, key=lambda item: item.size).root == ledger.head().root


def test_threads_read_sign_and_check_while_others_append(url: str, settings: LedgerSettings) -> None:
    with Ledger.open(url, settings=settings) as ledger, ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(ledger.append, EVENT) for _ in range(30)]
        readers = [pool.submit(ledger.page, Filter()) for _ in range(10)]
        signers = [pool.submit(ledger.checkpoint) for _ in range(10)]
        checks = [pool.submit(ledger.verify) for _ in range(10)]

        assert {item.result().seq for item in writers} == set(range(30))
        assert all(len(item.result().events) <= 30 for item in readers)
        assert all(open_checkpoint(item.result(), ledger.public_key).size <= 30 for item in signers)
        assert all(item.result().ok for item in checks)


def test_an_atomic_block_of_one_thread_takes_in_nothing_of_another(url: str, settings: LedgerSettings) -> None:
    with Ledger.open(url, settings=settings) as ledger:
        inside, other_seq = threading.Event(), []

        def append_meanwhile() -> None:
            inside.wait()
            other_seq.append(ledger.append(EVENT).seq)

        other = threading.Thread(target=append_meanwhile)
        other.start()
        with ledger.atomic():
            first = ledger.append(EVENT).seq
            inside.set()
            other.join(0.05)
            second = ledger.append(EVENT).seq
        other.join()

        assert (first, second, other_seq) == (0, 1, [2])


def test_another_thread_does_not_read_what_is_not_kept_yet(ledger: Ledger) -> None:
    with ThreadPoolExecutor(1) as pool, ledger.atomic():
        ledger.append(EVENT)
        seen = pool.submit(ledger.head).result()

    assert (seen.size, ledger.head().size) == (0, 1)


def test_programs_that_append_at_once_lose_nothing_and_fork_nothing(
    ledger_path: Path, url: str, settings: LedgerSettings
) -> None:
    writers = [start_writer(settings, ledger_path, f"writer-{n}", 25) for n in range(3)]
    let_go(writers[0])
    let_go(writers[1])
    let_go(writers[2])

    said = [writer.communicate(timeout=60)[0] for writer in writers]

    places = [json.loads(line)[0] for text in said for line in text.splitlines()]
    with Ledger.open(url, settings=settings) as ledger:
        assert sorted(places) == list(range(75))
        assert ledger.verify().ok
        assert [len(ledger.trace(f"writer-{n}")) for n in range(3)] == [25, 25, 25]
    assert [writer.returncode for writer in writers] == [0, 0, 0]


@pytest.mark.parametrize("after", [1, 4, 11, 23])
def test_a_program_killed_while_appending_loses_nothing_it_was_told_is_kept(
    ledger_path: Path, url: str, settings: LedgerSettings, after: int
) -> None:
    with start_writer(settings, ledger_path, "writer", 100_000) as writer:
        let_go(writer)
        assert writer.stdout is not None
        acknowledged = [json.loads(writer.stdout.readline()) for _ in range(after)]
        writer.kill()
        rest = writer.stdout.read().splitlines()
    acknowledged += [json.loads(line) for line in rest if line.endswith("]")]

    with Ledger.open(url, settings=settings) as ledger:
        kept = {event.seq: event.event_id for event in ledger.query()}
        report = ledger.verify()

    assert report.ok
    assert {seq: kept.get(seq) for seq, _ in acknowledged} == dict(acknowledged)
    assert len(kept) <= len(acknowledged) + 1


def test_after_a_kill_the_ledger_is_written_and_signed_as_before(
    ledger_path: Path, url: str, settings: LedgerSettings
) -> None:
    with start_writer(settings, ledger_path, "writer", 100_000) as writer:
        let_go(writer)
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.kill()

    with Ledger.open(url, settings=settings) as ledger:
        ledger.append(EVENT)
        ledger.checkpoint()

        assert ledger.verify().ok


def test_a_program_stopped_in_the_middle_of_an_atomic_block_leaves_nothing(
    url: str, settings: LedgerSettings, ledger: Ledger, raise_inside: Callable[[Ledger], None]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        raise_inside(ledger)

    assert ledger.head().size == 0
    assert ledger.append(EVENT).seq == 0


@pytest.fixture
def raise_inside() -> Callable[[Ledger], None]:
    """Ctrl-C in the middle of an atomic block."""

    def run(ledger: Ledger) -> None:
        with ledger.atomic():
            ledger.append(EVENT)
            raise KeyboardInterrupt

    return run
