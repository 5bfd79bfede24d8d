"""Saying what was made: to the manifest and to the caller. Pure functions of one job's facts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from platemark._version import __version__
from platemark.clip import Clip, ClipId, ClipRequest, CueFile, Label, LedgerEntry, Making, ModelName
from platemark.generation.backend import GeneratorInfo
from platemark.homes.home import Home
from platemark.inputs import Task
from platemark.making.job_facts import NOTHING_USED, Used, given_facts
from platemark.making.outputs import OutputPaths
from platemark.making.rendering import Measured
from platemark.making.screening import Screened
from platemark.media.label import RenderedLabel
from platemark.tasks.planned import PlannedClip
from platemark_policy.decision import Decision
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import Appended
from platemark_provenance.ledger.store import TreeHead
from platemark_provenance.manifest import (
    Change,
    GeneratorFacts,
    LabelFacts,
    LedgerFacts,
    ManifestFacts,
    PictureFacts,
    PolicyFacts,
    RequestFacts,
    build_edit_manifest,
    build_image_to_video_manifest,
    build_still_manifest,
    build_text_to_video_manifest,
)
from platemark_provenance.signing import SignedAsset
from platemark_provenance.watermark.payload import WatermarkId
from platemark_provenance.watermark.profile import ALGORITHM


@dataclass(frozen=True, slots=True)
class MadeFacts:
    """What is known about a clip once its frames are rendered. `reviewed`: editors let pass what would have stopped.

    `draft`: it waits for a second person's approval. `cue_sha256`: of the label's cue; empty where there is none.
    """

    clip_id: ClipId
    request: ClipRequest
    generator: GeneratorInfo
    plan: PlannedClip
    label: RenderedLabel
    mark_id: WatermarkId
    screened: Screened
    used: Used = NOTHING_USED
    measured: Measured | None = None
    reviewed: bool = False
    draft: bool = False
    cue_sha256: str = ""

    @property
    def native_size(self) -> tuple[int, int]:
        """Give the size (width, height) in pixels at which the model drew."""
        return self.plan.resolved.native_width, self.plan.resolved.native_height

    @property
    def frames(self) -> int:
        """Count the frames, given ones included."""
        return self.plan.resolved.request.frames


def manifest_for(made: MadeFacts, home: Home, head: TreeHead) -> dict[str, JsonValue]:
    """Build the manifest's definition: what was made from nothing, from stills, or by changing a clip.

    Raises:
        SigningError: a fact has a form it cannot have.
    """
    facts = manifest_facts(made, home, head)
    ingredients = [each.ingredient for each in made.used.sources]
    if made.request.task.makes_still:
        return build_still_manifest(facts)
    if not ingredients:
        return build_text_to_video_manifest(facts)
    parent, *others = ingredients
    if parent.relationship == "inputTo":
        return build_image_to_video_manifest(facts, ingredients)
    return build_edit_manifest(facts, parent, changes=_changes(made), components=others)


def _changes(made: MadeFacts) -> list[Change]:
    """List what was done to the given clip, in order: it was fitted to size and rate, then the model changed it."""
    source, record = made.used.sources[0].file, made.plan.given[0]
    changes = []
    if record.crop[2:] != (record.width, record.height):
        changes.append(Change("cropped"))
    if record.crop[2:] != (record.size.width, record.size.height):
        changes.append(Change("resized"))
    if source.fps != made.request.fps:
        changes.append(Change("transcoded", f"From {source.fps} to {made.request.fps} frames a second."))
    return [*changes, *_MODEL_WORK[made.request.task]]


_MODEL_WORK: Mapping[Task, tuple[Change, ...]] = {
    Task.EXTEND: (Change("extended", "Frames were made after its end."),),
    Task.EXTEND_BACKWARD: (Change("extended", "Frames were made before its start."),),
    Task.CONNECT: (Change("joined"), Change("extended", "Frames were made between the two clips.")),
    Task.INFILL: (Change("replaced", "Some of its frames were made anew."),),
    Task.EDIT: (Change("restyled", "All frames were made anew, starting from it."),),
}


def manifest_facts(made: MadeFacts, home: Home, head: TreeHead) -> ManifestFacts:
    """Give what the manifest states. The title is the clip's identifier: no prompt and no name goes in."""
    request, spec = made.request, made.label.spec
    still = request.task.makes_still
    stated = Stated(
        clip_id=made.clip_id,
        generator=GeneratorFacts(
            name="platemark",
            version=__version__,
            model_name=made.generator.name,
            model_version=made.generator.version,
            model_weights_sha256=made.generator.weights_sha256,
        ),
        picture=PictureFacts(
            native_size=made.native_size,
            size=(request.size.width, request.size.height),
            fps=Fraction(request.fps),
            frames=made.frames,
        ),
        label=LabelFacts(
            spec.text, spec.language, label_box(made.label), cue_sha256=made.cue_sha256, icon_sha256=request.label_icon
        ),
        decision=made.screened.decision,
        mark_id=made.mark_id,
        reviewed=made.reviewed,
        draft=made.draft,
    )
    requested = RequestFacts(
        task=request.task.value,
        seconds="" if still else repr(request.seconds),
        size=(request.size.width, request.size.height),
        fps=0 if still else request.fps,
    )
    return replace(stated_facts(stated, home, head), requested=requested)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the manifest of every clip says, however the clip came about.

    `reviewed`: editors let pass what would have stopped. `draft`: it waits for a second person's approval.
    """

    clip_id: ClipId
    generator: GeneratorFacts
    picture: PictureFacts
    label: LabelFacts
    decision: Decision
    mark_id: WatermarkId
    reviewed: bool
    draft: bool


def stated_facts(stated: Stated, home: Home, head: TreeHead) -> ManifestFacts:
    """Give what every manifest states; a caller adds what its own kind of clip has beside."""
    decision, pack = stated.decision, stated.decision.pack
    return ManifestFacts(
        clip_id=stated.clip_id,
        title=f"platemark clip {stated.clip_id}",
        organisation=home.config.publisher.organisation,
        created_at=home.clock(),
        sdk_version=__version__,
        generator=stated.generator,
        picture=stated.picture,
        label=stated.label,
        policy=PolicyFacts(
            pack_id=pack.id,
            pack_version=pack.version,
            pack_sha256=pack.sha256,
            verdict=decision.verdict.value,
            decision_id=decision.decision_id,
            human_review=stated.reviewed,
            for_tests_only=decision.is_permissive,
        ),
        ledger=LedgerFacts(origin=head.origin, size=head.size, root=head.root),
        watermark_id=stated.mark_id.hex(),
        watermark_alg=ALGORITHM,
        draft=stated.draft,
    )


def describe(
    made: MadeFacts, signed: SignedAsset, published: Appended, *, paths: OutputPaths, timings: Mapping[str, float]
) -> Clip:
    """Give the caller's view of a clip that is at its final path."""
    info, spec = made.generator, made.label.spec
    return Clip(
        clip_id=made.clip_id,
        path=paths.final,
        sha256=signed.sha256,
        request=made.request,
        model=ModelName(info.name, info.version, info.weights_sha256 or ""),
        native_size=made.native_size,
        decision=made.screened.decision,
        ignored_words=made.plan.resolved.ignored_words,
        making=_making(made),
        label=Label(
            spec.text,
            spec.language,
            label_box(made.label),
            label_cue_file(paths, made.cue_sha256),
            made.request.label_icon,
        ),
        watermark_alg=ALGORITHM,
        watermark_id=made.mark_id.hex(),
        manifest_label=signed.label,
        manifest_sha256=signed.manifest_sha256,
        ledger=LedgerEntry(published.seq, published.event_id, published.root),
        receipt=paths.receipt,
        timings=dict(timings),
        publication="draft" if made.draft else None,
    )


def _making(made: MadeFacts) -> Making:
    resolved, rewriting = made.plan.resolved, made.screened.rewriting
    return Making(
        frames=made.frames,
        steps=resolved.steps,
        guidance=resolved.guidance,
        resampling=resolved.resampling,
        conditions=resolved.conditions,
        given=tuple(given_facts(made.used.sources, made.plan.given)),
        screened=made.screened.summary(),
        rewritten=None if rewriting is None else rewriting.to_json(),
        measured=None if made.measured is None else made.measured.to_json(),
    )


def label_box(label: RenderedLabel) -> tuple[int, int, int, int]:
    """Give the plate's rectangle (x, y, width, height) in pixels."""
    return label.box.x, label.box.y, label.box.width, label.box.height


def label_cue_file(paths: OutputPaths, sha256: str) -> CueFile | None:
    """Give the cue beside a clip that is out; none where its hash is empty."""
    return CueFile(paths.cue, sha256) if sha256 else None
