"""Fresh secrets for a new home. One rule: made here, written by `keys.write_private_file`, kept nowhere else."""

import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@dataclass(frozen=True, slots=True, repr=False)
class LedgerKeyPair:
    """An Ed25519 key that signs checkpoints, both halves as PEM (PKCS#8 and SubjectPublicKeyInfo)."""

    private_pem: bytes
    public_pem: bytes


def new_secret(*, length: int = 32) -> bytes:
    """Give so many random bytes, written as hexadecimal digits."""
    return secrets.token_hex(length).encode("ascii")


def new_ledger_key() -> LedgerKeyPair:
    """Make a ledger signing key.

    Source: RFC 8032; C2SP signed-note names Ed25519 for checkpoints.
    """
    key = Ed25519PrivateKey.generate()
    return LedgerKeyPair(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )
