"""The single statements that manifests are made of, each as plain data.

One rule: nothing personal. No prompt, no byline, no actor enters any of these; the ledger holds those, sealed, and
`manifest_metadata` writes the one part that may hold them.
"""

import base64
from collections.abc import Mapping, Sequence

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.manifest_facts import (
    MAX_CHANGES,
    MAX_DESCRIPTION_CHARACTERS,
    MAX_NAME_CHARACTERS,
    Change,
    ChangeKind,
    Ingredient,
    LabelFacts,
    LedgerFacts,
    ManifestFacts,
    PictureFacts,
    PolicyFacts,
    RequestFacts,
)
from platemark_provenance.plain_text import plain_text

Json = dict[str, JsonValue]

SPEC_VERSION = "2.4.0"
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED_ALGORITHMIC_MEDIA = f"{_SOURCE_TYPES}trainedAlgorithmicMedia"
"""Source: IPTC digital source type NewsCodes; asked for on c2pa.created by C2PA 2.2, section 18.14."""
COMPOSITE_WITH_TRAINED = f"{_SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"
"""For what a model changed or added in a picture that was there before."""
ALGORITHMIC_MEDIA = f"{_SOURCE_TYPES}algorithmicMedia"
"""For what plain code drew or cut, with no trained model."""
DIGITAL_SOURCE_TYPES = frozenset(
    _SOURCE_TYPES + name
    for name in (
        "algorithmicMedia",
        "algorithmicallyEnhanced",
        "compositeCapture",
        "compositeSynthetic",
        "compositeWithTrainedAlgorithmicMedia",
        "computationalCapture",
        "digitalCapture",
        "digitalCreation",
        "humanEdits",
        "screenCapture",
        "trainedAlgorithmicMedia",
        "virtualRecording",
    )
)
"""What an ingredient may be declared as. The C2PA library signs any text here, so the list is ours."""

ACTIONS_LABEL = "c2pa.actions.v2"
GENERATION_LABEL = "org.platemark.generation"
POLICY_LABEL = "org.platemark.policy"
LEDGER_LABEL = "org.platemark.ledger"
VISIBLE_LABEL_LABEL = "org.platemark.label"
PUBLICATION_LABEL = "org.platemark.publication"
CORRECTION_LABEL = "org.platemark.correction"
OVERRIDE_LABEL = "org.platemark.ingredient-override"
SOFT_BINDING_LABEL = "c2pa.soft-binding"
TRAINING_MINING_LABEL = "cawg.training-mining"

TRAINING_USES = ("cawg.ai_training", "cawg.ai_generative_training", "cawg.ai_inference", "cawg.data_mining")
"""Source: CAWG training and data mining 1.1, section 2.1."""

_CHANGES: Mapping[ChangeKind, tuple[str, str | None]] = {
    "extended": ("c2pa.edited", COMPOSITE_WITH_TRAINED),
    "replaced": ("c2pa.edited", COMPOSITE_WITH_TRAINED),
    "restyled": ("c2pa.filtered", COMPOSITE_WITH_TRAINED),
    "trimmed": ("c2pa.trimmed", ALGORITHMIC_MEDIA),
    "joined": ("c2pa.edited", ALGORITHMIC_MEDIA),
    "resized": ("c2pa.resized", ALGORITHMIC_MEDIA),
    "cropped": ("c2pa.cropped", ALGORITHMIC_MEDIA),
    "transcoded": ("c2pa.transcoded", None),
}
"""Each kind of change as an action and its source type; None where nothing that is seen changes."""
MODEL_CHANGES = frozenset(kind for kind, (_, source_type) in _CHANGES.items() if source_type == COMPOSITE_WITH_TRAINED)
"""The kinds that a model makes."""


def claim_generator(sdk_version: str) -> list[JsonValue]:
    """Name ourselves, and the specification that the claim follows."""
    return [{"name": "platemark", "version": plain_text(sdk_version, 40), "specVersion": SPEC_VERSION}]


def assertion(label: str, data: Mapping[str, JsonValue]) -> Json:
    """Give one assertion of a manifest definition."""
    return {"label": label, "data": data}


def action_list(actions: Sequence[JsonValue]) -> Json:
    """Give the assertion of all actions, declared complete: nothing else was done to the picture."""
    return assertion(ACTIONS_LABEL, {"actions": actions, "allActionsIncluded": True})


def created_action(facts: ManifestFacts, *, inputs: Sequence[Ingredient], description: str) -> Json:
    """Say that a model made the clip, and what it was shown."""
    action: Json = {
        "action": "c2pa.created",
        "digitalSourceType": TRAINED_ALGORITHMIC_MEDIA,
        "softwareAgent": named(facts.generator.model_name, facts.generator.model_version),
        "when": facts.created_at.isoformat(timespec="seconds"),
        "description": description,
    }
    return {**action, "parameters": _ingredient_ids(inputs)} if inputs else action


def opened_action(parent: Ingredient) -> Json:
    """Say that a clip was opened, to be changed. Source: C2PA 2.4, section 18.15.4.7 (exactly one ingredient)."""
    return {"action": "c2pa.opened", "parameters": _ingredient_ids([parent])}


def placed_action(component: Ingredient, software: JsonValue) -> Json:
    """Say that another file was put into the clip."""
    return {"action": "c2pa.placed", "softwareAgent": software, "parameters": _ingredient_ids([component])}


def change_actions(changes: Sequence[Change], facts: ManifestFacts, *, inputs: Sequence[Ingredient]) -> list[JsonValue]:
    """Say what was done to the parent, in order, each with who did it: the model or plain code.

    Raises:
        SigningError: there is nothing to say, or far too much.
    """
    if not 0 < len(changes) <= MAX_CHANGES:
        raise SigningError(f"An edit lists 1 to {MAX_CHANGES} changes; got {len(changes)}.")
    return [_change(each, facts, inputs) for each in changes]


def _change(change: Change, facts: ManifestFacts, inputs: Sequence[Ingredient]) -> Json:
    name, source_type = _CHANGES[change.kind]
    by_model = change.kind in MODEL_CHANGES
    generator = facts.generator
    agent = (generator.model_name, generator.model_version) if by_model else (generator.name, generator.version)
    description = plain_text(change.description, MAX_DESCRIPTION_CHARACTERS)
    action: Json = {"action": name, "softwareAgent": named(*agent)}
    action |= {"digitalSourceType": source_type} if source_type else {}
    action |= {"description": description} if description else {}
    return {**action, "parameters": _ingredient_ids(inputs)} if by_model and inputs else action


def tone_mapping_action(how: str, software: JsonValue) -> Json:
    """Say that the colours were brought to standard ones, and how."""
    return {
        "action": "c2pa.color_adjustments",
        "digitalSourceType": ALGORITHMIC_MEDIA,
        "softwareAgent": software,
        "description": plain_text(how, MAX_DESCRIPTION_CHARACTERS),
    }


def label_action(software: JsonValue) -> Json:
    """Say that the visible label was drawn."""
    return {
        "action": "c2pa.addedText",
        "digitalSourceType": ALGORITHMIC_MEDIA,
        "softwareAgent": software,
        "description": "Visible label.",
    }


def watermark_action(software: JsonValue) -> Json:
    """Say that a watermark was embedded that leads back to this manifest."""
    return {"action": "c2pa.watermarked.bound", "softwareAgent": software}


def resized_actions(picture: PictureFacts, software: JsonValue) -> list[JsonValue]:
    """Say whether resizing kept the shape; where it did not, what is seen changed and needs a source type."""
    (old_width, old_height), (width, height) = picture.native_size, picture.size
    if picture.native_size == picture.size:
        return []
    if old_width * height == old_height * width:
        return [{"action": "c2pa.resized.proportional", "softwareAgent": software}]
    return [{"action": "c2pa.resized", "digitalSourceType": ALGORITHMIC_MEDIA, "softwareAgent": software}]


def _ingredient_ids(ingredients: Sequence[Ingredient]) -> Json:
    return {"ingredientIds": [each.name for each in ingredients]}


def named(name: str, version: str) -> Json:
    """Give a program's or a model's name and version; an unknown version is left out."""
    both: Json = {"name": plain_text(name, MAX_NAME_CHARACTERS)}
    shown = plain_text(version, MAX_NAME_CHARACTERS)
    return {**both, "version": shown} if shown else both


def soft_binding(facts: ManifestFacts) -> Json:
    """Declare the watermark, so that a stripped copy leads back here. Source: C2PA 2.2, section 18.10."""
    value = base64.b64encode(bytes.fromhex(facts.watermark_id)).decode("ascii")
    return assertion(
        SOFT_BINDING_LABEL, {"alg": facts.watermark_alg, "blocks": [{"scope": {}, "value": value}], "pad": ""}
    )


def training_mining() -> Json:
    """Reserve the rights to train on the clip and to mine it. Source: CAWG training and data mining 1.1."""
    return assertion(TRAINING_MINING_LABEL, {"entries": {use: {"use": "notAllowed"} for use in TRAINING_USES}})


def generation(facts: ManifestFacts, task: str) -> Json:
    """State provider, system, model and picture. A still has no frame rate."""
    model: Json = {
        **named(facts.generator.model_name, facts.generator.model_version),
        "weights_sha256": facts.generator.model_weights_sha256,
    }
    data: Json = {
        "schema": 1,
        "clip_id": facts.clip_id,
        "provider": plain_text(facts.organisation, MAX_NAME_CHARACTERS),
        "task": task,
        "model": model,
        "native_size": _size(facts.picture.native_size),
        "size": _size(facts.picture.size),
    }
    if facts.requested is not None:
        data["requested"] = _requested(facts.requested)
    if facts.source is not None:
        data["source"] = {"sha256": facts.source.sha256, "verdict": plain_text(facts.source.verdict, 20)}
    moving: Json = {"fps": str(facts.picture.fps), "frames": facts.picture.frames}
    return assertion(GENERATION_LABEL, data if task.endswith("-image") else {**data, **moving})


def _requested(asked: RequestFacts) -> Json:
    named_task: Json = {"task": plain_text(asked.task, MAX_NAME_CHARACTERS), "size": _size(asked.size)}
    seconds = plain_text(asked.seconds, MAX_NAME_CHARACTERS)
    return {**named_task, "seconds": seconds, "fps": asked.fps} if seconds else named_task


def policy_statement(policy: PolicyFacts) -> Json:
    """State which rules decided, and whether a person looked."""
    return assertion(
        POLICY_LABEL,
        {
            "schema": 1,
            "pack": {
                "id": plain_text(policy.pack_id, MAX_NAME_CHARACTERS),
                "version": plain_text(policy.pack_version, MAX_NAME_CHARACTERS),
                "sha256": policy.pack_sha256,
            },
            "verdict": plain_text(policy.verdict, 20),
            "decision_id": plain_text(policy.decision_id, MAX_NAME_CHARACTERS),
            "human_review": policy.human_review,
            **({"for_tests_only": True} if policy.for_tests_only else {}),
        },
    )


def ledger_statement(ledger: LedgerFacts) -> Json:
    """State where the ledger stood, so that it cannot be rewritten from before this point unnoticed."""
    origin = plain_text(ledger.origin, MAX_NAME_CHARACTERS)
    return assertion(LEDGER_LABEL, {"schema": 1, "origin": origin, "size": ledger.size, "root": ledger.root})


def label_statement(label: LabelFacts) -> Json:
    """State what the visible label says and where it is."""
    x, y, width, height = label.box
    return assertion(
        VISIBLE_LABEL_LABEL,
        {
            "schema": 1,
            "text": plain_text(label.text, MAX_NAME_CHARACTERS),
            "language": plain_text(label.language, 35),
            "box": {"x": x, "y": y, "width": width, "height": height},
            **({"cue": {"format": "text/vtt", "sha256": label.cue_sha256}} if label.cue_sha256 else {}),
            **({"icon": {"format": "image/png", "sha256": label.icon_sha256}} if label.icon_sha256 else {}),
        },
    )


def _size(size: tuple[int, int]) -> Json:
    """Name the two numbers: the C2PA library shows a bare list of numbers as bytes, each modulo 256."""
    return {"width": size[0], "height": size[1]}
