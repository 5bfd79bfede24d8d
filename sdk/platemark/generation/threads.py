"""How many threads torch gets, and for how long.

One rule: torch's setting is global to the process, so it is changed only around our own computation and put back.
"""

import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
TOKENS_PER_THREAD = 512
"""Below this much work in a step a second thread is not worth its risk. Measured on two cores with 160 tokens and 16
steps: 0.22 s against 0.37 s when the machine is idle, but 9 s against 0.4 s when other work holds one of the cores,
because each of some thousand small operations waits for the slower thread. Besides, one thread gives the same bits on
a machine with any number of cores."""

_ONE_AT_A_TIME = threading.RLock()


def usable_cores(quota_file: Path = CPU_QUOTA) -> int:
    """Count the cores this process may use: its affinity, cut to the quota of its control group.

    Args:
        quota_file: the control group's `cpu.max`: microseconds (or "max") and the period they are given for.

    Source: Linux kernel documentation, "Control Group v2", section "CPU Interface Files".
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text(encoding="ascii").split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError, ZeroDivisionError):  # no control group, or no limit
        return cores


def worthwhile_threads(tokens: int, *, cores: int) -> int:
    """Choose a number of threads for so many tokens in a step, at most one a core."""
    return max(1, min(cores, tokens // TOKENS_PER_THREAD))


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Compute with so many threads inside the block.

    Blocks of several Python threads take turns: the setting is one for the process, and a clip's bits depend on it.
    """
    with _ONE_AT_A_TIME:
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        try:
            yield
        finally:
            torch.set_num_threads(before)
