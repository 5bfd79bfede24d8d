"""A clip as a MOS object, as a media server tells a newsroom computer system of it.

One rule: the elements and their order are the protocol's; what it has no place for is external metadata.

Source: MOS Protocol 2.8.5, sections 3.1.2 (mosObj) and 5 (mosExternalMetadata).
"""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from platemark.newsroom.facts import ExportFacts, iso
from platemark.newsroom.vmh import ai_fields

MOS_ID = "platemark"
SCHEMA = "urn:platemark:mos:1"
_TB_STILL = 1
_LONGEST_SLUG = 128
"""Characters. Source: MOS Protocol 2.8.5, objSlug."""


def write_mos(facts: ExportFacts) -> bytes:
    """Write the `mosObj` message; a withdrawn clip is deleted in the newsroom system and not ready for air."""
    file, names = facts.rendition, facts.names
    root = Element("mos")
    _text(root, "mosID", MOS_ID)
    _text(root, "ncsID", "ncs")
    _text(root, "messageID", "1")
    item = SubElement(root, "mosObj")
    slug = facts.title if facts.withdrawn is None else f"WITHDRAWN {facts.title}"
    who = (names.byline if names else None) or facts.publisher
    for tag, text in (
        ("objID", facts.clip_id),
        ("objSlug", slug[:_LONGEST_SLUG]),
        ("mosAbstract", facts.note),
        ("objType", "VIDEO" if facts.kind == "clip" else "STILL"),
        ("objTB", f"{file.fps:g}" if file.fps else str(_TB_STILL)),
        ("objRev", facts.version),
        ("objDur", str(file.frames or 0)),
        ("status", "NEW" if facts.withdrawn is None else "DELETED"),
        ("objAir", "READY" if facts.withdrawn is None else "NOT READY"),
    ):
        _text(item, tag, text)
    path = SubElement(SubElement(item, "objPaths"), "objPath", {"techDescription": file.mime})
    path.text = file.name
    _text(item, "createdBy", who)
    _text(item, "created", iso(facts.made_at))
    _text(item, "changedBy", facts.publisher)
    _text(item, "changed", iso(facts.changed_at))
    _text(item, "description", facts.note)
    _external(item, facts)
    indent(root)
    body: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _external(item: Element, facts: ExportFacts) -> None:
    external = SubElement(item, "mosExternalMetadata")
    _text(external, "mosScope", "OBJECT")
    _text(external, "mosSchema", SCHEMA)
    payload = SubElement(external, "mosPayload")
    file = facts.rendition
    said: dict[str, object] = {
        "MediaTime": file.duration_s,
        "DigitalSourceType": facts.source_uri,
        **ai_fields(facts),
        "VisibleLabel": facts.label,
        "WatermarkAlgorithm": facts.watermark_alg,
        "WatermarkID": facts.watermark_id,
        "C2PAManifest": facts.manifest_label,
        "Width": file.width,
        "Height": file.height,
        "SizeBytes": file.size_bytes,
        "SHA256": file.sha256,
        "Corrected": iso(facts.corrections[-1].at) if facts.corrections else None,
        "Withdrawn": iso(facts.withdrawn.at) if facts.withdrawn else None,
    }
    for tag, value in said.items():
        if value is not None:
            _text(payload, tag, str(value))
    for each in facts.names.approvers if facts.names else ():
        _text(payload, "Approver", each)


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text
