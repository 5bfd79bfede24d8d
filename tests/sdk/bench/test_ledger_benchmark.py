"""The benchmark of the ledger sets each of its figures beside a peer that was measured in the same run."""

import json
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from postgres_server import shared_server

from platemark.bench import audit, ledger, ledger_appends, ledger_server
from platemark.bench.claims import Claim, Options
from platemark.bench.ledger_events import PEER_COLUMNS, our_event, peer_row


@pytest.fixture(scope="module")
def small() -> Iterator[pytest.MonkeyPatch]:
    """Sizes that take a moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_appends, "QUICK_TURNS", 3)
        patch.setattr(ledger_appends, "EACH", 4)
        patch.setattr(ledger_server, "QUICK_SECONDS", 0.2)
        patch.setattr(ledger_server, "QUICK_ROUNDS", 1)
        patch.setattr(ledger_server, "WRITERS", 2)
        yield patch


@pytest.fixture(scope="module")
def appends(small: pytest.MonkeyPatch) -> list[Claim]:
    """The claims about SQLite."""
    return list(ledger_appends.measure_appends(Options(quick=True)))


@pytest.fixture(scope="module")
def on_server(small: pytest.MonkeyPatch) -> list[Claim]:
    """The claims about PostgreSQL."""
    small.setattr(ledger_server, "server_in", lambda folder: nullcontext(shared_server()))
    return list(ledger_server.measure_server(Options(quick=True)))


def test_appends_to_a_file_stand_beside_the_plain_module_and_have_the_targets_of_the_ledger(
    appends: list[Claim],
) -> None:
    assert [(claim.target, claim.least) for claim in appends] == [
        (0.8, True),
        (None, True),
        (0.6, True),
        (None, True),
        (8, True),
    ]
    assert all(claim.peer and claim.ratio and claim.ratio > 0 for claim in appends)


def test_what_the_clock_says_and_the_processor_time_are_both_told(appends: list[Claim]) -> None:
    assert [claim.claim.rpartition(", ")[2] for claim in appends[:4]] == ["by the clock", "in processor time"] * 2


def test_writers_on_a_server_are_threads_and_programs_beside_inserts_in_no_order(on_server: list[Claim]) -> None:
    assert [claim.target for claim in on_server] == [0.9, None, 0.9, None, 250]
    assert ["threads of one program" in claim.claim for claim in on_server] == [True, True, False, False, False]
    assert all(claim.value > 0 for claim in on_server)


def test_a_server_that_cannot_be_had_is_said_and_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    (claim,) = ledger_server.measure_server(Options(quick=True))

    assert (claim.holds, claim.target) == (True, None)
    assert "was not measured" in claim.claim


def test_the_peer_writes_what_we_write() -> None:
    ours, row = our_event(4), dict(zip(PEER_COLUMNS.split(", "), peer_row(4), strict=True))
    said = json.loads(bytes(row["body"]))  # type: ignore[arg-type]

    assert said["facts"] == ours.facts
    assert (row["clip"], row["actor"], row["desk"], row["decision"]) == (
        ours.clip,
        ours.actor,
        ours.desk,
        ours.decision,
    )
    assert len(bytes(row["body"])) > 900  # type: ignore[arg-type]


def test_the_ledgers_benchmark_is_all_of_them_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(ledger, "measure_appends", lambda options: asked.append("appends") or [])
    monkeypatch.setattr(ledger, "measure_server", lambda options: asked.append("server") or [])
    monkeypatch.setattr(audit, "measure", lambda options: asked.append("audit") or [])

    assert ledger.measure(Options(quick=True)) == []
    assert asked == ["appends", "server", "audit"]
