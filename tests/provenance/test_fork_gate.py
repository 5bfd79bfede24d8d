"""A process forks only between calls into the library, never waits for itself, and never for ever."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from platemark_provenance import fork_gate
from platemark_provenance.fork_gate import native_work


@contextmanager
def thread_inside(*, seconds: float) -> Iterator[threading.Event]:
    """A thread that is inside the library for so long; the event says when it has left."""
    inside, left = threading.Event(), threading.Event()

    def work() -> None:
        with native_work():
            inside.set()
            time.sleep(seconds)
            left.set()

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(timeout=30)
    yield left
    thread.join()


def forked(child_gives: int = 0) -> int:
    """Fork a child that goes in and out once, and give its exit code."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        with native_work():
            os._exit(child_gives)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_fork_waits_until_other_threads_are_out() -> None:
    with thread_inside(seconds=0.3) as left:
        code = forked(7)

        assert left.is_set()

    assert code == 7


def test_a_thread_that_is_inside_itself_does_not_wait_for_itself() -> None:
    with native_work(), native_work():
        assert forked(7) == 7


def test_who_is_inside_may_go_further_in_while_another_waits_to_fork() -> None:
    order: list[str] = []

    def nested() -> None:
        with native_work():
            started.set()
            time.sleep(0.3)
            with native_work():
                order.append("nested")

    started = threading.Event()
    thread = threading.Thread(target=nested)
    thread.start()
    started.wait(timeout=30)

    forked()
    order.append("forked")
    thread.join()

    assert order == ["nested", "forked"]


def test_a_fork_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_gate, "PATIENCE_S", 0.1)

    with thread_inside(seconds=1.0) as left:
        code = forked(7)

        assert not left.is_set()

    assert code == 7


def test_the_gate_is_open_again_after_a_fork() -> None:
    with thread_inside(seconds=0.1):
        forked()

    with thread_inside(seconds=0.0) as left:
        assert left.wait(timeout=30)


def test_an_error_inside_lets_the_thread_out() -> None:
    with pytest.raises(ValueError, match="inside"), native_work():
        raise ValueError("inside")

    with thread_inside(seconds=0.0) as left:
        assert forked(7) == 7

    assert left.is_set()
