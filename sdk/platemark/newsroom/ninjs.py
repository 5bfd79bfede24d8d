"""A clip as an IPTC ninjs 3.1 item.

One rule: only the standard's own properties. It has no place for a hash or an AI system, so these stand under
`altIds` and `infoSources`, with a role that says what they are.

Source: IPTC ninjs 3.1 JSON Schema.
"""

import json

from platemark.newsroom.facts import ExportFacts, iso
from platemark_provenance.digest import JsonValue

SCHEMA = "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#"
AI_SYSTEM_ROLE = "AISystemUsed"
AI_VERSION_ROLE = "AISystemVersionUsed"


def write_ninjs(facts: ExportFacts) -> bytes:
    """Write the item; a withdrawn clip is `canceled`."""
    file = facts.rendition
    rendition: dict[str, JsonValue] = {
        "name": "main",
        "contentType": file.mime,
        "width": file.width,
        "height": file.height,
        "sizeInBytes": file.size_bytes,
    }
    moving = {"duration": file.duration_s, "frameRate": file.fps, "videoCodec": file.codec}
    rendition.update({name: value for name, value in moving.items() if value is not None})
    item: dict[str, JsonValue] = {
        "uri": facts.uri,
        "standard": {"name": "ninjs", "version": "3.1", "schema": SCHEMA},
        "type": "video" if facts.kind == "clip" else "picture",
        "representationType": "full",
        "version": facts.version,
        "contentCreated": iso(facts.made_at),
        "firstCreated": iso(facts.published_at),
        "versionCreated": iso(facts.changed_at),
        "pubStatus": "usable" if facts.withdrawn is None else "canceled",
        "edNote": facts.note,
        "language": facts.language,
        "headlines": [{"role": "main", "value": facts.title}],
        "digitalSourceType": {"name": facts.source_type, "uri": facts.source_uri},
        "infoSources": [*_sources(facts)],
        "altIds": [
            {"role": "sha256", "value": file.sha256},
            {"role": "c2pa-manifest", "value": facts.manifest_label},
            {"role": facts.watermark_alg, "value": facts.watermark_id},
        ],
        "renditions": [rendition],
        **_people(facts),
    }
    return (json.dumps(item, ensure_ascii=False, indent=2) + "\n").encode()


def _sources(facts: ExportFacts) -> list[JsonValue]:
    said = ((AI_SYSTEM_ROLE, facts.ai_system), (AI_VERSION_ROLE, facts.ai_system_version))
    ai: list[JsonValue] = [{"role": role, "name": name} for role, name in said if name]
    return [{"role": "publisher", "name": facts.publisher}, *ai]


def _people(facts: ExportFacts) -> dict[str, JsonValue]:
    names = facts.names
    if names is None:
        return {}
    by: dict[str, JsonValue] = {"by": names.byline} if names.byline else {}
    people: list[JsonValue] = [{"rel": "approver", "name": each} for each in names.approvers]
    people += [{"rel": "AIPromptWriterName", "name": names.prompt_writer}] if names.prompt_writer else []
    said: dict[str, JsonValue] = {}
    if names.prompt:
        said["descriptions"] = [{"role": "AIPromptInformation", "value": names.prompt}]
    return {**by, **({"people": people} if people else {}), **said}
