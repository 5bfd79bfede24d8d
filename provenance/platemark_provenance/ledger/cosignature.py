"""Cosignatures: what a witness says of a log's tree head, with the time when it said it.

One rule: pure functions. A cosignature is believed only with a witness's key that came from elsewhere.

Source: C2SP tlog-cosignature (c2sp.org/tlog-cosignature), "Format" and "Ed25519 signed message" (type 0x04).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger.note import (
    ED25519_COSIGNATURE,
    SignatureLine,
    VerifierKey,
    parse_verifier_key,
    split_note,
)

_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_LATEST_S = 253_402_300_799
"""The last second of the year 9999, which Python's dates can still say; the source allows up to 2**63 - 1."""


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness, as those who rely on it know it.

    Args:
        name: such as "witness.example/w1".
        public_key: checks its cosignatures.
    """

    name: str
    public_key: Ed25519PublicKey

    @classmethod
    def parse(cls, text: str) -> "Cosigner":
        """Read a witness's verifier key.

        Raises:
            VerificationError: it is none, or of a kind that makes no Ed25519 cosignatures.
        """
        found = parse_verifier_key(text)
        if found.kind != ED25519_COSIGNATURE:
            raise VerificationError(
                f"The key of {found.name} should be one for Ed25519 cosignatures (kind 4); it is of kind {found.kind}.",
                fix="A log's own key is no witness's; ask the witness for its key.",
            )
        return cls(found.name, Ed25519PublicKey.from_public_bytes(found.key))

    @property
    def verifier_key(self) -> VerifierKey:
        """Give its key as others want it."""
        return VerifierKey(self.name, ED25519_COSIGNATURE, self.public_key.public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that was checked.

    Args:
        name: of the witness.
        at: when the witness says it signed, UTC.
        line: as it stands in a note.
    """

    name: str
    at: datetime
    line: SignatureLine


def cosign(text: str, name: str, key: Ed25519PrivateKey, *, at: datetime) -> SignatureLine:
    """Cosign the text of a checkpoint.

    Args:
        text: of the note, with its last line end.
        name: the witness's.
        key: the witness's.
        at: now, aware.

    Raises:
        VerificationError: the time is before 1970, which a cosignature cannot say.
    """
    seconds = int(at.timestamp())
    if seconds <= 0:
        raise VerificationError("A witness's clock must be after 1970.", fix="Set the clock.")
    signature = seconds.to_bytes(_TIME_BYTES, "big") + key.sign(_message(text, seconds))
    return SignatureLine(name, VerifierKey(name, ED25519_COSIGNATURE, _raw(key)).key_id, signature)


def open_cosignatures(note: bytes, cosigners: Sequence[Cosigner]) -> tuple[Cosignature, ...]:
    """Give the cosignatures of known witnesses in a note; those of others are ignored.

    Raises:
        VerificationError: the note is malformed, or a known witness's cosignature does not fit it.
    """
    parts = split_note(note)
    return tuple(check_line(parts.text, line, known) for line in parts.lines for known in cosigners if _is(line, known))


def check_line(text: str, line: SignatureLine, cosigner: Cosigner) -> Cosignature:
    """Check one cosignature of a known witness.

    Raises:
        VerificationError: it is not this witness's, has another form, or does not fit the text.
    """
    seconds = int.from_bytes(line.signature[:_TIME_BYTES], "big")
    if not _is(line, cosigner) or len(line.signature) != _TIME_BYTES + _SIGNATURE_BYTES or seconds > _LATEST_S:
        raise VerificationError(f"A cosignature of {cosigner.name} should be a time and 64 bytes.")
    try:
        cosigner.public_key.verify(line.signature[_TIME_BYTES:], _message(text, seconds))
    except InvalidSignature as error:
        raise VerificationError(f"The cosignature of {cosigner.name} does not match the checkpoint.") from error
    return Cosignature(cosigner.name, datetime.fromtimestamp(seconds, UTC), line)


def _is(line: SignatureLine, cosigner: Cosigner) -> bool:
    return (line.name, line.key_id) == (cosigner.name, cosigner.verifier_key.key_id)


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
