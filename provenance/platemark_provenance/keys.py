"""Private keys on disk: the only code that reads or writes them.

One rule: a key that somebody else could have read is not used, and no message ever shows what a key file holds.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.durable import sync_directory
from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.signers.algorithms import (
    SIGNING_ALGORITHMS,
    SigningAlgorithm,
    algorithm_named,
    algorithm_of_key,
    fits,
    sign_with_key,
)
from platemark_provenance.signers.claim_signer import (
    ClaimSigner,
    KeyMismatch,
    leaf_public_key,
    prove_key_matches,
)

__all__ = [
    "SIGNING_ALGORITHMS",
    "ClaimSigner",
    "KeyMismatch",
    "SigningAlgorithm",
    "load_claim_signer",
    "load_ledger_signing_key",
    "load_secret",
    "open_key_signer",
    "prove_key_matches",
    "read_chain",
    "read_private_file",
    "write_private_file",
]

MAX_CHAIN_BYTES = 262_144
"""A chain of three certificates is about 3 kB; far beyond that it is not a chain."""

_LOCKED = (b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")
"""How a PEM file says that it needs a passphrase: PKCS#8 (RFC 5958) and the older form (RFC 1421)."""


@dataclass(frozen=True, slots=True, repr=False)
class _KeyFileSigner:
    """Signs with a key held in memory. Has no repr, so that a log line cannot show the key."""

    alg: str
    chain_pem: bytes
    key: object

    def sign(self, data: bytes) -> bytes:
        """Sign in the form that COSE wants."""
        return sign_with_key(self.key, algorithm_named(self.alg), data)


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
    """Load a claim-signing key and its certificates, and prove that they belong together.

    The algorithm is the one that the leaf certificate's key signs claims with.

    Raises:
        KeyUnavailable: a file is missing, too open or garbled, the passphrase is wrong, or the key is not the one
            that the leaf certificate names.
    """
    chain_pem = read_chain(chain_path)
    signer = open_key_signer(
        key_path,
        chain_pem=chain_pem,
        alg=algorithm_of_key(leaf_public_key(chain_pem)).name,
        ask_passphrase=None if passphrase is None else lambda: passphrase,
    )
    prove_key_matches(signer)
    return signer


def read_chain(path: Path) -> bytes:
    """Read a file of certificates.

    Raises:
        KeyUnavailable: it is missing, unreadable, or far too long for a chain.
    """
    try:
        with path.open("rb") as file:
            chain_pem = file.read(MAX_CHAIN_BYTES + 1)
    except OSError as error:
        raise KeyUnavailable(
            f"The certificate file {path} could not be read: {error.strerror}.",
            fix="Restore it from your backup, or make new keys.",
        ) from error
    if len(chain_pem) > MAX_CHAIN_BYTES:
        raise KeyUnavailable(f"A certificate chain has at most {MAX_CHAIN_BYTES} bytes; {path} has more.")
    return chain_pem


def open_key_signer(
    key_path: Path, *, chain_pem: bytes, alg: str, ask_passphrase: Callable[[], bytes] | None = None
) -> ClaimSigner:
    """Open a key in a PEM file as a signer. That the key is the certificate's is for the caller to have proved.

    Args:
        key_path: the file; `read_private_file` says what is asked of it.
        chain_pem: the certificates in PEM, leaf first.
        alg: one of the names in `SIGNING_ALGORITHMS`.
        ask_passphrase: asked once, and only where the file is locked.

    Raises:
        KeyMismatch: the key is of another kind than the certificate's.
        KeyUnavailable: the file cannot be used, or is locked and the passphrase is missing or wrong.
    """
    content = read_private_file(key_path)
    locked = any(mark in content for mark in _LOCKED)
    passphrase = ask_passphrase() if locked and ask_passphrase is not None else None
    key = _parse_private_key(content, key_path, passphrase)
    kind = algorithm_named(alg)
    if not fits(kind, getattr(key, "public_key", lambda: None)()):
        raise KeyMismatch(
            f"The certificate and {kind.name} need a key of the kind {kind.key_kind}; {key_path} holds another kind.",
            fix="Pair the key with the certificate that was issued for it.",
        )
    return _KeyFileSigner(alg=alg, chain_pem=chain_pem, key=key)


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
    return _parse_private_key(read_private_file(path), path, passphrase)


def _parse_private_key(content: bytes, path: Path, passphrase: bytes | None) -> object:
    try:
        return serialization.load_pem_private_key(content, password=passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnavailable(
            f"{path} should hold one private key in PEM and cannot be read as that.",
            fix="Check the passphrase, or restore the file from your backup.",
        ) from error
