"""What a log asks of a witness, as bytes: the old size, the proof, the new checkpoint.

One rule: pure functions; every byte was chosen by a stranger.

Source: C2SP tlog-witness (c2sp.org/tlog-witness), "add-checkpoint".
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger.merkle import HASH_BYTES
from platemark_provenance.ledger.note import LARGEST_NOTE_BYTES, decode_base64

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
MOST_PROOF_LINES = 63
LARGEST_REQUEST_BYTES = LARGEST_NOTE_BYTES + 4_096
"""The note, a first line, and 63 hashes of 45 characters."""

_OLD = re.compile(r"old (0|[1-9]\d{0,18})", re.ASCII)
_SIZE = re.compile(rb"(0|[1-9]\d{0,18})\n")


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request for a cosignature.

    Args:
        old_size: of the last tree that the witness cosigned, as far as the log knows; 0 for none.
        proof: shows that tree to be the beginning of the new one.
        note: the new checkpoint, signed by the log.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes

    def to_bytes(self) -> bytes:
        """Spell it."""
        lines = [f"old {self.old_size}", *(base64.b64encode(item).decode() for item in self.proof)]
        return "\n".join(lines).encode() + b"\n\n" + self.note

    @classmethod
    def parse(cls, content: bytes) -> "AddCheckpoint":
        """Read it.

        Raises:
            VerificationError: it is too long, has too many lines, or one of them is malformed.
        """
        if len(content) > LARGEST_REQUEST_BYTES:
            raise VerificationError(f"A request has at most {LARGEST_REQUEST_BYTES} bytes.")
        head, blank, note = content.partition(b"\n\n")
        try:
            old, *proof = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise VerificationError("A request should begin with plain lines and does not.") from error
        match = _OLD.fullmatch(old)
        if not blank or match is None:
            raise VerificationError("A request should be an old size, a proof, an empty line and a checkpoint.")
        if len(proof) > MOST_PROOF_LINES:
            raise VerificationError(f"A proof has at most {MOST_PROOF_LINES} lines; this one has {len(proof)}.")
        return cls(int(match[1]), _hashes(proof), note)


def parse_size(content: bytes) -> int:
    """Read the size that a witness names when it knows another one.

    Raises:
        VerificationError: it is no size.
    """
    match = _SIZE.fullmatch(content)
    if match is None:
        raise VerificationError("A witness that knows another size should name it and does not.")
    return int(match[1])


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    hashes = tuple(decode_base64(line, what="proof") for line in lines)
    if any(len(item) != HASH_BYTES for item in hashes):
        raise VerificationError(f"A proof holds hashes of {HASH_BYTES} bytes.")
    return hashes
