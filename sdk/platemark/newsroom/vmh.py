"""A clip as IPTC Video Metadata Hub JSON.

One rule: the hub's own properties where it has them; the AI fields of IPTC 2025.1, which its JSON schema does not have
yet, and what only platemark knows stand in sets of their own beside them, as the schema allows.

Source: IPTC Video Metadata Hub 1.5 JSON Schema; IPTC Photo Metadata Standard 2025.1, AI properties.
"""

import json

from platemark.newsroom.facts import SOURCE_TYPES, ExportFacts, iso
from platemark_provenance.digest import JsonValue


def write_vmh(facts: ExportFacts) -> bytes:
    """Write the metadata of one asset, a list with one entry as the schema asks."""
    file, names = facts.rendition, facts.names
    hub: dict[str, JsonValue] = {
        "identifier": facts.uri,
        "dateCreated": iso(facts.made_at),
        "dateReleased": iso(facts.published_at),
        "dateModified": iso(facts.changed_at),
        "releaseReady": facts.withdrawn is None,
        "title": {"en": facts.title},
        "description": {"en": facts.note},
        "language": facts.language,
        "supplier": {"name": {"en": facts.publisher}},
        "copyrightOwners": [{"name": {"en": facts.publisher}}],
        "digitalSourceType": {
            "cvId": SOURCE_TYPES,
            "cvTermId": facts.source_uri,
            "cvTermName": {"en": facts.source_type},
        },
        "fileFormat": {"name": {"en": file.mime}},
        "mediaType": file.mime,
        "frameSize": {"widthPixels": file.width, "heightPixels": file.height},
    }
    if file.codec:
        hub["videoCoding"] = {"name": {"en": file.codec}}
    if file.fps:
        hub["videoFrameRate"] = file.fps
    if names and names.byline:
        hub["creators"] = [{"name": {"en": names.byline}}]
    if names and names.approvers:
        hub["contributors"] = [{"name": {"en": each}, "role": ["approver"]} for each in names.approvers]
    entry: dict[str, JsonValue] = {
        "photoVideoMetadataIPTC": hub,
        "photoVideoMetadata_IPTC_AI": ai_fields(facts),
        "photoVideoMetadata_platemark": {
            "sha256": file.sha256,
            "sizeBytes": file.size_bytes,
            "durationSeconds": file.duration_s,
            "visibleLabel": facts.label,
            "watermark": {"alg": facts.watermark_alg, "id": facts.watermark_id},
            "manifest": facts.manifest_label,
            "corrections": [each.to_json() for each in facts.corrections],
            "withdrawn": None if facts.withdrawn is None else facts.withdrawn.to_json(),
        },
    }
    return (json.dumps([entry], ensure_ascii=False, indent=2) + "\n").encode()


def ai_fields(facts: ExportFacts) -> dict[str, JsonValue]:
    """Give the AI fields of IPTC 2025.1: the system always, what a person wrote only where names were asked for."""
    names = facts.names
    fields = {
        "AISystemUsed": facts.ai_system,
        "AISystemVersionUsed": facts.ai_system_version,
        "AIPromptInformation": names.prompt if names else None,
        "AIPromptWriterName": names.prompt_writer if names else None,
    }
    return {name: value for name, value in fields.items() if value}
