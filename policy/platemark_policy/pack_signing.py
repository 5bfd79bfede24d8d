"""Sign a rule pack, and check who signed it: Ed25519 over the pack's name, version and the hash of its every file.

One rule: what is verified is what was read. A signature names a pack's id, its version and its bytes together, so that
none of the three can be exchanged for another.
"""

import json
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from platemark_policy.decision import PackId
from platemark_policy.errors import RulePackError

SIGNATURE_SUFFIX = ".sig"
"""A pack's signature stands beside its main file: `strict.yaml.sig`."""

MAX_SIGNATURE_BYTES = 4_096
"""A signature file is about 400 bytes."""

_DOMAIN = b"platemark rule pack signature v1\0"
_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}")


@dataclass(frozen=True, slots=True)
class PackSignature:
    """A signature as it is stored.

    Args:
        pack: what was signed.
        public_key: 32 bytes, raw.
        signature: 64 bytes.
    """

    pack: PackId
    public_key: bytes
    signature: bytes

    def to_bytes(self) -> bytes:
        """Give the file's content."""
        fields = {
            "form": "platemark-pack-signature-1",
            "id": self.pack.id,
            "version": self.pack.version,
            "sha256": self.pack.sha256,
            "public_key": self.public_key.hex(),
            "signature": self.signature.hex(),
        }
        return (json.dumps(fields, indent=1, ensure_ascii=False) + "\n").encode()


def sign_pack(pack: PackId, key: Ed25519PrivateKey) -> PackSignature:
    """Sign a pack.

    Raises:
        RulePackError: the pack's version cannot be ordered.
    """
    version_order(pack.version)
    return PackSignature(pack, key.public_key().public_bytes_raw(), key.sign(_message(pack)))


def verify_pack(pack: PackId, content: bytes, publisher: bytes) -> None:
    """Check that a signature file is the publisher's, for exactly this pack.

    Args:
        pack: name, version and hash of the files that were read.
        content: the signature file.
        publisher: the publisher's public key, 32 bytes.

    Raises:
        RulePackError: it is not; the message says in which way.
    """
    stored = _read(content)
    if stored.public_key != publisher:
        raise RulePackError("The pack is signed with another key than the publisher's.", fix="Sign it with your key.")
    if stored.pack != pack:
        differing = [name for name in ("id", "version", "sha256") if getattr(stored.pack, name) != getattr(pack, name)]
        raise RulePackError(f"The pack's signature is for another {' and '.join(differing)}.", fix="Sign it again.")
    try:
        Ed25519PublicKey.from_public_bytes(publisher).verify(stored.signature, _message(pack))
    except (InvalidSignature, ValueError) as error:
        raise RulePackError("The pack's signature does not hold.", fix="Sign it again, or restore the pack.") from error


def version_order(version: str) -> tuple[int, ...]:
    """Give a version as numbers that can be compared, such as (2026, 11, 22).

    Raises:
        RulePackError: it is not one to four numbers with dots between them.
    """
    if not _VERSION.fullmatch(version):
        raise RulePackError(
            f"Expected a version of numbers and dots, got {version[:40]!r}.", fix="Write it like 2026.11.22."
        )
    return tuple(int(part) for part in version.split("."))


def _message(pack: PackId) -> bytes:
    parts = (pack.id.encode(), pack.version.encode(), bytes.fromhex(pack.sha256))
    return _DOMAIN + b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def _read(content: bytes) -> PackSignature:
    if len(content) > MAX_SIGNATURE_BYTES:
        raise RulePackError(f"A pack's signature has at most {MAX_SIGNATURE_BYTES} bytes, this one has {len(content)}.")
    try:
        fields = json.loads(content)
        pack = PackId(str(fields["id"]), str(fields["version"]), str(fields["sha256"]))
        return PackSignature(pack, bytes.fromhex(fields["public_key"]), bytes.fromhex(fields["signature"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RulePackError("The pack's signature cannot be read.", fix="Sign it again.") from error
