"""What stands beside the log works on a PostgreSQL server too: erasure, jobs, reviews, exports, many programs."""

import io
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import IntegrityError

from platemark_provenance.digest import sha256_bytes
from platemark_provenance.errors import LedgerError, SubjectHeld
from platemark_provenance.ledger.event import EventType, NewEvent, SealedState
from platemark_provenance.ledger.exports.writing import ExportSource, write_events
from platemark_provenance.ledger.jobs import JobState, LeaseLost
from platemark_provenance.ledger.reviews import TicketRow, VoteRow
from platemark_provenance.ledger.store import Ledger, LedgerSettings

PROMPT = NewEvent(
    EventType.PROMPT_SUBMITTED,
    clip="clip-a",
    actor="jw.unmistakable",
    desk="weather",
    sealed={"prompt": "an unmistakable umbrella", "byline": "Kim Unmistakable"},
)
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def searching(server_url: str, settings: LedgerSettings) -> Iterator[Ledger]:
    """A ledger on the server that keeps words, with a prompt of one person and one of another."""
    with Ledger.open(server_url, settings=replace(settings, keeps_words=True, busy_timeout_s=10)) as ledger:
        ledger.append_all([PROMPT, replace(PROMPT, actor="other", sealed={"prompt": "another umbrella"})])
        yield ledger


# Erasure


def test_a_person_is_erased_and_the_root_stays(searching: Ledger) -> None:
    before = searching.checkpoint()

    erased = searching.subjects.erase("jw.unmistakable", reason="request 17", actor="dpo")

    first, second = [event for event in searching.trace("clip-a") if event.type == "prompt.submitted"]
    assert (first.sealed_state, first.actor_name) == (SealedState.ERASED, None)
    assert (second.sealed_state, second.actor_name) == (SealedState.OPENED, "other")
    assert (erased.payloads, searching.verify(against=before).ok) == (1, True)


def test_no_row_of_any_table_holds_a_word_of_somebody_who_was_erased(searching: Ledger, on_server: Sql) -> None:
    searching.subjects.erase("jw.unmistakable", reason="request 17")

    tables = [row[0] for row in on_server("SELECT tablename FROM pg_tables WHERE schemaname = 'platemark'")]
    found = [name for name in tables if on_server(f"SELECT 1 FROM {name} t WHERE t::text ILIKE '%%unmistakable%%'")]
    assert found == []
    assert list(searching.query(words="unmistakable")) == []
    assert len(list(searching.query(words="umbrella"))) == 1


def test_what_the_server_keeps_elsewhere_is_not_claimed_to_be_empty(searching: Ledger) -> None:
    assert not searching.subjects.erase("jw.unmistakable", reason="request 17").log_emptied


def test_a_hold_blocks_an_erasure(searching: Ledger) -> None:
    searching.subjects.set_hold("jw.unmistakable", reason="case 1")

    with pytest.raises(SubjectHeld):
        searching.subjects.erase("jw.unmistakable", reason="request 17")

    assert searching.trace("clip-a")[0].sealed_state == SealedState.OPENED


# Jobs


def test_each_job_goes_to_one_of_several_workers_at_once(server_ledger: Ledger) -> None:
    batch = server_ledger.jobs.submit([{"prompt": f"p{n}"} for n in range(12)])

    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda n: server_ledger.jobs.claim(f"w{n}", lease_s=60), range(12)))

    assert sorted(str(claim and claim.request["prompt"]) for claim in claims) == sorted(f"p{n}" for n in range(12))
    assert server_ledger.jobs.claim("late", lease_s=60) is None
    assert {job.state for job in server_ledger.jobs.jobs(batch)} == {JobState.RUNNING}


def test_a_worker_that_lost_its_lease_can_finish_nothing(
    server_ledger: Ledger, move_clock: Callable[[float], None]
) -> None:
    server_ledger.jobs.submit([{"prompt": "rain"}])
    stale = server_ledger.jobs.claim("w1", lease_s=10)
    move_clock(60)
    fresh = server_ledger.jobs.claim("w2", lease_s=10)
    assert stale is not None
    assert fresh is not None

    with pytest.raises(LeaseLost):
        server_ledger.jobs.finish(stale, exit_code=0, result={})
    server_ledger.jobs.finish(fresh, exit_code=0, result={"path": "a.mp4"})

    assert server_ledger.jobs.open_jobs(server_ledger.jobs.batches()[0].batch_id) == 0


def test_jobs_of_dead_workers_are_queued_again_and_cancelled_ones_stay(server_ledger: Ledger) -> None:
    batch = server_ledger.jobs.submit([{"prompt": "rain"}, {"prompt": "sun"}])
    server_ledger.jobs.claim("dead", lease_s=3_600)

    recovered = server_ledger.jobs.recover(lambda worker: False)
    cancelled = server_ledger.jobs.cancel(batch)

    assert (recovered, cancelled) == (1, 2)
    assert server_ledger.jobs.claim("w", lease_s=60) is None


# Reviews


def test_the_server_itself_refuses_the_vote_of_whoever_asked(server_ledger: Ledger, settings: LedgerSettings) -> None:
    now = settings.clock()
    row = TicketRow(
        ticket="t-1",
        clip_id="clip-a",
        binding=sha256_bytes(b"request"),
        requester="p-asker",
        desk="weather",
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    server_ledger.reviews.open(row)

    with pytest.raises((LedgerError, IntegrityError)):
        server_ledger.reviews.vote(row, VoteRow("p-asker", "approve", "event-1"))
    server_ledger.reviews.vote(row, VoteRow("p-editor", "approve", "event-2"))

    assert [vote.voter for vote in server_ledger.reviews.votes("t-1")] == ["p-editor"]


# Exports


@pytest.mark.parametrize("form", ["jsonl", "csv", "ocsf", "prov"])
def test_every_export_writes_the_log_of_a_server(searching: Ledger, form: Any) -> None:
    file = io.BytesIO()

    write_events(searching.query(order="oldest"), file, form=form, source=ExportSource("test", "0"))

    assert b"clip-a" in file.getvalue()
    assert b"nmistakable" not in file.getvalue()


def test_events_are_counted_and_a_stretch_of_time_is_found(searching: Ledger, settings: LedgerSettings) -> None:
    now = settings.clock()

    found = list(searching.query(since=now - timedelta(hours=1), until=now + timedelta(hours=1), order="oldest"))

    assert [event.seq for event in found] == [0, 1]


# Several programs


STOPPED = """
import sys, time, psycopg
options = "-c search_path=platemark,pg_temp -c idle_in_transaction_session_timeout=700"
with psycopg.connect(sys.argv[1], options=options) as c:
    c.execute("SELECT pg_advisory_xact_lock(hashtext('platemark.places')), integrate(10, true)")
    print("held", flush=True)
    time.sleep(60)
"""


def test_eight_writers_of_two_programs_go_on_when_one_that_held_everything_is_stopped(
    server_url: str, settings: LedgerSettings
) -> None:
    plain = make_url(server_url).set(drivername="postgresql").render_as_string(hide_password=False)
    patient = replace(settings, busy_timeout_s=20)
    with (
        Ledger.open(server_url, settings=patient) as one,
        Ledger.open(server_url, settings=patient) as two,
        subprocess.Popen([sys.executable, "-c", STOPPED, plain], stdout=subprocess.PIPE, text=True) as holder,
        ThreadPoolExecutor(8) as pool,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGSTOP)
        try:
            futures = [pool.submit((one if n % 2 else two).append, replace(PROMPT, facts={"n": n})) for n in range(48)]
            seqs = [future.result(60).seq for future in futures]
        finally:
            holder.kill()

        assert sorted(seqs) == list(range(48))
        assert one.verify().ok


def test_two_programs_that_stage_share_the_giving_of_places(server_url: str, settings: LedgerSettings) -> None:
    patient = replace(settings, busy_timeout_s=20)
    with Ledger.open(server_url, settings=patient) as one, Ledger.open(server_url, settings=patient) as two:
        staged = [(one if n % 2 else two).append(replace(PROMPT, facts={"n": n}), wait="staged") for n in range(30)]

    with Ledger.open(server_url, settings=patient) as later:
        assert {event.event_id for event in later.query()} == {each.event_id for each in staged}
        assert later.verify().ok


def test_writers_who_first_seal_for_the_same_person_at_once_share_one_key(
    server_url: str, settings: LedgerSettings, on_server: Sql
) -> None:
    patient = replace(settings, busy_timeout_s=20)
    with (
        Ledger.open(server_url, settings=patient) as one,
        Ledger.open(server_url, settings=patient) as two,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(lambda n: (one if n % 2 else two).append(PROMPT), range(16)))

        assert {event.sealed_state for event in one.trace("clip-a")} == {SealedState.OPENED}
    assert on_server("SELECT count(*) FROM subject_key") == [(1,)]
