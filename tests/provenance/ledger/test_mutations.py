"""Whatever somebody changes in the log's rows, the check says that it was changed, and where.

Each number is one change, drawn from a fixed sequence. `MUTATIONS=10000 pytest` tries so many.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.ledger.audit import Audit, LedgerReport
from platemark_provenance.ledger.checkpoint import open_checkpoint
from platemark_provenance.ledger.database import Database
from platemark_provenance.ledger.sealing import Sealer
from platemark_provenance.ledger.tables import TRIGGERS

ORIGIN = "news.example/provenance"
SIZE = 600
TEXTS = ("event_id", "type", "clip", "actor", "desk", "decision", "model")
ALL = "seq, event_id, ts_us, type, clip, actor, desk, decision, model, body, leaf"


@dataclass(frozen=True)
class Mutation:
    """One change, the first event that is wrong after it, and the columns that may be named for it."""

    statements: tuple[str, ...]
    seq: int
    named: tuple[str, ...]


def mutation(number: int) -> Mutation:
    """Make the change that a number stands for; the same number is the same change."""
    chance = random.Random(number)
    low, high = sorted(chance.sample(range(SIZE), 2))
    text = chance.choice(TEXTS)
    copied = ALL.replace("seq, event_id", f"{SIZE}, 'm' || event_id")
    changes = (
        Mutation((f"UPDATE event SET {text} = 'm{number}' WHERE seq = {low}",), low, (text,)),
        Mutation((f"UPDATE event SET ts_us = {chance.randrange(2**40)} WHERE seq = {low}",), low, ("ts_us",)),
        Mutation((f"UPDATE event SET body = x'{chance.randbytes(40).hex()}' WHERE seq = {low}",), low, ("body",)),
        Mutation((f"UPDATE event SET leaf = x'{chance.randbytes(32).hex()}' WHERE seq = {low}",), low, ("leaf",)),
        Mutation((f"UPDATE event SET clip = NULL WHERE seq = {low}",), low, ("clip",)),
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
def signed(told_at_length: Path) -> Iterator[Database]:
    """600 signed events."""
    database = Database(told_at_length / "ledger.db", busy_timeout_s=5)
    yield database
    database.close()


@pytest.fixture
def report_after(signed: Database, told_at_length: Path, signing_key: Ed25519PrivateKey) -> Iterator[object]:
    """Change the log as somebody who switches the guards off, check it, and undo everything."""

    def run(change: Mutation) -> LedgerReport:
        public_key = signing_key.public_key()
        head = open_checkpoint((told_at_length / "signed-head").read_bytes(), public_key, origin=ORIGIN)
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
