"""What is known about a file when clauses are checked: plain facts, gathered once, measured on the file itself.

One rule: data only. Every check is a function of these facts, so that a check can be repeated without the file.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from platemark.media.label_reading import LabelPresence
from platemark.media.stating import AigcFound
from platemark_provenance.verdict import Report

Role = Literal["provider", "deployer", "user"]
ROLES: tuple[Role, ...] = ("provider", "deployer", "user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Who asks, and about which use: what decides which clauses apply.

    `realistic`: people could take what is shown for a recording. `exported`: the clip leaves the service that made it.
    `told`: the audience is told beforehand that AI is used, by the word of whoever asks.
    `breaks_s` are the seconds at which playback resumes after a break.
    """

    role: Role = "provider"
    realistic: bool = True
    exported: bool = True
    told: bool = False
    breaks_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the manifest in the file says, None where it says nothing or does not hold.

    `provider` is the name in the signer's certificate; `system` the generating software with its version.
    `digital_source` is the last part of the IPTC digital source type of the first action.
    """

    provider: str | None = None
    system: str | None = None
    made_at: datetime | None = None
    unique_id: str | None = None
    digital_source: str | None = None
    ingredients: int = 0
    ingredients_with_manifest: int = 0
    label_text: str | None = None
    declared_watermark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the home's ledger knows about the clip; all of it false where it knows nothing, or where there is no home.

    `names_exposed`: a name or prompt that the ledger keeps sealed stands in the manifest outside `cawg.metadata`; None
    where nothing is known to look for.
    """

    fingerprint: bool = False
    logged: bool = False
    names_exposed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything a clause can ask about one file. `frames` are counted; a still has one."""

    path: Path
    sha256: str
    kind: Literal["clip", "still"]
    width: int
    height: int
    fps: float
    frames: int
    has_audio: bool
    has_captions: bool
    report: Report
    claims: Claims
    label: LabelPresence
    aigc: AigcFound
    records: Records

    @property
    def seconds(self) -> float:
        """Give the duration in seconds; 0 for a still."""
        return 0.0 if self.kind == "still" else self.frames / self.fps
