"""What a manifest says about a clip made from a prompt, as plain data: built here, and read back here.

One rule: nothing personal. No prompt, no byline, no actor ever enters a manifest; the ledger holds those, sealed.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.plain_text import plain_text

SPEC_VERSION = "2.4.0"
TRAINED_ALGORITHMIC_MEDIA = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""Source: IPTC digital source type NewsCodes; asked for on c2pa.created by C2PA 2.2, section 18.14."""
ALGORITHMIC_MEDIA = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
"""For what plain code drew, with no trained model."""
WATERMARK_ALGORITHM = "org.platemark.watermark.1"
"""Our own name, not in C2PA's list of registered soft-binding algorithms."""

GENERATION_LABEL = "org.platemark.generation"
POLICY_LABEL = "org.platemark.policy"
LEDGER_LABEL = "org.platemark.ledger"
VISIBLE_LABEL_LABEL = "org.platemark.label"
SOFT_BINDING_LABEL = "c2pa.soft-binding"

MAX_TITLE_CHARACTERS = 120
MAX_NAME_CHARACTERS = 80
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MARK = re.compile(r"[0-9a-f]{16}")
_VERSION = re.compile(r"\.v\d+$")
_TRAINING_USES = ("cawg.ai_training", "cawg.ai_generative_training", "cawg.ai_inference", "cawg.data_mining")


@dataclass(frozen=True, slots=True)
class GeneratorFacts:
    """The software and the model that made the clip. `weights_sha256` is None where a model has no weights."""

    name: str
    version: str
    model_name: str
    model_version: str
    model_weights_sha256: str | None


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What was made: sizes in pixels (width, height), frames a second, and the count of frames."""

    native_size: tuple[int, int]
    size: tuple[int, int]
    fps: Fraction
    frames: int


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """The visible label as drawn: its words, their language (BCP 47), and its box (x, y, width, height) in pixels."""

    text: str
    language: str
    box: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """Which rules let the clip pass, and under which decision."""

    pack_id: str
    pack_version: str
    pack_sha256: str
    verdict: str
    decision_id: str


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """The ledger's head when the manifest was built: whose ledger, how many entries, root hash in hexadecimal."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """Everything a manifest states about one clip.

    `watermark_id` is 16 hexadecimal digits; `created_at` is aware; `sdk_version` is platemark's own.
    """

    clip_id: str
    title: str
    organisation: str
    created_at: datetime
    sdk_version: str
    generator: GeneratorFacts
    picture: PictureFacts
    label: LabelFacts
    policy: PolicyFacts
    ledger: LedgerFacts
    watermark_id: str
    watermark_alg: str = WATERMARK_ALGORITHM


def build_text_to_video_manifest(facts: ManifestFacts) -> dict[str, JsonValue]:
    """Build the manifest definition of a clip made from a prompt alone.

    Every change made to the picture is listed in order (made, resized, label added, watermarked), because the
    definition declares its list of actions complete.

    Raises:
        SigningError: a hash, id or count has a form it cannot have.

    Source: C2PA 2.2, sections 18.14 (actions), 18.10 (soft binding); 2.4 for `specVersion`; CAWG training and
    data mining 1.1.
    """
    _check(facts)
    return {
        "claim_generator_info": [
            {"name": "platemark", "version": plain_text(facts.sdk_version, 40), "specVersion": SPEC_VERSION}
        ],
        "title": plain_text(facts.title, MAX_TITLE_CHARACTERS),
        "format": "video/mp4",
        "assertions": [
            _assertion("c2pa.actions.v2", {"actions": _actions(facts), "allActionsIncluded": True}),
            _assertion(SOFT_BINDING_LABEL, _soft_binding(facts)),
            _assertion("cawg.training-mining", {"entries": {use: {"use": "notAllowed"} for use in _TRAINING_USES}}),
            _assertion(GENERATION_LABEL, _generation(facts)),
            _assertion(POLICY_LABEL, _policy(facts.policy)),
            _assertion(LEDGER_LABEL, _ledger(facts.ledger)),
            _assertion(VISIBLE_LABEL_LABEL, _label(facts.label)),
        ],
    }


def _check(facts: ManifestFacts) -> None:
    weights = facts.generator.model_weights_sha256
    digests = {"policy pack hash": facts.policy.pack_sha256, "ledger root": facts.ledger.root}
    for name, digest in (digests if weights is None else {**digests, "weights hash": weights}).items():
        if not _SHA256.fullmatch(digest):
            raise SigningError(f"The {name} must be 64 lower-case hexadecimal digits; got {len(digest)} characters.")
    if not _MARK.fullmatch(facts.watermark_id):
        raise SigningError("A watermark id is 16 lower-case hexadecimal digits; this one is not.")
    if facts.created_at.tzinfo is None:
        raise SigningError("The time of creation must carry its time zone; it has none.")
    counts = (*facts.picture.native_size, *facts.picture.size, facts.picture.frames, facts.picture.fps)
    if any(count <= 0 for count in counts):
        raise SigningError("Sizes, frame rate and frame count must be above zero.")
    names = (facts.clip_id, facts.title, facts.organisation, facts.sdk_version)
    if not all(plain_text(name, MAX_TITLE_CHARACTERS) for name in names):
        raise SigningError("A clip needs an id, a title, an organisation and a version; one of them is empty.")


def _assertion(label: str, data: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {"label": label, "data": data}


def _actions(facts: ManifestFacts) -> list[JsonValue]:
    model = _named(facts.generator.model_name, facts.generator.model_version)
    software = _named(facts.generator.name, facts.generator.version)
    created: dict[str, JsonValue] = {
        "action": "c2pa.created",
        "digitalSourceType": TRAINED_ALGORITHMIC_MEDIA,
        "softwareAgent": model,
        "when": facts.created_at.isoformat(timespec="seconds"),
        "description": "Made from a text prompt by a generative model.",
    }
    label: dict[str, JsonValue] = {
        "action": "c2pa.addedText",
        "digitalSourceType": ALGORITHMIC_MEDIA,
        "softwareAgent": software,
        "description": "Visible label.",
    }
    marked: dict[str, JsonValue] = {"action": "c2pa.watermarked.bound", "softwareAgent": software}
    resized = [] if facts.picture.native_size == facts.picture.size else [_resized(facts.picture, software)]
    return [created, *resized, label, marked]


def _resized(picture: PictureFacts, software: JsonValue) -> dict[str, JsonValue]:
    """Say whether resizing kept the shape; where it did not, what is seen changed and needs a source type."""
    (old_width, old_height), (width, height) = picture.native_size, picture.size
    if old_width * height == old_height * width:
        return {"action": "c2pa.resized.proportional", "softwareAgent": software}
    return {"action": "c2pa.resized", "digitalSourceType": ALGORITHMIC_MEDIA, "softwareAgent": software}


def _named(name: str, version: str) -> dict[str, JsonValue]:
    return {
        "name": plain_text(name, MAX_NAME_CHARACTERS),
        "version": plain_text(version, MAX_NAME_CHARACTERS),
    }


def _soft_binding(facts: ManifestFacts) -> dict[str, JsonValue]:
    value = base64.b64encode(bytes.fromhex(facts.watermark_id)).decode("ascii")
    return {"alg": facts.watermark_alg, "blocks": [{"scope": {}, "value": value}], "pad": ""}


def _generation(facts: ManifestFacts) -> dict[str, JsonValue]:
    return {
        "schema": 1,
        "clip_id": facts.clip_id,
        "provider": plain_text(facts.organisation, MAX_NAME_CHARACTERS),
        "task": "text-to-video",
        "model": {
            **_named(facts.generator.model_name, facts.generator.model_version),
            "weights_sha256": facts.generator.model_weights_sha256,
        },
        "native_size": _size(facts.picture.native_size),
        "size": _size(facts.picture.size),
        "fps": str(facts.picture.fps),
        "frames": facts.picture.frames,
    }


def _policy(policy: PolicyFacts) -> dict[str, JsonValue]:
    return {
        "schema": 1,
        "pack": {
            "id": plain_text(policy.pack_id, MAX_NAME_CHARACTERS),
            "version": plain_text(policy.pack_version, MAX_NAME_CHARACTERS),
            "sha256": policy.pack_sha256,
        },
        "verdict": plain_text(policy.verdict, 20),
        "decision_id": plain_text(policy.decision_id, MAX_NAME_CHARACTERS),
    }


def _ledger(ledger: LedgerFacts) -> dict[str, JsonValue]:
    origin = plain_text(ledger.origin, MAX_NAME_CHARACTERS)
    return {"schema": 1, "origin": origin, "size": ledger.size, "root": ledger.root}


def _label(label: LabelFacts) -> dict[str, JsonValue]:
    x, y, width, height = label.box
    return {
        "schema": 1,
        "text": plain_text(label.text, MAX_NAME_CHARACTERS),
        "language": plain_text(label.language, 35),
        "box": {"x": x, "y": y, "width": width, "height": height},
    }


def _size(size: tuple[int, int]) -> dict[str, JsonValue]:
    """Name the two numbers: the C2PA library shows a bare list of numbers as bytes, each modulo 256."""
    return {"width": size[0], "height": size[1]}


def created_labels(manifest: Mapping[str, JsonValue]) -> list[str]:
    """List the labels of a manifest definition's assertions, with and without their version.

    The C2PA library looks some up by one and some by the other (measured with c2pa-rs 0.91.3).
    """
    assertions = manifest.get("assertions")
    entries = assertions if isinstance(assertions, list) else []
    labels = [each.get("label") for each in entries if isinstance(each, dict)]
    versioned = [label for label in labels if isinstance(label, str)]
    return list(dict.fromkeys([*versioned, *(_VERSION.sub("", label) for label in versioned)]))
