"""What a manifest says about a clip or still that was made, edited or stamped here: complete definitions as plain data.

One rule: nothing personal unless it is asked for by name (`manifest_metadata.with_personal_metadata`), and then in a
part of its own that can be redacted. The order of the actions is the order in which things were done.
"""

import re
from collections.abc import Mapping, Sequence

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.manifest_facts import (
    MAX_NAME_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    WATERMARK_ALGORITHM,
    Change,
    GeneratorFacts,
    Ingredient,
    LabelFacts,
    LedgerFacts,
    ManifestFacts,
    PictureFacts,
    PolicyFacts,
    RequestFacts,
    SourceFacts,
    check_facts,
    check_ingredients_fit,
)
from platemark_provenance.manifest_metadata import ai_metadata
from platemark_provenance.manifest_parts import (
    ALGORITHMIC_MEDIA,
    COMPOSITE_WITH_TRAINED,
    GENERATION_LABEL,
    LEDGER_LABEL,
    MODEL_CHANGES,
    POLICY_LABEL,
    SOFT_BINDING_LABEL,
    SPEC_VERSION,
    TRAINED_ALGORITHMIC_MEDIA,
    VISIBLE_LABEL_LABEL,
    action_list,
    change_actions,
    claim_generator,
    created_action,
    generation,
    label_action,
    label_statement,
    ledger_statement,
    named,
    opened_action,
    placed_action,
    policy_statement,
    resized_actions,
    soft_binding,
    tone_mapping_action,
    training_mining,
    watermark_action,
)
from platemark_provenance.plain_text import plain_text
from platemark_provenance.publication import draft_statement

__all__ = [
    "ALGORITHMIC_MEDIA",
    "COMPOSITE_WITH_TRAINED",
    "GENERATION_LABEL",
    "LEDGER_LABEL",
    "MAX_NAME_CHARACTERS",
    "MAX_TITLE_CHARACTERS",
    "POLICY_LABEL",
    "SOFT_BINDING_LABEL",
    "SPEC_VERSION",
    "TRAINED_ALGORITHMIC_MEDIA",
    "VISIBLE_LABEL_LABEL",
    "WATERMARK_ALGORITHM",
    "Change",
    "GeneratorFacts",
    "Ingredient",
    "LabelFacts",
    "LedgerFacts",
    "ManifestFacts",
    "PictureFacts",
    "PolicyFacts",
    "RequestFacts",
    "SourceFacts",
    "build_edit_manifest",
    "build_image_to_video_manifest",
    "build_stamp_manifest",
    "build_still_manifest",
    "build_text_to_video_manifest",
    "created_labels",
]

Manifest = dict[str, JsonValue]
_VERSION = re.compile(r"\.v\d+$")


def build_text_to_video_manifest(facts: ManifestFacts) -> Manifest:
    """Build the manifest definition of a clip made from a prompt alone.

    Every change made to the picture is listed in order (made, resized, label added, watermarked), because the
    definition declares its list of actions complete.

    Raises:
        SigningError: a hash, id or count has a form it cannot have.

    Source: C2PA 2.2, sections 18.14 (actions), 18.10 (soft binding); 2.4 for `specVersion`; CAWG training and
    data mining 1.1.
    """
    created = created_action(facts, inputs=(), description="Made from a text prompt by a generative model.")
    return _made(facts, [created], task="text-to-video")


def build_image_to_video_manifest(facts: ManifestFacts, inputs: Sequence[Ingredient]) -> Manifest:
    """Build the definition of a clip that a model made from one or more stills, each an `inputTo` ingredient.

    Raises:
        SigningError: as `build_text_to_video_manifest`; or there is no input, or one that was not an input.
    """
    if not inputs:
        raise SigningError("A clip made from pictures needs at least one picture; got none.")
    _check_inputs(inputs)
    created = created_action(facts, inputs=inputs, description="Made from still pictures by a generative model.")
    return _made(facts, [created], task="image-to-video")


def build_still_manifest(facts: ManifestFacts, inputs: Sequence[Ingredient] = ()) -> Manifest:
    """Build the definition of a still picture that a model made.

    Raises:
        SigningError: as `build_image_to_video_manifest`, except that inputs are not needed.
    """
    _check_inputs(inputs)
    if facts.picture.frames != 1:
        raise SigningError(f"A still has one frame; got {facts.picture.frames}.")
    created = created_action(facts, inputs=inputs, description="Made by a generative model.")
    return _made(facts, [created], task="text-to-image" if not inputs else "image-to-image")


def build_edit_manifest(
    facts: ManifestFacts,
    parent: Ingredient,
    *,
    changes: Sequence[Change],
    inputs: Sequence[Ingredient] = (),
    components: Sequence[Ingredient] = (),
) -> Manifest:
    """Build the definition of a clip that was extended, cut or changed from another one.

    Args:
        facts: the clip as it is now; its generator is the one that made the changes.
        parent: the clip that was opened.
        changes: what was done, in order.
        inputs: what the model was shown besides the parent.
        components: what was put into the clip, such as the further clips of a join.

    Raises:
        SigningError: as `build_text_to_video_manifest`; or no change is listed, or an ingredient has the wrong role.
    """
    _check_parent(parent)
    _check_inputs(inputs)
    _check_roles(components, "componentOf")
    check_ingredients_fit((parent, *inputs, *components))
    software = named(facts.generator.name, facts.generator.version)
    history = [
        opened_action(parent),
        *(placed_action(each, software) for each in components),
        *change_actions(changes, facts, inputs=inputs),
    ]
    by_model = any(each.kind in MODEL_CHANGES for each in changes)
    return _made(facts, history, task="edit", source_type=COMPOSITE_WITH_TRAINED if by_model else None)


def build_stamp_manifest(facts: ManifestFacts, parent: Ingredient) -> Manifest:
    """Build the definition of a clip made elsewhere that got our label, watermark and record.

    The generator in `facts` is the one that whoever stamps the clip names; a parent without a manifest carries
    that declaration as its source type.

    Raises:
        SigningError: as `build_text_to_video_manifest`, or the ingredient is not a parent.
    """
    _check_parent(parent)
    software = named("platemark", facts.sdk_version)
    transcoded: JsonValue = {"action": "c2pa.transcoded", "softwareAgent": software}
    how = facts.source.tonemapped if facts.source is not None else ""
    colours = [tone_mapping_action(how, software)] if how else []
    return _made(facts, [opened_action(parent), *colours, transcoded], task="stamp", source_type=parent.source_type)


def _made(
    facts: ManifestFacts,
    history: Sequence[JsonValue],
    *,
    task: str,
    source_type: str | None = TRAINED_ALGORITHMIC_MEDIA,
) -> Manifest:
    """Put a definition together: what was done before, then label and mark, then what we state."""
    check_facts(facts)
    stamp = named("platemark", facts.sdk_version)
    software = stamp if task == "stamp" else named(facts.generator.name, facts.generator.version)
    names_system = source_type is not None or task == "stamp"
    actions = [
        *history,
        *(resized_actions(facts.picture, software) if task not in ("edit", "stamp") else []),
        *([label_action(software)] if facts.label.drawn else []),
        watermark_action(software),
    ]
    return {
        "claim_generator_info": claim_generator(facts.sdk_version),
        "title": plain_text(facts.title, MAX_TITLE_CHARACTERS),
        "format": "image/png" if task.endswith("-image") else "video/mp4",
        "assertions": [
            action_list(actions),
            soft_binding(facts),
            training_mining(),
            generation(facts, task),
            policy_statement(facts.policy),
            ledger_statement(facts.ledger),
            label_statement(facts.label),
            *([draft_statement()] if facts.draft else []),
            *([ai_metadata(facts, source_type)] if names_system else []),
        ],
    }


def _check_parent(parent: Ingredient) -> None:
    _check_roles([parent], "parentOf")


def _check_inputs(inputs: Sequence[Ingredient]) -> None:
    _check_roles(inputs, "inputTo")
    check_ingredients_fit(tuple(inputs))


def _check_roles(ingredients: Sequence[Ingredient], wanted: str) -> None:
    wrong = [each.name for each in ingredients if each.relationship != wanted]
    if wrong:
        raise SigningError(f"The ingredient {wrong[0]} should be {wanted} here and is something else.")


def created_labels(manifest: Mapping[str, JsonValue]) -> list[str]:
    """List the labels of a manifest definition's assertions, with and without their version.

    The C2PA library looks some up by one and some by the other (measured with c2pa-rs 0.91.3).
    """
    assertions = manifest.get("assertions")
    entries = assertions if isinstance(assertions, list) else []
    labels = [each.get("label") for each in entries if isinstance(each, dict)]
    versioned = [label for label in labels if isinstance(label, str)]
    return list(dict.fromkeys([*versioned, *(_VERSION.sub("", label) for label in versioned)]))
