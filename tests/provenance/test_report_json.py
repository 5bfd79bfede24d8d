"""Reports of any shape are taken apart without an error; what has the wrong type reads as empty."""

from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.report_json import Status, Store, actions, mapping, sequence, status_list, statuses, text

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(["active_manifest", "manifests", "validation_results", "validation_state"])


@given(ANY_JSON)
def test_any_value_has_an_empty_reading_of_every_kind(value: object) -> None:
    assert dict(mapping(value)) == (value if isinstance(value, dict) else {})
    assert list(sequence(value)) == (value if isinstance(value, list) else [])
    assert text(value) == (value if isinstance(value, str) else None)


@given(st.dictionaries(FIELDS, ANY_JSON))
def test_a_store_of_any_shape_can_be_asked(content: dict[str, object]) -> None:
    store = Store(content)

    assert store.active_label is None or isinstance(store.active_label, str)
    assert isinstance(store.active_statuses().everything(), set)
    assert isinstance(store.ingredient_statuses(), list)
    assert mapping(dict(store.active)) == dict(store.active)


@given(ANY_JSON)
def test_any_value_as_a_status_list_gives_statuses(value: object) -> None:
    assert all(isinstance(each.code, str) and isinstance(each.url, str) for each in status_list(value))


def test_statuses_are_sorted_by_outcome() -> None:
    found = statuses(
        {
            "success": [{"code": "a", "url": "u"}],
            "informational": [{"code": "b"}],
            "failure": [{"code": "c", "url": None}],
        }
    )

    assert found.success == (Status("a", "u"),)
    assert (found.succeeded(), found.failed(), found.everything()) == ({"a"}, {"c"}, {"a", "b", "c"})


def test_a_status_without_a_code_is_kept_under_a_code_of_ours() -> None:
    assert status_list([{}, 3]) == (Status("platemark.code.missing", ""),) * 2


def test_actions_of_all_versions_are_walked_in_order() -> None:
    assertions = [
        {"label": "c2pa.actions", "data": {"actions": [{"action": "one"}]}},
        {"label": "other", "data": {"actions": [{"action": "no"}]}},
        {"label": "c2pa.actions.v2", "data": {"actions": [{"action": "two"}, 7]}},
    ]

    assert [each.get("action") for each in actions(assertions)] == ["one", "two", None]


def test_a_store_gives_its_active_manifest() -> None:
    store = Store({"active_manifest": "a", "manifests": {"a": {"title": "t"}}, "validation_state": "Valid"})

    assert (store.active_label, store.active, store.state) == ("a", {"title": "t"}, "Valid")
    assert store.manifest("b") == {}
    assert store.manifest(None) == {}
