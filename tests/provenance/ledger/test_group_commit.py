"""Threads share commits: each is told its own result, and nobody pays for the mistake of another."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError, LedgerUnavailable
from platemark_provenance.ledger.group_commit import MOST_A_COMMIT, GroupCommit, Request

Commit = Callable[[Sequence[Request[int, str]]], None]


def answer(group: Sequence[Request[int, str]]) -> None:
    list(map(lambda request: setattr(request, "result", f"<{request.work}>"), group))


def run_together(commit: Commit, works: Sequence[int]) -> tuple[list[str], list[int]]:
    """Hold the lock until every thread waits for it; give what each got and how large the groups were."""
    lock, sizes = threading.RLock(), list[int]()

    def counted(group: Sequence[Request[int, str]]) -> None:
        sizes.append(len(group))
        commit(group)

    shared: GroupCommit[int, str] = GroupCommit(counted, lock)

    def run(work: int) -> str:
        try:
            return shared.run(work)
        except (LedgerRequestError, LedgerCorrupt, LedgerUnavailable) as error:
            return error.message

    with ThreadPoolExecutor(len(works)) as pool:
        with lock:
            waiting = [pool.submit(run, work) for work in works]
            threading.Event().wait(0.1)
        return [item.result() for item in waiting], sizes


def test_one_alone_commits_at_once() -> None:
    assert GroupCommit(answer, threading.RLock()).run(7) == "<7>"


def test_threads_that_wait_together_are_committed_together() -> None:
    got, sizes = run_together(answer, range(8))

    assert got == [f"<{n}>" for n in range(8)]
    assert sizes == [8]


def test_a_commit_takes_in_a_bounded_number() -> None:
    shared: GroupCommit[int, str] = GroupCommit(answer, threading.RLock())
    shared._waiting.extend(Request(n) for n in range(MOST_A_COMMIT + 5))

    shared.run(0)

    assert len(shared._waiting) == 0


def test_a_request_that_is_refused_by_itself_does_not_keep_out_the_others() -> None:
    def refuse_odd(group: Sequence[Request[int, str]]) -> None:
        answer([request for request in group if request.work % 2 == 0])
        odd = [request for request in group if request.work % 2]
        list(map(lambda request: setattr(request, "error", LedgerRequestError(f"{request.work} is odd")), odd))

    got, _ = run_together(refuse_odd, range(4))

    assert got == ["<0>", "1 is odd", "<2>", "3 is odd"]


def test_a_group_that_the_database_refuses_is_tried_one_by_one() -> None:
    def refuse_three(group: Sequence[Request[int, str]]) -> None:
        if any(request.work == 3 for request in group):
            raise LedgerCorrupt("three is not possible")
        answer(group)

    got, _ = run_together(refuse_three, range(5))

    assert got == ["<0>", "<1>", "<2>", "three is not possible", "<4>"]


def test_a_database_that_is_away_is_away_for_the_whole_group_at_once() -> None:
    def away(group: Sequence[Request[int, str]]) -> None:
        raise LedgerUnavailable("locked")

    got, sizes = run_together(away, range(4))

    assert (got, sizes) == (["locked"] * 4, [4])


def test_an_interrupt_in_one_thread_leaves_the_others_their_turn_marked_as_tried() -> None:
    interrupted = list[bool]()

    def interrupt_once(group: Sequence[Request[int, str]]) -> None:
        interrupted.append(any(request.was_tried for request in group))
        if len(interrupted) == 1:
            raise KeyboardInterrupt
        answer(group)

    lock = threading.RLock()
    shared: GroupCommit[int, str] = GroupCommit(interrupt_once, lock)

    with ThreadPoolExecutor(2) as pool:
        with lock:
            first = pool.submit(shared.run, 0)
            threading.Event().wait(0.05)
            other = pool.submit(shared.run, 1)
            threading.Event().wait(0.05)
        with pytest.raises(KeyboardInterrupt):
            first.result()

        assert (other.result(), interrupted) == ("<1>", [False, True])


def test_after_an_interrupt_with_nobody_waiting_the_next_thread_commits() -> None:
    outcomes = iter((KeyboardInterrupt, None))

    def interrupt_once(group: Sequence[Request[int, str]]) -> None:
        if (outcome := next(outcomes)) is not None:
            raise outcome
        answer(group)

    shared: GroupCommit[int, str] = GroupCommit(interrupt_once, threading.RLock())
    with pytest.raises(KeyboardInterrupt):
        shared.run(0)

    assert shared.run(1) == "<1>"


def test_threads_that_come_back_with_more_are_committed_together_again() -> None:
    sizes = list[int]()

    def slow(group: Sequence[Request[int, str]]) -> None:
        sizes.append(len(group))
        threading.Event().wait(0.03)
        answer(group)

    shared: GroupCommit[int, str] = GroupCommit(slow, threading.RLock())

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: [shared.run(n) for _ in range(8)], range(6)))

    assert sum(sizes) == 48
    assert len(sizes) < 30  # each alone would be 48 commits; queueing for one lock to be told made about 24 of 2


def test_a_thread_alone_is_never_kept_waiting_for_company() -> None:
    shared: GroupCommit[int, str] = GroupCommit(answer, threading.RLock())
    shared.run(0)

    assert shared._expected == 1


def test_an_interrupted_request_is_not_committed_later_by_another_thread() -> None:
    done = list[int]()

    def interrupt_once(group: Sequence[Request[int, str]]) -> None:
        if not done:
            done.append(-1)
            raise KeyboardInterrupt
        done.extend(request.work for request in group)
        answer(group)

    shared: GroupCommit[int, str] = GroupCommit(interrupt_once, threading.RLock())
    with pytest.raises(KeyboardInterrupt):
        shared.run(0)

    shared.run(1)

    assert done == [-1, 1]
