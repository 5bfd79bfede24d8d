"""The values a clip made elsewhere is stamped and described with.

One rule: a request is checked when it is made, so that nothing further down meets an impossible one.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from platemark.clip import ClipId, Label, LedgerEntry, ModelName, Size, check_name, check_prompt
from platemark.errors import RequestError
from platemark_policy.decision import Decision
from platemark_provenance.digest import JsonValue
from platemark_provenance.publication import Publication

DIGITAL_SOURCE_PREFIX = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")
"""What a clip without a manifest of its own can be declared as. Source: IPTC digital source type NewsCodes."""
MAX_GENERATOR_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRequest:
    """One clip made elsewhere that is to be stamped.

    Attributes:
        model: the name of what made or changed it, as whoever stamps it says.
        model_version: its version, where that is known.
        source_type: what the clip is, one of `SOURCE_TYPES`.
        size: frame size in pixels, upright.
        fps: frames a second.
        prompt: what it was made from, where that is known; screened, sealed in the log.
        label_language: the label's language, `en`, `ko` or `zh`.
        label_text: the label's wording; empty means the language's standard wording.
        label_vtt: whether the label's words also go into a caption file beside the clip.
        label_icon: the hash of the picture beside the label's words; empty where there is none.
        actor: who asks; the log keeps a pseudonym of it.
        byline: who is named for it; sealed in the log.
        desk: the desk it is for.
        recipient: who this copy is for; its mark then leads back to them. Sealed in the log.

    Raises:
        RequestError: a value is empty, too long, unknown, or holds characters that hide or reorder text.
    """

    model: str
    size: Size
    fps: Fraction
    source_type: str = SOURCE_TYPES[0]
    model_version: str = ""
    prompt: str = ""
    label_language: str = "en"
    label_text: str = ""
    label_vtt: bool = False
    label_icon: str = ""
    actor: str = ""
    byline: str = ""
    desk: str = ""
    recipient: str = ""

    def __post_init__(self) -> None:
        if not self.model.strip() or max(len(self.model), len(self.model_version)) > MAX_GENERATOR_CHARACTERS:
            raise RequestError(
                f"The generator's name has 1 to {MAX_GENERATOR_CHARACTERS} characters; got {len(self.model.strip())}.",
                fix='Say what made the clip, for example: --generator "Veo 3".',
            )
        if self.source_type not in SOURCE_TYPES:
            raise RequestError(
                f"Unknown source type {self.source_type[:60]!r}.", fix=f"One of {', '.join(SOURCE_TYPES)}."
            )
        if self.prompt:
            check_prompt(self.prompt)
        for name in ("model", "model_version", "actor", "byline", "desk", "label_text", "recipient"):
            check_name(name, getattr(self, name))

    @property
    def seed(self) -> str:
        """Give nothing: whatever the clip was drawn from is not known here."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """The clip that was stamped, as it came.

    Attributes:
        sha256: of its bytes.
        verdict: what verifying it came to.
        signer: who signed it, where that holds.
        generator: what its manifest says made it.
        label: `drawn` onto it here, or `kept` because every frame carried it already.
        sound: `kept` packet by packet, or `none`.
        rotation_deg: what a player turned it by, counter-clockwise; the stamped clip is stored upright.
        captions: how many subtitle tracks came along, packet by packet.
        left_out: what else the file held and the stamped clip does not.
        tonemapped: how its colours were brought to 8-bit standard ones; empty where they came so.
        overridden: objections that an editor set aside.
    """

    sha256: str
    verdict: str
    signer: str | None
    generator: str | None
    label: str
    sound: str
    rotation_deg: int
    captions: int = 0
    left_out: tuple[str, ...] = ()
    tonemapped: str = ""
    overridden: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """Give these as an object."""
        return {**asdict(self), "left_out": list(self.left_out), "overridden": list(self.overridden)}


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedClip:
    """A clip made elsewhere, now labelled, marked, signed and logged here.

    Attributes:
        clip_id: its identifier.
        path: where it lies.
        sha256: of the file, hexadecimal.
        request: what was asked for.
        frames: how many there are.
        decision: the policy's decision on the prompt, or on the frames where no prompt was given.
        source: the clip as it came.
        label: the visible label.
        watermark_alg: the watermark's algorithm name.
        watermark_id: the invisible mark, 16 hexadecimal digits.
        manifest_label: the C2PA manifest's label.
        manifest_sha256: of the manifest store, hexadecimal.
        ledger: the publication's entry.
        receipt: the proof file beside the clip.
        timings: seconds spent in each stage.
        publication: `draft` where a second person must approve it first; else None.
    """

    clip_id: ClipId
    path: Path
    sha256: str
    request: StampRequest
    frames: int
    decision: Decision
    source: SourceRecord
    label: Label
    watermark_alg: str
    watermark_id: str
    manifest_label: str
    manifest_sha256: str
    ledger: LedgerEntry
    receipt: Path
    timings: Mapping[str, float]
    publication: Publication | None = None

    @property
    def model(self) -> ModelName:
        """Give what made the clip, as it was declared."""
        return ModelName(self.request.model, self.request.model_version, "")

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that `stamp --json` prints. The seed of a clip made elsewhere is not known: empty."""
        policy, fps = self.decision.to_json(), self.request.fps
        return {
            "clip_id": self.clip_id,
            "kind": "clip",
            "task": "stamp",
            "path": str(self.path),
            "sha256": self.sha256,
            "seed": self.request.seed,
            "model": asdict(self.model),
            "source_type": self.request.source_type,
            "seconds": float(self.frames / fps),
            "frames": self.frames,
            "size": str(self.request.size),
            "fps": int(fps) if fps.denominator == 1 else float(fps),
            "policy": {key: policy[key] for key in ("verdict", "decision_id", "findings")},
            "source": self.source.to_json(),
            "label": self.label.to_json(),
            "watermark": {"alg": self.watermark_alg, "id": self.watermark_id},
            "manifest": {"label": self.manifest_label, "sha256": self.manifest_sha256},
            "ledger": asdict(self.ledger),
            "receipt": str(self.receipt),
            "publication": self.publication,
            "timings": {stage: round(seconds, 4) for stage, seconds in self.timings.items()},
        }
