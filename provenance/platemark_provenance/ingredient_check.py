"""Decide whether a file may become part of a new clip.

One rule: pure functions. The C2PA library signs over a tampered ingredient without a word and calls the result trusted
(measured with c2pa-rs 0.91.3), so what is not clearly good is refused here, or let in by a person whose reason is
written into the manifest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.manifest_facts import Ingredient
from platemark_provenance.manifest_parts import DIGITAL_SOURCE_TYPES, OVERRIDE_LABEL, TRAINING_MINING_LABEL, assertion
from platemark_provenance.plain_text import plain_text
from platemark_provenance.reading import ProvenanceReading
from platemark_provenance.report_json import Store, mapping, sequence, text

ObjectionKind = Literal["unreadable", "misdeclared", "tampered", "untrusted", "reserved"]
"""Why a file is refused. The first two cannot be overridden: there is nothing to vouch for, or it is vouched for
wrongly."""

MAX_REASON_CHARACTERS = 300
MAX_HISTORY = 100

_MODEL_USES = ("cawg.ai_inference", "c2pa.ai_inference")
"""What showing a picture to a model is. Source: CAWG training and data mining 1.1, section 2.1; C2PA 1.4, 18.20."""
_OVERRIDABLE = frozenset({"tampered", "untrusted", "reserved"})


@dataclass(frozen=True, slots=True)
class Objection:
    """Why one ingredient is refused."""

    ingredient: Ingredient
    kind: ObjectionKind
    why: str


@dataclass(frozen=True, slots=True)
class IngredientOverride:
    """An editor's decision to use an ingredient that would be refused, for a reason that everybody can read.

    Args:
        reason: written into the manifest; names of people do not belong in it.
        allows: the kinds of objections it covers, and no others.

    Raises:
        SigningError: the reason is empty or too long, or it covers nothing, or something that cannot be covered.
    """

    reason: str
    allows: frozenset[str]

    def __post_init__(self) -> None:
        shown = plain_text(self.reason, MAX_REASON_CHARACTERS + 1)
        if not 0 < len(shown) <= MAX_REASON_CHARACTERS:
            raise SigningError(f"An override gives its reason in 1 to {MAX_REASON_CHARACTERS} characters.")
        if not self.allows or not self.allows <= _OVERRIDABLE:
            raise SigningError(f"An override covers one or more of: {', '.join(sorted(_OVERRIDABLE))}.")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about an ingredient: our reading of it, and the report behind it."""

    reading: ProvenanceReading
    store: Store


def list_objections(ingredient: Ingredient, evidence: Evidence, *, organisation: str) -> tuple[Objection, ...]:
    """Say why an ingredient is refused; nothing where it is welcome.

    1. It is a picture or clip at all, and what is declared about it can be true.
    2. Its manifest, if it has one, can be read, and its content and whole history hold.
    3. Its signer and those of its history are trusted here. One without a manifest claims nothing, and is welcome.
    4. If a model is shown it: its owner does not reserve that use. What we signed ourselves is ours to use.

    Of the first three the worst speaks; the fourth always does: whoever answers for an unknown signer has not answered
    for what the owner reserves.

    Args:
        ingredient: how it is to be used.
        evidence: what reading it has shown.
        organisation: our own, as in the certificate that will sign.
    """
    reading = evidence.reading
    reasons: tuple[tuple[ObjectionKind, str | None], ...] = (
        ("unreadable", _unreadable(reading)),  # 1
        ("misdeclared", _misdeclared(ingredient, reading)),  # 1
        ("tampered", _tampered(reading)),  # 2
        ("untrusted", _untrusted(reading)),  # 3
    )
    found = [Objection(ingredient, kind, why) for kind, why in reasons if why is not None][:1]
    reserved = _reserved(ingredient, evidence, organisation)  # 4
    return (*found, *([] if reserved is None else [Objection(ingredient, "reserved", reserved)]))


def settle_objections(objections: Sequence[Objection], override: IngredientOverride | None) -> None:
    """Let an override speak for the objections it covers.

    Raises:
        SigningError: an objection is not covered; its reason and kind are named.
    """
    for each in objections:
        if override is None or each.kind not in override.allows:
            overridable = each.kind in _OVERRIDABLE
            raise SigningError(
                f"The ingredient {plain_text(each.ingredient.title, 80)!r} cannot be used: {each.why}.",
                fix=f"Use another file, or override {each.kind!r} with a reason."
                if overridable
                else "Use another file, or correct what is declared about it.",
            )


def override_statement(objections: Sequence[Objection], override: IngredientOverride) -> dict[str, JsonValue]:
    """Write down which objections were overridden, and why."""
    found: list[JsonValue] = [
        {"name": each.ingredient.name, "title": plain_text(each.ingredient.title, 120), "finding": each.kind}
        for each in objections
    ]
    reason = plain_text(override.reason, MAX_REASON_CHARACTERS)
    return assertion(OVERRIDE_LABEL, {"schema": 1, "reason": reason, "ingredients": found})


def read_reserved_uses(store: Store) -> frozenset[str]:
    """List the uses that a file's manifest does not simply allow, or that of what it was changed from.

    An update or an edit that says nothing itself does not set aside what its parent says.
    """
    reserved: set[str] = set()
    decided: set[str] = set()
    label, seen = store.active_label, set[str]()
    while label and label not in seen and len(seen) < MAX_HISTORY:
        seen.add(label)
        manifest = store.manifest(label)
        for use, permission in _permissions(sequence(manifest.get("assertions"))):
            if use not in decided and permission != "allowed":
                reserved.add(use)
            decided.add(use)
        label = _parent(manifest)
    return frozenset(reserved)


def _permissions(assertions: Sequence[object]) -> list[tuple[str, str]]:
    entries = [
        mapping(mapping(mapping(each).get("data")).get("entries"))
        for each in assertions
        if str(mapping(each).get("label")).split("__")[0] in (TRAINING_MINING_LABEL, "c2pa.training-mining")
    ]
    return [(str(use), text(mapping(entry).get("use")) or "") for each in entries for use, entry in each.items()]


def _parent(manifest: Mapping[str, object]) -> str | None:
    for each in sequence(manifest.get("ingredients")):
        if mapping(each).get("relationship") == "parentOf":
            return text(mapping(each).get("active_manifest"))
    return None


def _unreadable(reading: ProvenanceReading) -> str | None:
    return None if reading.media_recognised else "it is no picture or clip that can be read"


def _misdeclared(ingredient: Ingredient, reading: ProvenanceReading) -> str | None:
    if ingredient.source_type is None:
        return None
    if reading.state != "absent":
        return "it has a manifest of its own, which says what it is; nothing else may be declared about it"
    known = ingredient.source_type in DIGITAL_SOURCE_TYPES
    return None if known else "what it is declared as is not an IPTC digital source type"


def _tampered(reading: ProvenanceReading) -> str | None:
    if reading.state == "malformed":
        return "its manifest is damaged"
    if reading.state == "present" and reading.integrity != "intact":
        return "it was changed after it was signed"
    if reading.ingredient_fault in ("tampered", "recorded"):
        return "something it was made from had been changed after it was signed"
    return None


def _untrusted(reading: ProvenanceReading) -> str | None:
    if reading.state == "remote_only":
        return "its manifest lies on a server and was not fetched, so nothing in it can be checked"
    if reading.state != "present":
        return None
    if reading.signer not in ("trusted", "legacy_trusted"):
        return f"its signer is {reading.signer.replace('_', ' ')} here"
    return "something it was made from has a signer who is not trusted here" if reading.ingredient_fault else None


def _reserved(ingredient: Ingredient, evidence: Evidence, organisation: str) -> str | None:
    if not ingredient.fed_to_model:
        return None
    reading = evidence.reading
    if reading.signer == "trusted" and reading.signer_name == plain_text(organisation, 120):
        return None
    reserved = sorted(read_reserved_uses(evidence.store).intersection(_MODEL_USES))
    return f"its owner does not allow it to be shown to a model ({reserved[0]})" if reserved else None
