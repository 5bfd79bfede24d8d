"""What every signer of claims has in common, and the proof that it holds the key its certificate names.

One rule: a signer is asked for a signature over a random number before anything is written anywhere.
"""

import secrets
from types import TracebackType
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from platemark_provenance.errors import KeyUnavailable, PlatemarkError
from platemark_provenance.signers.algorithms import algorithm_named, fits, signature_fits

_NONCE_PREFIX = b"platemark key check\x00"
"""Domain separation: a signature over a check can never pass for one over a claim (COSE starts with 0x84)."""


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
        """Sign the data itself, not a digest of it; ECDSA gives r and s as fixed-length big-endian numbers."""
        ...


class KeyMismatch(KeyUnavailable):
    """A private key is at hand, and it is not the one that the leaf certificate names."""


class ForeignCode:
    """Run code that is not ours (`with ForeignCode("…"):`) and turn whatever it raises into `KeyUnavailable`.

    Our own errors pass unchanged, and so does what is no error (Ctrl-C). The cause is chained and only its type is
    named: what a key service says may quote what must not be shown.
    """

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, PlatemarkError):
            raise KeyUnavailable(
                f"{self._what} failed: {type(error).__name__}.",
                fix="Check the key store or key service, then try again; nothing was written.",
            ) from error


def leaf_public_key(chain_pem: bytes) -> object:
    """Give the public key of the first certificate of a chain.

    Raises:
        KeyUnavailable: there is no readable certificate.
    """
    try:
        return x509.load_pem_x509_certificates(chain_pem)[0].public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnavailable(
            "The certificate file should hold PEM certificates, leaf first, and cannot be read as that."
        ) from error


def prove_key_matches(signer: ClaimSigner) -> None:
    """Sign a random nonce and check it with the leaf certificate's public key.

    A key service that answers with the wrong key would otherwise be noticed only by those who verify the clip.

    Raises:
        KeyMismatch: the signature does not fit the certificate.
        KeyUnavailable: unknown algorithm, unreadable certificates, or no signature at all.
    """
    algorithm = algorithm_named(signer.alg)
    public_key = leaf_public_key(signer.chain_pem)
    if not fits(algorithm, public_key):
        raise KeyMismatch(f"The leaf certificate's key is not of the kind that {signer.alg} needs.")
    nonce = _NONCE_PREFIX + secrets.token_bytes(32)
    signature = signer.sign(nonce)
    if not signature_fits(algorithm, public_key, signature=signature, content=nonce):
        raise KeyMismatch(
            "The private key is not the one that the leaf certificate names.",
            fix="Pair the key with the certificate that was issued for it.",
        )
