"""Our own assertions come back as they went in, and malformed ones are dropped, one by one."""

import base64
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.digest import JsonValue
from platemark_provenance.manifest import LabelFacts, LedgerFacts, ManifestFacts, build_text_to_video_manifest
from platemark_provenance.own_assertions import (
    MAX_SOFT_BINDINGS,
    OwnAssertions,
    SoftBinding,
    read_own_assertions,
    read_soft_bindings,
)

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
LABELS = st.sampled_from(
    ["c2pa.soft-binding", "org.platemark.generation", "org.platemark.label", "org.platemark.ledger", "other"]
)
CLIP_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def _assertions(manifest: dict[str, JsonValue]) -> Sequence[object]:
    found = manifest["assertions"]
    assert isinstance(found, list)
    return found


def _one(label: str, **data: object) -> list[object]:
    return [{"label": label, "data": data}]


def _binding(value: object, alg: object = "org.platemark.watermark.1") -> list[object]:
    return _one("c2pa.soft-binding", alg=alg, blocks=[{"scope": {}, "value": value}])


def test_what_was_built_is_read_back(facts: ManifestFacts, manifest: dict[str, JsonValue]) -> None:
    assert read_own_assertions(_assertions(manifest)) == OwnAssertions(
        clip_id=facts.clip_id, watermark_id=facts.watermark_id, label=facts.label, ledger=facts.ledger
    )


@given(st.binary(min_size=8, max_size=8))
def test_any_watermark_id_is_read_back(mark: bytes) -> None:
    own = read_own_assertions(_binding(base64.b64encode(mark).decode()))

    assert own == OwnAssertions(watermark_id=mark.hex())


@given(st.tuples(*[st.integers(0, 65_535)] * 4))
def test_any_box_is_read_back(box: tuple[int, int, int, int]) -> None:
    sides = dict(zip(("x", "y", "width", "height"), box, strict=True))

    own = read_own_assertions(_one("org.platemark.label", text="AI", language="en", box=sides))

    assert own == OwnAssertions(label=LabelFacts("AI", "en", box))


@pytest.mark.parametrize(
    ("cue", "read"),
    [
        ({"format": "text/vtt", "sha256": "ab" * 32}, "ab" * 32),
        ({"sha256": "AB" * 32}, ""),
        ({"sha256": "ab"}, ""),
        ({"sha256": 7}, ""),
        ("ab" * 32, ""),
        (None, ""),
    ],
)
def test_the_hash_of_a_labels_caption_file_is_read_back_and_nothing_else(cue: object, read: str) -> None:
    box = {"x": 1, "y": 2, "width": 3, "height": 4}

    own = read_own_assertions(_one("org.platemark.label", text="AI", language="en", box=box, cue=cue))

    assert own == OwnAssertions(label=LabelFacts("AI", "en", (1, 2, 3, 4), cue_sha256=read))


@given(st.lists(st.fixed_dictionaries({"label": LABELS, "data": ANY_JSON}) | ANY_JSON, max_size=6))
def test_no_json_makes_the_reader_stumble(assertions: list[object]) -> None:
    own = read_own_assertions(assertions)

    assert own is None or isinstance(own, OwnAssertions)


@given(
    st.dictionaries(st.sampled_from(["alg", "blocks", "clip_id", "text", "language", "box", "size", "root"]), ANY_JSON)
)
def test_no_content_of_our_labels_makes_the_reader_stumble(data: dict[str, object]) -> None:
    labels = ("c2pa.soft-binding", "org.platemark.generation", "org.platemark.label", "org.platemark.ledger")

    own = read_own_assertions([{"label": label, "data": data} for label in labels])

    assert own is None or isinstance(own, OwnAssertions)


@pytest.mark.parametrize("nothing", [[], [{}], [None, 3, "text"], [{"label": "c2pa.actions.v2", "data": {}}]])
def test_a_manifest_of_others_has_none_of_our_assertions(nothing: list[object]) -> None:
    assert read_own_assertions(nothing) is None


@pytest.mark.parametrize(
    "clip_id",
    ["", "x", CLIP_ID.upper(), CLIP_ID + "0", CLIP_ID.replace("-7", "-4"), 7, None, "'; drop table clip; --"],
)
def test_a_clip_id_of_another_form_is_dropped(clip_id: object) -> None:
    assert read_own_assertions(_one("org.platemark.generation", clip_id=clip_id)) is None


@pytest.mark.parametrize(
    "value", ["", "AAAA", "not base64!", "ABEiM0RVZv8", base64.b64encode(bytes(9)).decode(), 7, None, "é" * 12]
)
def test_a_watermark_value_of_another_form_is_dropped(value: object) -> None:
    assert read_own_assertions(_binding(value)) is None


def test_a_watermark_of_another_algorithm_is_not_ours() -> None:
    assertions = _binding("ABEiM0RVZv8=", alg="com.example.other")

    assert read_own_assertions(assertions) is None
    assert read_soft_bindings(assertions) == (SoftBinding("com.example.other", "ABEiM0RVZv8="),)


def test_two_different_watermark_ids_contradict_each_other() -> None:
    assertions = _binding("ABEiM0RVZv8=") + _binding("AAAAAAAAAAA=")

    assert read_own_assertions(assertions) is None
    assert len(read_soft_bindings(assertions)) == 2


def test_numbered_copies_of_a_label_are_seen() -> None:
    first, second = (
        _binding("ABEiM0RVZv8=")[0],
        {"label": "c2pa.soft-binding__1", "data": {"alg": "b", "blocks": [{"value": "v"}]}},
    )

    assert [each.alg for each in read_soft_bindings([first, second])] == ["org.platemark.watermark.1", "b"]


def test_two_statements_about_the_clip_contradict_each_other() -> None:
    twice = _one("org.platemark.generation", clip_id=CLIP_ID) * 2

    assert read_own_assertions(twice) is None


@pytest.mark.parametrize(
    "change",
    [{"size": -1}, {"size": 2**53}, {"size": True}, {"size": "3"}, {"root": "ef"}, {"root": None}, {"origin": 3}],
)
def test_a_ledger_head_of_another_form_is_dropped(change: dict[str, object]) -> None:
    data: dict[str, object] = {"origin": "o", "size": 3, "root": "ef" * 32, **change}

    assert read_own_assertions(_one("org.platemark.ledger", **data)) is None


def test_a_ledger_head_is_read() -> None:
    own = read_own_assertions(_one("org.platemark.ledger", origin="o", size=3, root="ef" * 32))

    assert own == OwnAssertions(ledger=LedgerFacts("o", 3, "ef" * 32))


@pytest.mark.parametrize(
    "box", [None, [1, 2, 3, 4], {}, {"x": 1, "y": 2, "width": 3}, {"x": -1, "y": 2, "width": 3, "height": 4}]
)
def test_a_label_without_a_proper_box_is_dropped(box: object) -> None:
    assert read_own_assertions(_one("org.platemark.label", text="AI", language="en", box=box)) is None


def test_one_bad_assertion_does_not_hide_the_others(facts: ManifestFacts) -> None:
    good = _assertions(build_text_to_video_manifest(replace(facts, clip_id="not a clip id")))

    own = read_own_assertions(good)

    assert own is not None
    assert (own.clip_id, own.watermark_id) == (None, facts.watermark_id)


def test_the_number_and_size_of_soft_bindings_are_bounded() -> None:
    many = _one("c2pa.soft-binding", alg="a", blocks=[{"value": "v"}] * 1000 + [{"value": "v" * 100_000}])

    found = read_soft_bindings(many)

    assert len(found) == MAX_SOFT_BINDINGS
    assert {each.value for each in found} == {"v"}


def test_text_from_a_manifest_is_made_plain() -> None:
    box = {"x": 0, "y": 0, "width": 1, "height": 1}

    own = read_own_assertions(_one("org.platemark.label", text="A\u202eI" * 100, language="en", box=box))

    assert own is not None
    assert own.label is not None
    assert len(own.label.text) == 80
    assert "\u202e" not in own.label.text


@pytest.mark.parametrize(
    ("reason", "read"), [("Only copy left.", "Only copy left."), ("a\u202eb", "ab"), ("a" * 400, "a" * 299 + "…")]
)
def test_the_reason_of_an_override_is_read_bounded_and_plain(reason: str, read: str) -> None:
    own = read_own_assertions(_one("org.platemark.ingredient-override", schema=1, reason=reason))

    assert own == OwnAssertions(override_reason=read)


@pytest.mark.parametrize("reason", ["", "\u200b", None, 3, ["because"]])
def test_an_override_without_a_reason_is_dropped(reason: object) -> None:
    assert read_own_assertions(_one("org.platemark.ingredient-override", reason=reason)) is None
