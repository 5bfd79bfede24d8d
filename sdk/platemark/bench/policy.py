"""How quickly a prompt is screened, and how long a rule pack takes to load.

One rule: processor time and medians, so that a busy machine changes little.
"""

import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime

from platemark.bench.claims import Claim, Options
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


def seconds_to_screen(turns: int) -> float:
    """Screen one ordinary prompt, warm, and give the median."""
    engine = Engine(load_pack(), input_key=bytes(32))
    at, spent = datetime(2026, 11, 22, tzinfo=UTC), []
    for turn in range(turns):
        started = time.process_time()
        engine.screen_prompt(PROMPT, at=at, decision_id=str(turn))
        spent.append(time.process_time() - started)
    return statistics.median(spent)


def measure(options: Options) -> list[Claim]:
    """Measure both."""
    loads = [seconds_to_load() for _ in range(3 if options.quick else 11)]
    screened = seconds_to_screen(200 if options.quick else 2000)
    return [
        Claim("the newsroom pack loads, every example checked", statistics.median(loads) * 1000, "ms", 150),
        Claim("an ordinary prompt is screened, warm", screened * 1000, "ms", 5),
    ]
