"""A manifest says what was made, with what and under which rules, and nothing about people or prompts."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.digest import JsonValue, canonical_json
from platemark_provenance.errors import SigningError
from platemark_provenance.manifest import (
    ALGORITHMIC_MEDIA,
    MAX_TITLE_CHARACTERS,
    TRAINED_ALGORITHMIC_MEDIA,
    GeneratorFacts,
    LabelFacts,
    LedgerFacts,
    ManifestFacts,
    PictureFacts,
    PolicyFacts,
    build_text_to_video_manifest,
    created_labels,
)


def _assertion(manifest: Mapping[str, JsonValue], label: str) -> dict[str, JsonValue]:
    assertions = manifest["assertions"]
    assert isinstance(assertions, list)
    (found,) = (each["data"] for each in assertions if each["label"] == label)
    assert isinstance(found, dict)
    return found


def _actions(manifest: Mapping[str, JsonValue]) -> list[dict[str, str]]:
    actions = _assertion(manifest, "c2pa.actions.v2")["actions"]
    assert isinstance(actions, list)
    return actions


def _numbers_in_lists(value: object) -> list[object]:
    inner = list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    here = [each for each in inner if isinstance(value, list) and isinstance(each, int)]
    return here + [found for each in inner for found in _numbers_in_lists(each)]


def test_the_first_action_says_that_a_model_made_it(manifest: dict[str, JsonValue]) -> None:
    first = _actions(manifest)[0]

    assert (first["action"], first["digitalSourceType"]) == ("c2pa.created", TRAINED_ALGORITHMIC_MEDIA)
    assert TRAINED_ALGORITHMIC_MEDIA == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def test_the_list_of_actions_is_complete_and_says_so(manifest: dict[str, JsonValue]) -> None:
    assert [each["action"] for each in _actions(manifest)] == [
        "c2pa.created",
        "c2pa.resized.proportional",
        "c2pa.addedText",
        "c2pa.watermarked.bound",
    ]
    assert _assertion(manifest, "c2pa.actions.v2")["allActionsIncluded"] is True


def test_a_clip_of_the_models_own_size_was_not_resized(facts: ManifestFacts) -> None:
    picture = PictureFacts((256, 256), (256, 256), Fraction(24), 48)

    built = build_text_to_video_manifest(replace(facts, picture=picture))

    assert "c2pa.resized" not in json.dumps(built)


def test_resizing_to_another_shape_names_its_source_type(facts: ManifestFacts) -> None:
    picture = PictureFacts((128, 128), (1280, 720), Fraction(30000, 1001), 48)

    resized = _actions(build_text_to_video_manifest(replace(facts, picture=picture)))[1]

    assert (resized["action"], resized["digitalSourceType"]) == ("c2pa.resized", ALGORITHMIC_MEDIA)


def test_every_visible_change_names_its_source_type(manifest: dict[str, JsonValue]) -> None:
    visible = [each for each in _actions(manifest) if each["action"] in {"c2pa.created", "c2pa.addedText"}]

    assert all(each["digitalSourceType"] for each in visible)


def test_the_time_of_creation_is_written_with_its_zone(manifest: dict[str, JsonValue], moment: datetime) -> None:
    assert datetime.fromisoformat(_actions(manifest)[0]["when"]) == moment.replace(microsecond=0)


def test_the_generator_names_the_specification_it_follows(manifest: dict[str, JsonValue]) -> None:
    assert manifest["claim_generator_info"] == [{"name": "platemark", "version": "0.1.0", "specVersion": "2.4.0"}]


def test_the_watermark_is_declared(manifest: dict[str, JsonValue]) -> None:
    assert _assertion(manifest, "c2pa.soft-binding") == {
        "alg": "org.platemark.watermark.1",
        "blocks": [{"scope": {}, "value": "ABEiM0RVZv8="}],
        "pad": "",
    }


def test_training_and_mining_are_not_allowed(manifest: dict[str, JsonValue]) -> None:
    entries = _assertion(manifest, "cawg.training-mining")["entries"]

    assert isinstance(entries, dict)
    assert {each["use"] for each in entries.values()} == {"notAllowed"}
    assert "cawg.ai_generative_training" in entries


def test_policy_ledger_and_label_are_on_record(manifest: dict[str, JsonValue]) -> None:
    assert _assertion(manifest, "org.platemark.policy") == {
        "schema": 1,
        "pack": {"id": "newsroom", "version": "1.0.0", "sha256": "cd" * 32},
        "verdict": "allow",
        "decision_id": "decision-1",
        "human_review": False,
    }
    assert _assertion(manifest, "org.platemark.ledger") == {
        "schema": 1,
        "origin": "example.news/ledger",
        "size": 3,
        "root": "ef" * 32,
    }
    assert _assertion(manifest, "org.platemark.label")["text"] == "AI 생성 영상"


def test_no_list_holds_bare_numbers_because_readers_show_those_as_bytes(manifest: dict[str, JsonValue]) -> None:
    assert _numbers_in_lists(manifest) == []


def test_a_manifest_is_plain_json_with_one_spelling(manifest: dict[str, JsonValue]) -> None:
    assert json.loads(canonical_json(manifest)) == manifest


def test_a_model_without_weights_says_so(facts: ManifestFacts) -> None:
    without = replace(facts, generator=replace(facts.generator, model_weights_sha256=None))

    model = _assertion(build_text_to_video_manifest(without), "org.platemark.generation")["model"]

    assert isinstance(model, dict)
    assert model["weights_sha256"] is None


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("a" * 500, "a" * (MAX_TITLE_CHARACTERS - 1) + "…"),
        ("clip\x00.mp4", "clip.mp4"),
        ("gpj\u202e4pm.", "gpj4pm."),
        ("two\nlines", "two lines"),
    ],
)
def test_titles_are_bounded_and_plain(facts: ManifestFacts, title: str, shown: str) -> None:
    assert build_text_to_video_manifest(replace(facts, title=title))["title"] == shown


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=400))
def test_no_title_makes_a_manifest_large(text: str) -> None:
    built = build_text_to_video_manifest(_bare_facts(text))

    assert 0 < len(str(built["title"])) <= MAX_TITLE_CHARACTERS


def _bare_facts(title: str) -> ManifestFacts:
    return ManifestFacts(
        clip_id="01890a5d-ac96-774b-bcce-b302099a8057",
        title=title,
        organisation="News",
        created_at=datetime.fromisoformat("2026-01-02T03:04:05+09:00"),
        sdk_version="0.1.0",
        generator=GeneratorFacts("testcard", "1", "testcard", "1", None),
        picture=PictureFacts((128, 128), (128, 128), Fraction(24), 1),
        label=LabelFacts("AI-generated", "en", (0, 0, 1, 1)),
        policy=PolicyFacts("newsroom", "1", "0" * 64, "allow", "d"),
        ledger=LedgerFacts("o", 0, "0" * 64),
        watermark_id="0" * 16,
    )


IMPOSSIBLE = {
    "short pack hash": {"policy": PolicyFacts("newsroom", "1", "cd", "allow", "d")},
    "shouted pack hash": {"policy": PolicyFacts("newsroom", "1", "CD" * 32, "allow", "d")},
    "garbled ledger root": {"ledger": LedgerFacts("o", 1, "zz" * 32)},
    "garbled weights hash": {"generator": GeneratorFacts("g", "1", "m", "1", "no")},
    "empty weights hash": {"generator": GeneratorFacts("g", "1", "m", "1", "")},
    "short watermark id": {"watermark_id": "00112233"},
    "shouted watermark id": {"watermark_id": "00112233445566FF"},
    "time without a zone": {"created_at": datetime(2026, 1, 2)},
    "no width": {"picture": PictureFacts((0, 128), (512, 512), Fraction(24), 48)},
    "negative height": {"picture": PictureFacts((128, 128), (512, -2), Fraction(24), 48)},
    "no frames": {"picture": PictureFacts((128, 128), (512, 512), Fraction(24), 0)},
    "no frame rate": {"picture": PictureFacts((128, 128), (512, 512), Fraction(0), 48)},
    "no clip id": {"clip_id": ""},
    "no title": {"title": " \u200b "},
    "no organisation": {"organisation": ""},
    "no version": {"sdk_version": ""},
}


@pytest.mark.parametrize("change", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_impossible_facts_are_refused(facts: ManifestFacts, change: dict[str, Any]) -> None:
    with pytest.raises(SigningError):
        build_text_to_video_manifest(replace(facts, **change))


def test_labels_are_listed_with_and_without_their_version(manifest: dict[str, JsonValue]) -> None:
    labels = created_labels(manifest)

    assert {"c2pa.actions.v2", "c2pa.actions", "org.platemark.policy"} <= set(labels)
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("odd", [{}, {"assertions": None}, {"assertions": [1, {}, {"label": 7}]}])
def test_a_definition_without_assertions_has_no_labels(odd: dict[str, JsonValue]) -> None:
    assert created_labels(odd) == []
