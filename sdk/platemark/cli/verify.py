"""`platemark verify`."""

from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.cli.output import Output
from platemark_provenance.verdict import Report


def verify(
    files: Annotated[list[Path], typer.Argument(help="Clips or stills.")],
    trust: Annotated[list[Path] | None, typer.Option(help="A file of root certificates (PEM) to trust.")] = None,
    sidecar: Annotated[Path | None, typer.Option(help="A manifest kept beside the file.")] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Say what a file is: who signed it, whether it was changed, and what was not checked.

    Example: platemark verify clip.mp4 --json
    """
    # Imported here: FFmpeg and the C2PA library are not needed to print help.
    from platemark.verifier import Verifier

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    worst = 0
    with Verifier.open(home, trust=tuple(trust or ())) as verifier:
        for path in files:
            report = verifier.examine(path, sidecar=sidecar)
            out.data(report.to_json())
            _print(out, report)
            worst = max(worst, report.exit_code)
    return worst


def _print(out: Output, report: Report) -> None:
    out.say("{path}: {verdict}", path=report.path, verdict=report.verdict.value.upper())
    for line in report.explain("ko" if out.language == "ko" else "en").splitlines():
        out.say("  {text}", text=line)
    if report.signer:
        out.say("  Signed by {signer} with {generator}.", signer=report.signer, generator=report.generator or "?")
    axes = report.to_json()["axes"]
    if isinstance(axes, dict):
        out.say("  {axes}", axes=", ".join(f"{name}: {value}" for name, value in axes.items()))
