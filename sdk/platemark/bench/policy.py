"""What the newsroom pack decides about prompts and their harmless twins, how quickly, and how long it takes to load.

One rule: processor time and medians, so that a busy machine changes little.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from platemark.bench.claims import Claim, Options
from platemark.bench.policy_pairs import pair_claims, read_pairs
from platemark_policy.engine import Engine
from platemark_policy.rules import load_pack

PROMPT = "city lights at night, light rain over a wide boulevard, seen from above"
LOADING = (
    "import time; from platemark_policy.rules import load_pack; "
    "started = time.process_time(); load_pack(); print(time.process_time() - started)"
)


def seconds_to_load() -> float:
    """Load the pack in a process of its own, so that nothing is kept from before."""
    ended = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)
    return float(ended.stdout)


def seconds_of(turn: Callable[[int], object], turns: int) -> list[float]:
    """Give the processor seconds of each turn, in rising order."""
    spent: list[float] = []
    for number in range(turns):
        started = time.process_time()
        turn(number)
        spent.append(time.process_time() - started)
    return sorted(spent)


def measure(options: Options) -> list[Claim]:
    """Measure decisions, then time."""
    engine, at = Engine(load_pack(), input_key=bytes(32)), datetime(2026, 11, 22, tzinfo=UTC)
    decided = pair_claims(lambda text: engine.screen_prompt(text, at=at, decision_id="bench").verdict)
    prompts = [PROMPT, *(pair.twin for pair in read_pairs())]
    whole = seconds_of(
        lambda turn: engine.screen_prompt(prompts[turn % len(prompts)], at=at, decision_id=str(turn)),
        200 if options.quick else 2000,
    )
    words = seconds_of(lambda turn: engine.first_answer(prompts[turn % len(prompts)], at=at), 200)
    loads = [seconds_to_load() for _ in range(1 if options.quick else 5)]
    return [
        *decided,
        Claim("a prompt is decided, warm, median", statistics.median(whole) * 1000, "ms", 10),
        Claim("a prompt is decided, warm, 95th percentile", whole[int(len(whole) * 0.95)] * 1000, "ms", 25),
        Claim("the words alone answer first, median", statistics.median(words) * 1000, "ms", 1),
        Claim("the newsroom pack loads, every example checked", statistics.median(loads) * 1000, "ms", 1500),
    ]
