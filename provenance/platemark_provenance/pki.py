"""A certificate authority for development, and requests to real authorities.

One rule: keys made here are for trying things out; nobody outside trusts their root, and every reader is told so.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from platemark_provenance.certificate_lint import C2PA_CLAIM_SIGNING, CertificateFinding, lint_certificate
from platemark_provenance.errors import SigningError
from platemark_provenance.new_keys import ClaimKey, ClaimPublicKey, new_claim_key, private_pem

__all__ = [
    "DEVELOPMENT_ALGORITHMS",
    "CertificateFinding",
    "DevelopmentPki",
    "IssuedLeaf",
    "Subject",
    "certify",
    "check_development_algorithm",
    "create_development_pki",
    "issue_leaf",
    "lint_certificate",
    "request_builder",
    "request_certificate",
]

DEVELOPMENT_ALGORITHMS = ("es256", "es384", "ps256", "ed25519")
"""What development keys are made for. The authorities always have ECDSA keys: P-384 above es384, else P-256."""

ROOT_DAYS, INTERMEDIATE_DAYS, LEAF_DAYS = 3650, 1825, 365
CLOCK_SKEW = timedelta(hours=1)
"""Certificates start this long ago, so that a reader whose clock is a little behind accepts them."""
MAX_NAME_CHARACTERS = 64
"""The upper bound of organizationName and commonName. Source: RFC 5280, appendix A.1."""


_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
"""Source: RFC 5280, section 4.2.1.6 (rfc822Name is ASCII)."""
_CLAIM_USAGES = x509.ExtendedKeyUsage([C2PA_CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])


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
class Subject:
    """Whom a certificate names.

    Args:
        organisation: the name shown to people as the signer, at most 64 characters.
        country: two capital letters (ISO 3166).
        common_name: what tells this certificate from the organisation's others; made from the organisation if empty.
        email: an address in the certificate, which authorities for e-mail protection ask for; may be empty.

    Raises:
        SigningError: a name cannot stand in a certificate.
    """

    organisation: str
    country: str = "KR"
    common_name: str = ""
    email: str = ""

    def __post_init__(self) -> None:
        _check_names(self.organisation, self.country)
        if self.common_name:
            _check_text("A signer", self.common_name)
            if _cut(self.common_name) != self.common_name:
                raise SigningError(
                    f"A common name has at most {MAX_NAME_CHARACTERS} bytes in UTF-8; this one has more.",
                    fix="Use a shorter name, such as the desk's.",
                )
        if self.email and not _EMAIL.fullmatch(self.email):
            raise SigningError(
                f"An e-mail address is written in ASCII like signing@example.com; got {self.email[:40]!r}.",
                fix="Leave it out, or correct it.",
            )

    def leaf_name(self) -> x509.Name:
        """Give the subject of a claim-signing certificate."""
        common_name = self.common_name or f"{self.organisation} claim signer"
        return _name(self.organisation, self.country, _cut(common_name))


@dataclass(frozen=True, slots=True)
class _Issuer:
    name: x509.Name
    key: ec.EllipticCurvePrivateKey

    @property
    def digest(self) -> hashes.SHA256 | hashes.SHA384:
        """Give the hash that goes with the algorithm."""
        return hashes.SHA384() if isinstance(self.key.curve, ec.SECP384R1) else hashes.SHA256()


def create_development_pki(
    organisation: str, *, now: datetime, country: str = "KR", alg: str = "es256"
) -> DevelopmentPki:
    """Make a root, an intermediate under it, and a claim-signing leaf under that, with new keys.

    Args:
        organisation: the name shown to people as the signer, at most 64 characters.
        now: the moment validity is counted from, aware.
        country: two capital letters (ISO 3166).
        alg: what the leaf signs claims with, one of `DEVELOPMENT_ALGORITHMS`.

    Raises:
        SigningError: the organisation or country cannot stand in a certificate, or the algorithm is another.
    """
    check_development_algorithm(alg)
    _check_names(organisation, country)
    curve = ec.SECP384R1() if alg == "es384" else ec.SECP256R1()
    root_key, intermediate_key = (ec.generate_private_key(curve) for _ in range(2))
    root_name = _name(organisation, country, "platemark development root")
    intermediate_name = _name(organisation, country, "platemark development intermediate")
    root = _authority(root_name, root_key, _Issuer(root_name, root_key), now=now, depth=1)
    intermediate = _authority(intermediate_name, intermediate_key, _Issuer(root_name, root_key), now=now, depth=0)
    intermediate_pem = intermediate.public_bytes(serialization.Encoding.PEM)
    intermediate_key_pem = private_pem(intermediate_key)
    leaf = issue_leaf(
        intermediate_pem, intermediate_key_pem, organisation=organisation, now=now, country=country, alg=alg
    )
    return DevelopmentPki(
        root_pem=root.public_bytes(serialization.Encoding.PEM),
        root_key_pem=private_pem(root_key),
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
    alg: str = "es256",
) -> IssuedLeaf:
    """Issue a claim-signing certificate for a new key: the first one, or the next one at rotation.

    Raises:
        SigningError: the names cannot stand in a certificate, the algorithm is not one of `DEVELOPMENT_ALGORITHMS`,
            or the intermediate is not a readable key pair.
    """
    check_development_algorithm(alg)
    subject = Subject(organisation, country)
    key = new_claim_key(alg)
    chain = certify(key.public_key(), intermediate_pem, intermediate_key_pem, subject=subject, now=now)
    return IssuedLeaf(chain_pem=chain, key_pem=private_pem(key))


def certify(
    public_key: ClaimPublicKey,
    intermediate_pem: bytes,
    intermediate_key_pem: bytes,
    *,
    subject: Subject,
    now: datetime,
) -> bytes:
    """Issue a claim-signing certificate for a key that stays elsewhere, such as in a hardware token.

    The usages are claim signing and e-mail protection together, which is what the official profile asks for
    and what readers without special settings accept.

    Returns:
        The leaf followed by the intermediate, PEM.

    Raises:
        SigningError: the intermediate is not a readable key pair.
    """
    certificate, issuer = _read_issuer(intermediate_pem, intermediate_key_pem)
    builder = (
        _certificate(subject.leaf_name(), public_key, issuer, now=now, days=LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(_CLAIM_USAGES, critical=False)
    )
    if subject.email:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(subject.email)]), critical=False)
    leaf = builder.sign(issuer.key, issuer.digest)
    pem = serialization.Encoding.PEM
    return leaf.public_bytes(pem) + certificate.public_bytes(pem)


def request_certificate(key: ClaimKey, subject: Subject) -> bytes:
    """Write the request (PEM) that a real authority makes a claim-signing certificate from.

    It asks for what the profile wants: digital signatures, no authority, claim signing and e-mail protection.

    Source: RFC 2986 (PKCS #10); C2PA 2.2, section 14.5.
    """
    digest: hashes.SHA256 | hashes.SHA384 | None = hashes.SHA256()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        digest = None  # it hashes by itself
    elif key.key_size == 384:
        digest = hashes.SHA384()
    return request_builder(subject).sign(key, digest).public_bytes(serialization.Encoding.PEM)


def request_builder(subject: Subject) -> x509.CertificateSigningRequestBuilder:
    """Write down what a request for a claim-signing certificate asks for; whoever has the key signs it."""
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject.leaf_name())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(_CLAIM_USAGES, critical=False)
    )
    if not subject.email:
        return builder
    return builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(subject.email)]), critical=False)


def _read_issuer(certificate_pem: bytes, key_pem: bytes) -> tuple[x509.Certificate, _Issuer]:
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError) as error:
        raise SigningError("The intermediate certificate and its key should be PEM and cannot be read.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SigningError("The development intermediate has an ECDSA key; this is another kind.")
    return certificate, _Issuer(certificate.subject, key)


def check_development_algorithm(alg: str) -> None:
    """Refuse an algorithm that development keys are not made for.

    Raises:
        SigningError: it is none of `DEVELOPMENT_ALGORITHMS`.
    """
    if alg not in DEVELOPMENT_ALGORITHMS:
        known = ", ".join(DEVELOPMENT_ALGORITHMS)
        raise SigningError(f"Development keys are made for {known}; got {alg[:20]!r}.", fix="Choose one of these.")


def _check_names(organisation: str, country: str) -> None:
    _check_text("An organisation", organisation)
    if len(country) != 2 or not country.isascii() or not country.isupper():
        raise SigningError(f"A country is two capital letters; got {country[:10]!r}.", fix="For example KR.")


def _check_text(what: str, name: str) -> None:
    printable = all(unicodedata.category(each)[0] != "C" for each in name)
    if not name.strip() or len(name) > MAX_NAME_CHARACTERS or not printable:
        raise SigningError(
            f"{what} is named with 1 to {MAX_NAME_CHARACTERS} printable characters; got {len(name)} characters.",
            fix="Use the short public name of the publisher.",
        )


def _cut(common_name: str) -> str:
    """Cut a name to what a common name may hold: the certificate library counts its bytes, not its characters."""
    return common_name.encode("utf-8")[:MAX_NAME_CHARACTERS].decode("utf-8", "ignore")


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
        _certificate(name, key.public_key(), issuer, now=now, days=days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .sign(issuer.key, issuer.digest)
    )


def _certificate(
    subject: x509.Name, public_key: ClaimPublicKey, issuer: _Issuer, *, now: datetime, days: int
) -> x509.CertificateBuilder:
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
