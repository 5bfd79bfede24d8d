"""Threads follow the cores and the work, and torch's own setting is put back."""

import os
import threading
from pathlib import Path

import pytest
import torch

from platemark.generation.threads import TOKENS_PER_THREAD, torch_threads, usable_cores, worthwhile_threads


@pytest.fixture
def quota(tmp_path: Path) -> Path:
    """A control group's quota file that does not exist yet."""
    return tmp_path / "cpu.max"


def test_one_core_of_quota_is_one_core(quota: Path) -> None:
    quota.write_text("100000 100000\n")

    assert usable_cores(quota) == 1


def test_half_a_core_of_quota_is_one_core(quota: Path) -> None:
    quota.write_text("50000 100000\n")

    assert usable_cores(quota) == 1


def test_more_quota_than_cores_does_not_make_cores(quota: Path) -> None:
    quota.write_text("99900000 100000\n")

    assert usable_cores(quota) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("content", ["max 100000\n", "", "garbage", "1 2 3", "100000 0\n"])
def test_without_a_quota_the_affinity_counts(quota: Path, content: str) -> None:
    quota.write_text(content)

    assert usable_cores(quota) == len(os.sched_getaffinity(0))


def test_without_a_control_group_the_affinity_counts(quota: Path) -> None:
    assert usable_cores(quota) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("tokens", "cores", "threads"),
    [
        (1, 64, 1),
        (160, 64, 1),
        (TOKENS_PER_THREAD * 2, 64, 2),
        (TOKENS_PER_THREAD * 100, 8, 8),
        (TOKENS_PER_THREAD * 100, 1, 1),
    ],
)
def test_threads_grow_with_the_work_up_to_the_cores(tokens: int, cores: int, threads: int) -> None:
    assert worthwhile_threads(tokens, cores=cores) == threads


def test_the_threads_of_a_block_end_with_it() -> None:
    before = torch.get_num_threads()

    with torch_threads(before + 1):
        inside = torch.get_num_threads()

    assert (inside, torch.get_num_threads()) == (before + 1, before)


def test_blocks_of_two_python_threads_take_turns() -> None:
    before, seen = torch.get_num_threads(), list[int]()

    def compute() -> None:
        with torch_threads(before + 2):
            seen.append(torch.get_num_threads())

    with torch_threads(before + 1):
        other = threading.Thread(target=compute)
        other.start()
        other.join(timeout=0.05)
        waited = other.is_alive() and not seen
    other.join()

    assert waited
    assert seen == [before + 2]
    assert torch.get_num_threads() == before


def test_a_block_may_hold_another() -> None:
    before = torch.get_num_threads()

    with torch_threads(before + 1), torch_threads(before + 2):
        inside = torch.get_num_threads()

    assert (inside, torch.get_num_threads()) == (before + 2, before)


def test_the_threads_are_put_back_after_an_error() -> None:
    before = torch.get_num_threads()

    with pytest.raises(RuntimeError), torch_threads(before + 1):
        raise RuntimeError

    assert torch.get_num_threads() == before
