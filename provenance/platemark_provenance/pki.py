"""A certificate authority for development, and a check of any certificate chain against what C2PA asks of it.

One rule: keys made here are for trying things out; nobody outside trusts their root, and every reader is told so.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from platemark_provenance.certificate_lint import C2PA_CLAIM_SIGNING, CertificateFinding, lint_certificate
from platemark_provenance.errors import SigningError

__all__ = [
    "CertificateFinding",
    "DevelopmentPki",
    "IssuedLeaf",
    "create_development_pki",
    "issue_leaf",
    "lint_certificate",
]

ROOT_DAYS, INTERMEDIATE_DAYS, LEAF_DAYS = 3650, 1825, 365
CLOCK_SKEW = timedelta(hours=1)
"""Certificates start this long ago, so that a reader whose clock is a little behind accepts them."""
MAX_NAME_CHARACTERS = 64
"""The upper bound of organizationName and commonName. Source: RFC 5280, appendix A.1."""


@dataclass(frozen=True, slots=True, repr=False)
class DevelopmentPki:
    """Root, intermediate and claim-signing leaf, each with its key, all PEM.

    `leaf_chain_pem` is the leaf followed by the intermediate: what goes into a manifest. Has no repr, so that
    a log line cannot show a key.
    """

    root_pem: bytes
    root_key_pem: bytes
    intermediate_pem: bytes
    intermediate_key_pem: bytes
    leaf_chain_pem: bytes
    leaf_key_pem: bytes


@dataclass(frozen=True, slots=True, repr=False)
class IssuedLeaf:
    """A claim-signing certificate with its chain, and its key, both PEM."""

    chain_pem: bytes
    key_pem: bytes


@dataclass(frozen=True, slots=True)
class _Issuer:
    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def create_development_pki(organisation: str, *, now: datetime, country: str = "KR") -> DevelopmentPki:
    """Make a root, an intermediate under it, and a claim-signing leaf under that, with new P-256 keys.

    Args:
        organisation: the name shown to people as the signer, at most 64 characters.
        now: the moment validity is counted from, aware.
        country: two capital letters (ISO 3166).

    Raises:
        SigningError: the organisation or country cannot stand in a certificate.
    """
    _check_names(organisation, country)
    root_key, intermediate_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = _name(organisation, country, "platemark development root")
    intermediate_name = _name(organisation, country, "platemark development intermediate")
    root = _authority(root_name, root_key, _Issuer(root_name, root_key), now=now, depth=1)
    intermediate = _authority(intermediate_name, intermediate_key, _Issuer(root_name, root_key), now=now, depth=0)
    intermediate_pem = intermediate.public_bytes(serialization.Encoding.PEM)
    intermediate_key_pem = _key_pem(intermediate_key)
    leaf = issue_leaf(intermediate_pem, intermediate_key_pem, organisation=organisation, now=now, country=country)
    return DevelopmentPki(
        root_pem=root.public_bytes(serialization.Encoding.PEM),
        root_key_pem=_key_pem(root_key),
        intermediate_pem=intermediate_pem,
        intermediate_key_pem=intermediate_key_pem,
        leaf_chain_pem=leaf.chain_pem,
        leaf_key_pem=leaf.key_pem,
    )


def issue_leaf(
    intermediate_pem: bytes,
    intermediate_key_pem: bytes,
    *,
    organisation: str,
    now: datetime,
    country: str = "KR",
) -> IssuedLeaf:
    """Issue a claim-signing certificate for a new key: the first one, or the next one at rotation.

    The usages are claim signing and e-mail protection together, which is what the official profile asks for
    and what readers without special settings accept.

    Raises:
        SigningError: the names cannot stand in a certificate, or the intermediate is not a readable key pair.
    """
    _check_names(organisation, country)
    try:
        issuer_certificate = x509.load_pem_x509_certificate(intermediate_pem)
        issuer_key = serialization.load_pem_private_key(intermediate_key_pem, password=None)
    except (ValueError, TypeError) as error:
        raise SigningError("The intermediate certificate and its key should be PEM and cannot be read.") from error
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise SigningError("The development intermediate has an ECDSA P-256 key; this is another kind.")
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = _Issuer(issuer_certificate.subject, issuer_key)
    subject = _name(organisation, country, f"{organisation} claim signer"[:MAX_NAME_CHARACTERS])
    leaf = (
        _certificate(subject, key, issuer, now=now, days=LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([C2PA_CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )
    chain = leaf.public_bytes(serialization.Encoding.PEM) + issuer_certificate.public_bytes(serialization.Encoding.PEM)
    return IssuedLeaf(chain_pem=chain, key_pem=_key_pem(key))


def _check_names(organisation: str, country: str) -> None:
    printable = all(unicodedata.category(each)[0] != "C" for each in organisation)
    if not organisation.strip() or len(organisation) > MAX_NAME_CHARACTERS or not printable:
        raise SigningError(
            f"An organisation is named with 1 to {MAX_NAME_CHARACTERS} printable characters; "
            f"got {len(organisation)} characters.",
            fix="Use the short public name of the publisher.",
        )
    if len(country) != 2 or not country.isascii() or not country.isupper():
        raise SigningError(f"A country is two capital letters; got {country[:10]!r}.", fix="For example KR.")


def _name(organisation: str, country: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _authority(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: _Issuer, *, now: datetime, depth: int
) -> x509.Certificate:
    days = ROOT_DAYS if depth else INTERMEDIATE_DAYS
    return (
        _certificate(name, key, issuer, now=now, days=days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .sign(issuer.key, hashes.SHA256())
    )


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: _Issuer, *, now: datetime, days: int
) -> x509.CertificateBuilder:
    public_key = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
