"""Metadata names the AI system always, and people only where somebody asked for it, in a part of their own."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.manifest import TRAINED_ALGORITHMIC_MEDIA, ManifestFacts, build_text_to_video_manifest
from platemark_provenance.manifest_metadata import (
    MAX_CREATORS,
    MAX_PROMPT_CHARACTERS,
    PERSONAL_FIELDS,
    PersonalFacts,
    with_personal_metadata,
)

Manifest = dict[str, JsonValue]


def _metadata(manifest: Mapping[str, JsonValue]) -> list[dict[str, Any]]:
    assertions = manifest["assertions"]
    assert isinstance(assertions, list)
    return [each["data"] for each in assertions if each["label"] == "cawg.metadata"]


def test_the_ai_system_stands_in_the_fields_photo_desks_read(manifest: Manifest) -> None:
    (fields,) = _metadata(manifest)

    assert fields["Iptc4xmpExt:AISystemUsed"] == "small world"
    assert fields["Iptc4xmpExt:AISystemVersionUsed"] == "2"
    assert fields["Iptc4xmpExt:DigitalSourceType"] == TRAINED_ALGORITHMIC_MEDIA


def test_every_field_has_its_vocabulary_in_the_context(manifest: Manifest) -> None:
    (fields,) = _metadata(with_personal_metadata({"assertions": []}, PersonalFacts("p", "w", ("c",))))

    prefixes = {name.split(":")[0] for name in fields if name != "@context"}
    assert prefixes <= set(fields["@context"])


def test_a_system_without_a_version_has_no_empty_field(facts: ManifestFacts) -> None:
    nameless = replace(facts, generator=replace(facts.generator, model_version=""))

    (fields,) = _metadata(build_text_to_video_manifest(nameless))

    assert "Iptc4xmpExt:AISystemVersionUsed" not in fields


def test_nothing_personal_is_in_a_manifest_nobody_asked_it_for(manifest: Manifest) -> None:
    assert not any(field in json.dumps(manifest) for field in PERSONAL_FIELDS)


def test_personal_facts_stand_in_a_part_of_their_own(manifest: Manifest) -> None:
    personal = with_personal_metadata(manifest, PersonalFacts("a city", "Kim Ji-woo", ("Lee Min", "Kim Ji-woo")))

    system, people = _metadata(personal)
    assert not PERSONAL_FIELDS & set(system)
    assert people["Iptc4xmpExt:AIPromptInformation"] == "a city"
    assert people["Iptc4xmpExt:AIPromptWriterName"] == "Kim Ji-woo"
    assert people["dc:creator"] == ["Lee Min", "Kim Ji-woo"]


def test_adding_personal_facts_leaves_the_first_definition_alone(manifest: Manifest) -> None:
    before = json.dumps(manifest)

    with_personal_metadata(manifest, PersonalFacts(prompt="a city"))

    assert json.dumps(manifest) == before


@pytest.mark.parametrize(
    "personal",
    [
        PersonalFacts(),
        PersonalFacts(prompt="\u200b", creators=("", "\x00")),
        PersonalFacts(prompt="a" * (MAX_PROMPT_CHARACTERS + 1)),
        PersonalFacts(creators=("a",) * (MAX_CREATORS + 1)),
    ],
    ids=["nothing", "nothing that can be seen", "a long prompt", "a crowd"],
)
def test_personal_facts_that_say_nothing_or_far_too_much_are_refused(
    manifest: Manifest, personal: PersonalFacts
) -> None:
    with pytest.raises(SigningError):
        with_personal_metadata(manifest, personal)


@given(st.text(max_size=MAX_PROMPT_CHARACTERS))
def test_no_prompt_brings_invisible_characters_into_a_manifest(prompt: str) -> None:
    (fields,) = _metadata(with_personal_metadata({}, PersonalFacts(prompt=prompt, prompt_writer="someone")))

    shown = fields.get("Iptc4xmpExt:AIPromptInformation", "")
    assert not any(each in shown for each in "\x00\u202e\u2066\x1b\u200b")
