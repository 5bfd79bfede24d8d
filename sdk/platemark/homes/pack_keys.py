"""The publisher's key for rule packs, in the home's key folder: made with the first signature, kept like every key.

One rule: whoever can sign a pack decides what may be generated, so the private half is read through the same door and
with the same checks as the other keys; the public half stands beside it for those who only check.
"""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark.errors import HomeError
from platemark_provenance.keys import load_ledger_signing_key, write_private_file

_PRIVATE, _PUBLIC = "pack.key", "pack.pub"
_PUBLIC_BYTES = 32


def pack_signing_key(keys: Path) -> Ed25519PrivateKey:
    """Give the key that signs packs; the first call makes it.

    Args:
        keys: the home's key folder.

    Raises:
        KeyUnavailable: it cannot be read or written, or others can read it.
    """
    path = keys / _PRIVATE
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write_private_file(path, made.private_bytes(*form))
    key = load_ledger_signing_key(path)
    public = keys / _PUBLIC
    if not public.exists():
        write_private_file(public, key.public_key().public_bytes_raw().hex().encode())
    return key


def pack_public_key(keys: Path) -> bytes:
    """Give the publisher's public key, 32 bytes.

    Raises:
        HomeError: no pack has been signed in this home and no public key was put there.
    """
    try:
        public = bytes.fromhex((keys / _PUBLIC).read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise HomeError(
            "This home has no publisher's key for rule packs.",
            fix=f"Sign a pack here (platemark policy sign), or put the publisher's {_PUBLIC} into {keys}.",
        ) from error
    if len(public) != _PUBLIC_BYTES:
        raise HomeError(f"{_PUBLIC} holds {len(public)} bytes, expected {_PUBLIC_BYTES}.", fix="Copy it again.")
    return public


def has_pack_key(keys: Path) -> bool:
    """Say whether this home knows a publisher of rule packs."""
    return (keys / _PUBLIC).exists()
