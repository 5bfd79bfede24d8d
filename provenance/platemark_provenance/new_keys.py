"""Fresh secrets for a new home. One rule: made here, written by `keys.write_private_file`, kept nowhere else."""

import secrets
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.signers.algorithms import algorithm_named

ClaimKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey
"""A private key that can sign claims."""

ClaimPublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey
"""The public half of such a key."""

RSA_BITS = 3_072
"""About as strong as P-256. Source: NIST SP 800-57 part 1 revision 5, table 2."""


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


def new_claim_key(alg: str) -> ClaimKey:
    """Make a private key that signs claims with an algorithm.

    Args:
        alg: one of the names in `SIGNING_ALGORITHMS`.

    Raises:
        KeyUnavailable: there is no such algorithm.
    """
    algorithm = algorithm_named(alg)
    if algorithm.curve is not None:
        return ec.generate_private_key(algorithm.curve())
    if algorithm.family == "rsa-pss":
        return rsa.generate_private_key(65_537, RSA_BITS)
    return Ed25519PrivateKey.generate()


def private_pem(key: ClaimKey) -> bytes:
    """Write a private key as PEM (PKCS#8), unlocked: the file's mode is what guards it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def claim_key_from_pem(pem: bytes) -> ClaimKey:
    """Read a private key that signs claims.

    Raises:
        KeyUnavailable: the text is no such key.
    """
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None  # not chained: what it quotes may be the key
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey):
        raise KeyUnavailable("A private key in PEM that can sign claims was expected, and this is none.")
    return key
