"""How a running job tells its caller where it is, and how a caller stops it."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

STAGES = ("screen", "plan", "reserve", "render", "screen_frames", "sign", "record", "publish", "receipt")
"""The named steps of the pipeline, in their order."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """One report: the pipeline's stage, and how far a long stage has come (`step` of `total`, 0 of 0 at its start)."""

    stage: str
    step: int = 0
    total: int = 0

    def __str__(self) -> str:
        return f"{self.stage} {self.step}/{self.total}" if self.total else self.stage


ProgressCallback = Callable[[JobProgress], None]


def ignore_progress(progress: JobProgress) -> None:
    """Do nothing with a report."""


class Stopwatch:
    """Seconds spent in each named stage. Time inside an inner stage counts for the inner one alone."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self.seconds: dict[str, float] = {}
        self._inner: list[float] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time inside the `with` block to a stage."""
        self._inner.append(0.0)
        start = self._now()
        try:
            yield
        finally:
            elapsed = self._now() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + elapsed - self._inner.pop()
            if self._inner:
                self._inner[-1] += elapsed

    def iterate(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Pass items on, adding the time their source takes to a stage."""
        source = iter(items)
        while True:
            with self.stage(name):
                item = next(source, _END)
            if isinstance(item, _End):
                return
            yield item


class _End:
    """Marks the end of an iterator; no item of a caller can be one."""


_END = _End()
