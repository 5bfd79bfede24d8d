"""Making a clip or a still with a generator, as a work for the pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platemark.clip import Clip, ClipRequest
from platemark.errors import Cancelled, GenerationError, OutputError
from platemark.generation.backend import Generator
from platemark.generation.kept import KeptLatents, latents_key
from platemark.homes.home import Home
from platemark.making.asking import Order
from platemark.making.assignment import Assignment, plan_assignment
from platemark.making.description import MadeFacts, describe, manifest_for
from platemark.making.job_facts import Used, form_facts, identity, start_facts
from platemark.making.rendering import Rendered, RenderJob, render, render_still
from platemark.making.screening import Screened, Screener, screen_texts
from platemark.making.sources import Source, sources_of
from platemark.making.work import Bench, Made, Published, Submission
from platemark.media.label import LabelSpec, RenderedLabel, render_label
from platemark.tasks.planned import PlannedClip
from platemark_provenance.digest import JsonValue
from platemark_provenance.ingredient_check import IngredientOverride
from platemark_provenance.ledger.store import TreeHead


@dataclass(slots=True)
class GenerateWork:
    """Makes what an order asks for.

    Attributes:
        generator: makes the frames.
        order: what is asked for.
        latents: the folder in which latents are kept for another try.
    """

    generator: Generator
    order: Order
    latents: Path
    _kept: KeptLatents | None = field(default=None, init=False)

    @property
    def request(self) -> ClipRequest:
        """Give what was asked for."""
        return self.order.request

    @property
    def sources(self) -> tuple[Source, ...]:
        """Give the files that were handed over."""
        return sources_of(self.order.request, self.order.material)

    @property
    def references(self) -> tuple[Source, ...]:
        """Give the same: every file is shown to the model."""
        return self.sources

    @property
    def override(self) -> IngredientOverride | None:
        """Give an editor's word for sources that would be refused."""
        return self.order.override

    @property
    def made_by(self) -> str:
        """Name the model, its version and its weights."""
        info = self.generator.info
        return f"{info.name} {info.version} {info.weights_sha256 or ''}"

    @property
    def form(self) -> Mapping[str, JsonValue]:
        """Give what else was asked for that an approval holds for."""
        return form_facts(self.request)

    def draw_label(self) -> RenderedLabel:
        """Draw the label.

        Raises:
            RequestError: it does not fit.
        """
        spec = LabelSpec.standard(self.request.label_language, text=self.request.label_text)
        return render_label(spec, self.request.size, self.order.icon)

    def submission(self) -> Submission:
        """Say what was asked for; the texts are sealed."""
        request, steering = self.request, self.request.steering
        sealed: dict[str, JsonValue] = {
            "prompt": request.prompt,
            "byline": request.byline,
            "actor": request.actor,
        }
        if steering.negative:
            sealed["negative_prompt"] = steering.negative
        facts: dict[str, JsonValue] = {
            "task": request.task.value,
            "model": request.model,
            "characters": len(request.prompt),
            "negative_characters": len(steering.negative),
            "given": [each.to_json() for each in self.sources],
        }
        return Submission(facts, sealed)

    def screen(self, screener: Screener) -> Screened:
        """Have the prompt decided on, and what else the model gets to read."""
        return screen_texts(self.request, screener)

    def plan(self, screened: Screened | None) -> PlannedClip:
        """Have the generator plan the clip."""
        words = self.request.prompt if screened is None else screened.prompt
        return plan_assignment(self.generator, Assignment(self.request, words, self.order.material))

    def identity(self, plan: PlannedClip) -> dict[str, JsonValue]:
        """Give what decides the frames."""
        return identity(self.request, plan.resolved, self.generator.info)

    def start_facts(self, plan: PlannedClip, used: Used) -> dict[str, JsonValue]:
        """Say what was asked for, and what it became."""
        return start_facts(self.request, plan, used)

    def render(self, plan: PlannedClip, bench: Bench) -> Rendered:
        """Have the frames made, labelled, marked and encoded."""
        self._kept = KeptLatents(self.latents, latents_key(self.generator.info, plan.resolved))
        job = RenderJob(
            plan=plan,
            label=bench.label,
            embedder=bench.embedder,
            on_progress=bench.on_progress,
            cancel=bench.cancel,
            keep=self._kept,
        )
        draw = render_still if self.request.task.makes_still else render
        return draw(job, bench.paths.rendered, watch=bench.watch)

    def forget(self, ended_by: type[BaseException] | None) -> None:
        """Remove the kept latents, unless what ended the job is one that the same request may survive next time."""
        may_go_on = ended_by is not None and issubclass(ended_by, GenerationError | OutputError | MemoryError)
        if self._kept is not None and (not may_go_on or ended_by is Cancelled):
            self._kept.remove()

    def manifest(self, made: Made[PlannedClip], home: Home, head: TreeHead) -> dict[str, JsonValue]:
        """Say what was made from nothing, from stills, or by changing a clip."""
        return manifest_for(self._facts(made), home, head)

    def describe(self, made: Made[PlannedClip], published: Published) -> Clip:
        """Give the caller's view."""
        return describe(
            self._facts(made), published.signed, published.entry, paths=published.paths, timings=published.timings
        )

    def _facts(self, made: Made[PlannedClip]) -> MadeFacts:
        return MadeFacts(
            made.clip_id,
            self.request,
            self.generator.info,
            made.plan,
            made.label,
            made.mark_id,
            made.screened,
            used=made.used,
            measured=made.rendered.measured,
            reviewed=made.reviewed,
            draft=made.draft,
            cue_sha256=made.cue_sha256,
        )
