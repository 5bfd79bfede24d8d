"""What stands in a certificate, for people and for the ledger.

One rule: pure functions over PEM text; nothing here judges whether a certificate is good.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from platemark_provenance.digest import JsonValue, Sha256Hex, sha256_bytes
from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.new_keys import ClaimPublicKey
from platemark_provenance.signers.algorithms import algorithm_of_key


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What people ask about a certificate first. `sha256` is of its DER form, as other tools show it."""

    sha256: str
    subject: str
    issuer: str
    alg: str
    not_before: datetime
    not_after: datetime

    def to_json(self) -> dict[str, JsonValue]:
        """Give the fields of `keys … --json`; times are ISO 8601 in UTC."""
        return {
            "sha256": self.sha256,
            "subject": self.subject,
            "issuer": self.issuer,
            "alg": self.alg,
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
        }


def certificate_facts(chain_pem: bytes) -> CertificateFacts:
    """Give the facts of the first certificate of a chain.

    Raises:
        KeyUnavailable: it is not readable, or its key is of a kind that cannot sign claims.
    """
    leaf = certificates(chain_pem)[0]
    return CertificateFacts(
        sha256=sha256_bytes(leaf.public_bytes(Encoding.DER)),
        subject=leaf.subject.rfc4514_string(),
        issuer=leaf.issuer.rfc4514_string(),
        alg=algorithm_of_key(leaf.public_key()).name,
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
    )


def certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Read all certificates of a PEM text; there is at least one.

    Raises:
        KeyUnavailable: there is none, or one is garbled.
    """
    try:
        found = tuple(x509.load_pem_x509_certificates(pem))
        # Parsed on first use only, and a garbled one raises then.
        _ = [(each.public_key(), each.extensions) for each in found]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnavailable("PEM certificates were expected, and this cannot be read as that.") from error
    return found


def is_issued_by(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Say whether one certificate was signed by the key of another that carries the issuer's name."""
    try:
        child.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_authority(certificate: x509.Certificate) -> bool:
    """Say whether a certificate is one of an authority: it says so, and its key may sign certificates.

    Source: RFC 5280, sections 4.2.1.3 and 4.2.1.9.
    """
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return basic.ca
    return basic.ca and usage.key_cert_sign


def public_key_sha256(public_key: ClaimPublicKey) -> Sha256Hex:
    """Give the digest of a public key (SubjectPublicKeyInfo in DER), which tells keys apart in the ledger."""
    return sha256_bytes(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
