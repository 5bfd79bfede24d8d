"""A clip as a NewsML-G2 2.35 news item, conformance power.

One rule: elements stand in the order of the schema, and text is put in by the XML library alone.

Source: IPTC NewsML-G2 2.35 XML Schema (digitalSourceType since 2.33).
"""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from platemark.newsroom.facts import ExportFacts, iso
from platemark.newsroom.vmh import ai_fields

NAMESPACE = "http://iptc.org/std/nar/2006-10-01/"
VERSION = "2.35"
CATALOG = "http://www.iptc.org/std/catalog/catalog.IPTC-G2-Standards_40.xml"


def write_newsml_g2(facts: ExportFacts) -> bytes:
    """Write the news item; a withdrawn clip has the status `canceled`."""
    item = Element(
        "newsItem",
        {
            "xmlns": NAMESPACE,
            "guid": facts.uri,
            "version": facts.version,
            "standard": "NewsML-G2",
            "standardversion": VERSION,
            "conformance": "power",
            "xml:lang": facts.language,
        },
    )
    SubElement(item, "catalogRef", {"href": CATALOG})
    _item_meta(SubElement(item, "itemMeta"), facts)
    _content_meta(SubElement(item, "contentMeta"), facts)
    _remote(SubElement(item, "contentSet"), facts)
    indent(item)
    body: bytes = tostring(item, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _item_meta(meta: Element, facts: ExportFacts) -> None:
    SubElement(meta, "itemClass", {"qcode": "ninat:video" if facts.kind == "clip" else "ninat:picture"})
    _named(meta, "provider", facts.publisher)
    _text(meta, "versionCreated", iso(facts.changed_at))
    _text(meta, "firstCreated", iso(facts.published_at))
    SubElement(meta, "pubStatus", {"qcode": "stat:usable" if facts.withdrawn is None else "stat:canceled"})
    _text(meta, "fileName", facts.rendition.name)
    _text(meta, "title", facts.title)
    _text(meta, "edNote", facts.note)


def _content_meta(meta: Element, facts: ExportFacts) -> None:
    _text(meta, "contentCreated", iso(facts.made_at))
    SubElement(meta, "digitalSourceType", {"uri": facts.source_uri})
    names = facts.names
    if names and names.byline:
        _named(meta, "creator", names.byline)
    for each in names.approvers if names else ():
        _named(meta, "contributor", each, role="approver")
    ids = {"c2pa-manifest": facts.manifest_label, facts.watermark_alg: facts.watermark_id}
    for kind, value in ids.items():
        SubElement(meta, "altId", {"typeuri": f"urn:platemark:id:{kind}"}).text = value
    SubElement(meta, "language", {"tag": facts.language})
    if names and names.byline:
        _text(meta, "by", names.byline)
    _text(meta, "headline", facts.title)
    for name, said in ai_fields(facts).items():
        SubElement(meta, "description", {"roleuri": f"urn:platemark:role:{name}"}).text = str(said)


def _remote(content: Element, facts: ExportFacts) -> None:
    file = facts.rendition
    attributes = {
        "href": file.name,
        "contenttype": file.mime,
        "size": str(file.size_bytes),
        "width": str(file.width),
        "height": str(file.height),
    }
    if file.duration_s is not None and file.fps is not None:
        # Whole seconds would make half a second none: the length is told in milliseconds.
        attributes["duration"] = str(round(file.duration_s * 1000))
        attributes["durationunit"] = "timeunit:milliseconds"
        attributes["videoframerate"] = f"{file.fps:g}"
    remote = SubElement(content, "remoteContent", attributes)
    SubElement(remote, "hash", {"hashtypeuri": "http://www.w3.org/2001/04/xmlenc#sha256"}).text = file.sha256


def _named(parent: Element, tag: str, name: str, role: str | None = None) -> None:
    attributes = {"literal": name} if role is None else {"literal": name, "roleuri": f"urn:platemark:role:{role}"}
    SubElement(SubElement(parent, tag, attributes), "name").text = name


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text
