"""The queue: each job to one worker at a time, taken over when it dies, and nothing from a stale one counts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError
from platemark_provenance.ledger.jobs import MOST_ATTEMPTS, Claim, Job, JobQueue, JobState, LeaseLost
from platemark_provenance.ledger.store import Ledger

Move = Callable[[float], None]
REQUESTS = [{"prompt": f"an unmistakable prompt {n}", "actor": "jw.kim", "n": n} for n in range(5)]


@pytest.fixture
def queue(ledger: Ledger) -> JobQueue:
    """An empty queue."""
    return ledger.jobs


@pytest.fixture
def batch(queue: JobQueue) -> str:
    """A batch of five."""
    return queue.submit(REQUESTS)


def claimed(queue: JobQueue, worker: str = "w1", lease_s: float = 60) -> Claim:
    claim = queue.claim(worker, lease_s=lease_s)
    assert claim is not None
    return claim


def states(queue: JobQueue, batch: str) -> list[str]:
    return [job.state.value for job in queue.jobs(batch)]


def test_jobs_are_given_out_in_order_each_once(queue: JobQueue, batch: str) -> None:
    claims = [claimed(queue, f"w{n}") for n in range(5)]

    assert [claim.job.position for claim in claims] == [0, 1, 2, 3, 4]
    assert [dict(claim.request) for claim in claims] == REQUESTS
    assert queue.claim("w6", lease_s=60) is None


def test_a_worker_may_ask_for_one_batch_only(queue: JobQueue, batch: str) -> None:
    later = queue.submit([{"prompt": "another"}])

    claim = queue.claim("w", lease_s=60, batch_id=later)

    assert claim is not None
    assert claim.job.batch_id == later


def test_a_finished_job_keeps_its_result_and_not_its_request(queue: JobQueue, batch: str, tmp_path: Path) -> None:
    claim = claimed(queue)

    queue.finish(claim, exit_code=0, result={"path": "a.mp4"})

    job = queue.jobs(batch)[0]
    assert (job.state, job.exit_code, job.result) == (JobState.DONE, 0, {"path": "a.mp4"})


def test_a_job_that_ended_badly_is_failed_with_its_exit_code(queue: JobQueue, batch: str) -> None:
    queue.finish(claimed(queue), exit_code=3, result={"verdict": "block"})

    assert (queue.jobs(batch)[0].state, queue.jobs(batch)[0].exit_code) == (JobState.FAILED, 3)


def test_requests_are_not_readable_in_the_database(queue: JobQueue, batch: str, tmp_path: Path) -> None:
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())

    assert b"unmistakable" not in content


def test_a_job_is_taken_over_after_its_lease_and_not_before(queue: JobQueue, batch: str, move_clock: Move) -> None:
    first = claimed(queue, "dead", lease_s=60)
    move_clock(59)
    second = claimed(queue, "w2")
    move_clock(2)
    third = claimed(queue, "w2")

    assert second.job.position == 1
    assert (third.job.position, third.job.attempt, third.fence) == (0, 2, first.fence + 1)


def test_a_lease_that_is_renewed_is_kept(queue: JobQueue, batch: str, move_clock: Move) -> None:
    claim = claimed(queue, lease_s=60)
    move_clock(50)
    queue.renew(claim, lease_s=60)
    move_clock(50)

    assert claimed(queue, "w2").job.position == 1


@pytest.mark.parametrize("write", ["finish", "renew"])
def test_a_worker_that_slept_through_its_lease_writes_nothing(
    queue: JobQueue, batch: str, move_clock: Move, write: str
) -> None:
    stale = claimed(queue, "slow", lease_s=10)
    move_clock(11)
    claimed(queue, "w2")

    with pytest.raises(LeaseLost):
        {
            "finish": lambda: queue.finish(stale, exit_code=0, result={}),
            "renew": lambda: queue.renew(stale, lease_s=10),
        }[write]()

    assert queue.jobs(batch)[0].worker == "w2"


def test_a_job_that_kills_its_workers_is_given_up(queue: JobQueue, batch: str, move_clock: Move) -> None:
    for_each_attempt(lambda: (claimed(queue, "dies", lease_s=1), move_clock(2)))

    assert claimed(queue).job.position == 1
    job = queue.jobs(batch)[0]
    assert (job.state, job.exit_code) == (JobState.FAILED, 1)
    assert job.result is not None
    assert "3 tries" in str(job.result)


def for_each_attempt(action: Callable[[], object]) -> None:
    """Do something as often as a job is tried."""
    for _ in range(MOST_ATTEMPTS):
        action()


def test_jobs_of_dead_workers_are_given_back_at_start(queue: JobQueue, batch: str) -> None:
    claimed(queue, "dead")
    claimed(queue, "alive")

    assert queue.recover(lambda worker: worker == "alive") == 1
    assert states(queue, batch)[:2] == ["queued", "running"]


def test_ten_thousand_jobs_are_given_back_in_a_few_statements(
    queue: JobQueue, count_statements: Callable[..., int]
) -> None:
    queue.submit([{"prompt": str(n)} for n in range(50)])
    for_all_jobs(queue, 50)

    assert count_statements(lambda: queue.recover(lambda worker: False)) <= 6


def for_all_jobs(queue: JobQueue, count: int) -> None:
    """Claim so many jobs, for as many workers."""
    for n in range(count):
        claimed(queue, f"w{n}")


@pytest.fixture
def count_statements() -> Callable[..., int]:
    """Count the statements that an action sends to the database."""
    from sqlalchemy import Engine, event

    def count(action: Callable[[], object]) -> int:
        sent: list[str] = []

        def note(*arguments: object) -> None:
            sent.append(str(arguments[2]))

        event.listen(Engine, "before_cursor_execute", note)
        try:
            action()
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        return len(sent)

    return count


def test_a_batch_is_cancelled_but_for_what_is_done(queue: JobQueue, batch: str) -> None:
    queue.finish(claimed(queue), exit_code=0, result={})
    running = claimed(queue)

    assert queue.cancel(batch) == 4
    assert states(queue, batch) == ["done", "cancelled", "cancelled", "cancelled", "cancelled"]
    with pytest.raises(LeaseLost):
        queue.renew(running, lease_s=60)


def test_one_job_is_cancelled(queue: JobQueue, batch: str) -> None:
    assert queue.cancel(queue.jobs(batch)[3].job_id) == 1
    assert states(queue, batch)[3] == "cancelled"


def test_what_does_not_exist_cannot_be_cancelled(queue: JobQueue) -> None:
    with pytest.raises(LedgerRequestError, match="no job or batch"):
        queue.cancel("nothing")


def test_the_jobs_of_somebody_who_is_erased_are_cancelled_and_unreadable(
    ledger: Ledger, queue: JobQueue, batch: str
) -> None:
    erased = ledger.subjects.erase("jw.kim", reason="a request")

    assert erased.jobs == 5
    assert set(states(queue, batch)) == {"cancelled"}


def test_a_request_whose_key_is_gone_is_not_given_out(queue: JobQueue, batch: str, ledger: Ledger) -> None:
    from sqlalchemy import delete

    from platemark_provenance.ledger.tables import subject_key

    with ledger.keys.database.write() as connection:
        connection.execute(delete(subject_key))

    with pytest.raises(LedgerCorrupt):
        queue.claim("w", lease_s=60)


def test_batches_are_counted_by_state(queue: JobQueue, batch: str) -> None:
    queue.finish(claimed(queue), exit_code=0, result={})
    claimed(queue)

    (summary,) = queue.batches()

    assert summary.to_json() == {
        "batch_id": batch, "submitted_at": "2026-03-14T12:00:00+00:00",
        "queued": 3, "running": 1, "done": 1, "failed": 0, "cancelled": 0,
    }  # fmt: skip


def test_jobs_are_paged_by_their_place(queue: JobQueue, batch: str) -> None:
    first = queue.jobs(batch, limit=2)
    rest = queue.jobs(batch, after=first[-1].position)

    assert [job.position for job in (*first, *rest)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("limit", [0, 1001])
def test_a_page_of_no_size_is_refused(queue: JobQueue, batch: str, limit: int) -> None:
    with pytest.raises(LedgerRequestError):
        queue.jobs(batch, limit=limit)


def test_a_batch_of_nothing_is_refused(queue: JobQueue) -> None:
    with pytest.raises(LedgerRequestError, match="1 to"):
        queue.submit([])


def test_a_result_that_is_too_large_is_refused(queue: JobQueue, batch: str) -> None:
    with pytest.raises(LedgerRequestError, match="at most"):
        queue.finish(claimed(queue), exit_code=0, result={"x": "y" * 2_000_000})


def test_eight_threads_take_every_job_exactly_once(ledger: Ledger, queue: JobQueue) -> None:
    batch = queue.submit([{"prompt": str(n)} for n in range(40)])

    with ThreadPoolExecutor(8) as pool:
        taken = list(chain.from_iterable(pool.map(lambda n: drain(queue, f"w{n}"), range(8))))

    assert sorted(taken) == list(range(40))
    assert {job.attempt for job in queue.jobs(batch)} == {1}


def drain(queue: JobQueue, worker: str) -> list[int]:
    """Take and finish jobs until there is none."""
    done: list[int] = []
    while claim := queue.claim(worker, lease_s=60):
        queue.finish(claim, exit_code=0, result={})
        done.append(claim.job.position)
    return done


class Workers(RuleBasedStateMachine):
    """Workers that claim, finish, die, sleep and are cancelled in any order."""

    made: Callable[[], tuple[Ledger, Move]]

    def __init__(self) -> None:
        super().__init__()
        self.ledger, self.move = type(self).made()
        self.queue = self.ledger.jobs
        self.batch = self.queue.submit(REQUESTS[:3])
        self.claims: list[Claim] = []
        self.done: list[str] = []

    @rule(worker=st.sampled_from("abc"))
    def claim(self, worker: str) -> None:
        """A worker asks for a job."""
        claim = self.queue.claim(worker, lease_s=10)
        self.claims += [claim] if claim else []

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """Some worker, stale or not, says that it is done."""
        claim = data.draw(st.sampled_from(self.claims))
        try:
            self.queue.finish(claim, exit_code=0, result={})
        except LeaseLost:
            return
        self.done.append(claim.job.job_id)

    @rule(seconds=st.sampled_from([1, 11]))
    def wait(self, seconds: int) -> None:
        """Time goes by."""
        self.move(seconds)

    @rule()
    def restart(self) -> None:
        """A program starts and finds everybody dead."""
        self.queue.recover(lambda worker: False)

    @invariant()
    def no_job_is_done_twice(self) -> None:
        """Whatever happened, each effect counted once."""
        assert len(self.done) == len(set(self.done))

    @invariant()
    def every_job_is_in_a_known_state(self) -> None:
        """None is lost."""
        jobs: tuple[Job, ...] = self.queue.jobs(self.batch)
        assert [job.position for job in jobs] == [0, 1, 2]
        assert {job.job_id for job in jobs if job.state is JobState.DONE} == set(self.done)

    def teardown(self) -> None:
        """Close the ledger."""
        self.ledger.close()


def test_no_order_of_claims_deaths_and_restarts_does_a_job_twice(
    tmp_path_factory: pytest.TempPathFactory,
    migrated: Path,
    clock: Callable[[], object],
    move_clock: Move,
    settings_in: Callable[[Path], Ledger],
) -> None:
    Workers.made = staticmethod(lambda: (settings_in(tmp_path_factory.mktemp("workers")), move_clock))  # type: ignore[assignment]

    run = settings(max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
    Workers.TestCase.settings = run
    Workers.TestCase("runTest").runTest()


@pytest.fixture
def settings_in(migrated: Path, settings: object) -> Callable[[Path], Ledger]:
    """Open a new ledger in a folder, with this test's clock."""
    import shutil
    from dataclasses import replace

    def made(folder: Path) -> Ledger:
        path = Path(shutil.copy2(migrated, folder / "ledger.db"))
        changed = replace(settings, state_path=folder / "signed-head")  # type: ignore[type-var]
        return Ledger.open(f"sqlite:///{path}", settings=changed)

    return made
