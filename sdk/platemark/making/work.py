"""What the pipeline is given to do: the parts in which making a clip and stamping one differ.

One rule: a work says what, the pipeline when. Only the pipeline writes to the ledger, signs and publishes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from platemark.clip import Asking, ClipId
from platemark.generation.backend import CancelToken
from platemark.homes.home import Home
from platemark.making.job_facts import Used
from platemark.making.outputs import OutputPaths
from platemark.making.rendering import Rendered
from platemark.making.screening import Screened, Screener
from platemark.making.sources import Source
from platemark.media.label import RenderedLabel
from platemark.progress import ProgressCallback, Stopwatch
from platemark_provenance.digest import JsonValue
from platemark_provenance.ingredient_check import IngredientOverride
from platemark_provenance.ledger.event import Appended
from platemark_provenance.ledger.store import TreeHead
from platemark_provenance.signing import SignedAsset
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.payload import WatermarkId

Plan = TypeVar("Plan")
Result = TypeVar("Result", covariant=True)


@dataclass(frozen=True, slots=True)
class Submission:
    """What the log is told first: facts for everybody, and what is sealed."""

    facts: Mapping[str, JsonValue]
    sealed: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What frames are rendered with, and where to: the unsigned clip goes to `paths.rendered`."""

    label: RenderedLabel
    embedder: Embedder
    paths: OutputPaths
    watch: Stopwatch
    on_progress: ProgressCallback
    cancel: CancelToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Generic[Plan]):
    """What is known once the frames are rendered and allowed. `reviewed`: editors let pass what would have stopped.

    `draft`: it waits for a second person's approval. `cue_sha256`: of the label's cue; empty where there is none.
    """

    clip_id: ClipId
    plan: Plan
    label: RenderedLabel
    mark_id: WatermarkId
    screened: Screened
    used: Used
    rendered: Rendered
    reviewed: bool
    draft: bool = False
    cue_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What is known once the clip is out: `entry` is its publication in the ledger, `timings` seconds by stage."""

    signed: SignedAsset
    entry: Appended
    paths: OutputPaths
    timings: Mapping[str, float]


class Work(Protocol[Plan, Result]):
    """One clip that is to be made, or to be stamped. The methods are called in this order, each at most once."""

    @property
    def request(self) -> Asking:
        """Give what was asked for."""
        ...

    @property
    def sources(self) -> tuple[Source, ...]:
        """Give the files that were handed over."""
        ...

    @property
    def references(self) -> tuple[Source, ...]:
        """Give those of them that a model gets to see; they are looked at before."""
        ...

    @property
    def override(self) -> IngredientOverride | None:
        """Give an editor's word for sources that would be refused."""
        ...

    @property
    def made_by(self) -> str:
        """Name what makes the frames, exactly enough for an approval to hold for nothing else."""
        ...

    @property
    def form(self) -> Mapping[str, JsonValue]:
        """Give what else was asked for that an approval holds for."""
        ...

    def draw_label(self) -> RenderedLabel:
        """Draw the label, or refuse one that does not fit."""
        ...

    def submission(self) -> Submission:
        """Say what was asked for, for the log."""
        ...

    def screen(self, screener: Screener) -> Screened | None:
        """Have the texts decided on; none where there are no texts."""
        ...

    def plan(self, screened: Screened | None) -> Plan:
        """Find out what will be made. Nothing is rendered yet."""
        ...

    def identity(self, plan: Plan) -> Mapping[str, JsonValue]:
        """Give what decides the frames: equal values, equal clip."""
        ...

    def start_facts(self, plan: Plan, used: Used) -> Mapping[str, JsonValue]:
        """Say what is about to be made, for the log."""
        ...

    def render(self, plan: Plan, bench: Bench) -> Rendered:
        """Write the labelled and marked clip."""
        ...

    def forget(self, ended_by: type[BaseException] | None) -> None:
        """Remove what was kept for another try, where there will be none."""
        ...

    def manifest(self, made: Made[Plan], home: Home, head: TreeHead) -> dict[str, JsonValue]:
        """Give the manifest's definition."""
        ...

    def describe(self, made: Made[Plan], published: Published) -> Result:
        """Give the caller's view of the published clip."""
        ...
