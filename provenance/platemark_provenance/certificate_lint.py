"""Checks of a claim signer's certificate chain, each with the name of the rule it broke.

One rule: findings are facts about the certificate alone. Whether anybody trusts its root is a question for a reader.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier, SignatureAlgorithmOID

from platemark_provenance.certificate_facts import is_authority, is_issued_by

C2PA_CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""The key usage of C2PA claim signers. Source: C2PA 2.2, section 14.4.1, and the conformance certificate policy."""

Severity = Literal["error", "advice"]
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

EXPIRES_SOON = timedelta(days=30)
_DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
_SIGNING_USAGES = {C2PA_CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION, _DOCUMENT_SIGNING}
_LONE_USAGES = {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.OCSP_SIGNING}
_SIGNATURES = {
    SignatureAlgorithmOID.RSA_WITH_SHA256,
    SignatureAlgorithmOID.RSA_WITH_SHA384,
    SignatureAlgorithmOID.RSA_WITH_SHA512,
    SignatureAlgorithmOID.RSASSA_PSS,
    SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    SignatureAlgorithmOID.ED25519,
}
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_UNDERSTOOD_EXTENSIONS = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectKeyIdentifier,
    x509.AuthorityKeyIdentifier,
    x509.CertificatePolicies,
    x509.AuthorityInformationAccess,
    x509.CRLDistributionPoints,
    x509.SubjectAlternativeName,
)


@dataclass(frozen=True, slots=True)
class CertificateFinding:
    """One rule that a chain breaks.

    `error`: signing is refused or readers call the result invalid. `advice`: it works here, and will trouble others.
    """

    rule: str
    severity: Severity
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class _Chain:
    leaf: x509.Certificate
    rest: tuple[x509.Certificate, ...]
    now: datetime


def lint_certificate(chain_pem: bytes, *, now: datetime) -> tuple[CertificateFinding, ...]:
    """Name every rule of the C2PA certificate profile that a chain breaks; nothing to say means an empty tuple.

    Args:
        chain_pem: certificates in PEM, leaf first, without the root.
        now: the moment validity is judged at, aware.

    Source: C2PA 2.2, section 14.5 (certificate profile); what c2pa-rs 0.91.3 really enforces was measured.
    """
    try:
        certificates = x509.load_pem_x509_certificates(chain_pem)
        # Both are parsed on first use only, and a garbled one raises then.
        _ = certificates[0].public_key(), [each.extensions for each in certificates]
    except (ValueError, UnsupportedAlgorithm):
        return (CertificateFinding("chain.unreadable", "error", "The file holds no readable PEM certificates."),)
    chain = _Chain(leaf=certificates[0], rest=tuple(certificates[1:]), now=now)
    return tuple(finding for check in _CHECKS for finding in check(chain))


def _check_form(chain: _Chain) -> list[CertificateFinding]:
    found = []
    if chain.leaf.version is not x509.Version.v3:
        found.append(CertificateFinding("leaf.version", "error", "The leaf must be an X.509 version 3 certificate."))
    if chain.leaf.signature_algorithm_oid not in _SIGNATURES:
        found.append(
            CertificateFinding(
                "leaf.signature-algorithm",
                "error",
                "The leaf must be signed with SHA-256, SHA-384, SHA-512 or Ed25519.",
            )
        )
    unknown = [
        each.oid.dotted_string
        for each in chain.leaf.extensions
        if each.critical and not isinstance(each.value, _UNDERSTOOD_EXTENSIONS)
    ]
    if unknown:
        message = f"Readers refuse a critical extension they do not know: {', '.join(unknown)}."
        found.append(CertificateFinding("leaf.unknown-critical-extension", "error", message))
    return found


def _check_validity(chain: _Chain) -> list[CertificateFinding]:
    start, end = chain.leaf.not_valid_before_utc, chain.leaf.not_valid_after_utc
    renew = "Issue a new certificate (platemark keys rotate)."
    if chain.now < start:
        return [
            CertificateFinding("leaf.not-yet-valid", "error", f"The leaf is valid from {start:%Y-%m-%d %H:%M} UTC.")
        ]
    if chain.now > end:
        return [CertificateFinding("leaf.expired", "error", f"The leaf expired on {end:%Y-%m-%d}.", renew)]
    if chain.now > end - EXPIRES_SOON:
        return [CertificateFinding("leaf.expires-soon", "advice", f"The leaf expires on {end:%Y-%m-%d}.", renew)]
    return []


def _check_key(chain: _Chain) -> list[CertificateFinding]:
    key = chain.leaf.public_key()
    accepted = (
        (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES))
        or (isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048)
        or isinstance(key, ed25519.Ed25519PublicKey)
    )
    if accepted:
        return []
    message = "The leaf's key must be ECDSA P-256, P-384 or P-521, RSA with 2048 bits or more, or Ed25519."
    return [CertificateFinding("leaf.key", "error", message)]


def _check_identifiers(chain: _Chain) -> list[CertificateFinding]:
    found = []
    if _extension(chain.leaf, x509.AuthorityKeyIdentifier) is None:
        message = "The leaf has no authority key identifier, and signing is refused without one."
        found.append(CertificateFinding("leaf.authority-key-identifier", "error", message))
    if not chain.leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME):
        message = "The leaf names no organisation (O), so readers have no signer's name to show."
        found.append(CertificateFinding("leaf.organisation", "advice", message))
    return found


def _check_usage(chain: _Chain) -> list[CertificateFinding]:
    found = []
    basic = _extension(chain.leaf, x509.BasicConstraints)
    if basic is not None and basic.ca:
        message = "The leaf is a certificate authority; it must not be one."
        found.append(CertificateFinding("leaf.is-authority", "error", message))
    usage = _extension(chain.leaf, x509.KeyUsage)
    if usage is None:
        found.append(CertificateFinding("leaf.key-usage-missing", "error", "The leaf states no key usage."))
        return found
    if not (usage.digital_signature or usage.content_commitment):
        message = "The leaf's key usage must include digitalSignature."
        found.append(CertificateFinding("leaf.key-usage", "error", message))
    if usage.key_cert_sign and not (basic is not None and basic.ca):
        message = "The leaf may sign certificates (keyCertSign), which a signer of claims must not."
        found.append(CertificateFinding("leaf.key-usage-cert-sign", "error", message))
    return found


def _check_extended_usage(chain: _Chain) -> list[CertificateFinding]:
    extended = _extension(chain.leaf, x509.ExtendedKeyUsage)
    if extended is None:
        message = "The leaf states no extended key usage."
        return [CertificateFinding("leaf.extended-key-usage-missing", "error", message)]
    usages = set(extended)
    if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages:
        message = "The leaf allows any extended key usage; it must name its own."
        return [CertificateFinding("leaf.extended-key-usage-any", "error", message)]
    if usages & _LONE_USAGES:
        message = "Time-stamping and OCSP signing must not stand in a claim signer's certificate."
        return [CertificateFinding("leaf.extended-key-usage-mixed", "error", message)]
    if not usages & _SIGNING_USAGES:
        message = "The leaf's extended key usage must be C2PA claim signing, e-mail protection or document signing."
        return [CertificateFinding("leaf.extended-key-usage", "error", message)]
    if ExtendedKeyUsageOID.EMAIL_PROTECTION not in usages:
        message = "Readers with default settings call a certificate without e-mail protection invalid."
        return [CertificateFinding("leaf.extended-key-usage-narrow", "advice", message)]
    return []


def _check_order(chain: _Chain) -> list[CertificateFinding]:
    links = (chain.leaf, *chain.rest)
    if any(not is_issued_by(child, issuer) for child, issuer in pairwise(links)):
        message = "Each certificate must be issued by the next one in the file; this chain is broken or out of order."
        return [CertificateFinding("chain.order", "error", message, "Put the leaf first, then each issuer.")]
    if chain.rest and is_issued_by(links[-1], links[-1]):
        message = "The root is in the chain; it belongs in readers' trust lists and only makes manifests larger."
        return [CertificateFinding("chain.root-included", "advice", message)]
    if not chain.rest and not is_issued_by(chain.leaf, chain.leaf):
        message = "The intermediate is missing, so readers that know only the root cannot reach it."
        return [CertificateFinding("chain.intermediate-missing", "advice", message, "Append the issuer's certificate.")]
    return []


def _check_issuers(chain: _Chain) -> list[CertificateFinding]:
    found = []
    for issuer in chain.rest:
        name = issuer.subject.rfc4514_string()[:80]
        if not is_authority(issuer):
            message = f"{name} stands in the chain as an issuer and may not issue certificates."
            found.append(CertificateFinding("chain.not-an-authority", "error", message))
        if not issuer.not_valid_before_utc <= chain.now <= issuer.not_valid_after_utc:
            message = f"{name} is valid from {issuer.not_valid_before_utc:%Y-%m-%d} to {_end(issuer)}, and not now."
            found.append(CertificateFinding("chain.expired", "error", message, "Ask the authority for its new chain."))
        elif chain.now > issuer.not_valid_after_utc - EXPIRES_SOON:
            message = f"{name} expires on {_end(issuer)}."
            found.append(CertificateFinding("chain.expires-soon", "advice", message, "Ask for a new chain."))
    return found


def _end(certificate: x509.Certificate) -> str:
    return f"{certificate.not_valid_after_utc:%Y-%m-%d}"


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


_CHECKS: tuple[Callable[[_Chain], list[CertificateFinding]], ...] = (
    _check_form,
    _check_validity,
    _check_key,
    _check_identifiers,
    _check_usage,
    _check_extended_usage,
    _check_order,
    _check_issuers,
)


def days_left(chain_pem: bytes, *, now: datetime) -> int:
    """Count the whole days until the first certificate of a chain runs out; negative once it has, 0 if unreadable.

    Args:
        chain_pem: certificates in PEM.
        now: aware.
    """
    try:
        certificates = x509.load_pem_x509_certificates(chain_pem)
    except ValueError:
        return 0
    return (min(certificate.not_valid_after_utc for certificate in certificates) - now).days
