"""Signed notes: a text and the lines of those who signed it.

One rule: pure functions of bytes. What a line proves is for the modules that know its kind of signature.

Source: C2SP signed-note (c2sp.org/signed-note), sections "Format", "Signatures" and "Verifier keys".
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from platemark_provenance.errors import VerificationError

LARGEST_NOTE_BYTES = 65_536
MOST_SIGNATURES = 64
"""The source asks readers to take at least 16."""
LONGEST_NAME = 200
LONGEST_VERIFIER_KEY = 4_096
"""An ML-DSA-44 key has 1,312 bytes, 1,752 characters in base64."""

ED25519 = 0x01
ED25519_COSIGNATURE = 0x04
ML_DSA_44_COSIGNATURE = 0x06
KEY_ID_BYTES = 4

_SPACES = re.compile(r"[\s+]")
_KEY_BYTES = {ED25519: 32, ED25519_COSIGNATURE: 32, ML_DSA_44_COSIGNATURE: 1_312}


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature of a note, not checked.

    Args:
        name: of the key.
        key_id: 4 bytes that tell keys of one name apart.
        signature: what the key's algorithm made.
    """

    name: str
    key_id: bytes
    signature: bytes

    def text(self) -> str:
        """Spell the line, with its end."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note, taken apart and not checked.

    Args:
        text: what was signed, with its last line end.
        lines: the signatures.
    """

    text: str
    lines: tuple[SignatureLine, ...]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key as signed-note tools hand it on: `name+id+key`.

    Args:
        name: of the key.
        kind: which kind of signature it checks, one byte.
        key: its bytes.
    """

    name: str
    kind: int
    key: bytes

    @property
    def key_id(self) -> bytes:
        """Give the 4 bytes that its signatures begin with."""
        return key_id(self.name, self.kind, self.key)

    def text(self) -> str:
        """Spell it."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.kind]) + self.key).decode()}"


def is_key_name(name: str) -> bool:
    """Say whether a name can stand in a signature line."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and not _SPACES.search(name)


def key_id(name: str, kind: int, key: bytes) -> bytes:
    """Source: C2SP signed-note, "Signatures": the first 4 bytes of SHA-256(name || 0x0A || kind || key)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:KEY_ID_BYTES]


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a public key in the spelling `name+id+key`.

    Raises:
        VerificationError: it is not one, its id is not its own, or its kind is unknown here.
    """
    wrong = "A verifier key should be a name, 8 hexadecimal digits and a key in base64, with + between them."
    name, _, rest = text.strip().partition("+")
    digits, _, encoded = rest.partition("+")
    if len(text) > LONGEST_VERIFIER_KEY or not is_key_name(name) or not encoded:
        raise VerificationError(wrong, fix="Ask whoever runs it for the whole line.")
    content = decode_base64(encoded, what="verifier key")
    found = VerifierKey(name, content[0], content[1:]) if content else None
    if found is None or found.key_id.hex() != digits:
        raise VerificationError(wrong, fix="Ask whoever runs it for the whole line.")
    if len(found.key) != _KEY_BYTES.get(found.kind):
        raise VerificationError(f"The verifier key of {name} is of a kind that is not known here ({found.kind}).")
    return found


def split_note(note: bytes) -> Note:
    """Cut a note into its text and its signatures.

    Raises:
        VerificationError: it is too long, holds control characters, or has no signatures, or too many.
    """
    if len(note) > LARGEST_NOTE_BYTES:
        raise VerificationError(f"A signed note has at most {LARGEST_NOTE_BYTES} bytes; this one has {len(note)}.")
    text, blank, signatures = _decoded(note).rpartition("\n\n")
    if not blank:
        raise VerificationError("A signed note should end with a blank line and its signatures.")
    return Note(text + "\n", parse_lines(signatures))


def parse_lines(text: str) -> tuple[SignatureLine, ...]:
    """Read signature lines.

    Raises:
        VerificationError: one is malformed, or there are none or too many.
    """
    lines = text.split("\n")
    if lines.pop() != "" or not 1 <= len(lines) <= MOST_SIGNATURES:
        raise VerificationError("A signed note should end with a blank line and its signatures.")
    return tuple(_parse_line(line) for line in lines)


def read_lines(content: bytes) -> tuple[SignatureLine, ...]:
    """Read signature lines that came alone, as bytes; see `parse_lines`."""
    if len(content) > LARGEST_NOTE_BYTES:
        raise VerificationError(f"Signatures have at most {LARGEST_NOTE_BYTES} bytes; these have {len(content)}.")
    return parse_lines(_decoded(content))


def with_lines(note: bytes, lines: Sequence[SignatureLine]) -> bytes:
    """Add signatures to a note, each once."""
    spelled = note.decode("utf-8")
    for line in lines:
        if f"\n{line.text()}" not in spelled:
            spelled += line.text()
    return spelled.encode()


def decode_base64(encoded: str, *, what: str) -> bytes:
    """Decode standard base64 that has one spelling only.

    Raises:
        VerificationError: it is not, or has stray bits or characters.
    """
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationError(f"The {what} should be base64 and is not.") from error
    if base64.b64encode(decoded).decode() != encoded:
        raise VerificationError(f"The {what} should be base64 without stray bits.")
    return decoded


def _decoded(content: bytes) -> str:
    try:
        decoded = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationError("A signed note should be UTF-8 text and is not.") from error
    if any(character < " " and character != "\n" for character in decoded):
        raise VerificationError("A signed note holds no control characters but line ends; this one does.")
    return decoded


def _parse_line(line: str) -> SignatureLine:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    signature = decode_base64(encoded, what="signature")
    if dash != "—" or not name or len(signature) <= KEY_ID_BYTES:
        raise VerificationError("A signature line of a note should be a dash, a name and a signature.")
    return SignatureLine(name, signature[:KEY_ID_BYTES], signature[KEY_ID_BYTES:])
