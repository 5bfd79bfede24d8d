"""Let threads that append at the same time share one commit.

One rule: no thread of its own. Whoever comes first commits for all who wait, and then appoints the next of them, so
that a single writer pays for nothing and a fork leaves nobody behind. Who waits is woken by name: threads that queued
for one lock to learn that their work is done kept each other from coming back, and groups from growing past two.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from platemark_provenance.errors import LedgerCorrupt, PlatemarkError

MOST_A_COMMIT = 256
"""Requests; keeps a commit short enough for readers of the write-ahead log."""
_LONGEST_PATIENCE_S = 0.002
_PATIENCE = 0.25
"""How much of the time of the last commit is worth waiting for those who shared it, who are on their way back."""

Work = TypeVar("Work")
Result = TypeVar("Result")


class Request(Generic[Work, Result]):
    """What one thread wants to be committed, and what became of it."""

    __slots__ = ("error", "is_appointed", "result", "turn", "was_tried", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.turn = threading.Lock()
        """Held until the request is done, or its thread is to commit."""
        self.turn.acquire()
        self.is_appointed = False
        """Whether its thread is the one that commits."""
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
        self._guard = threading.Lock()
        """Held for a moment by whoever changes who commits."""
        self._joined = threading.Condition(self._guard)
        self._is_led = False
        self._expected = 1
        self._patience_s = 0.0

    def run(self, work: Work) -> Result:
        """Commit, alone or with others, and give the result once it is on the disk.

        Raises:
            PlatemarkError: whatever kept this request out.
        """
        request: Request[Work, Result] = Request(work)
        with self._guard:
            self._waiting.append(request)
            request.is_appointed, self._is_led = not self._is_led, True
            self._joined.notify()
        try:
            if not request.is_appointed:
                request.turn.acquire()
            if not request.is_done:
                with self._lock:
                    while not request.is_done:
                        self._commit_next()
        finally:
            self._leave(request)
        if request.error is not None:
            raise request.error
        if request.result is None:
            raise LedgerCorrupt("A commit ended without saying where its events are.")
        return request.result

    def _leave(self, request: Request[Work, Result]) -> None:
        """Take back a request that was interrupted, and let the next thread commit where this one was to."""
        with self._guard:
            if not request.is_done and request in self._waiting:
                self._waiting.remove(request)
            if not request.is_appointed:
                return
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].is_appointed = True
                self._waiting[0].turn.release()

    def _commit_next(self) -> None:
        group = self._gather()
        started = time.monotonic()
        try:
            self._commit(group)
        except LedgerCorrupt as error:
            self._retry_apart(group, error)
        except PlatemarkError as error:
            _fail(group, error)
        finally:
            self._patience_s = min(_PATIENCE * (time.monotonic() - started), _LONGEST_PATIENCE_S)
            # Only Ctrl-C or a programming error leaves requests undone: the threads behind them try again.
            for request in reversed(group):
                if not request.is_done:
                    request.was_tried = True
                    self._waiting.appendleft(request)
                elif not request.is_appointed:
                    request.turn.release()

    def _gather(self) -> list[Request[Work, Result]]:
        """Take those who wait, after a moment for those who shared the last commit."""
        with self._guard:
            if self._expected > 1:
                self._joined.wait_for(lambda: len(self._waiting) >= self._expected, self._patience_s)
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_A_COMMIT))]
            self._expected = len(group)
        return group

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
