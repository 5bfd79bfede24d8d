"""What `generate --batch` and `jobs resume` share: work on a batch, then print what became of it, in order."""

from pathlib import Path
from typing import TYPE_CHECKING

from platemark.cli.output import Output

if TYPE_CHECKING:
    from platemark.homes.home import Home


def work_and_print(home: "Home", batch_id: str, *, workers: int, printer: Output) -> int:
    """Work until nothing waits, print one line a job in the order of the file, and give the highest exit code."""
    # Imported here: the model's libraries take seconds to load.
    from platemark.batch import run_batch

    run_batch(home.path, batch_id, workers=workers)
    return print_results(home, batch_id, printer)


def print_results(home: "Home", batch_id: str, printer: Output) -> int:
    """Print one line a job in the order of the file, and give the highest exit code."""
    from platemark.batch import exit_code_of, result_row, results

    worst = 0
    with home.open_ledger() as ledger:
        for job in results(ledger.jobs, batch_id):
            row = result_row(job)
            printer.data(row)
            printer.say(
                "{position} {state} {path}", position=job.position + 1, state=job.state.value, path=_outcome(row)
            )
            worst = max(worst, exit_code_of(job))
    return worst


def new_batch(home: "Home", prompts: Path, *, out_dir: Path, overwrite: bool, said: dict[str, object]) -> str:
    """Put a file of prompts into the queue and give the batch's name.

    Raises:
        RequestError: the file or a line of it is impossible; nothing was queued.
    """
    from platemark.batch import BatchPlan, read_prompts, submit
    from platemark.studio import Studio

    rows = read_prompts(prompts)
    defaults = {name: value for name, value in said.items() if isinstance(value, str | int | float | bool)}
    with Studio.open(home.path) as studio:
        return submit(studio, rows, BatchPlan(out_dir.absolute(), overwrite, defaults))


def _outcome(row: object) -> str:
    if not isinstance(row, dict):
        return ""
    error = row.get("error")
    message = error.get("message") if isinstance(error, dict) else row.get("verdict")
    return str(row.get("path") or message or "")
