"""Stamping a clip that was made elsewhere, as a work for the pipeline.

One rule: its picture gets the label and the mark and nothing else; size, rate, colours and sound stay as they came.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from platemark._version import __version__
from platemark.clip import Label, LedgerEntry
from platemark.homes.home import Home
from platemark.making.description import Stated, label_box, label_cue_file, stated_facts
from platemark.making.job_facts import Used, label_words
from platemark.making.material import SourceFile
from platemark.making.rendering import Rendered
from platemark.making.screening import Screened, Screener
from platemark.making.sources import Source
from platemark.making.stamp_asking import StampOrder
from platemark.making.stamp_rendering import StampedPicture, render_stamped
from platemark.making.work import Bench, Made, Published, Submission
from platemark.media.formats import ColorTags
from platemark.media.label import LabelSpec, RenderedLabel, render_label
from platemark.media.label_reading import LabelReader, LabelSighting
from platemark.media.video import read_luma, read_video_facts
from platemark.stamped import SourceRecord, StampedClip, StampRequest
from platemark_policy.encoder import release_encoder
from platemark_provenance.digest import JsonValue
from platemark_provenance.ingredient_check import IngredientOverride
from platemark_provenance.ledger.store import TreeHead
from platemark_provenance.manifest import (
    GeneratorFacts,
    LabelFacts,
    PictureFacts,
    SourceFacts,
    build_stamp_manifest,
)
from platemark_provenance.verdict import judge
from platemark_provenance.watermark.profile import ALGORITHM

LEAST_LABEL_SHARE, LEAST_LABEL_CONTRAST = 0.048, 4.5
"""What a label that is there already must have to count: the height and the contrast of one drawn here.

Letters drawn at 5.0 % of the short side measure 4.99 % (256x256, November 2026); the rest is for re-encoded copies.
"""


@dataclass(frozen=True, slots=True)
class StampPlan:
    """What was found out about the clip before anything is written.

    Attributes:
        verdict: what verifying it came to.
        signer: who signed it, where that holds.
        generator: what its manifest says made it.
        color: how its colours are coded.
        sighting: the label that every frame carries already; none where it must be drawn.
    """

    verdict: str
    signer: str | None
    generator: str | None
    color: ColorTags
    sighting: LabelSighting | None


@dataclass(frozen=True, slots=True)
class StampWork:
    """Stamps one clip.

    Attributes:
        order: what was asked for, of which clip.
    """

    order: StampOrder

    @property
    def request(self) -> StampRequest:
        """Give what was asked for."""
        return self.order.request

    @property
    def file(self) -> SourceFile:
        """Give the clip."""
        return self.order.source.file

    @property
    def sources(self) -> tuple[Source, ...]:
        """Give the clip as the parent of what comes out."""
        return (self.order.source,)

    @property
    def references(self) -> tuple[Source, ...]:
        """Give none: no model sees the clip, and its frames are judged as they pass."""
        return ()

    @property
    def override(self) -> IngredientOverride | None:
        """Give an editor's word for a clip that would be refused."""
        return self.order.override

    @property
    def made_by(self) -> str:
        """Name what made the clip, as declared."""
        return f"stamp {self.request.model} {self.request.model_version}"

    @property
    def form(self) -> Mapping[str, JsonValue]:
        """Give what else was asked for that an approval holds for."""
        request = self.request
        return {
            "task": "stamp",
            "source_type": request.source_type,
            "label": label_words(request),
            "tonemap": self.tonemapped,
        }

    @property
    def tonemapped(self) -> str:
        """Say how the colours are brought to standard ones; empty where they came so."""
        return "" if self.order.conversion is None else self.order.conversion.line

    def draw_label(self) -> RenderedLabel:
        """Draw the label.

        Raises:
            RequestError: it does not fit.
        """
        spec = LabelSpec.standard(self.request.label_language, text=self.request.label_text)
        return render_label(spec, self.request.size, self.order.icon)

    def submission(self) -> Submission:
        """Say what was asked for; the prompt is sealed."""
        request = self.request
        facts: dict[str, JsonValue] = {
            "task": "stamp",
            "model": request.model,
            "source_type": request.source_type,
            "characters": len(request.prompt),
            "given": [self._given()],
        }
        sealed: dict[str, JsonValue] = {"byline": request.byline, "actor": request.actor}
        return Submission(facts, {**sealed, "prompt": request.prompt} if request.prompt else sealed)

    def screen(self, screener: Screener) -> Screened | None:
        """Have the prompt decided on, where one was given; then make room for the pictures."""
        if not self.request.prompt:
            release_encoder()
            return None
        try:
            return Screened(screener.decide("prompt", self.request.prompt), self.request.prompt)
        finally:
            release_encoder()

    def plan(self, screened: Screened | None) -> StampPlan:
        """Say what the clip's manifest is worth, and look whether it carries the label already."""
        del screened  # nothing is made from the prompt here
        report = judge(self.order.reading)
        color = read_video_facts(self.file.path).color
        return StampPlan(report.verdict.value, report.signer, report.generator, color, self._find_label())

    def identity(self, plan: StampPlan) -> dict[str, JsonValue]:
        """Give what decides the frames."""
        return {
            "stamp": self.file.sha256,
            "model": [self.request.model, self.request.model_version],
            "label": [*label_words(self.request), plan.sighting is None],
            "tonemap": self.tonemapped,
        }

    def start_facts(self, plan: StampPlan, used: Used) -> dict[str, JsonValue]:
        """Say what came, what it is worth, and what will be done to it."""
        facts: dict[str, JsonValue] = {
            "task": "stamp",
            "source_type": self.request.source_type,
            "size": str(self.request.size),
            "fps": str(self.request.fps),
            "given": [self._given()],
            "source_verdict": plan.verdict,
            "label": "drawn" if plan.sighting is None else "kept",
        }
        if self.tonemapped:
            facts["tonemapped"] = self.tonemapped
        if used.overridden:
            facts["overridden"] = [{"name": each.ingredient.name, "finding": each.kind} for each in used.overridden]
        return facts

    def render(self, plan: StampPlan, bench: Bench) -> Rendered:
        """Label and mark the picture frame by frame, and put the sound beside it, packet by packet."""
        return render_stamped(
            StampedPicture(self.file, plan.color, plan.sighting is None, self.order.conversion), bench
        )

    def forget(self, ended_by: type[BaseException] | None) -> None:
        """Do nothing: nothing is kept."""

    def manifest(self, made: Made[StampPlan], home: Home, head: TreeHead) -> dict[str, JsonValue]:
        """Say that the clip was opened, labelled and marked."""
        request, plan = self.request, made.plan
        size = (request.size.width, request.size.height)
        stated = Stated(
            clip_id=made.clip_id,
            generator=GeneratorFacts("platemark", __version__, request.model, request.model_version, None),
            picture=PictureFacts(native_size=size, size=size, fps=request.fps, frames=made.rendered.frames),
            label=LabelFacts(
                made.label.spec.text,
                made.label.spec.language,
                _box(made),
                drawn=plan.sighting is None,
                cue_sha256=made.cue_sha256,
                icon_sha256=request.label_icon,
            ),
            decision=made.screened.decision,
            mark_id=made.mark_id,
            reviewed=made.reviewed,
            draft=made.draft,
        )
        facts = replace(
            stated_facts(stated, home, head), source=SourceFacts(self.file.sha256, plan.verdict, self.tonemapped)
        )
        return build_stamp_manifest(facts, made.used.sources[0].ingredient)

    def describe(self, made: Made[StampPlan], published: Published) -> StampedClip:
        """Give the caller's view."""
        signed, entry, spec = published.signed, published.entry, made.label.spec
        return StampedClip(
            clip_id=made.clip_id,
            path=published.paths.final,
            sha256=signed.sha256,
            request=self.request,
            frames=made.rendered.frames,
            decision=made.screened.decision,
            source=self._record(made),
            label=Label(
                spec.text,
                spec.language,
                _box(made),
                label_cue_file(published.paths, made.cue_sha256),
                self.request.label_icon,
            ),
            watermark_alg=ALGORITHM,
            watermark_id=made.mark_id.hex(),
            manifest_label=signed.label,
            manifest_sha256=signed.manifest_sha256,
            ledger=LedgerEntry(entry.seq, entry.event_id, entry.root),
            receipt=published.paths.receipt,
            timings=dict(published.timings),
            publication="draft" if made.draft else None,
        )

    def _record(self, made: Made[StampPlan]) -> SourceRecord:
        plan = made.plan
        return SourceRecord(
            sha256=self.file.sha256,
            verdict=plan.verdict,
            signer=plan.signer,
            generator=plan.generator,
            label="drawn" if plan.sighting is None else "kept",
            sound="kept" if self.file.has_audio else "none",
            rotation_deg=self.file.rotation_deg,
            captions=self.file.captions,
            left_out=self.file.left_out,
            tonemapped=self.tonemapped,
            overridden=tuple(each.kind for each in made.used.overridden),
        )

    def _given(self) -> dict[str, JsonValue]:
        sound = "kept" if self.file.has_audio else "none"
        beside: dict[str, JsonValue] = {"captions": self.file.captions, "left_out": list(self.file.left_out)}
        return {"relationship": "parentOf", **self.file.to_json(), "sound": sound, **beside}

    def _find_label(self) -> LabelSighting | None:
        """Give the wanted label where every frame carries it already, high and clear enough.

        The whole clip is read only if the first frame has it. Where an icon is wanted the label is drawn: words
        that are there already tell nothing of an icon.
        """
        if self.order.icon is not None:
            return None
        spec = self.draw_label().spec
        reader, quarters = LabelReader((spec.text,)), round(self.file.rotation_deg / 90) % 4
        for frame in read_luma(self.file.path, threads=1):
            if not reader.feed(np.ascontiguousarray(np.rot90(frame, quarters))):
                return None
        found = reader.presence.sighting
        if found is None or found.height_share < LEAST_LABEL_SHARE or found.contrast < LEAST_LABEL_CONTRAST:
            return None
        return found


def _box(made: Made[StampPlan]) -> tuple[int, int, int, int]:
    seen = made.plan.sighting
    return (seen.x, seen.y, seen.width, seen.height) if seen else label_box(made.label)
