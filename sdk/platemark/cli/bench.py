"""`platemark bench`: measure what platemark claims about itself, on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from platemark.bench.catalogue import BENCHES, run_bench
from platemark.bench.claims import Options
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.cli.output import Output

EXIT_A_CLAIM_FAILED = 1


def bench(
    name: Annotated[str | None, typer.Argument(help="Which benchmark. Lists them where it is left out.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The short run: under a minute on two cores.")] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="DIR", help="Write plots (SVG) into this folder.")
    ] = None,
    clips: Annotated[
        Path | None, typer.Option("--clips", metavar="DIR", help="Measure the mark on the clips in this folder.")
    ] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Measure claims with their targets on this machine, or list the benchmarks. Exit code 1 where a claim fails.

    Example: platemark bench signing --quick
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    if name is None:
        _list(out)
        return 0
    result = run_bench(name, Options(quick=quick, plots=plot, clips=clips))
    out.data(result.to_json())
    for claim in result.claims:
        out.say("{claim}", claim=claim.to_line())
    failed = sum(not claim.holds for claim in result.claims)
    out.say("{failed} of {total} claims fail on this machine.", failed=failed, total=len(result.claims))
    return 0 if result.holds else EXIT_A_CLAIM_FAILED


def _list(out: Output) -> None:
    for name, one in BENCHES.items():
        out.data({"name": name, "about": one.about})
    out.table(("benchmark", "what it measures"), [(name, out.text(one.about)) for name, one in BENCHES.items()])
