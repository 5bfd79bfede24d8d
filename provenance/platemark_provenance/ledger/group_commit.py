"""Let threads that append at the same time share one commit.

One rule: no thread of its own. Whoever finds the writing lock free commits for all who wait, so that a single writer
pays for nothing and a fork leaves nobody behind.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from platemark_provenance.errors import LedgerCorrupt, PlatemarkError

MOST_A_COMMIT = 256
"""Requests; keeps a commit short enough for readers of the write-ahead log."""

Work = TypeVar("Work")
Result = TypeVar("Result")


class Request(Generic[Work, Result]):
    """What one thread wants to be committed, and what became of it."""

    __slots__ = ("error", "result", "was_tried", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.result: Result | None = None
        self.error: PlatemarkError | None = None
        self.was_tried = False
        """Whether a commit with it was interrupted, so that nobody knows whether it was kept."""

    @property
    def is_done(self) -> bool:
        """Whether somebody dealt with it."""
        return self.result is not None or self.error is not None


class GroupCommit(Generic[Work, Result]):
    """Share commits between threads.

    Args:
        commit: makes one transaction of all requests and sets the result, or the error of its own, of each; when it
            raises, nothing of them was kept.
        lock: held by whoever writes; may be taken again by the thread that holds it.
    """

    def __init__(
        self, commit: Callable[[Sequence[Request[Work, Result]]], None], lock: AbstractContextManager[object]
    ) -> None:
        self._commit = commit
        self._lock = lock
        self._waiting: deque[Request[Work, Result]] = deque()

    def run(self, work: Work) -> Result:
        """Commit, alone or with others, and give the result once it is on the disk.

        Raises:
            PlatemarkError: whatever kept this request out.
        """
        request: Request[Work, Result] = Request(work)
        self._waiting.append(request)
        try:
            with self._lock:
                while not request.is_done:
                    self._commit_next()
        finally:
            if not request.is_done and request in self._waiting:
                self._waiting.remove(request)
        if request.error is not None:
            raise request.error
        if request.result is None:
            raise LedgerCorrupt("A commit ended without saying where its events are.")
        return request.result

    def _commit_next(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_A_COMMIT))]
        try:
            self._commit(group)
        except LedgerCorrupt as error:
            self._retry_apart(group, error)
        except PlatemarkError as error:
            _fail(group, error)
        finally:
            # Only Ctrl-C or a programming error leaves requests undone: the threads behind them try again.
            for request in reversed([each for each in group if not each.is_done]):
                request.was_tried = True
                self._waiting.appendleft(request)

    def _retry_apart(self, group: Sequence[Request[Work, Result]], error: PlatemarkError) -> None:
        """Find the request that the database refused: one that is alone fails, of several each is tried alone."""
        if len(group) == 1:
            _fail(group, error)
            return
        for request in group:
            try:
                self._commit([request])
            except PlatemarkError as alone:
                _fail([request], alone)


def _fail(group: Sequence[Request[Work, Result]], error: PlatemarkError) -> None:
    for request in group:
        request.result, request.error = None, error
