"""What the C2PA conformance programme asks of a manifest, each rule as a function over the library's crJSON report.

Every rule gives what it found wrong; an empty list is a pass. Source: C2PA 2.4, the sections named at each rule, and
the asset rubric 0.2 of the programme.
"""

from collections.abc import Callable, Iterator
from typing import Any

Manifest = dict[str, Any]
Rule = Callable[[Manifest], list[str]]

_SEEN_WITHOUT_A_MODEL = {
    "c2pa.converted",
    "c2pa.published",
    "c2pa.repackaged",
    "c2pa.transcoded",
    "c2pa.resized.proportional",
    "c2pa.edited.metadata",
    "c2pa.watermarked.bound",
    "c2pa.watermarked.unbound",
    "c2pa.redacted",
    "c2pa.placed",
}
_ASSERTIONS = {
    "c2pa.actions.v2",
    "c2pa.hash.bmff.v3",
    "c2pa.hash.data",
    "c2pa.ingredient.v3",
    "c2pa.soft-binding",
    "c2pa.thumbnail.claim",
    "c2pa.time-stamp",
}
_ACTIONS = {
    "c2pa.addedText",
    "c2pa.created",
    "c2pa.cropped",
    "c2pa.edited",
    "c2pa.filtered",
    "c2pa.opened",
    "c2pa.placed",
    "c2pa.redacted",
    "c2pa.resized",
    "c2pa.resized.proportional",
    "c2pa.transcoded",
    "c2pa.trimmed",
    "c2pa.watermarked.bound",
}
_PARAMETERS = {"redacted", "ingredients"}


def _assertions(manifest: Manifest) -> dict[str, Any]:
    return dict(manifest.get("assertions", {}))


def _actions(manifest: Manifest) -> Iterator[Manifest]:
    for data in _assertions(manifest).values():
        yield from data.get("actions") or []


def _ingredients(manifest: Manifest) -> list[Manifest]:
    return [data for data in _assertions(manifest).values() if data.get("relationship") is not None]


def names_the_specification(manifest: Manifest) -> list[str]:
    """`specVersion` in the generator info is that of 2.4. Source: 10.2.3.2; conformance 0.2."""
    info = manifest["claim.v2"]["claim_generator_info"]
    version = (info[0] if isinstance(info, list) else info).get("specVersion", "missing")
    return [] if version.startswith("2.4") else [version]


def lists_all_actions(manifest: Manifest) -> list[str]:
    """Every list of actions says whether it is complete. Source: 18.15.3; conformance 0.2."""
    lists = {name: data for name, data in _assertions(manifest).items() if data.get("actions") is not None}
    return [name for name, data in lists.items() if data.get("allActionsIncluded") is not True]


def begins_with_its_inception(manifest: Manifest) -> list[str]:
    """The first action of the first created list made or opened the file, and no other did. Source: 18.15.2."""
    created = [each["url"] for each in manifest["claim.v2"]["created_assertions"] if "c2pa.actions" in each["url"]]
    names = [each["action"] for each in _actions(manifest)]
    beginnings = [at for at, name in enumerate(names) if name in ("c2pa.created", "c2pa.opened")]
    good = beginnings == [0] and bool(created) and created[0].endswith("c2pa.actions.v2")
    return [] if good else [f"{created} {names}"]


def says_what_was_created(manifest: Manifest) -> list[str]:
    """What was created has a digital source type. Source: 18.15.2."""
    return [str(each) for each in _actions(manifest) if each["action"] == "c2pa.created" and not _source(each)]


def says_what_was_seen_to_change(manifest: Manifest) -> list[str]:
    """Every change that can be seen has a digital source type. Source: conformance 0.2."""
    seen = (each for each in _actions(manifest) if each["action"] not in _SEEN_WITHOUT_A_MODEL | {"c2pa.opened"})
    return [each["action"] for each in seen if not _source(each)]


def opens_one_parent(manifest: Manifest) -> list[str]:
    """An opening names exactly one ingredient and has no source type. Source: 18.15.4.7; conformance 0.2."""
    opened = [each for each in _actions(manifest) if each["action"] == "c2pa.opened"]
    named = (len(each.get("parameters", {}).get("ingredients", [])) for each in opened)
    return [str(each) for each, count in zip(opened, named, strict=True) if count != 1 or _source(each)]


def uses_current_labels(manifest: Manifest) -> list[str]:
    """Standard labels are current ones; all others name their owner. Source: 6.2, 6.3."""
    names = [name.split("__")[0] for name in _assertions(manifest)]
    return [name for name in names if (name not in _ASSERTIONS if name.startswith("c2pa.") else "." not in name)]


def uses_current_actions(manifest: Manifest) -> list[str]:
    """Actions and their parameters are current ones. Source: 18.15.12."""
    unknown = [each["action"] for each in _actions(manifest) if each["action"] not in _ACTIONS]
    return unknown + [
        name for each in _actions(manifest) for name in each.get("parameters", {}) if name not in _PARAMETERS
    ]


def describes_its_ingredients(manifest: Manifest) -> list[str]:
    """An ingredient has a known role, and results exactly where it has a manifest. Source: 18.16.12."""
    wrong = []
    for each in _ingredients(manifest):
        has_manifest = each.get("activeManifest") is not None
        known = each["relationship"] in ("parentOf", "inputTo", "componentOf")
        if not known or has_manifest != (each.get("validationResults") is not None):
            wrong.append(str(each)[:200])
        if has_manifest and each.get("digitalSourceType") is not None:
            wrong.append("declared twice")
    return wrong


def has_a_current_name(manifest: Manifest) -> list[str]:
    """Its label is a C2PA URN. Source: 8.1."""
    return [] if manifest["label"].startswith("urn:c2pa:") else [manifest["label"]]


def has_no_failures(manifest: Manifest) -> list[str]:
    """Nothing in it failed validation."""
    return [each["code"] for each in manifest["validationResults"]["failure"]]


def has_no_old_fields(manifest: Manifest) -> list[str]:
    """No address in hashes, no specification version in the claim itself. Source: 18.5, 10.2.1."""
    hashes = [name for name, data in _assertions(manifest).items() if name.startswith("c2pa.hash") and data.get("url")]
    return hashes + (["specVersion"] if "specVersion" in manifest["claim.v2"] else [])


def _source(action: Manifest) -> str | None:
    source: str | None = action.get("digitalSourceType")
    return source


RULES: tuple[Rule, ...] = (
    names_the_specification,
    lists_all_actions,
    begins_with_its_inception,
    says_what_was_created,
    says_what_was_seen_to_change,
    opens_one_parent,
    uses_current_labels,
    uses_current_actions,
    describes_its_ingredients,
    has_a_current_name,
    has_no_failures,
    has_no_old_fields,
)
