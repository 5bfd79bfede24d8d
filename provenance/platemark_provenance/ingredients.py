"""Judge the material a file was made from, and read how much of it a model made.

One rule: a failure counts whether it is found now or was only written down by the signer. The C2PA library
calls a file trusted whose signer recorded that an ingredient was tampered with (measured with c2pa-rs 0.91.3).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from platemark_provenance.axes import AiUse, IngredientFault
from platemark_provenance.report_json import (
    Status,
    Store,
    actions,
    mapping,
    sequence,
    status_list,
    statuses,
    text,
)

MAX_DEPTH = 100
"""No edit history is this long; Python's own limit would be met at about a thousand."""
_FULLY_AI = {"trainedAlgorithmicMedia"}
_PARTLY_AI = {"compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"}
"""Source: IPTC digital source type NewsCodes."""


@dataclass(frozen=True, slots=True)
class IngredientFinding:
    """One failure of an ingredient: what kind, and the status code that says so."""

    fault: IngredientFault
    status: Status


def find_faults(store: Store) -> list[IngredientFinding]:
    """List what is wrong with the ingredients, worst first: broken now, recorded as broken, signer not trusted."""
    deltas = store.ingredient_statuses()
    present = [each for delta in deltas for each in delta.failure]
    present += [each for each in store.active_statuses().failure if each.code.startswith("ingredient.")]
    trusted_now = {each.url for delta in deltas for each in delta.success if each.code == "signingCredential.trusted"}
    recorded = [
        each
        for each in _recorded_failures(store)
        if not (each.url in trusted_now and each.code == "signingCredential.untrusted")
    ]
    found = [IngredientFinding("tampered", each) for each in present if _breaks(each)]
    found += [IngredientFinding("recorded", each) for each in recorded if _breaks(each)]
    doubtful = (each for each in (*present, *recorded) if each.code.startswith("signingCredential."))
    return found + [IngredientFinding("untrusted", each) for each in doubtful]


def _breaks(status: Status) -> bool:
    return not status.code.startswith(("signingCredential.", "timeStamp.", "cawg."))


def _recorded_failures(store: Store) -> Iterator[Status]:
    """Walk every ingredient the active manifest rests on, for the failures that signers wrote down about them."""
    waiting, seen = [store.active_label or ""], set[str]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for each in sequence(store.manifest(current).get("ingredients")):
            ingredient = mapping(each)
            waiting.append(text(ingredient.get("active_manifest")) or "")
            yield from status_list(ingredient.get("validation_status"))
            results = mapping(ingredient.get("validation_results"))
            yield from statuses(results.get("activeManifest")).failure
            for delta in sequence(results.get("ingredientDeltas")):
                yield from statuses(mapping(delta).get("validationDeltas")).failure


def read_ai_use(store: Store) -> AiUse:
    """Read how much of the content the manifests declare as made by a model, ingredients included.

    Each manifest is looked at once; ingredients that are nested deeper than anyone edits make the answer unknown.
    """
    return _ai_use(store, store.active_label or "", {}, depth=0)


def _ai_use(store: Store, label: str, known: dict[str, AiUse], *, depth: int) -> AiUse:
    if depth > MAX_DEPTH:
        return "unknown"
    if label not in known:
        known[label] = "none_declared"  # what a manifest that contains itself adds to itself
        known[label] = _declared(store, label, known, depth)
    return known[label]


def _declared(store: Store, label: str, known: dict[str, AiUse], depth: int) -> AiUse:
    """Judge one manifest: made by a model from nothing, changed by one, or made of what its ingredients are."""
    manifest = store.manifest(label)
    made, changed = _source_types(sequence(manifest.get("assertions")))
    if (made | changed) & _PARTLY_AI:
        return "partly"
    if made & _FULLY_AI:
        return "fully"
    ingredients = [mapping(each) for each in sequence(manifest.get("ingredients"))]
    uses = [_ingredient_use(store, each, known, depth) for each in ingredients]
    if uses == ["fully"] and ingredients[0].get("relationship") == "parentOf":
        return "fully"
    if changed & _FULLY_AI or {"fully", "partly"} & set(uses):
        return "partly"
    return "unknown" if "unknown" in uses else "none_declared"


def _ingredient_use(store: Store, ingredient: Mapping[str, object], known: dict[str, AiUse], depth: int) -> AiUse:
    """Judge an ingredient by its manifest, or by what the signer declares about one that has none."""
    label = text(ingredient.get("active_manifest"))
    if label:
        return _ai_use(store, label, known, depth=depth + 1)
    declared = _last_part(text(ingredient.get("digital_source_type")) or "")
    return "fully" if declared in _FULLY_AI else "partly" if declared in _PARTLY_AI else "none_declared"


def _source_types(assertions: Sequence[object]) -> tuple[set[str], set[str]]:
    """Give the source types of what was made from nothing, and of what was changed afterwards."""
    made, changed = set[str](), set[str]()
    for action in actions(assertions):
        source = _last_part(text(action.get("digitalSourceType")) or "")
        (made if action.get("action") == "c2pa.created" else changed).add(source)
    return made, changed


def _last_part(source_type: str) -> str:
    return source_type.strip().rsplit("/", 1)[-1]
