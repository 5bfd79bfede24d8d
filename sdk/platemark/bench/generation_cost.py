"""What a clip of the embedded model costs: seconds from a cold shell and warm, joules, memory, and threads under load.

One rule: wall seconds are what a user waits, so they are what has a target; processor seconds stand beside them, since
a busy machine stretches the first and not the second. Every memory figure comes from a process of its own.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platemark.bench.claims import Claim, Options
from platemark.clip import Size
from platemark.generation.backend import GenerationRequest, Generator, Progress, ResolvedRequest
from platemark.generation.backends.embedded import EmbeddedGenerator
from platemark.training.accounting import Clocks, Meter

FRAMES, FPS, SIDE = 49, 12, 128
PROMPT = "clouds at sunset"
MEBIBYTE = 1 << 20

_REPORT = (
    "; import json, time, pathlib; status = pathlib.Path('/proc/self/status').read_text(); "
    "peak = next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith('VmHWM')), 0); "
    "print(json.dumps({'peak': peak, 'cpu': time.process_time()}))"
)
_COLD = "import sys; from platemark.cli import main; code = main(sys.argv[1:]); code and sys.exit(code)"
_DECODE = (
    "import sys, torch; from platemark.generation.backends.embedded import CARD, WEIGHTS; "
    "from platemark.generation.card import read_card; from platemark.generation.checkpoint import load_networks; "
    "from platemark.generation.synthesis import decode; torch.set_num_threads(1); "
    "networks = load_networks(read_card(CARD), WEIGHTS); config = networks.autoencoder.config; "
    "side = int(sys.argv[1]) // config.patch; torch.set_grad_enabled(False); "
    "[decode(networks, torch.randn(side, side, config.latent_channels)) "
    "for _ in range(config.latent_frames(int(sys.argv[2])))]"
)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process spent: wall seconds, processor seconds, and the most bytes it held."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def measure_cost(options: Options) -> list[Claim]:
    """Measure everything that a clip costs."""
    return [*_cold(options), *_warm(options), *_decoding(options), *_threads(options)]


def _cold(options: Options) -> list[Claim]:
    with tempfile.TemporaryDirectory(prefix="platemark-generation-") as name:
        home = Path(name) / "home"
        run_alone(_COLD, "init", home, "--org", "Benchmark News", "--quiet")
        runs = [
            run_alone(
                *(_COLD, "generate", PROMPT, "--size", f"{SIDE}x{SIDE}", "--fps", FPS, "--seconds", FRAMES / FPS),
                *("--seed", turn, "--out", Path(name) / f"{turn}.mp4", "--home", home, "--quiet"),
            )
            for turn in range(1 if options.quick else 5)
        ]
    wall, cpu = (statistics.median(each) for each in ([r.wall_s for r in runs], [r.cpu_s for r in runs]))
    peak = max(run.peak_bytes for run in runs) / MEBIBYTE
    what = f"{FRAMES} frames at {SIDE}x{SIDE}, all four layers"
    return [
        Claim(f"{what}, from a cold shell, wall", wall, "s", 15, peer=f"{cpu:.1f} processor seconds"),
        Claim(f"{what}, peak memory", peak, "MiB", 1.2 * 1024),
    ]


def _warm(options: Options) -> list[Claim]:
    generator = EmbeddedGenerator()
    plan = _plan(generator, FRAMES)
    list(generator.generate(_plan(generator, 1)))  # loads the weights
    walls, firsts, costs = [], [], []
    for _ in range(1 if options.quick else 5):
        meter, start = Meter(Clocks()), time.perf_counter()
        frames = generator.generate(plan)
        next(frames)
        firsts.append(time.perf_counter() - start)
        list(frames)
        walls.append(time.perf_counter() - start)
        costs.append(meter.read())
    spent = statistics.median(cost.cpu_seconds for cost in costs)
    joules = statistics.median(cost.joules for cost in costs)
    peer = f"{spent:.1f} processor seconds"
    return [
        Claim(f"{FRAMES} frames at {SIDE}x{SIDE}, warm, wall", statistics.median(walls), "s", 6, peer=peer),
        Claim("the first frame, warm, wall", statistics.median(firsts), "s", 3),
        Claim(f"energy of these frames, {costs[0].method}", joules, "J", None),
    ]


def _decoding(options: Options) -> list[Claim]:
    cases = [("one image of 2048x2048", 2048, 1), ("10 s of 512x512", 512, 13 if options.quick else 10 * FPS)]
    return [
        Claim(f"decode {what}, peak memory", run_alone(_DECODE, side, frames).peak_bytes / MEBIBYTE, "MiB", 2048)
        for what, side, frames in cases
    ]


def _threads(options: Options) -> list[Claim]:
    """Compare the default with one thread while other work holds a core, in turns."""
    chosen, one = EmbeddedGenerator(), EmbeddedGenerator(threads=1)
    plan = _plan(one, 17)
    for generator in (chosen, one):
        list(generator.generate(plan))
    ours, theirs = [], []
    with _a_busy_core():
        for _ in range(3 if options.quick else 9):
            ours.append(_seconds(chosen, plan))
            theirs.append(_seconds(one, plan))
    mine, peer = statistics.median(ours), statistics.median(theirs)
    return [Claim("the default number of threads, a core being busy", mine, "s", 1.1, "one thread", mine / peer)]


def _plan(generator: Generator, frames: int) -> ResolvedRequest:
    return generator.resolve(GenerationRequest(prompt=PROMPT, size=Size(SIDE, SIDE), frames=frames, fps=FPS, seed=7))


def _seconds(generator: Generator, plan: ResolvedRequest) -> float:
    start = time.perf_counter()
    list(generator.generate(plan, on_progress=_ignore))
    return time.perf_counter() - start


def _ignore(progress: Progress) -> None:
    del progress


@contextmanager
def _a_busy_core() -> Iterator[None]:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


def run_alone(code: str, *words: object) -> Spent:
    """Run some code in a process of its own, which says at its end what it spent.

    Args:
        code: Python statements on one line.
        words: what they find in `sys.argv`.

    Raises:
        CalledProcessError: the code failed.
    """
    start = time.perf_counter()
    command = [sys.executable, "-c", code + _REPORT, *map(str, words)]
    # torch reads this when it starts; the figures are for one core unless the SDK itself decides otherwise.
    ended = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    said = json.loads(ended.stdout.splitlines()[-1])
    return Spent(time.perf_counter() - start, said["cpu"], said["peak"])
