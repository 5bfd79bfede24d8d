"""Failures of ingredients are found wherever they are written, and declarations of AI are followed
upwards."""

from typing import Any

import pytest

from platemark_provenance.axes import AiUse
from platemark_provenance.ingredients import MAX_DEPTH, find_faults, read_ai_use
from platemark_provenance.report_json import Store

Json = dict[str, object]
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def _status(code: str, manifest: str = "parent") -> Json:
    return {"code": code, "url": f"self#jumbf=/c2pa/{manifest}/c2pa.signature"}


def _ingredient(manifest: str | None, relationship: str = "parentOf", **more: object) -> Json:
    return {"active_manifest": manifest, "relationship": relationship, **more}


def _manifest(*ingredients: Json, source_type: str | None = None) -> Json:
    actions = [{"action": "c2pa.created", "digitalSourceType": source_type}]
    return {
        "ingredients": list(ingredients),
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }


def _store(*, deltas: list[Json] | None = None, failure: list[Json] | None = None, **manifests: Any) -> Store:
    results = {"activeManifest": {"failure": failure or []}, "ingredientDeltas": deltas or []}
    return Store({"active_manifest": "active", "manifests": manifests, "validation_results": results})


def _faults(store: Store) -> list[tuple[str, str]]:
    return [(each.fault, each.status.code) for each in find_faults(store)]


def test_no_ingredients_have_no_faults() -> None:
    assert _faults(_store(active=_manifest())) == []


def test_a_failure_found_now_is_a_tampered_ingredient() -> None:
    delta: Json = {"validationDeltas": {"failure": [_status("assertion.hashedURI.mismatch")]}}

    assert _faults(_store(deltas=[delta])) == [("tampered", "assertion.hashedURI.mismatch")]


def test_a_missing_ingredient_manifest_is_a_tampered_ingredient() -> None:
    assert _faults(_store(failure=[_status("ingredient.manifest.missing")])) == [
        ("tampered", "ingredient.manifest.missing")
    ]


def test_a_failure_of_the_active_manifest_itself_is_not_an_ingredients() -> None:
    assert _faults(_store(failure=[_status("assertion.bmffHash.mismatch", "active")])) == []


@pytest.mark.parametrize(
    "written",
    [
        {"validation_status": [_status("assertion.bmffHash.mismatch")]},
        {"validation_results": {"activeManifest": {"failure": [_status("assertion.bmffHash.mismatch")]}}},
        {
            "validation_results": {
                "ingredientDeltas": [{"validationDeltas": {"failure": [_status("assertion.bmffHash.mismatch")]}}]
            }
        },
    ],
    ids=["in the old list", "in the results", "in the results about its own ingredients"],
)
def test_a_failure_the_signer_wrote_down_is_recorded(written: dict[str, Any]) -> None:
    store = _store(active=_manifest(_ingredient("parent", **written)))

    assert _faults(store) == [("recorded", "assertion.bmffHash.mismatch")]


def test_a_failure_written_down_two_levels_up_is_recorded() -> None:
    broken = _ingredient("grandparent", validation_status=[_status("claimSignature.mismatch", "grandparent")])

    store = _store(active=_manifest(_ingredient("parent")), parent=_manifest(broken))

    assert _faults(store) == [("recorded", "claimSignature.mismatch")]


def test_a_failure_in_a_manifest_that_nothing_rests_on_does_not_count() -> None:
    broken = _ingredient("x", validation_status=[_status("claimSignature.mismatch")])

    assert _faults(_store(active=_manifest(), stray=_manifest(broken))) == []


def test_ingredients_that_contain_each_other_are_walked_once() -> None:
    store = _store(
        active=_manifest(_ingredient("parent")),
        parent=_manifest(_ingredient("active", validation_status=[_status("claimSignature.mismatch")])),
    )

    assert _faults(store) == [("recorded", "claimSignature.mismatch")]


@pytest.mark.parametrize("code", ["signingCredential.untrusted", "signingCredential.expired"])
def test_a_doubtful_signer_of_an_ingredient_is_untrusted(code: str) -> None:
    delta: Json = {"validationDeltas": {"failure": [_status(code)]}}

    assert _faults(_store(deltas=[delta])) == [("untrusted", code)]


def test_a_signer_that_was_untrusted_then_and_is_trusted_now_is_good() -> None:
    ingredient = _ingredient("parent", validation_status=[_status("signingCredential.untrusted")])
    delta: Json = {"validationDeltas": {"success": [_status("signingCredential.trusted")]}}

    assert _faults(_store(deltas=[delta], active=_manifest(ingredient))) == []


def test_a_signer_trusted_now_does_not_mend_what_was_broken_then() -> None:
    broken = [_status("signingCredential.untrusted"), _status("claimSignature.mismatch")]
    delta: Json = {"validationDeltas": {"success": [_status("signingCredential.trusted")]}}

    store = _store(deltas=[delta], active=_manifest(_ingredient("parent", validation_status=broken)))

    assert _faults(store) == [("recorded", "claimSignature.mismatch")]


@pytest.mark.parametrize("code", ["timeStamp.mismatch", "cawg.x509.credential.untrusted"])
def test_time_stamps_and_identities_of_ingredients_are_not_held_against_them(code: str) -> None:
    assert _faults(_store(deltas=[{"validationDeltas": {"failure": [_status(code)]}}])) == []


def test_the_worst_fault_comes_first() -> None:
    store = _store(
        deltas=[{"validationDeltas": {"failure": [_status("signingCredential.untrusted")]}}],
        failure=[_status("ingredient.manifest.missing")],
        active=_manifest(_ingredient("parent", validation_status=[_status("claimSignature.mismatch")])),
    )

    assert [fault for fault, _ in _faults(store)] == ["tampered", "recorded", "untrusted"]


@pytest.mark.parametrize(
    ("parent", "relationship", "ai"),
    [
        (TRAINED, "parentOf", "fully"),
        (TRAINED, "componentOf", "partly"),
        (TRAINED, "inputTo", "partly"),
        (CAPTURED, "parentOf", "none_declared"),
        (None, "parentOf", "none_declared"),
    ],
)
def test_an_edit_inherits_what_its_ingredient_declares(parent: str | None, relationship: str, ai: AiUse) -> None:
    store = _store(active=_manifest(_ingredient("parent", relationship)), parent=_manifest(source_type=parent))

    assert read_ai_use(store) == ai


def test_a_made_clip_beside_a_filmed_one_is_partly_made() -> None:
    store = _store(
        active=_manifest(_ingredient("made"), _ingredient("filmed", "componentOf")),
        made=_manifest(source_type=TRAINED),
        filmed=_manifest(source_type=CAPTURED),
    )

    assert read_ai_use(store) == "partly"


def test_declarations_are_followed_through_several_edits() -> None:
    store = _store(
        active=_manifest(_ingredient("one")), one=_manifest(_ingredient("two")), two=_manifest(source_type=TRAINED)
    )

    assert read_ai_use(store) == "fully"


def test_ingredients_that_contain_each_other_declare_nothing() -> None:
    store = _store(active=_manifest(_ingredient("one")), one=_manifest(_ingredient("active")))

    assert read_ai_use(store) == "none_declared"


def test_a_store_without_a_manifest_declares_nothing() -> None:
    assert read_ai_use(Store({})) == "none_declared"


def test_a_history_deeper_than_anyone_edits_is_unknown() -> None:
    chain: dict[str, Any] = {f"m{at}": _manifest(_ingredient(f"m{at + 1}")) for at in range(5000)}

    assert read_ai_use(_store(active=_manifest(_ingredient("m0")), **chain)) == "unknown"


def test_a_long_history_is_followed() -> None:
    chain: dict[str, Any] = {f"m{at}": _manifest(_ingredient(f"m{at + 1}")) for at in range(MAX_DEPTH - 1)}
    chain[f"m{MAX_DEPTH - 1}"] = _manifest(source_type=TRAINED)

    assert read_ai_use(_store(active=_manifest(_ingredient("m0")), **chain)) == "fully"


def test_manifests_that_share_their_ingredients_are_each_looked_at_once() -> None:
    twice: dict[str, Any] = {f"m{at}": _manifest(*[_ingredient(f"m{at + 1}")] * 2) for at in range(60)}

    store = _store(active=_manifest(_ingredient("m0")), **twice)

    assert read_ai_use(store) == "none_declared"
    assert _faults(store) == []


def test_a_deep_history_of_faults_is_walked_without_recursion() -> None:
    chain: dict[str, Any] = {f"m{at}": _manifest(_ingredient(f"m{at + 1}")) for at in range(5000)}
    chain["m5000"] = _manifest(_ingredient("x", validation_status=[_status("claimSignature.mismatch")]))

    assert _faults(_store(active=_manifest(_ingredient("m0")), **chain)) == [("recorded", "claimSignature.mismatch")]


def _edit(source_type: str, *ingredients: Json) -> Json:
    edited = [{"action": "c2pa.opened"}, {"action": "c2pa.edited", "digitalSourceType": source_type}]
    return {"ingredients": list(ingredients), "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": edited}}]}


COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


@pytest.mark.parametrize(("parent", "ai"), [(TRAINED, "fully"), (CAPTURED, "partly"), (None, "partly")])
def test_a_models_own_work_on_a_parent_makes_it_no_more_than_the_sum(parent: str | None, ai: AiUse) -> None:
    store = _store(active=_edit(TRAINED, _ingredient("parent")), parent=_manifest(source_type=parent))

    assert read_ai_use(store) == ai


def test_a_composite_is_partly_made_whatever_its_parent_is() -> None:
    store = _store(active=_edit(COMPOSITE, _ingredient("parent")), parent=_manifest(source_type=TRAINED))

    assert read_ai_use(store) == "partly"


@pytest.mark.parametrize(
    ("declared", "ai"),
    [
        (TRAINED, "fully"),
        (COMPOSITE, "partly"),
        (CAPTURED, "none_declared"),
        (None, "none_declared"),
        (7, "none_declared"),
    ],
)
def test_a_parent_without_a_manifest_is_what_the_signer_declares(declared: object, ai: AiUse) -> None:
    parent: Json = {"relationship": "parentOf", "digital_source_type": declared}

    assert read_ai_use(_store(active=_manifest(parent))) == ai


def test_a_manifest_speaks_for_an_ingredient_louder_than_a_declaration() -> None:
    store = _store(
        active=_manifest(_ingredient("parent", digital_source_type=CAPTURED)), parent=_manifest(source_type=TRAINED)
    )

    assert read_ai_use(store) == "fully"
