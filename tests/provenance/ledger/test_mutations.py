"""Whatever somebody changes in the log's rows, the check says that it was changed, and where.

Each number is one change, drawn from a fixed sequence. `MUTATIONS=10000 pytest` tries so many.
"""

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.ledger.audit import Audit, LedgerReport
from platemark_provenance.ledger.checkpoint import open_checkpoint
from platemark_provenance.ledger.database import Database
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.frontier import Frontier
from platemark_provenance.ledger.merkle import leaf_hash
from platemark_provenance.ledger.sealing import Sealer
from platemark_provenance.ledger.store import Ledger, LedgerSettings
from platemark_provenance.ledger.tables import TRIGGERS

ORIGIN = "news.example/provenance"
SIZE = 600
KEY = Ed25519PrivateKey.from_private_bytes(b"a ledger signing key for tests  ")
TEXTS = ("event_id", "type", "clip", "actor", "desk", "decision", "model")
EMPTIED = ("clip", "actor", "desk", "decision", "model")
"""The columns that the database lets anyone empty; the others are NOT NULL even with every guard off."""
ALL = "seq, event_id, ts_us, type, clip, actor, desk, decision, model, body, leaf"


@dataclass(frozen=True)
class Mutation:
    """One change, the first event that is wrong after it, and the columns that may be named for it."""

    statements: tuple[str, ...]
    seq: int
    named: tuple[str, ...]


@cache
def leaves() -> dict[str, list[bytes]]:
    """The leaf hashes of the log, once they are known."""
    return {"all": []}


def rolled_back(size: int) -> tuple[str, ...]:
    """Put the database back to an older state that is whole in itself, as a restored backup is."""
    kept = leaves()["all"][:size]
    frontier = Frontier(0, lambda level, index: b"")
    frontier.extend(kept)
    tiles = [
        f"INSERT INTO tile VALUES ({each.level}, {each.index}, {each.width}, x'{each.content.hex()}')"
        for each in frontier.take_changes()
    ]
    return (
        f"DELETE FROM event WHERE seq >= {size}",
        f"DELETE FROM checkpoint WHERE size > {size}",
        "DELETE FROM tile",
        *tiles,
    )


def mutation(number: int) -> Mutation:
    """Make the change that a number stands for; the same number is the same change."""
    chance = random.Random(number)
    low, high = sorted(chance.sample(range(SIZE), 2))
    text, emptied = chance.choice(TEXTS), chance.choice(EMPTIED)
    copied = ALL.replace("seq, event_id", f"{SIZE}, 'm' || event_id")
    changes = (
        Mutation((f"UPDATE event SET {text} = 'm{number}' WHERE seq = {low}",), low, (text,)),
        Mutation((f"UPDATE event SET ts_us = {chance.randrange(2**40)} WHERE seq = {low}",), low, ("ts_us",)),
        Mutation((f"UPDATE event SET body = x'{chance.randbytes(40).hex()}' WHERE seq = {low}",), low, ("body",)),
        Mutation((f"UPDATE event SET leaf = x'{chance.randbytes(32).hex()}' WHERE seq = {low}",), low, ("leaf",)),
        Mutation((f"UPDATE event SET {emptied} = NULL WHERE seq = {low}",), low, (emptied,)),
        Mutation((f"UPDATE event SET seq = {SIZE + 3} WHERE seq = {low}",), low, ("seq",)),
        Mutation(rolled_back(high), high, ("seq",)),
        Mutation((f"DELETE FROM event WHERE seq = {low}",), low, ("seq",)),
        Mutation((f"DELETE FROM event WHERE seq >= {high}",), high, ("tile.width", "tile.idx")),
        Mutation(
            (
                f"UPDATE event SET seq = 9999 WHERE seq = {low}",
                f"UPDATE event SET seq = {low} WHERE seq = {high}",
                f"UPDATE event SET seq = {high} WHERE seq = 9999",
            ),
            low,
            ("tile.hashes",),
        ),
        Mutation((f"INSERT INTO event ({ALL}) SELECT {copied} FROM event WHERE seq = {low}",), SIZE, ("event_id",)),
    )
    return chance.choice(changes)


@pytest.fixture(scope="module")
def folder(migrated: Path, tmp_path_factory: pytest.TempPathFactory, signing: LedgerSettings) -> Path:
    """600 signed events with a value in every column."""
    folder = signing.state_path.parent
    shutil.copy2(migrated, folder / "ledger.db")
    events = [
        NewEvent(
            EventType.POLICY_DECIDED,
            clip=f"clip-{n}",
            actor=f"person-{n % 7}",
            desk=f"desk-{n % 3}",
            decision="allow",
            model=f"model-{n % 2}",
            facts={"n": n},
        )
        for n in range(SIZE)
    ]
    with Ledger.open(f"sqlite:///{folder}/ledger.db", settings=signing) as ledger:
        ledger.append_all(events)
        ledger.checkpoint()
        leaves()["all"] = [leaf_hash(event.body) for event in ledger.query(order="oldest")]
    return folder


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> LedgerSettings:
    """Settings of the log that is changed."""
    return LedgerSettings(
        origin=ORIGIN,
        signing_key=KEY,
        payload_key=b"a payload key for tests, 32 byte",
        clock=lambda: datetime(2026, 3, 14, tzinfo=UTC),
        state_path=tmp_path_factory.mktemp("mutations") / "signed-head",
    )


@pytest.fixture(scope="module")
def signed(folder: Path) -> Iterator[Database]:
    """The log that is changed, and changed back."""
    database = Database(folder / "ledger.db", busy_timeout_s=5)
    yield database
    database.close()


@pytest.fixture
def report_after(signed: Database, folder: Path) -> Iterator[object]:
    """Change the log as somebody who switches the guards off, check it, and undo everything."""

    def run(change: Mutation) -> LedgerReport:
        public_key = KEY.public_key()
        head = open_checkpoint((folder / "signed-head").read_bytes(), public_key, origin=ORIGIN)
        with signed.read() as connection:
            list(map(connection.exec_driver_sql, [f"DROP TRIGGER {name}" for name in TRIGGERS]))
            list(map(connection.exec_driver_sql, change.statements))
            list(map(connection.exec_driver_sql, TRIGGERS.values()))
            sealer = Sealer(b"a payload key for tests, 32 byte")
            report = Audit(connection, public_key, origin=ORIGIN, sealer=sealer).run((head,))
            connection.rollback()
        return report

    yield run


@pytest.mark.parametrize("number", range(int(os.environ.get("MUTATIONS", "150"))))
def test_every_change_is_found_at_its_first_event_and_its_column_is_named(number: int, report_after: object) -> None:
    change = mutation(number)
    assert callable(report_after)

    report = report_after(change)

    assert (report.ok, report.first_bad_seq) == (False, change.seq)
    assert report.first_bad_column in change.named
