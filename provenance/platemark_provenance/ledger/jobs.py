"""The queue of work: rows with a lease and a fencing number. The database is the queue; whoever runs jobs only drives.

One rule: whatever a worker writes about a job carries the fence it claimed it with. A worker that slept through its
lease holds an old one, and what it writes is refused.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Row, func, insert, null, select, update

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import LedgerCorrupt, LedgerError, LedgerRequestError
from platemark_provenance.ledger.event import check_text, from_microseconds, to_microseconds
from platemark_provenance.ledger.postgres import LedgerDatabase
from platemark_provenance.ledger.sealing import SealedPayload
from platemark_provenance.ledger.subject_keys import SubjectKeys
from platemark_provenance.ledger.tables import job

MOST_JOBS = 100_000
"""In one batch."""
MOST_ATTEMPTS = 3
"""A job whose worker died so often is likely what kills it."""
EXIT_GAVE_UP = 1
LARGEST_RESULT_BYTES = 1_048_576
LARGEST_PAGE = 1_000

_ROWS_A_STATEMENT = 1_000


class JobState(StrEnum):
    """How far a job has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class LeaseLost(LedgerError):
    """Somebody else has the job by now, or it was cancelled; what this worker made of it does not count."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands.

    Args:
        job_id: its name.
        batch_id: the batch it belongs to.
        position: its place in the batch, from 0.
        state: how far it has come.
        attempt: how often it was claimed.
        worker: who claimed it last, None where nobody has.
        lease_until: when it may be taken over, None where it does not run.
        exit_code: what its command would have ended with, None before it ended.
        result: what came out, None before it ended.
        created_at: when it was submitted.
    """

    job_id: str
    batch_id: str
    position: int
    state: JobState
    attempt: int
    worker: str | None
    lease_until: datetime | None
    exit_code: int | None
    result: Mapping[str, JsonValue] | None
    created_at: datetime

    def to_json(self) -> dict[str, JsonValue]:
        """Give the JSON object of `jobs list`."""
        return {
            "job_id": self.job_id,
            "batch_id": self.batch_id,
            "position": self.position,
            "state": self.state.value,
            "attempt": self.attempt,
            "worker": self.worker,
            "lease_until": None if self.lease_until is None else self.lease_until.isoformat(),
            "exit_code": self.exit_code,
        }


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a worker may work on until its lease ends.

    Args:
        job: the job.
        fence: the number that goes with everything the worker writes about it.
        request: what is asked for.
    """

    job: Job
    fence: int
    request: Mapping[str, JsonValue] = field(repr=False)


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """A batch and how many of its jobs are in each state."""

    batch_id: str
    submitted_at: datetime
    counts: Mapping[JobState, int]

    def to_json(self) -> dict[str, JsonValue]:
        """Give the JSON object of `jobs list` without a batch."""
        counts: dict[str, JsonValue] = {state.value: self.counts.get(state, 0) for state in JobState}
        return {"batch_id": self.batch_id, "submitted_at": self.submitted_at.isoformat(), **counts}


class JobQueue:
    """The jobs of one ledger's database.

    Args:
        database: the open ledger file.
        keys: seals requests: a request quotes a prompt.
        clock: gives the time now, aware.
    """

    def __init__(self, database: LedgerDatabase, keys: SubjectKeys, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock

    def submit(self, requests: Sequence[Mapping[str, JsonValue]]) -> str:
        """Put a batch into the queue, whole or not at all, and give its name.

        Args:
            requests: in order; each is sealed with the key of its `actor`, and erased with them.

        Raises:
            LedgerRequestError: there are none or too many, or one is too long.
        """
        if not 0 < len(requests) <= MOST_JOBS:
            raise LedgerRequestError(f"A batch has 1 to {MOST_JOBS:,} jobs; got {len(requests):,}.")
        batch_id, now = str(uuid_utils.uuid7()), to_microseconds(self._clock())
        with self._database.write() as connection:
            rows = []
            for position, request in enumerate(requests):
                job_id, subject = str(uuid_utils.uuid7()), self._subject(request, batch_id)
                sealed = self._keys.seal(job_id, request, (subject,)).payload
                row = {"job_id": job_id, "batch_id": batch_id, "position": position, "subject": subject}
                content = {"nonce": sealed.nonce, "ciphertext": sealed.ciphertext}
                rows.append({**row, **content, "state": "queued", "attempt": 0, "fence": 0})
            for start in range(0, len(rows), _ROWS_A_STATEMENT):
                connection.execute(
                    insert(job).values(created_us=now, changed_us=now), rows[start : start + _ROWS_A_STATEMENT]
                )
        return batch_id

    def claim(self, worker: str, *, lease_s: float, batch_id: str | None = None) -> Claim | None:
        """Take the next job: one that waits, or one whose worker let its lease run out. None where there is none.

        Raises:
            LedgerRequestError: the worker's name is empty or too long.
            LedgerCorrupt: the request cannot be opened; the job is failed.
        """
        check_text("worker", worker)
        now = self._clock()
        with self._database.write() as connection:
            _requeue(connection, job.c.lease_until_us < to_microseconds(now), to_microseconds(now))
            query = select(job).where(job.c.state == "queued").order_by(job.c.batch_id, job.c.position).limit(1)
            if batch_id is not None:
                query = query.where(job.c.batch_id == batch_id)
            # Servers let others pass a row that is being claimed; SQLite has one writer and no such words.
            row = connection.execute(query.with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            lease = to_microseconds(now + timedelta(seconds=lease_s))
            taken = {"state": "running", "worker": worker, "lease_until_us": lease, "changed_us": to_microseconds(now)}
            numbers = {"attempt": row.attempt + 1, "fence": row.fence + 1}
            connection.execute(update(job).where(job.c.job_id == row.job_id).values(**taken, **numbers))
            row = connection.execute(select(job).where(job.c.job_id == row.job_id)).one()
        return Claim(_job(row), row.fence, self._request(row))

    def renew(self, claim: Claim, *, lease_s: float) -> None:
        """Keep a job for longer.

        Raises:
            LeaseLost: it is somebody else's by now, or was cancelled.
        """
        lease = to_microseconds(self._clock() + timedelta(seconds=lease_s))
        self._write_fenced(claim, {"lease_until_us": lease})

    def finish(self, claim: Claim, *, exit_code: int, result: Mapping[str, JsonValue]) -> None:
        """Write down how a job ended; the request is deleted.

        Args:
            claim: as it was claimed.
            exit_code: 0 where it succeeded.
            result: for the caller; holds no prompt.

        Raises:
            LeaseLost: it is somebody else's by now, or was cancelled.
            LedgerRequestError: the result is too large.
        """
        encoded = json.dumps(result, ensure_ascii=False).encode()
        if len(encoded) > LARGEST_RESULT_BYTES:
            raise LedgerRequestError(f"A result has at most {LARGEST_RESULT_BYTES} bytes; got {len(encoded)}.")
        state = JobState.DONE if exit_code == 0 else JobState.FAILED
        ended = {"state": state.value, "exit_code": exit_code, "result": encoded, "lease_until_us": None}
        self._write_fenced(claim, {**ended, "nonce": null(), "ciphertext": null()})

    def recover(self, is_alive: Callable[[str], bool]) -> int:
        """Give back the jobs of workers that are gone, and give their number. For the start of a program.

        Args:
            is_alive: whether a worker of that name still runs on this machine, as far as that can be told.
        """
        now = to_microseconds(self._clock())
        with self._database.write() as connection:
            workers = connection.execute(select(job.c.worker).where(job.c.state == "running").distinct()).scalars()
            gone = [worker for worker in workers if worker is not None and not is_alive(worker)]
            return _requeue(connection, job.c.worker.in_(gone) | (job.c.lease_until_us < now), now)

    def cancel(self, name: str) -> int:
        """Cancel a job, or what is left of a batch, and give the number of jobs. One that runs loses its lease.

        Raises:
            LedgerRequestError: there is neither.
        """
        check_text("job", name)
        named = (job.c.job_id == name) | (job.c.batch_id == name)
        with self._database.write() as connection:
            if connection.execute(select(job.c.job_id).where(named).limit(1)).first() is None:
                raise LedgerRequestError(f"There is no job or batch {name[:80]!r}.", fix="See: platemark jobs list")
            ended = {"state": "cancelled", "lease_until_us": None, "nonce": null(), "ciphertext": null()}
            change = update(job).where(named, job.c.state.in_(("queued", "running")))
            now = to_microseconds(self._clock())
            return connection.execute(change.values(**ended, fence=job.c.fence + 1, changed_us=now)).rowcount

    def jobs(self, batch_id: str, *, after: int = -1, limit: int = LARGEST_PAGE) -> tuple[Job, ...]:
        """Give jobs of a batch in their order, with their results.

        Args:
            batch_id: the batch.
            after: only those behind this position.
            limit: 1 to 1000.

        Raises:
            LedgerRequestError: the limit cannot be.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise LedgerRequestError(f"A page has 1 to {LARGEST_PAGE} jobs; asked for {limit}.")
        query = select(job).where(job.c.batch_id == batch_id, job.c.position > after)
        with self._database.read() as connection:
            return tuple(_job(row) for row in connection.execute(query.order_by(job.c.position).limit(limit)))

    def batches(self) -> tuple[BatchSummary, ...]:
        """Give every batch, newest first, with the number of jobs in each state."""
        query = select(job.c.batch_id, job.c.state, func.count(), func.min(job.c.created_us))
        with self._database.read() as connection:
            rows = connection.execute(query.group_by(job.c.batch_id, job.c.state)).all()
        found: dict[str, tuple[int, dict[JobState, int]]] = {}
        for batch_id, state, count, created_us in rows:
            found.setdefault(batch_id, (created_us, {}))[1][JobState(state)] = count
        return tuple(
            BatchSummary(batch_id, from_microseconds(created_us), counts)
            for batch_id, (created_us, counts) in sorted(found.items(), reverse=True)
        )

    def open_jobs(self, batch_id: str) -> int:
        """Count the jobs of a batch that wait or run."""
        query = select(func.count()).where(job.c.batch_id == batch_id, job.c.state.in_(("queued", "running")))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def _subject(self, request: Mapping[str, JsonValue], batch_id: str) -> str:
        actor = request.get("actor")
        return self._keys.sealer.pseudonym(actor) if isinstance(actor, str) and actor else f"batch:{batch_id}"

    def _request(self, row: Row[*tuple[Any, ...]]) -> Mapping[str, JsonValue]:
        if row.ciphertext is None:
            raise LedgerCorrupt(f"The request of job {row.job_id} is gone.")
        payload = SealedPayload(bytes(row.nonce), bytes(row.ciphertext))
        return self._keys.open_named(row.job_id, row.subject, payload)

    def _write_fenced(self, claim: Claim, values: Mapping[str, Any]) -> None:
        mine = (job.c.job_id == claim.job.job_id) & (job.c.fence == claim.fence) & (job.c.state == "running")
        with self._database.write() as connection:
            now = to_microseconds(self._clock())
            if connection.execute(update(job).where(mine).values(**values, changed_us=now)).rowcount != 1:
                raise LeaseLost(f"The job {claim.job.job_id} is not this worker's any more.")


def _requeue(connection: Connection, condition: Any, now_us: int) -> int:
    """Put running jobs back, or fail those that were tried too often; count both."""
    running = (job.c.state == "running") & condition
    gave_up = json.dumps({"error": {"type": "WorkerDied", "message": f"Given up after {MOST_ATTEMPTS} tries."}})
    freed = {"lease_until_us": None, "changed_us": now_us}
    failed = {"state": "failed", "exit_code": EXIT_GAVE_UP, "result": gave_up.encode(), "fence": job.c.fence + 1}
    dead = update(job).where(running, job.c.attempt >= MOST_ATTEMPTS).values(**failed, **freed)
    back = update(job).where(running, job.c.attempt < MOST_ATTEMPTS).values(state="queued", **freed)
    return connection.execute(dead).rowcount + connection.execute(back).rowcount


def _job(row: Row[*tuple[Any, ...]]) -> Job:
    return Job(
        job_id=row.job_id,
        batch_id=row.batch_id,
        position=row.position,
        state=JobState(row.state),
        attempt=row.attempt,
        worker=row.worker,
        lease_until=None if row.lease_until_us is None else from_microseconds(row.lease_until_us),
        exit_code=row.exit_code,
        result=None if row.result is None else json.loads(row.result),
        created_at=from_microseconds(row.created_us),
    )
