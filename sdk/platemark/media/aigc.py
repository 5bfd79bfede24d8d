"""China's `AIGC` statement: the small JSON object that its labelling rules ask for in a file's metadata.

One rule: pure; what a file says is taken for hostile, and a field of the wrong form makes the statement unreadable.

Source: GB 45438-2025 (labelling methods for AI-generated content), implicit labels in file metadata; field names as
written by the publicly available packages that implement it. Needs legal review.
"""

import json
import re
from dataclasses import dataclass
from html import escape, unescape
from typing import Literal, get_args

from platemark.errors import RequestError

AigcLabel = Literal["1", "2", "3"]
"""1: generated; 2: maybe generated; 3: suspected to be generated."""

TAG = "AIGC"
"""The name of the container tag."""
XMP_NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
"""The namespace of the same statement in XMP, with the prefix TC260."""
MAX_STATEMENT_CHARACTERS = 4096
MAX_XMP_CHARACTERS = 65_536
_MAX_FIELD_CHARACTERS = 256
_PREFIX = re.compile(rf"xmlns:([A-Za-z_][A-Za-z0-9_.-]{{0,40}})\s{{0,9}}=\s{{0,9}}[\"']{re.escape(XMP_NAMESPACE)}[\"']")
_KEYS = {
    "label": "Label",
    "producer": "ContentProducer",
    "produce_id": "ProduceID",
    "reserved_1": "ReservedCode1",
    "propagator": "ContentPropagator",
    "propagate_id": "PropagateID",
    "reserved_2": "ReservedCode2",
}


@dataclass(frozen=True, slots=True)
class AigcStatement:
    """Who made the content, under which number, and who passed it on.

    Args:
        label: "1" for generated content.
        producer: the provider's name or code.
        produce_id: the provider's own number for the clip.
        propagator: who passed it on; empty until somebody did.
        propagate_id: the propagator's own number.
        reserved_1: for the producer's own use, such as a checksum.
        reserved_2: for the propagator's own use.

    Raises:
        RequestError: another label, or a field of over 256 characters.
    """

    label: AigcLabel
    producer: str
    produce_id: str
    propagator: str = ""
    propagate_id: str = ""
    reserved_1: str = ""
    reserved_2: str = ""

    def __post_init__(self) -> None:
        if self.label not in get_args(AigcLabel):
            raise RequestError(f"An AIGC label is 1, 2 or 3; got {self.label!r:.20}.")
        longest = max(len(getattr(self, name)) for name in _KEYS)
        if longest > _MAX_FIELD_CHARACTERS:
            raise RequestError(f"A field of an AIGC statement has at most {_MAX_FIELD_CHARACTERS} characters.")

    def to_text(self) -> str:
        """Give the statement as it is written into a file."""
        return json.dumps({key: getattr(self, name) for name, key in _KEYS.items()}, ensure_ascii=False)


def to_xmp(statement: AigcStatement) -> str:
    """Give the XMP packet that says the same.

    Source: XMP Specification Part 1, section 7 (serialisation); namespace and property as in public implementations.
    """
    said = escape(statement.to_text(), quote=False)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:TC260="{XMP_NAMESPACE}"><TC260:AIGC>{said}</TC260:AIGC>'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )


def read_xmp(packet: str) -> AigcStatement | None:
    """Read the statement out of an XMP packet, as an element or an attribute; None where there is none."""
    prefixes = _PREFIX.findall(packet[:MAX_XMP_CHARACTERS])
    for prefix in dict.fromkeys(prefixes):
        name = f"{re.escape(prefix)}:AIGC"
        found = re.search(
            rf"<{name}>([^<]*)</{name}>|\b{name}=\"([^\"]*)\"|\b{name}='([^']*)'", packet[:MAX_XMP_CHARACTERS]
        )
        if found is not None:
            return read_statement(unescape(next(each for each in found.groups() if each is not None)))
    return None


def read_statement(text: str) -> AigcStatement | None:
    """Read a statement; None where it is not one."""
    if len(text) > MAX_STATEMENT_CHARACTERS:
        return None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    values = {name: fields.get(key, "") for name, key in _KEYS.items()}
    if not all(isinstance(value, str) for value in values.values()):
        return None
    try:
        return AigcStatement(**values)
    except RequestError:
        return None
