"""A clip as schema.org JSON-LD, for the page that shows it.

One rule: a page is read by everybody, so a withdrawn clip says so in its name as well as in its status.

Source: schema.org VideoObject, ImageObject, digitalSourceType, creativeWorkStatus and correction.
"""

import json

from platemark.newsroom.facts import ExportFacts, iso
from platemark.newsroom.vmh import ai_fields
from platemark_provenance.digest import JsonValue

_DIGITAL_SOURCES = {
    "trainedAlgorithmicMedia": "TrainedAlgorithmicMediaDigitalSource",
    "compositeWithTrainedAlgorithmicMedia": "CompositeWithTrainedAlgorithmicMediaDigitalSource",
    "algorithmicMedia": "AlgorithmicMediaDigitalSource",
}
"""IPTC's terms in schema.org's words, where it has one. Source: schema.org IPTCDigitalSourceEnumeration."""


def write_json_ld(facts: ExportFacts) -> bytes:
    """Write the object for a page's `application/ld+json`."""
    file, names, withdrawn = facts.rendition, facts.names, facts.withdrawn
    identifiers = {
        "sha256": file.sha256,
        "c2pa-manifest": facts.manifest_label,
        facts.watermark_alg: facts.watermark_id,
    }
    item: dict[str, JsonValue] = {
        "@context": "https://schema.org",
        "@type": "VideoObject" if facts.kind == "clip" else "ImageObject",
        "@id": facts.uri,
        "name": facts.title if withdrawn is None else f"WITHDRAWN: {facts.title}",
        "description": facts.note,
        "dateCreated": iso(facts.made_at),
        "uploadDate": iso(facts.published_at),
        "dateModified": iso(facts.changed_at),
        "creativeWorkStatus": "Published" if withdrawn is None else "Withdrawn",
        "publisher": {"@type": "Organization", "name": facts.publisher},
        "digitalSourceType": _source(facts),
        "encodingFormat": file.mime,
        "contentSize": f"{file.size_bytes} B",
        "sha256": file.sha256,
        "width": {"@type": "QuantitativeValue", "value": file.width, "unitCode": "E37"},
        "height": {"@type": "QuantitativeValue", "value": file.height, "unitCode": "E37"},
        "identifier": [_property(name, value) for name, value in identifiers.items()],
        "additionalProperty": [
            _property("visibleLabel", facts.label),
            *(_property(name, value) for name, value in ai_fields(facts).items()),
        ],
    }
    if file.duration_s is not None:
        item["duration"] = f"PT{file.duration_s:g}S"
    if withdrawn is not None:
        item["expires"] = iso(withdrawn.at)
    if facts.corrections:
        item["correction"] = [
            {"@type": "CorrectionComment", "text": each.reason, "datePublished": iso(each.at)}
            for each in facts.corrections
        ]
    if names and names.byline:
        item["author"] = {"@type": "Person", "name": names.byline}
    if names and names.approvers:
        item["editor"] = [{"@type": "Person", "name": each} for each in names.approvers]
    return (json.dumps(item, ensure_ascii=False, indent=2) + "\n").encode()


def _source(facts: ExportFacts) -> str:
    known = _DIGITAL_SOURCES.get(facts.source_type)
    return f"https://schema.org/{known}" if known else facts.source_uri


def _property(name: str, value: JsonValue) -> JsonValue:
    return {"@type": "PropertyValue", "propertyID": name, "value": value}
