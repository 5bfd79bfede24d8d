"""Private keys on disk: the only code that reads or writes them.

One rule: a key that somebody else could have read is not used, and no message ever shows what a key file holds.
"""

import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.durable import sync_directory
from platemark_provenance.errors import KeyUnavailable

MAX_CHAIN_BYTES = 262_144
"""A chain of three certificates is about 3 kB; far beyond that it is not a chain."""

_NONCE_PREFIX = b"platemark key check\x00"
"""Domain separation: a signature over a check can never pass for one over a claim (COSE starts with 0x84)."""


@dataclass(frozen=True, slots=True)
class SigningAlgorithm:
    """What a COSE algorithm name means: curve, hash and the length of r and s in bytes."""

    curve: type[ec.EllipticCurve]
    digest: type[hashes.HashAlgorithm]
    part_bytes: int


SIGNING_ALGORITHMS: Mapping[str, SigningAlgorithm] = MappingProxyType(
    {"es256": SigningAlgorithm(curve=ec.SECP256R1, digest=hashes.SHA256, part_bytes=32)}
)
"""The algorithms claims are signed with. Source: C2PA 2.2, section 13.2.1 (ES256 is the first of its list)."""


class ClaimSigner(Protocol):
    """Anything that can sign a claim: a key file here, a hardware token or a key service elsewhere."""

    @property
    def alg(self) -> str:
        """The algorithm, one of the names in `SIGNING_ALGORITHMS`."""
        ...

    @property
    def chain_pem(self) -> bytes:
        """The certificates in PEM, leaf first, without the root."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign the data itself, not a digest of it, and give r and s as fixed-length big-endian numbers."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class _KeyFileSigner:
    """Signs with an ES256 key held in memory. Has no repr, so that a log line cannot show the key."""

    alg: str
    chain_pem: bytes
    key: ec.EllipticCurvePrivateKey

    def sign(self, data: bytes) -> bytes:
        """Sign with a fresh random nonce and give r followed by s."""
        algorithm = SIGNING_ALGORITHMS[self.alg]
        r, s = utils.decode_dss_signature(self.key.sign(data, ec.ECDSA(algorithm.digest())))
        return r.to_bytes(algorithm.part_bytes, "big") + s.to_bytes(algorithm.part_bytes, "big")


def write_private_file(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read, and make it survive a power cut.

    Raises:
        KeyUnavailable: the file exists already (a key is never overwritten) or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyUnavailable(
            f"A key is never overwritten, and {path} exists already.", fix="Move the old key away first."
        ) from error
    except OSError as error:
        raise KeyUnavailable(f"The key file {path} could not be written: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise KeyUnavailable(f"The key file {path} could not be written: {error.strerror}.") from error


def read_private_file(path: Path, *, max_bytes: int = 65_536) -> bytes:
    """Read a file after making sure, on the open file itself, that nobody else can read it.

    Args:
        path: the key file; a link to one is followed and the file it leads to is checked.
        max_bytes: a longer file is refused unread.

    Raises:
        KeyUnavailable: missing, not a regular file, not ours, readable by others, or too long.
    """
    try:
        # O_NONBLOCK: opening a named pipe by mistake must not hang.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            _check_private(path, os.fstat(file.fileno()))
            content = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise KeyUnavailable(
            f"There is no key file at {path}.", fix="Restore it from your backup, or make new keys."
        ) from error
    except OSError as error:
        raise KeyUnavailable(f"The key file {path} could not be read: {error.strerror}.") from error
    if len(content) > max_bytes:
        raise KeyUnavailable(f"A key file has at most {max_bytes} bytes; {path} has more.")
    return content


def _check_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyUnavailable(f"A key must be a regular file; {path} is not one.")
    if status.st_uid not in (os.geteuid(), 0):
        raise KeyUnavailable(f"The key file {path} belongs to another user.", fix=f"Run: sudo chown $USER {path}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyUnavailable(
            f"Only its owner may read a key file; {path} has mode {stat.S_IMODE(status.st_mode):04o}.",
            fix=f"Run: chmod 600 {path}",
        )


def load_secret(path: Path, *, length: int = 32) -> bytes:
    """Read a secret written as hexadecimal digits.

    Args:
        path: the secret file.
        length: how many bytes the secret has, not how many digits.

    Raises:
        KeyUnavailable: as `read_private_file`, or the content is not that many bytes in hexadecimal.
    """
    text = read_private_file(path).strip()
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""  # not chained: a ValueError here quotes the digits
    if len(secret) != length:
        raise KeyUnavailable(
            f"{path} should hold {length} bytes as {2 * length} hexadecimal digits and does not.",
            fix="Restore it from your backup.",
        )
    return secret


def load_claim_signer(key_path: Path, chain_path: Path, *, passphrase: bytes | None = None) -> ClaimSigner:
    """Load the claim-signing key and its certificates, and prove that they belong together.

    Raises:
        KeyUnavailable: a file is missing, too open or garbled, the key is of another kind than ES256 needs, the
            passphrase is wrong, or the key is not the one the leaf certificate names.
    """
    key = _load_private_key(key_path, passphrase)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyUnavailable(f"Claims are signed with an ECDSA P-256 key; {key_path} holds another kind.")
    try:
        with chain_path.open("rb") as file:
            chain_pem = file.read(MAX_CHAIN_BYTES)
    except OSError as error:
        raise KeyUnavailable(
            f"The certificate file {chain_path} could not be read: {error.strerror}.",
            fix="Restore it from your backup, or make new keys.",
        ) from error
    signer = _KeyFileSigner(alg="es256", chain_pem=chain_pem, key=key)
    prove_key_matches(signer)
    return signer


def load_ledger_signing_key(path: Path) -> Ed25519PrivateKey:
    """Load the Ed25519 key that signs the ledger's checkpoints.

    Raises:
        KeyUnavailable: as `read_private_file`, or the file holds no Ed25519 key.
    """
    key = _load_private_key(path, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnavailable(f"The ledger is signed with an Ed25519 key; {path} holds another kind.")
    return key


def _load_private_key(path: Path, passphrase: bytes | None) -> object:
    content = read_private_file(path)
    try:
        return serialization.load_pem_private_key(content, password=passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnavailable(
            f"{path} should hold one private key in PEM and cannot be read as that.",
            fix="Check the passphrase, or restore the file from your backup.",
        ) from error


def prove_key_matches(signer: ClaimSigner) -> None:
    """Sign a random nonce and check it with the leaf certificate's public key.

    A key service that answers with the wrong key would otherwise be noticed only by those who verify the clip.

    Raises:
        KeyUnavailable: unknown algorithm, unreadable certificates, or the signature does not fit the certificate.
    """
    algorithm = SIGNING_ALGORITHMS.get(signer.alg)
    if algorithm is None:
        known = ", ".join(SIGNING_ALGORITHMS)
        raise KeyUnavailable(f"The signing algorithm must be one of {known}; got {signer.alg[:20]!r}.")
    try:
        public_key = x509.load_pem_x509_certificates(signer.chain_pem)[0].public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnavailable(
            "The certificate file should hold PEM certificates, leaf first, and cannot be read as that."
        ) from error
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or not isinstance(public_key.curve, algorithm.curve):
        raise KeyUnavailable(f"The leaf certificate's key is not of the kind that {signer.alg} needs.")
    nonce = _NONCE_PREFIX + secrets.token_bytes(32)
    signature = signer.sign(nonce)
    try:
        public_key.verify(_der_signature(signature, algorithm), nonce, ec.ECDSA(algorithm.digest()))
    except InvalidSignature as error:
        raise KeyUnavailable(
            "The private key is not the one that the leaf certificate names.",
            fix="Pair the key with the certificate that was issued for it.",
        ) from error


def _der_signature(raw: bytes, algorithm: SigningAlgorithm) -> bytes:
    if len(raw) != 2 * algorithm.part_bytes:
        raise KeyUnavailable(f"A signature must be {2 * algorithm.part_bytes} bytes, r then s; got {len(raw)} bytes.")
    r, s = (int.from_bytes(raw[at : at + algorithm.part_bytes], "big") for at in (0, algorithm.part_bytes))
    return utils.encode_dss_signature(r, s)
