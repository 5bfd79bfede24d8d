"""Signed tree heads: a few lines of text that commit to every event before them.

One rule: pure functions of bytes and keys. Nothing here decides whether a tree may be signed; the ledger
does.

Source: C2SP tlog-checkpoint and signed-note (c2sp.org), with Ed25519 signatures (type 0x01).
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from platemark_provenance.errors import LedgerRequestError, VerificationError
from platemark_provenance.ledger.merkle import HASH_BYTES

LARGEST_NOTE_BYTES = 65_536
MOST_SIGNATURES = 64
"""The source asks readers to take at least 16."""
LONGEST_ORIGIN = 200

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_SIZE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head.

    Args:
        origin: the name of the log, such as "news.example/provenance".
        size: number of leaves.
        root: 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Give the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def check_origin(origin: str) -> None:
    """Refuse a name that cannot stand in a signed note.

    Raises:
        LedgerRequestError: it is empty, too long, or holds a space, a plus sign or a control character.
    """
    ok = 0 < len(origin) <= LONGEST_ORIGIN and origin.isprintable() and not re.search(r"[\s+]", origin)
    if not ok:
        raise LedgerRequestError(
            "The ledger's origin must be a short name without spaces or plus signs.",
            fix="For example news.example/provenance.",
        )


def verifier_key(origin: str, public_key: Ed25519PublicKey) -> str:
    """Spell a public key as other signed-note tools want it: `name+id+key`.

    Source: golang.org/x/mod/sumdb/note, "Verifying Notes".
    """
    key = base64.b64encode(_ED25519 + public_key.public_bytes_raw()).decode()
    return f"{origin}+{_key_id(origin, public_key).hex()}+{key}"


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """Write a checkpoint as a signed note. The same checkpoint and key give the same bytes."""
    text = checkpoint.text()
    signature = _key_id(checkpoint.origin, key.public_key()) + key.sign(text.encode())
    return f"{text}\n— {checkpoint.origin} {base64.b64encode(signature).decode()}\n".encode()


def open_checkpoint(note: bytes, public_key: Ed25519PublicKey, *, origin: str | None = None) -> Checkpoint:
    """Read a signed checkpoint and check that the key signed it; signatures of other keys are ignored.

    Args:
        note: the whole signed note.
        public_key: the log's key.
        origin: the log's name; None takes any name that this key signed for.

    Raises:
        VerificationError: the note is malformed, of another log, or not signed by this key.
    """
    text, names_and_signatures = _split_note(note)
    checkpoint = _parse_text(text)
    if origin is not None and checkpoint.origin != origin:
        raise VerificationError(f"The checkpoint should be of the log {origin} and is of {checkpoint.origin[:80]}.")
    wanted = _key_id(checkpoint.origin, public_key)
    ours = [
        signature[_KEY_ID_BYTES:]
        for name, signature in names_and_signatures
        if name == checkpoint.origin and signature[:_KEY_ID_BYTES] == wanted
    ]
    if not ours:
        raise VerificationError("The checkpoint is not signed by the ledger's key.")
    for signature in ours:
        try:
            public_key.verify(signature, text.encode())
        except InvalidSignature as error:
            raise VerificationError("The checkpoint's signature does not match its text.") from error
    return checkpoint


def _key_id(name: str, public_key: Ed25519PublicKey) -> bytes:
    """Source: C2SP signed-note, "Signatures"."""
    material = name.encode() + b"\n" + _ED25519 + public_key.public_bytes_raw()
    return hashlib.sha256(material).digest()[:_KEY_ID_BYTES]


def _split_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """Cut a note into its text and its signatures, each with the name of its key."""
    if len(note) > LARGEST_NOTE_BYTES:
        raise VerificationError(f"A signed note has at most {LARGEST_NOTE_BYTES} bytes; this one has {len(note)}.")
    try:
        decoded = note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationError("A signed note should be UTF-8 text and is not.") from error
    if any(character < " " and character != "\n" for character in decoded):
        raise VerificationError("A signed note holds no control characters but line ends; this one does.")
    text, blank, signatures = decoded.rpartition("\n\n")
    lines = signatures.split("\n")
    if not blank or lines.pop() != "" or not 1 <= len(lines) <= MOST_SIGNATURES:
        raise VerificationError("A signed note should end with a blank line and its signatures.")
    return text + "\n", [_parse_signature(line) for line in lines]


def _parse_signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    signature = decode_base64(encoded, what="signature")
    if dash != "—" or not name or len(signature) <= _KEY_ID_BYTES:
        raise VerificationError("A signature line of a note should be a dash, a name and a signature.")
    return name, signature


def _parse_text(text: str) -> Checkpoint:
    origin, _, rest = text.partition("\n")
    size, _, rest = rest.partition("\n")
    root, _, extensions = rest.partition("\n")
    digest = decode_base64(root, what="root")
    # Extension lines are signed text nobody can audit; ours have none, so one that has is not ours.
    if not origin or not _SIZE.fullmatch(size) or len(digest) != HASH_BYTES or extensions:
        raise VerificationError("A checkpoint should be three lines: origin, size and root.")
    return Checkpoint(origin, int(size), digest)


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
