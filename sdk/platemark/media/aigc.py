"""China's `AIGC` statement: the small JSON object that its labelling rules ask for in a file's metadata.

One rule: pure; what a file says is taken for hostile, and a field of the wrong form makes the statement unreadable.

Source: GB 45438-2025 (labelling methods for AI-generated content), implicit labels in file metadata; field names as
written by the publicly available packages that implement it. Needs legal review.
"""

import json
from dataclasses import dataclass
from typing import Literal, get_args

from platemark.errors import RequestError

AigcLabel = Literal["1", "2", "3"]
"""1: generated; 2: maybe generated; 3: suspected to be generated."""

TAG = "AIGC"
"""The name of the container tag."""
MAX_STATEMENT_CHARACTERS = 4096
_MAX_FIELD_CHARACTERS = 256
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
