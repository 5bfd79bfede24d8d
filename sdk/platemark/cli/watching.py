"""The bar that shows how far a job has come.

One rule: it is drawn only where a person looks on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from platemark.cli.output import Output, stderr_is_terminal
from platemark.progress import STAGES, JobProgress, ProgressCallback, ignore_progress


@contextmanager
def show_progress(printer: Output) -> Iterator[ProgressCallback]:
    """Show a bar where a person looks on, and nothing otherwise."""
    if printer.as_json or printer.quiet or not stderr_is_terminal():
        yield ignore_progress
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(STAGES[0], total=None)

        def report(progress: JobProgress) -> None:
            """Move the bar."""
            bar.update(task, description=progress.stage, completed=progress.step, total=progress.total or None)

        yield report
