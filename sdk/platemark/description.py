"""Saying what was made: to the manifest builder and to the caller. Pure functions of one job's facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from platemark._version import __version__
from platemark.clip import Clip, ClipId, ClipRequest, Label, LedgerEntry, ModelName
from platemark.generation.backend import GeneratorInfo, ResolvedRequest
from platemark.home import Home
from platemark.media.label import RenderedLabel
from platemark.outputs import OutputPaths
from platemark_policy.decision import Decision
from platemark_provenance.ledger.event import Appended
from platemark_provenance.ledger.store import TreeHead
from platemark_provenance.manifest import (
    GeneratorFacts,
    LabelFacts,
    LedgerFacts,
    ManifestFacts,
    PictureFacts,
    PolicyFacts,
)
from platemark_provenance.signing import SignedAsset
from platemark_provenance.watermark.payload import WatermarkId
from platemark_provenance.watermark.profile import ALGORITHM


@dataclass(frozen=True, slots=True)
class MadeFacts:
    """What is known about a clip once its frames are rendered."""

    clip_id: ClipId
    request: ClipRequest
    generator: GeneratorInfo
    resolved: ResolvedRequest
    label: RenderedLabel
    mark_id: WatermarkId
    decision: Decision

    @property
    def native_size(self) -> tuple[int, int]:
        """Give the size (width, height) in pixels at which the model drew."""
        return self.resolved.native_width, self.resolved.native_height


def manifest_facts(made: MadeFacts, home: Home, head: TreeHead) -> ManifestFacts:
    """Give what the manifest states. The title is the clip's identifier: no prompt and no name goes in."""
    request, pack = made.request, made.decision.pack
    return ManifestFacts(
        clip_id=made.clip_id,
        title=f"platemark clip {made.clip_id}",
        organisation=home.config.publisher.organisation,
        created_at=home.clock(),
        sdk_version=__version__,
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
            frames=request.frames,
        ),
        label=LabelFacts(made.label.spec.text, made.label.spec.language, _box(made.label)),
        policy=PolicyFacts(
            pack_id=pack.id,
            pack_version=pack.version,
            pack_sha256=pack.sha256,
            verdict=made.decision.verdict.value,
            decision_id=made.decision.decision_id,
        ),
        ledger=LedgerFacts(origin=head.origin, size=head.size, root=head.root),
        watermark_id=made.mark_id.hex(),
        watermark_alg=ALGORITHM,
    )


def describe(
    made: MadeFacts, signed: SignedAsset, published: Appended, *, paths: OutputPaths, timings: Mapping[str, float]
) -> Clip:
    """Give the caller's view of a published clip."""
    info = made.generator
    return Clip(
        clip_id=made.clip_id,
        path=paths.final,
        sha256=signed.sha256,
        request=made.request,
        model=ModelName(info.name, info.version, info.weights_sha256 or ""),
        native_size=made.native_size,
        decision=made.decision,
        ignored_words=made.resolved.ignored_words,
        label=Label(made.label.spec.text, made.label.spec.language, _box(made.label)),
        watermark_alg=ALGORITHM,
        watermark_id=made.mark_id.hex(),
        manifest_label=signed.label,
        manifest_sha256=signed.manifest_sha256,
        ledger=LedgerEntry(published.seq, published.event_id, published.root),
        receipt=paths.receipt,
        timings=dict(timings),
    )


def _box(label: RenderedLabel) -> tuple[int, int, int, int]:
    return label.box.x, label.box.y, label.box.width, label.box.height
