"""A history is what the manifests tell, bounded, whatever they hold."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.history import (
    MAX_DEPTH,
    MAX_NODES,
    MAX_STEPS,
    History,
    Node,
    Step,
    declared_source,
    read_history,
    read_moment,
)
from platemark_provenance.report_json import Store

Json = dict[str, object]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def _manifest(*ingredients: Json, actions: tuple[Json, ...] = (), **more: object) -> Json:
    steps = [{"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}]
    return {"ingredients": list(ingredients), "assertions": steps, "signature_info": {"issuer": "News"}, **more}


def _ingredient(manifest: str | None, **more: object) -> Json:
    return {"active_manifest": manifest, "relationship": "componentOf", **more}


def _store(*deltas: Json, **manifests: Any) -> Store:
    results = {"activeManifest": {}, "ingredientDeltas": list(deltas)}
    return Store({"active_manifest": "active", "manifests": manifests, "validation_results": results})


def _failure(code: str, manifest: str) -> Json:
    return {"validationDeltas": {"failure": [{"code": code, "url": f"self#jumbf=/c2pa/{manifest}/c2pa.claim"}]}}


def _count(history: History) -> int:
    waiting, found = [history.root], 0
    while waiting:
        node = waiting.pop()
        found += 1
        waiting.extend(node.ingredients)
    return found


def test_the_file_stands_at_the_top_with_what_it_was_made_from_below() -> None:
    history = read_history(
        _store(
            active=_manifest(_ingredient("one", title="first"), _ingredient(None, title="still"), title="clip"),
            one=_manifest(title="earlier name"),
        )
    )

    assert (history.root.title, history.root.relationship, history.root.signer) == ("clip", None, "News")
    assert [(each.title, each.state) for each in history.root.ingredients] == [
        ("first", "present"),
        ("still", "unsigned"),
    ]


def test_an_ingredient_whose_manifest_is_not_there_is_missing() -> None:
    (found,) = read_history(_store(active=_manifest(_ingredient("gone")))).root.ingredients

    assert (found.state, found.label, found.signer) == ("missing", "gone", None)


@pytest.mark.parametrize(
    ("code", "state", "signer"),
    [
        ("assertion.dataHash.mismatch", "failed", "News"),
        ("claimSignature.mismatch", "failed", None),
        ("signingCredential.untrusted", "untrusted", "News"),
    ],
)
def test_a_failure_stands_with_the_ingredient_it_is_about(code: str, state: str, signer: str | None) -> None:
    store = _store(_failure(code, "one"), active=_manifest(_ingredient("one")), one=_manifest())

    history = read_history(store)

    (found,) = history.root.ingredients
    assert (found.state, found.codes, found.signer) == (state, (code,), signer)
    assert history.root.state == "present"


def test_a_file_whose_own_signature_does_not_hold_names_no_signer() -> None:
    root = read_history(_store(active=_manifest()), own_codes=("claimSignature.mismatch",)).root

    assert (root.state, root.signer) == ("failed", None)


def test_steps_of_all_manifests_stand_in_order_of_time_and_those_without_one_last() -> None:
    early: Json = {"action": "c2pa.created", "when": "2026-01-01T00:00:00Z", "softwareAgent": {"name": "camera"}}
    late: Json = {"action": "c2pa.edited", "when": "2026-03-01T00:00:00+09:00", "softwareAgent": "editor"}
    never: Json = {"action": "c2pa.placed", "when": "yesterday"}

    history = read_history(
        _store(active=_manifest(_ingredient("one"), actions=(never, late)), one=_manifest(actions=(early,)))
    )

    assert [(each.action, each.agent) for each in history.timeline] == [
        ("c2pa.created", "camera"),
        ("c2pa.edited", "editor"),
        ("c2pa.placed", None),
    ]


def test_a_source_type_is_told_by_its_last_part() -> None:
    step: Json = {"action": "c2pa.created", "digitalSourceType": " http://x/y/trainedAlgorithmicMedia "}

    assert read_history(_store(active=_manifest(actions=(step,)))).timeline[0].source == "trainedAlgorithmicMedia"


def test_a_manifest_inside_itself_ends_there() -> None:
    history = read_history(_store(active=_manifest(_ingredient("one")), one=_manifest(_ingredient("active"))))

    assert _count(history) == 3
    assert history.left_out == 1


def test_a_manifest_used_twice_tells_its_steps_once() -> None:
    step: Json = {"action": "c2pa.created"}

    history = read_history(
        _store(active=_manifest(_ingredient("one"), _ingredient("one")), one=_manifest(actions=(step,)))
    )

    assert (len(history.root.ingredients), len(history.timeline)) == (2, 1)


def test_a_chain_without_end_is_cut_and_the_rest_counted() -> None:
    chain: dict[str, Any] = {f"m{number}": _manifest(_ingredient(f"m{number + 1}")) for number in range(5000)}

    history = read_history(_store(active=_manifest(_ingredient("m0")), **chain))

    assert _count(history) == MAX_DEPTH + 1
    assert history.left_out == 1


def test_a_tree_that_doubles_at_every_level_is_cut() -> None:
    twice: dict[str, Any] = {
        f"m{number}": _manifest(_ingredient(f"m{number + 1}"), _ingredient(f"m{number + 1}")) for number in range(60)
    }

    history = read_history(_store(active=_manifest(_ingredient("m0")), **twice))

    assert _count(history) <= MAX_NODES
    assert history.left_out > 0


def test_a_hundred_thousand_steps_are_cut_and_counted() -> None:
    step: Json = {"action": "c2pa.edited"}
    steps = (step,) * 100_000

    history = read_history(_store(active=_manifest(actions=steps)))

    assert (len(history.timeline), history.left_out) == (MAX_STEPS, 100_000 - MAX_STEPS)


def test_names_are_cut_and_lose_what_cannot_be_seen() -> None:
    history = read_history(_store(active=_manifest(title="\u202ea\x00" + "b" * 200_000)))

    assert history.root.title is not None
    assert (len(history.root.title), history.root.title[:2]) == (120, "ab")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:00", 5])
def test_what_is_no_moment_with_a_zone_is_none(text: object) -> None:
    assert read_moment(text) is None


@given(ANY_JSON, ANY_JSON)
def test_any_report_gives_a_history_that_can_be_written_as_json(manifest: object, results: object) -> None:
    store = Store({"active_manifest": "a", "manifests": {"a": manifest}, "validation_results": results})

    assert json.dumps(read_history(store).to_json())


@given(ANY_JSON, ANY_JSON)
def test_any_ingredients_and_actions_give_a_history(ingredients: object, actions: object) -> None:
    manifest = {
        "ingredients": [ingredients, {"active_manifest": "a", "title": ingredients}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [actions, {"action": actions, "when": actions}]}}],
        "claim_generator_info": [actions],
        "signature_info": ingredients,
    }

    assert read_history(Store({"active_manifest": "a", "manifests": {"a": manifest}})).root.state == "present"


def node(label: str, *below: Node, relationship: str | None = None) -> Node:
    return Node(None, relationship, "present", label, None, None, None, (), below)


def step(manifest: str, source: str | None, action: str = "c2pa.created") -> Step:
    return Step(action, None, None, source, None, manifest)


def test_what_a_file_is_stands_in_its_own_manifest_and_not_in_that_of_a_photograph_it_was_made_from() -> None:
    photograph = node("photo", relationship="inputTo")
    steps = (step("photo", "digitalCapture"), step("own", "trainedAlgorithmicMedia"))

    assert declared_source(History(node("own", photograph), steps)) == "trainedAlgorithmicMedia"


def test_an_update_that_says_nothing_of_it_leaves_it_to_the_file_before() -> None:
    before = node("first", relationship="parentOf")
    steps = (step("first", "trainedAlgorithmicMedia"), step("update", None, "c2pa.opened"))

    assert declared_source(History(node("update", before), steps)) == "trainedAlgorithmicMedia"


@pytest.mark.parametrize("action", ["c2pa.watermarked", "c2pa.addedText", "c2pa.published"])
def test_what_was_done_later_does_not_say_what_it_is(action: str) -> None:
    assert declared_source(History(node("own"), (step("own", "algorithmicMedia", action),))) is None


def test_material_alone_says_nothing_of_the_file() -> None:
    material = node("photo", relationship="componentOf")

    assert declared_source(History(node("own", material), (step("photo", "digitalCapture"),))) is None
