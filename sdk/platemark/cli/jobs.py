"""`platemark jobs`: the queue of a home: what waits, what runs, what became of it."""

from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.errors import RequestError
from platemark.zone import show_moment

app = typer.Typer(help="Batches of clips: list, resume, cancel.", no_args_is_help=True)

Batch = Annotated[str, typer.Argument(help="A batch, as `jobs list` names it.")]


@app.command("list")
def list_jobs(
    batch: Annotated[str | None, typer.Argument(help="A batch; all batches where left out.")] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """List batches, newest first, or the jobs of one batch in their order.

    Example: platemark jobs list --json
    """
    from datetime import UTC

    from platemark_provenance.ledger.jobs import JobState

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with require_home(home).open_ledger() as ledger:
        if batch is None:
            batches = ledger.jobs.batches()
            for each in batches:
                out.data(each.to_json())
            states = [str(state) for state in JobState]
            rows = [
                [each.batch_id, show_moment(each.submitted_at, UTC), *(each.counts.get(state, 0) for state in JobState)]
                for each in batches
            ]
            out.table(["batch", "time (UTC)", *states], rows)
            return
        from platemark.batch import results

        jobs = list(results(ledger.jobs, batch))
    for job in jobs:
        out.data(job.to_json())
    out.table(
        ["position", "job", "state", "attempt", "exit code"],
        [[job.position + 1, job.job_id, job.state.value, job.attempt, _shown(job.exit_code)] for job in jobs],
    )


@app.command("resume")
def resume(
    batch: Batch,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="How many processes.")] = 1,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Go on with a batch that was interrupted, then print what became of all of it.

    Example: platemark jobs resume 01a2… --json
    """
    from platemark.cli.batch import work_and_print

    printer = output(as_json=as_json, lang=lang, quiet=quiet)
    opened = require_home(home)
    with opened.open_ledger() as ledger:
        if not ledger.jobs.jobs(batch, limit=1):
            raise RequestError(f"There is no batch {batch[:80]!r}.", fix="See: platemark jobs list")
    return work_and_print(opened, batch, workers=workers, printer=printer)


@app.command("cancel")
def cancel(
    name: Annotated[str, typer.Argument(help="A job, or a batch: what is left of it.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Cancel what waits, and stop what runs before it is published. What is done stays.

    Example: platemark jobs cancel 01a2…
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with require_home(home).open_ledger() as ledger:
        count = ledger.jobs.cancel(name)
    out.data({"name": name, "cancelled": count})
    out.say("Cancelled {count} jobs.", count=count)


def _shown(code: int | None) -> str:
    return "" if code is None else str(code)
