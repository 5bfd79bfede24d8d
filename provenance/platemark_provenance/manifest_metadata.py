"""Descriptive metadata in a manifest: which AI system made the picture, and, only where asked for, what people wrote.

One rule: what is personal stands in an assertion of its own, so that it can be redacted without touching anything else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.manifest_facts import MAX_NAME_CHARACTERS, ManifestFacts
from platemark_provenance.manifest_parts import Json, assertion
from platemark_provenance.plain_text import plain_text

METADATA_LABEL = "cawg.metadata"
"""Source: CAWG metadata 1.1, section 2 (JSON-LD with the contexts of the vocabularies used)."""

MAX_PROMPT_CHARACTERS = 2_000
MAX_CREATORS = 8

_CONTEXT: Json = {
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "dc": "http://purl.org/dc/elements/1.1/",
}
_PROMPT = "Iptc4xmpExt:AIPromptInformation"
_PROMPT_WRITER = "Iptc4xmpExt:AIPromptWriterName"
_CREATOR = "dc:creator"
_CONTRIBUTOR = "dc:contributor"
PERSONAL_FIELDS = frozenset({_PROMPT, _PROMPT_WRITER, _CREATOR, _CONTRIBUTOR})
"""The fields that make an assertion of metadata a personal one."""


@dataclass(frozen=True, slots=True)
class PersonalFacts:
    """What a manifest may say about people, where asked for: the prompt, who wrote it, the bylines, who approved."""

    prompt: str = ""
    prompt_writer: str = ""
    creators: tuple[str, ...] = ()
    contributors: tuple[str, ...] = ()


def ai_metadata(facts: ManifestFacts, source_type: str | None) -> Json:
    """Name the AI system in the fields photo desks read; what the whole clip is, only where that is known.

    Source: IPTC Photo Metadata Standard 2025.1, section on AI properties.
    """
    generator = facts.generator
    fields = {
        "Iptc4xmpExt:DigitalSourceType": source_type,
        "Iptc4xmpExt:AISystemUsed": plain_text(generator.model_name, MAX_NAME_CHARACTERS),
        "Iptc4xmpExt:AISystemVersionUsed": plain_text(generator.model_version, MAX_NAME_CHARACTERS),
    }
    return _metadata({name: text for name, text in fields.items() if text})


def with_personal_metadata(manifest: Mapping[str, JsonValue], personal: PersonalFacts) -> Json:
    """Copy a manifest definition and add what the caller wants to say about people.

    Everybody who gets the file can read it. `resigning.redact_personal` takes it out again, for copies made from then
    on.

    Raises:
        SigningError: there is nothing to say, a prompt too long to be one, or too many creators.
    """
    people = (*personal.creators, *personal.contributors)
    if len(personal.prompt) > MAX_PROMPT_CHARACTERS or len(people) > MAX_CREATORS:
        raise SigningError(
            f"A manifest takes a prompt of at most {MAX_PROMPT_CHARACTERS} characters and {MAX_CREATORS} creators; "
            f"got {len(personal.prompt)} and {len(people)}."
        )
    fields: Json = {
        _PROMPT: plain_text(personal.prompt, MAX_PROMPT_CHARACTERS),
        _PROMPT_WRITER: plain_text(personal.prompt_writer, MAX_NAME_CHARACTERS),
        _CREATOR: _shown(personal.creators),
        _CONTRIBUTOR: _shown(personal.contributors),
    }
    said: Json = {name: value for name, value in fields.items() if value}
    if not said:
        raise SigningError("Personal metadata needs a prompt, a prompt writer or a creator; all are empty.")
    assertions = manifest.get("assertions")
    earlier: Sequence[JsonValue] = assertions if isinstance(assertions, list) else []
    return {**manifest, "assertions": [*earlier, _metadata(said)]}


def _shown(names: Sequence[str]) -> list[JsonValue]:
    return [shown for each in names if (shown := plain_text(each, MAX_NAME_CHARACTERS))]


def _metadata(fields: Json) -> Json:
    """Give the assertion as JSON-LD, in a JSON box: any other kind is not CAWG metadata."""
    return {**assertion(METADATA_LABEL, {"@context": _CONTEXT, **fields}), "kind": "Json"}
