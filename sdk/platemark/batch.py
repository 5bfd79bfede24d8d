"""Many clips from one file: a queue in the home's database, and workers that take from it.

One rule: a clip is made once. A worker asks for its lease again before it signs and before it publishes, and one that
takes over a job looks first whether the clip was published before its worker died.
"""

import json
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from platemark.errors import Cancelled, PlatemarkError, RequestError, error_json
from platemark.generation.backend import CancelToken
from platemark.making.asking import GenerateOptions
from platemark.making.outputs import is_running, job_lock
from platemark.progress import JobProgress
from platemark.studio import Studio
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.ledger.jobs import MOST_JOBS, Claim, Job, JobQueue, JobState, LeaseLost

LEASE_S = 60.0
"""A worker renews it every third of this; after a power cut of one machine, another waits so long."""
EXIT_CANNOT_START = 3
"""Of a worker process: the home could not be opened."""
LARGEST_FILE_BYTES = 256 * 1024 * 1024
LARGEST_LINE_BYTES = 60_000

_NUMBER, _COUNT, _TEXT, _LIST, _YES = (int, float), (int,), (str,), (list,), (bool,)
_ASKED: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("seconds", "strength", "guidance", "shift"), _NUMBER),
    **dict.fromkeys(("fps", "seed", "steps"), _COUNT),
    **dict.fromkeys(
        ("size", "model", "task", "fill", "negative", "sampler", "label_language", "label_text", "label_icon"), _TEXT
    ),
    **dict.fromkeys(("prompt", "actor", "byline", "desk", "out"), _TEXT),
    **dict.fromkeys(("images", "clips"), _LIST),
    "id": (str, int),
    **dict.fromkeys(("rewrite", "label_vtt"), _YES),
}
"""What a line may say, and in what type: everything that is about the clip and not about the run."""
_PAUSE_S = 0.5
_CHECKED_STAGES = frozenset({"sign", "record", "publish"})


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What is common to a batch.

    Args:
        out_dir: where clips go whose line names no `out`.
        overwrite: replace files that exist.
        defaults: options for lines that do not say otherwise.
    """

    out_dir: Path
    overwrite: bool
    defaults: Mapping[str, JsonValue]


def read_prompts(path: Path) -> tuple[dict[str, JsonValue], ...]:
    """Read a file of prompts: one JSON object a line, with `prompt` and, where wanted, `id` and options of `generate`.

    Raises:
        RequestError: the file cannot be read or is too large, or a line is no such object; says which line.
    """
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise RequestError(f"{path} has more than {LARGEST_FILE_BYTES} bytes.", fix="Cut it into several batches.")
        with path.open("rb") as file:
            rows = tuple(_read_row(number, line) for number, line in enumerate(file, start=1) if line.strip())
    except OSError as error:
        raise RequestError(f"{path} cannot be read ({error.strerror}).", fix="Name a file of JSON lines.") from error
    if not 0 < len(rows) <= MOST_JOBS:
        raise RequestError(f"A batch has 1 to {MOST_JOBS:,} lines; {path.name} has {len(rows):,}.")
    return rows


def submit(studio: Studio, rows: Sequence[Mapping[str, JsonValue]], plan: BatchPlan) -> str:
    """Put a batch into the home's queue and give its name. Nothing is screened or made yet.

    Raises:
        RequestError: two lines would write the same file.
        LedgerError: the queue cannot be written.
    """
    requests: list[dict[str, JsonValue]] = []
    for position, row in enumerate(rows):
        name = row.get("id") or f"{position + 1:05}"
        out = Path(str(row.get("out") or plan.out_dir / f"{name}.mp4")).absolute()
        asked = {**plan.defaults, **row, "out": str(out), "id": name, "overwrite": plan.overwrite}
        requests.append(asked)
    outs = [str(each["out"]) for each in requests]
    if len(set(outs)) != len(outs):
        twice = next(out for out in outs if outs.count(out) > 1)
        raise RequestError(f"Two lines of the batch would write {twice}.", fix="Give each line an id or an out.")
    return studio.ledger.jobs.submit(requests)


def recover(studio: Studio) -> int:
    """Give back the jobs of workers that died on this machine or let their lease run out, and count them."""
    return studio.ledger.jobs.recover(lambda worker: _lives(studio, worker))


def run_batch(home: Path, batch_id: str, *, workers: int, lease_s: float = LEASE_S) -> None:
    """Work on a batch until nothing of it waits or runs, in this process or in several.

    Args:
        home: the home's directory.
        batch_id: the batch.
        workers: how many processes; each gets a GPU of its own where there are any.
        lease_s: see `LEASE_S`.
    """
    while True:
        with Studio.open(home) as studio:
            recover(studio)
            if not studio.ledger.jobs.open_jobs(batch_id):
                return
            if workers == 1:
                if not _work(studio, batch_id, lease_s):
                    time.sleep(_PAUSE_S)  # another program has what is left
                continue
        _work_in_processes(home, batch_id, workers, lease_s)


def results(queue: JobQueue, batch_id: str) -> Iterator[Job]:
    """Give every job of a batch in the order of the file, whatever order they were done in."""
    after = -1
    while page := queue.jobs(batch_id, after=after):
        yield from page
        after = page[-1].position


def result_row(job: Job) -> dict[str, JsonValue]:
    """Give the line that a batch prints for a job."""
    head: dict[str, JsonValue] = {"position": job.position, "state": job.state.value, "exit_code": exit_code_of(job)}
    return {**head, **(job.result or {})}


def exit_code_of(job: Job) -> int:
    """Give the exit code that `generate` would have ended with; 130 for a job that was cancelled."""
    if job.exit_code is not None:
        return job.exit_code
    return Cancelled.exit_code if job.state is JobState.CANCELLED else 1


def _work(studio: Studio, batch_id: str, lease_s: float) -> int:
    """Take jobs until none waits, and count them. The worker's lock tells others on this machine that it lives."""
    worker, count = f"{os.getpid()}-{secrets.token_hex(6)}", 0
    with job_lock(studio.home.jobs, _lock_name(worker)):
        while claim := studio.ledger.jobs.claim(worker, lease_s=lease_s, batch_id=batch_id):
            count += 1
            with suppress(LeaseLost):  # somebody else has it: whatever they make of it counts
                _do(studio, claim, lease_s)
    return count


def _do(studio: Studio, claim: Claim, lease_s: float) -> None:
    name = {"id": claim.request.get("id")}
    with _kept(studio.ledger.jobs, claim, lease_s) as cancel:
        try:
            made = _published_before(studio, claim) or _generate(studio, claim, cancel, lease_s)
        except LeaseLost:
            raise
        except Cancelled as error:
            studio.ledger.jobs.renew(claim, lease_s=lease_s)  # raises where that is why it was stopped
            studio.ledger.jobs.finish(claim, exit_code=error.exit_code, result={**name, **error_json(error)})
            return
        except PlatemarkError as error:
            studio.ledger.jobs.finish(claim, exit_code=error.exit_code, result={**name, **error_json(error)})
            return
    studio.ledger.jobs.finish(claim, exit_code=0, result={**name, **made})


def _generate(studio: Studio, claim: Claim, cancel: CancelToken, lease_s: float) -> dict[str, JsonValue]:
    asked: dict[str, Any] = {key: value for key, value in claim.request.items() if key not in ("id", "prompt")}

    def keep(progress: JobProgress) -> None:
        """Make sure, before each step that others will see, that the job is still ours."""
        if progress.stage in _CHECKED_STAGES:
            studio.ledger.jobs.renew(claim, lease_s=lease_s)

    options: GenerateOptions = {**asked, "on_progress": keep, "cancel": cancel}  # type: ignore[typeddict-item]
    return studio.generate(str(claim.request["prompt"]), **options).to_json()


def _published_before(studio: Studio, claim: Claim) -> dict[str, JsonValue] | None:
    """Give the clip of an earlier attempt that was published before its worker could say so."""
    path = Path(str(claim.request["out"]))
    if claim.job.attempt == 1 or not path.is_file():
        return None
    record = studio.ledger.registry.record_for_file(sha256_file(path))
    if record is None or record.published_at < claim.job.created_at:
        return None
    return {"clip_id": record.clip_id, "path": str(path), "sha256": record.file_sha256, "finished_by": "recovery"}


@contextmanager
def _kept(queue: JobQueue, claim: Claim, lease_s: float) -> Iterator[CancelToken]:
    """Renew a lease in the background; when it is lost, the run is told to stop."""
    cancel, over = CancelToken(), threading.Event()

    def renew() -> None:
        """Renew until the block ends."""
        while not over.wait(lease_s / 3):
            try:
                queue.renew(claim, lease_s=lease_s)
            except PlatemarkError:
                cancel.cancel()
                return

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield cancel
    finally:
        over.set()
        thread.join()


def _work_in_processes(home: Path, batch_id: str, workers: int, lease_s: float) -> None:
    context = get_context("spawn")  # a forked child may not use what SQLite or CUDA opened
    children = [context.Process(target=work_alone, args=(home, batch_id, n, lease_s)) for n in range(workers)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    if all(child.exitcode == EXIT_CANNOT_START for child in children):
        raise PlatemarkError("No worker could start.", fix="Run with --workers 1 to see why.")


def work_alone(home: Path, batch_id: str, number: int, lease_s: float) -> None:
    """Work on a batch as a process of its own; the process with this number gets the GPU with this number."""
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", str(number))
    try:
        studio = Studio.open(home)
    except PlatemarkError as error:
        raise SystemExit(EXIT_CANNOT_START) from error
    with studio:
        if not _work(studio, batch_id, lease_s):
            time.sleep(_PAUSE_S)


def _lives(studio: Studio, worker: str) -> bool:
    return is_running(studio.home.jobs, _lock_name(worker))


def _lock_name(worker: str) -> str:
    return f"worker-{worker}"


def _read_row(number: int, line: bytes) -> dict[str, JsonValue]:
    fix = 'For example: {"id": "rain", "prompt": "city lights at night, light rain", "seconds": 2}'
    if len(line) > LARGEST_LINE_BYTES:
        raise RequestError(f"Line {number} has more than {LARGEST_LINE_BYTES} bytes.", fix="Shorten it.")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"Line {number} is not JSON.", fix=fix) from error
    if not isinstance(row, dict) or not isinstance(row.get("prompt"), str):
        raise RequestError(f"Line {number} should be an object with a prompt.", fix=fix)
    for key, value in row.items():
        if key not in _ASKED or not isinstance(value, _ASKED[key]) or (isinstance(value, bool) and _ASKED[key] != _YES):
            raise RequestError(f"Line {number} says something about {key[:40]!r} that no clip takes.", fix=fix)
    if any(not isinstance(item, str) for key in ("images", "clips") for item in row.get(key, ())):
        raise RequestError(f"The images and clips of line {number} should be names of files.", fix=fix)
    if "id" in row and not _is_file_name(str(row["id"])):
        raise RequestError(f"The id of line {number} should be a short name that a file can have.", fix=fix)
    return row


def _is_file_name(name: str) -> bool:
    return 0 < len(name) <= 100 and name.isprintable() and not set(name) & set("/\\\0") and not name.startswith(".")
