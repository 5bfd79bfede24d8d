"""What the names of the signing algorithms mean, and the one form in which a signature may stand in a manifest.

One rule: pure functions over keys and bytes; no files, no devices. COSE wants fixed-length r and s where most key
stores give DER, so every signature from outside passes through `raw_signature`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from platemark_provenance.errors import KeyUnavailable

Family = Literal["ecdsa", "rsa-pss", "ed25519"]

MIN_RSA_BITS = 2048
"""Source: C2PA 2.2, section 14.5.2 (RSA keys of fewer bits are refused)."""


@dataclass(frozen=True, slots=True)
class SigningAlgorithm:
    """What a COSE algorithm name means.

    `key_kind` names the keys it takes, for people. `digest` is what the data is hashed with before signing, `None`
    where the algorithm hashes by itself. `curve` and `part_bytes` (the length of r and of s) are those of ECDSA.
    """

    name: str
    family: Family
    key_kind: str
    digest: type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512] | None = None
    curve: type[ec.EllipticCurve] | None = None
    part_bytes: int = 0


_TABLE = (
    SigningAlgorithm("es256", "ecdsa", "ECDSA P-256", hashes.SHA256, ec.SECP256R1, 32),
    SigningAlgorithm("es384", "ecdsa", "ECDSA P-384", hashes.SHA384, ec.SECP384R1, 48),
    SigningAlgorithm("es512", "ecdsa", "ECDSA P-521", hashes.SHA512, ec.SECP521R1, 66),
    SigningAlgorithm("ps256", "rsa-pss", "RSA", hashes.SHA256),
    SigningAlgorithm("ps384", "rsa-pss", "RSA", hashes.SHA384),
    SigningAlgorithm("ps512", "rsa-pss", "RSA", hashes.SHA512),
    SigningAlgorithm("ed25519", "ed25519", "Ed25519"),
)

SIGNING_ALGORITHMS: Mapping[str, SigningAlgorithm] = MappingProxyType({each.name: each for each in _TABLE})
"""The algorithms that claims may be signed with. Source: C2PA 2.2, section 13.2.1."""


def algorithm_named(name: str) -> SigningAlgorithm:
    """Give the algorithm of that name.

    Raises:
        KeyUnavailable: there is none.
    """
    found = SIGNING_ALGORITHMS.get(name)
    if found is None:
        known = ", ".join(SIGNING_ALGORITHMS)
        raise KeyUnavailable(f"The signing algorithm must be one of {known}; got {name[:20]!r}.")
    return found


def algorithm_of_key(public_key: object) -> SigningAlgorithm:
    """Give the algorithm that claims are signed with by the key of that public half; PS256 for RSA.

    Raises:
        KeyUnavailable: claims cannot be signed with such a key.
    """
    for algorithm in _TABLE:
        if fits(algorithm, public_key):
            return algorithm
    raise KeyUnavailable(
        "The certificate's key must be ECDSA P-256, P-384 or P-521, RSA with 2048 bits or more, or Ed25519.",
        fix="Ask for a certificate over such a key: platemark keys csr",
    )


def fits(algorithm: SigningAlgorithm, public_key: object) -> bool:
    """Say whether a public key is of the kind that an algorithm needs."""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return algorithm.curve is not None and isinstance(public_key.curve, algorithm.curve)
    if isinstance(public_key, rsa.RSAPublicKey):
        return algorithm.family == "rsa-pss" and public_key.key_size >= MIN_RSA_BITS
    return isinstance(public_key, ed25519.Ed25519PublicKey) and algorithm.family == "ed25519"


def digest_of(algorithm: SigningAlgorithm, content: bytes) -> bytes:
    """Hash content as the algorithm does, for key stores that sign a digest; Ed25519 gets the content itself.

    Args:
        algorithm: which one.
        content: what is to be signed.
    """
    if algorithm.digest is None:
        return content
    hasher = hashes.Hash(algorithm.digest())
    hasher.update(content)
    return hasher.finalize()


def sign_with_key(key: object, algorithm: SigningAlgorithm, content: bytes) -> bytes:
    """Sign content with a private key in memory and give the signature as COSE wants it.

    Raises:
        KeyUnavailable: the key is not of the kind that the algorithm needs.

    Source: RFC 9053, sections 2.1 (ECDSA), 2.2 (EdDSA); RFC 8230, section 2 (RSASSA-PSS, salt as long as the digest).
    """
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm.digest and fits(algorithm, key.public_key()):
        return raw_signature(algorithm, key.sign(content, ec.ECDSA(algorithm.digest())))
    if isinstance(key, rsa.RSAPrivateKey) and algorithm.family == "rsa-pss" and algorithm.digest:
        return key.sign(content, _pss(algorithm.digest), algorithm.digest())
    if isinstance(key, ed25519.Ed25519PrivateKey) and algorithm.family == "ed25519":
        return key.sign(content)
    raise KeyUnavailable(f"The private key is not of the kind that {algorithm.name} needs.")


def raw_signature(algorithm: SigningAlgorithm, signature: bytes) -> bytes:
    """Turn an ECDSA signature in DER into r followed by s; one that has that form already, and any other, stays.

    Source: RFC 9053, section 2.1; DER as in RFC 3279, section 2.2.3.
    """
    if algorithm.family != "ecdsa" or len(signature) == 2 * algorithm.part_bytes:
        return signature
    try:
        r, s = utils.decode_dss_signature(signature)
        return r.to_bytes(algorithm.part_bytes, "big") + s.to_bytes(algorithm.part_bytes, "big")
    except (ValueError, OverflowError):
        return signature  # neither form: whoever checks the signature says so


def signature_fits(algorithm: SigningAlgorithm, public_key: object, *, signature: bytes, content: bytes) -> bool:
    """Say whether a raw signature over content was made by the key of that public half.

    Raises:
        KeyUnavailable: the signature has a length that no signature of this algorithm has.
    """
    try:
        if isinstance(public_key, ec.EllipticCurvePublicKey) and algorithm.digest:
            public_key.verify(_der_signature(algorithm, signature), content, ec.ECDSA(algorithm.digest()))
        elif isinstance(public_key, rsa.RSAPublicKey) and algorithm.digest:
            _check_length(signature, (public_key.key_size + 7) // 8, "as long as the RSA key")
            public_key.verify(signature, content, _pss(algorithm.digest), algorithm.digest())
        elif isinstance(public_key, ed25519.Ed25519PublicKey):
            _check_length(signature, 64, "as Ed25519 makes it")
            public_key.verify(signature, content)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _pss(digest: type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]) -> padding.PSS:
    return padding.PSS(mgf=padding.MGF1(digest()), salt_length=padding.PSS.DIGEST_LENGTH)


def _der_signature(algorithm: SigningAlgorithm, raw: bytes) -> bytes:
    _check_length(raw, 2 * algorithm.part_bytes, "r then s")
    r, s = (int.from_bytes(raw[at : at + algorithm.part_bytes], "big") for at in (0, algorithm.part_bytes))
    return utils.encode_dss_signature(r, s)


def _check_length(signature: bytes, expected: int, form: str) -> None:
    if len(signature) != expected:
        raise KeyUnavailable(f"A signature must be {expected} bytes, {form}; got {len(signature)} bytes.")
