"""What every benchmark hands back: claims with a target, and whether they hold on this machine.

One rule: a claim is one number that was measured in this run; a ratio compares it with a peer of the same run.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim.

    Args:
        claim: what is measured, as a sentence.
        value: the number.
        unit: of the number.
        target: what the number must stay at or under; where `least` is true, at or over.
        peer: what it is compared with, measured in the same run.
        ratio: the number over the peer's.
        least: whether more is better.
    """

    claim: str
    value: float
    unit: str
    target: float
    peer: str | None = None
    ratio: float | None = None
    least: bool = False

    @property
    def holds(self) -> bool:
        """Say whether the target is met; with a peer, the ratio has to meet it."""
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.target if self.least else measured <= self.target

    def to_json(self) -> dict[str, Json]:
        """Give the object that the contract names."""
        return {
            "claim": self.claim,
            "value": round(self.value, 4),
            "unit": self.unit,
            "target": self.target,
            "peer": self.peer,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "ok": self.holds,
        }


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for: JSON, the short run, and a directory for plots."""

    as_json: bool
    quick: bool
    plots: Path | None


def parse_options(description: str, arguments: Sequence[str] | None = None) -> Options:
    """Read the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="under a minute on two cores")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="write plots (SVG) there")
    given = parser.parse_args(arguments)
    return Options(as_json=given.json, quick=given.quick, plots=given.plot)


def machine() -> dict[str, Json]:
    """Say what the numbers were taken on."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "load": round(load, 2),
    }


def hand_over(name: str, claims: Sequence[Claim], options: Options) -> int:
    """Print the result, draw it where that is asked for, and give the exit code: 0 where every claim holds."""
    if options.plots is not None:
        options.plots.mkdir(parents=True, exist_ok=True)
        (options.plots / f"{name}.svg").write_text(draw(name, claims), encoding="utf-8")
    if options.as_json:
        result: Json = {"name": name, "machine": machine(), "claims": [claim.to_json() for claim in claims]}
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{_line(claim)}\n" for claim in claims)
    return 0 if all(claim.holds for claim in claims) else 1


def draw(name: str, claims: Sequence[Claim]) -> str:
    """Draw each claim as a bar of its share of the target; the line marks the target, red is beyond it."""
    rows = []
    for row, claim in enumerate(claims):
        measured = claim.value if claim.ratio is None else claim.ratio
        share = min(measured / claim.target if claim.target else (1.0 if claim.holds else 2.0), 2.0)
        colour = "#2a6" if claim.holds else "#c33"
        top = 40 + 26 * row
        rows.append(f'<rect x="440" y="{top}" width="{share * 150:.0f}" height="16" fill="{colour}"/>')
        rows.append(f'<text x="430" y="{top + 13}" text-anchor="end">{_escaped(claim.claim)}</text>')
        rows.append(f'<text x="750" y="{top + 13}">{measured:.3g} of {claim.target:g}</text>')
    height = 60 + 26 * len(claims)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="880" height="{height}" font-family="sans-serif" '
        f'font-size="12"><text x="20" y="22" font-size="15">{_escaped(name)}</text>{"".join(rows)}'
        f'<line x1="590" x2="590" y1="32" y2="{height - 16}" stroke="#333"/></svg>\n'
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _line(claim: Claim) -> str:
    mark = "ok " if claim.holds else "RED"
    sign = ">=" if claim.least else "<="
    against = "" if claim.ratio is None else f", {claim.ratio:.2f} x {claim.peer}"
    return f"{mark} {claim.claim}: {claim.value:.4g} {claim.unit}{against} (target {sign} {claim.target:g})"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
