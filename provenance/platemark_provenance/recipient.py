"""Somebody who was given a copy of their own, as a report names them.

One rule: a value and nothing else; who finds it out is `ledger/recipients.py`.
"""

from dataclasses import dataclass

from platemark_provenance.digest import JsonValue


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who was given a copy of their own.

    Attributes:
        pseudonym: as the log has it.
        name: who it is, None where it was erased or cannot be opened here.
        clip_id: the copy.
        mark_id: the id in it, as 16 hexadecimal digits.
    """

    pseudonym: str
    name: str | None
    clip_id: str
    mark_id: str

    def to_json(self) -> dict[str, JsonValue]:
        """Give the four by name."""
        return {"pseudonym": self.pseudonym, "name": self.name, "clip_id": self.clip_id, "mark_id": self.mark_id}
