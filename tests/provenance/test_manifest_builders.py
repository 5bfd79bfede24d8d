"""Each way of making a clip has a manifest of its own: from pictures, from another clip, from elsewhere, as a still."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from platemark_provenance.digest import JsonValue, canonical_json
from platemark_provenance.errors import SigningError
from platemark_provenance.manifest import (
    ALGORITHMIC_MEDIA,
    COMPOSITE_WITH_TRAINED,
    TRAINED_ALGORITHMIC_MEDIA,
    Change,
    Ingredient,
    ManifestFacts,
    PictureFacts,
    SourceFacts,
    build_edit_manifest,
    build_image_to_video_manifest,
    build_stamp_manifest,
    build_still_manifest,
)
from platemark_provenance.manifest_facts import MAX_CHANGES, MAX_INGREDIENTS, Relationship, check_ingredients_fit

STILL = Ingredient(Path("still.png"), "First frame", "inputTo", "input-1", fed_to_model=True)
PARENT = Ingredient(Path("clip.mp4"), "Earlier clip", "parentOf", "parent")
SECOND = Ingredient(Path("other.mp4"), "Second clip", "componentOf", "part-2")


def _data(manifest: Mapping[str, JsonValue], label: str) -> dict[str, Any]:
    assertions = manifest["assertions"]
    assert isinstance(assertions, list)
    (found,) = (each["data"] for each in assertions if each["label"] == label)
    assert isinstance(found, dict)
    return found


def _actions(manifest: Mapping[str, JsonValue]) -> list[dict[str, Any]]:
    return list(_data(manifest, "c2pa.actions.v2")["actions"])


def _names(manifest: Mapping[str, JsonValue]) -> list[str]:
    return [each["action"] for each in _actions(manifest)]


def _still_facts(facts: ManifestFacts) -> ManifestFacts:
    return replace(facts, picture=PictureFacts((256, 256), (256, 256), Fraction(1), 1))


def test_a_clip_made_from_a_picture_was_created_from_that_input(facts: ManifestFacts) -> None:
    first = _actions(build_image_to_video_manifest(facts, [STILL]))[0]

    assert (first["action"], first["digitalSourceType"]) == ("c2pa.created", TRAINED_ALGORITHMIC_MEDIA)
    assert first["parameters"] == {"ingredientIds": ["input-1"]}


def test_a_clip_made_from_a_picture_says_so(facts: ManifestFacts) -> None:
    manifest = build_image_to_video_manifest(facts, [STILL])

    assert _data(manifest, "org.platemark.generation")["task"] == "image-to-video"


def test_an_edit_opens_its_parent_and_lists_what_was_done_in_order(facts: ManifestFacts) -> None:
    manifest = build_edit_manifest(facts, PARENT, changes=[Change("trimmed"), Change("extended", "Two seconds more.")])

    assert _names(manifest) == [
        "c2pa.opened",
        "c2pa.trimmed",
        "c2pa.edited",
        "c2pa.addedText",
        "c2pa.watermarked.bound",
    ]
    assert _actions(manifest)[0]["parameters"] == {"ingredientIds": ["parent"]}


def test_the_opening_of_a_parent_has_no_source_type_of_its_own(facts: ManifestFacts) -> None:
    manifest = build_edit_manifest(facts, PARENT, changes=[Change("extended")])

    assert "digitalSourceType" not in _actions(manifest)[0]


@pytest.mark.parametrize(
    ("change", "source_type", "agent"),
    [
        (Change("extended"), COMPOSITE_WITH_TRAINED, "small world"),
        (Change("replaced"), COMPOSITE_WITH_TRAINED, "small world"),
        (Change("restyled"), COMPOSITE_WITH_TRAINED, "small world"),
        (Change("trimmed"), ALGORITHMIC_MEDIA, "embedded"),
        (Change("joined"), ALGORITHMIC_MEDIA, "embedded"),
        (Change("cropped"), ALGORITHMIC_MEDIA, "embedded"),
        (Change("resized"), ALGORITHMIC_MEDIA, "embedded"),
        (Change("transcoded"), None, "embedded"),
    ],
    ids=lambda value: value.kind if isinstance(value, Change) else None,
)
def test_a_change_says_whether_a_model_or_plain_code_made_it(
    facts: ManifestFacts, change: Change, source_type: str | None, agent: str
) -> None:
    made = _actions(build_edit_manifest(facts, PARENT, changes=[change]))[1]

    assert (made.get("digitalSourceType"), made["softwareAgent"]["name"]) == (source_type, agent)


def test_pictures_shown_to_the_model_belong_to_the_change_it_made(facts: ManifestFacts) -> None:
    changes = [Change("trimmed"), Change("replaced")]

    actions = _actions(build_edit_manifest(facts, PARENT, changes=changes, inputs=[STILL]))

    assert actions[2]["parameters"] == {"ingredientIds": ["input-1"]}
    assert "parameters" not in actions[1]


def test_clips_that_are_joined_on_are_placed(facts: ManifestFacts) -> None:
    manifest = build_edit_manifest(facts, PARENT, changes=[Change("joined")], components=[SECOND])

    assert _names(manifest)[:3] == ["c2pa.opened", "c2pa.placed", "c2pa.edited"]
    assert _actions(manifest)[1]["parameters"] == {"ingredientIds": ["part-2"]}


@pytest.mark.parametrize(("kind", "named"), [("extended", True), ("trimmed", False)])
def test_an_edit_names_an_ai_system_only_where_one_was_used(facts: ManifestFacts, kind: Any, named: bool) -> None:
    manifest = build_edit_manifest(facts, PARENT, changes=[Change(kind)])

    assert ("AISystemUsed" in json.dumps(manifest)) is named


@pytest.mark.parametrize("count", [0, MAX_CHANGES + 1])
def test_an_edit_lists_some_changes_and_not_too_many(facts: ManifestFacts, count: int) -> None:
    with pytest.raises(SigningError, match="changes"):
        build_edit_manifest(facts, PARENT, changes=[Change("trimmed")] * count)


def test_the_description_of_a_change_is_bounded_and_plain(facts: ManifestFacts) -> None:
    manifest = build_edit_manifest(facts, PARENT, changes=[Change("trimmed", "a\u202eb\x00" * 500)])

    description = _actions(manifest)[1]["description"]
    assert len(description) == 200
    assert description.startswith("abab")


def test_a_stamped_clip_was_opened_not_made(facts: ManifestFacts) -> None:
    manifest = build_stamp_manifest(facts, PARENT)

    assert _names(manifest) == ["c2pa.opened", "c2pa.transcoded", "c2pa.addedText", "c2pa.watermarked.bound"]
    assert _data(manifest, "org.platemark.generation")["task"] == "stamp"


def test_what_was_done_to_a_stamped_clip_was_done_by_platemark(facts: ManifestFacts) -> None:
    agents = [each["softwareAgent"]["name"] for each in _actions(build_stamp_manifest(facts, PARENT))[1:]]

    assert agents == ["platemark"] * 3


@pytest.mark.parametrize("declared", [TRAINED_ALGORITHMIC_MEDIA, None])
def test_a_stamped_clip_is_what_somebody_declared_it_to_be(facts: ManifestFacts, declared: str | None) -> None:
    manifest = build_stamp_manifest(facts, replace(PARENT, source_type=declared))

    assert _data(manifest, "cawg.metadata").get("Iptc4xmpExt:DigitalSourceType") == declared


def test_a_still_has_no_frame_rate(facts: ManifestFacts) -> None:
    manifest = build_still_manifest(_still_facts(facts))

    generation = _data(manifest, "org.platemark.generation")
    assert generation["task"] == "text-to-image"
    assert not {"fps", "frames"} & set(generation)
    assert manifest["format"] == "image/png"


def test_a_still_made_from_a_picture_says_so(facts: ManifestFacts) -> None:
    manifest = build_still_manifest(_still_facts(facts), [STILL])

    assert _data(manifest, "org.platemark.generation")["task"] == "image-to-image"


def test_a_still_with_several_frames_is_refused(facts: ManifestFacts) -> None:
    with pytest.raises(SigningError, match="one frame"):
        build_still_manifest(facts)


def test_a_clip_from_no_pictures_is_refused(facts: ManifestFacts) -> None:
    with pytest.raises(SigningError, match="at least one picture"):
        build_image_to_video_manifest(facts, [])


@pytest.mark.parametrize("relationship", ["parentOf", "componentOf"])
def test_an_input_in_another_role_is_refused(facts: ManifestFacts, relationship: Relationship) -> None:
    with pytest.raises(SigningError, match="input-1 should be inputTo"):
        build_image_to_video_manifest(facts, [replace(STILL, relationship=relationship)])


@pytest.mark.parametrize(
    "build", [build_stamp_manifest, lambda f, p: build_edit_manifest(f, p, changes=[Change("trimmed")])]
)
def test_a_parent_in_another_role_is_refused(facts: ManifestFacts, build: Any) -> None:
    with pytest.raises(SigningError, match="should be parentOf"):
        build(facts, replace(PARENT, relationship="inputTo"))


def test_two_ingredients_of_one_name_are_refused(facts: ManifestFacts) -> None:
    with pytest.raises(SigningError, match="share one"):
        build_image_to_video_manifest(facts, [STILL, STILL])


def test_two_parents_are_refused() -> None:
    with pytest.raises(SigningError, match="at most one parent"):
        check_ingredients_fit((PARENT, replace(PARENT, name="parent-2")))


def test_far_too_many_ingredients_are_refused() -> None:
    many = tuple(replace(STILL, name=f"input-{at}") for at in range(MAX_INGREDIENTS + 1))

    with pytest.raises(SigningError, match="at most 16 ingredients"):
        check_ingredients_fit(many)


@pytest.mark.parametrize("name", ["", "Input", "1st", "a b", "a" * 33, "self#jumbf", "ü"])
def test_an_ingredients_name_has_one_plain_form(name: str) -> None:
    with pytest.raises(SigningError, match="lower-case"):
        replace(STILL, name=name)


@pytest.mark.parametrize("title", ["", "\u200b", "\x00"])
def test_an_ingredient_needs_a_title_that_can_be_seen(title: str) -> None:
    with pytest.raises(SigningError, match="needs a title"):
        replace(STILL, title=title)


def _all_builds(facts: ManifestFacts) -> Sequence[dict[str, JsonValue]]:
    return (
        build_image_to_video_manifest(facts, [STILL]),
        build_edit_manifest(facts, PARENT, changes=[Change("extended")], inputs=[STILL], components=[SECOND]),
        build_stamp_manifest(facts, PARENT),
        build_still_manifest(_still_facts(facts)),
    )


@pytest.mark.parametrize("which", range(4), ids=["image-to-video", "edit", "stamp", "still"])
def test_every_manifest_says_all_of_it(facts: ManifestFacts, which: int) -> None:
    manifest = _all_builds(facts)[which]

    assert json.loads(canonical_json(manifest)) == manifest
    assert _data(manifest, "c2pa.actions.v2")["allActionsIncluded"] is True
    assert _data(manifest, "c2pa.soft-binding")["blocks"][0]["value"] == "ABEiM0RVZv8="
    assert _data(manifest, "org.platemark.policy")["human_review"] is False
    assert _data(manifest, "org.platemark.ledger")["size"] == 3


@pytest.mark.parametrize("which", range(4), ids=["image-to-video", "edit", "stamp", "still"])
def test_no_manifest_holds_a_files_name(facts: ManifestFacts, which: int) -> None:
    written = json.dumps(_all_builds(facts)[which])

    assert not any(name in written for name in ("still.png", "clip.mp4", "other.mp4"))


def test_a_review_by_a_person_is_on_record_without_a_name(facts: ManifestFacts) -> None:
    reviewed = replace(facts, policy=replace(facts.policy, human_review=True))

    assert _data(build_stamp_manifest(reviewed, PARENT), "org.platemark.policy")["human_review"] is True


def test_a_label_that_was_there_before_is_described_and_not_claimed_as_drawn(facts: ManifestFacts) -> None:
    manifest = build_stamp_manifest(replace(facts, label=replace(facts.label, drawn=False)), PARENT)

    assert _names(manifest) == ["c2pa.opened", "c2pa.transcoded", "c2pa.watermarked.bound"]
    assert _data(manifest, "org.platemark.label")["text"] == facts.label.text


def test_a_stamped_clip_names_its_source_and_what_verifying_it_came_to(facts: ManifestFacts) -> None:
    manifest = build_stamp_manifest(replace(facts, source=SourceFacts("ab" * 32, "intact")), PARENT)

    assert _data(manifest, "org.platemark.generation")["source"] == {"sha256": "ab" * 32, "verdict": "intact"}


def test_a_source_without_a_real_hash_is_refused(facts: ManifestFacts) -> None:
    with pytest.raises(SigningError, match="source hash"):
        build_stamp_manifest(replace(facts, source=SourceFacts("ab", "intact")), PARENT)
