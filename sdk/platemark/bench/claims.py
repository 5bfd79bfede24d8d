"""What every benchmark hands back: claims with a target, and whether they hold on this machine.

One rule: a claim is one number that was measured in this run; a ratio compares it with a peer of the same run.
"""

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from platemark_provenance.digest import JsonValue


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim.

    Args:
        claim: what is measured, as a sentence.
        value: the number.
        unit: of the number.
        target: what the number must stay at or under; where `least` is true, at or over. None where the number is
            printed for the reader and nothing is promised.
        peer: what it is compared with, measured in the same run.
        ratio: the number over the peer's.
        least: whether more is better.
    """

    claim: str
    value: float
    unit: str
    target: float | None
    peer: str | None = None
    ratio: float | None = None
    least: bool = False

    @property
    def measured(self) -> float:
        """Give what the target is about: the ratio where there is a peer, else the value."""
        return self.value if self.ratio is None else self.ratio

    @property
    def holds(self) -> bool:
        """Say whether the target is met. A number that is not a number meets none."""
        if self.target is None:
            return True
        return self.measured >= self.target if self.least else self.measured <= self.target

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that the contract names."""
        return {
            "claim": self.claim,
            "value": _plain(self.value, 4),
            "unit": self.unit,
            "target": self.target,
            "peer": self.peer,
            "ratio": None if self.ratio is None else _plain(self.ratio, 3),
            "ok": self.holds,
        }

    def to_line(self) -> str:
        """Give one line for people."""
        mark = "RED" if not self.holds else "   " if self.target is None else "ok "
        against = "" if self.ratio is None else f", {self.ratio:.2f} x {self.peer}"
        beside = f", beside {self.peer}" if self.ratio is None and self.peer else ""
        target = "" if self.target is None else f" (target {'>=' if self.least else '<='} {self.target:g})"
        return f"{mark} {self.claim}: {self.value:.4g} {self.unit}{against}{beside}{target}"


@dataclass(frozen=True, slots=True)
class Options:
    """How a benchmark is to run.

    Args:
        quick: the short run, under a minute on two cores.
        plots: the folder for plots that a benchmark draws besides its claims.
        clips: a folder of clips to measure on, for the benchmarks that measure on clips.
    """

    quick: bool = False
    plots: Path | None = None
    clips: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What one run of a benchmark found."""

    name: str
    claims: tuple[Claim, ...]

    @property
    def holds(self) -> bool:
        """Say whether every claim holds."""
        return all(claim.holds for claim in self.claims)

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that the contract names."""
        return {"name": self.name, "machine": machine(), "claims": [claim.to_json() for claim in self.claims]}


def machine() -> dict[str, JsonValue]:
    """Say what the numbers were taken on."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "load": round(load, 2),
    }


def draw(name: str, claims: Sequence[Claim]) -> str:
    """Draw each claim as a bar of its share of the target, as SVG; the line marks the target, red is beyond it."""
    rows = []
    for row, claim in enumerate(claims):
        colour = "#2a6" if claim.holds else "#c33"
        top = 40 + 26 * row
        rows.append(f'<rect x="440" y="{top}" width="{_share(claim) * 150:.0f}" height="16" fill="{colour}"/>')
        rows.append(f'<text x="430" y="{top + 13}" text-anchor="end">{_escaped(claim.claim)}</text>')
        beside = "" if claim.target is None else f" of {claim.target:g}"
        rows.append(f'<text x="750" y="{top + 13}">{claim.measured:.3g}{beside}</text>')
    height = 60 + 26 * len(claims)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="880" height="{height}" font-family="sans-serif" '
        f'font-size="12"><text x="20" y="22" font-size="15">{_escaped(name)}</text>{"".join(rows)}'
        f'<line x1="590" x2="590" y1="32" y2="{height - 16}" stroke="#333"/></svg>\n'
    )


def _plain(number: float, digits: int) -> float | None:
    """Round for reading: decimals where the number is large, significant digits where it is small.

    JSON has no word for what is not a number, so that becomes null; its claim does not hold.
    """
    if not math.isfinite(number):
        return None
    return round(number, digits) if abs(number) >= 0.1 else float(f"{number:.{digits}g}")


def _share(claim: Claim) -> float:
    if claim.target is None or not math.isfinite(claim.measured):
        return 0.0
    if not claim.target:
        return 1.0 if claim.holds else 2.0
    return max(0.0, min(claim.measured / claim.target, 2.0))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
