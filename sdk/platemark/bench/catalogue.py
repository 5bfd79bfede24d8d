"""Which benchmarks there are, and running one by its name.

One rule: a benchmark is loaded when it is run, since each needs other libraries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from platemark.bench.claims import Claim, Options, Result, draw
from platemark.errors import RequestError

Measure = Callable[[Options], Sequence[Claim]]


@dataclass(frozen=True, slots=True)
class Bench:
    """One benchmark.

    Args:
        module: its module, which has `measure(options)` that gives the claims.
        about: what it measures, as a sentence.
    """

    module: str
    about: str


BENCHES = {
    "audit": Bench("platemark.bench.audit", "How quickly the log answers, lets a person go, and starts again."),
    "generation": Bench(
        "platemark.bench.generation", "Speed, memory and energy of the embedded model, and how good its clips are."
    ),
    "ledger": Bench(
        "platemark.bench.ledger",
        "Whether the log keeps up: appending beside plain databases, checking, asking, erasing.",
    ),
    "policy": Bench(
        "platemark.bench.policy", "What the rules decide about contrast pairs, stories and disguises, and how fast."
    ),
    "signing": Bench("platemark.bench.signing", "Time and memory to sign and verify, and damage that must be noticed."),
    "stamp": Bench("platemark.bench.stamping", "Memory and processor time to stamp a 1080p clip, stage by stage."),
    "watermark": Bench(
        "platemark.bench.watermark", "How often a mark comes back from damaged copies, and what it costs the picture."
    ),
}
"""Every benchmark by name; a new one is registered by a line here."""


def run_bench(name: str, options: Options) -> Result:
    """Run one benchmark, and draw its claims where plots are asked for.

    Raises:
        RequestError: there is none of that name, or the plots cannot be written.
    """
    if name not in BENCHES:
        raise RequestError(f"There is no benchmark {name[:40]!r}.", fix=f"The benchmarks are: {', '.join(BENCHES)}.")
    measure = cast("Measure", import_module(BENCHES[name].module).measure)
    if options.plots is not None:
        _make_folder(options)
    result = Result(name, tuple(measure(options)))
    if options.plots is not None:
        (options.plots / f"{name}.svg").write_text(draw(name, result.claims), encoding="utf-8")
    return result


def _make_folder(options: Options) -> None:
    """Make the folder before anything is measured, so that a long run does not end with nowhere to draw."""
    if options.plots is None:
        return
    try:
        options.plots.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"The folder for plots cannot be made: {options.plots} ({error.strerror}).", fix="Name another with --plot."
        ) from error
