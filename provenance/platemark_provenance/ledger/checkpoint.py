"""Signed tree heads: a few lines of text that commit to every event before them.

One rule: pure functions of bytes and keys. Nothing here decides whether a tree may be signed; the ledger
does.

Source: C2SP tlog-checkpoint and signed-note (c2sp.org), with Ed25519 signatures (type 0x01).
"""

import base64
import re
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from platemark_provenance.errors import LedgerRequestError, VerificationError
from platemark_provenance.ledger.merkle import HASH_BYTES
from platemark_provenance.ledger.note import (
    ED25519,
    LARGEST_NOTE_BYTES,
    LONGEST_NAME,
    MOST_SIGNATURES,
    SignatureLine,
    VerifierKey,
    decode_base64,
    is_key_name,
    key_id,
    split_note,
)

__all__ = [
    "LARGEST_NOTE_BYTES",
    "LONGEST_ORIGIN",
    "MOST_SIGNATURES",
    "Checkpoint",
    "LogKey",
    "LogKeys",
    "Verifiers",
    "check_origin",
    "decode_base64",
    "open_checkpoint",
    "read_checkpoint",
    "sign_checkpoint",
    "verifier_key",
]

LONGEST_ORIGIN = LONGEST_NAME

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


@dataclass(frozen=True, slots=True)
class LogKey:
    """One key of a log.

    Args:
        public_key: checks its signatures.
        until: the size of the largest tree that it may have signed; None for the key that signs now. A key that was
            replaced because it leaked must not speak for what came later.
    """

    public_key: Ed25519PublicKey
    until: int | None = None


@dataclass(frozen=True, slots=True)
class LogKeys:
    """Every key that a log has had.

    Args:
        keys: the one that signs now last.
    """

    keys: tuple[LogKey, ...]


Verifiers: TypeAlias = Ed25519PublicKey | LogKeys
"""What a checkpoint is checked with: one key, or all that its log has had."""


def check_origin(origin: str) -> None:
    """Refuse a name that cannot stand in a signed note.

    Raises:
        LedgerRequestError: it is empty, too long, or holds a space, a plus sign or a control character.
    """
    if not is_key_name(origin):
        raise LedgerRequestError(
            "The ledger's origin must be a short name without spaces or plus signs.",
            fix="For example news.example/provenance.",
        )


def verifier_key(origin: str, public_key: Ed25519PublicKey) -> str:
    """Spell a public key as other signed-note tools want it: `name+id+key`.

    Source: golang.org/x/mod/sumdb/note, "Verifying Notes".
    """
    return VerifierKey(origin, ED25519, public_key.public_bytes_raw()).text()


def sign_checkpoint(checkpoint: Checkpoint, *keys: Ed25519PrivateKey) -> bytes:
    """Write a checkpoint as a note signed by each key. The same checkpoint and keys give the same bytes."""
    text = checkpoint.text()
    lines = [
        SignatureLine(checkpoint.origin, _key_id(checkpoint.origin, key.public_key()), key.sign(text.encode()))
        for key in keys
    ]
    return f"{text}\n{''.join(line.text() for line in lines)}".encode()


def open_checkpoint(note: bytes, verifiers: Verifiers, *, origin: str | None = None) -> Checkpoint:
    """Read a signed checkpoint and check that the log signed it; signatures of other keys are ignored.

    Args:
        note: the whole signed note.
        verifiers: the log's key, or its keys.
        origin: the log's name; None takes any name that the key signed for.

    Raises:
        VerificationError: the note is malformed, of another log, or not signed by a key that may sign this tree.
    """
    checkpoint, text, lines = _read(note)
    if origin is not None and checkpoint.origin != origin:
        raise VerificationError(f"The checkpoint should be of the log {origin} and is of {checkpoint.origin[:80]}.")
    keys = verifiers.keys if isinstance(verifiers, LogKeys) else (LogKey(verifiers),)
    signed_by = [key for key in keys if _is_signed(checkpoint.origin, text, lines, key.public_key)]
    if not signed_by:
        raise VerificationError("The checkpoint is not signed by the ledger's key.")
    if not any(key.until is None or checkpoint.size <= key.until for key in signed_by):
        last = max(key.until or 0 for key in signed_by)
        raise VerificationError(f"The checkpoint is signed by a key that was replaced when the log had {last} events.")
    return checkpoint


def read_checkpoint(note: bytes) -> Checkpoint:
    """Read a checkpoint without checking who signed it; believe nothing that it says.

    Raises:
        VerificationError: the note is malformed.
    """
    return _read(note)[0]


def _read(note: bytes) -> tuple[Checkpoint, str, tuple[SignatureLine, ...]]:
    parts = split_note(note)
    return _parse_text(parts.text), parts.text, parts.lines


def _is_signed(origin: str, text: str, lines: tuple[SignatureLine, ...], public_key: Ed25519PublicKey) -> bool:
    """Say whether a key signed. Source: C2SP signed-note: a known key whose signature fails spoils the note."""
    wanted = (origin, _key_id(origin, public_key))
    ours = [line for line in lines if (line.name, line.key_id) == wanted]
    for line in ours:
        try:
            public_key.verify(line.signature, text.encode())
        except InvalidSignature as error:
            raise VerificationError("The checkpoint's signature does not match its text.") from error
    return bool(ours)


def _key_id(name: str, public_key: Ed25519PublicKey) -> bytes:
    return key_id(name, ED25519, public_key.public_bytes_raw())


def _parse_text(text: str) -> Checkpoint:
    origin, _, rest = text.partition("\n")
    size, _, rest = rest.partition("\n")
    root, _, extensions = rest.partition("\n")
    digest = decode_base64(root, what="root")
    # Extension lines are signed text nobody can audit; ours have none, so one that has is not ours.
    if not origin or not _SIZE.fullmatch(size) or len(digest) != HASH_BYTES or extensions:
        raise VerificationError("A checkpoint should be three lines: origin, size and root.")
    return Checkpoint(origin, int(size), digest)
