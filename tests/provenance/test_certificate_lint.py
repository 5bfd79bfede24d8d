"""Every rule of the certificate profile is named by the certificate that breaks it, and by that one alone."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from c2pa import C2paError
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from platemark_provenance.certificate_lint import C2PA_CLAIM_SIGNING, days_left, lint_certificate
from platemark_provenance.digest import JsonValue
from platemark_provenance.pki import DevelopmentPki, Subject, certify

Leaf = tuple[bytes, bytes]
Change = dict[str, object]

EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")

REFUSED_EVERYWHERE: list[tuple[str, Change]] = [
    ("leaf.expired", {"starts": timedelta(days=-9), "ends": timedelta(days=-1)}),
    ("leaf.not-yet-valid", {"starts": timedelta(days=1)}),
    ("leaf.authority-key-identifier", {"authority_key_identifier": False}),
    ("leaf.is-authority", {"authority": True}),
    ("leaf.key-usage-missing", {"key_usage": frozenset()}),
    ("leaf.key-usage", {"key_usage": frozenset({"key_encipherment"})}),
    ("leaf.key-usage-cert-sign", {"key_usage": frozenset({"digital_signature", "key_cert_sign"})}),
    ("leaf.extended-key-usage-missing", {"usages": ()}),
    ("leaf.extended-key-usage-any", {"usages": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)}),
    ("leaf.extended-key-usage-mixed", {"usages": (EMAIL, ExtendedKeyUsageOID.TIME_STAMPING)}),
    ("leaf.extended-key-usage", {"usages": (ExtendedKeyUsageOID.CODE_SIGNING,)}),
]
"""The C2PA library refuses to sign with these too, but only says that the certificate is invalid."""

NAMED_HERE: list[tuple[str, Change]] = [
    ("leaf.key", {"key": ec.generate_private_key(ec.SECP256K1())}),
    ("leaf.extended-key-usage-mixed", {"usages": (EMAIL, ExtendedKeyUsageOID.OCSP_SIGNING)}),
    ("leaf.unknown-critical-extension", {"critical_unknown": True}),
]

ADVICE: list[tuple[str, Change]] = [
    ("leaf.expires-soon", {"ends": timedelta(days=20)}),
    ("leaf.organisation", {"organisation": None}),
    ("leaf.extended-key-usage-narrow", {"usages": (C2PA_CLAIM_SIGNING,)}),
    ("leaf.extended-key-usage-narrow", {"usages": (DOCUMENT_SIGNING,)}),
    ("chain.intermediate-missing", {"issuer_in_chain": False}),
]

GOOD: list[Change] = [
    {"usages": (EMAIL,)},
    {"usages": (EMAIL, DOCUMENT_SIGNING)},
    {"key_usage": frozenset({"content_commitment"})},
    {"key": ec.generate_private_key(ec.SECP384R1())},
]


def test_the_development_chain_has_no_findings(pki: DevelopmentPki, moment: datetime) -> None:
    assert lint_certificate(pki.leaf_chain_pem, now=moment) == ()


@pytest.mark.parametrize("change", GOOD)
def test_a_good_certificate_has_no_findings(change: Change, make_leaf: Callable[..., Leaf], moment: datetime) -> None:
    assert lint_certificate(make_leaf(**change)[0], now=moment) == ()


@pytest.mark.parametrize(("rule", "change"), REFUSED_EVERYWHERE + NAMED_HERE)
def test_one_flaw_is_one_error(rule: str, change: Change, make_leaf: Callable[..., Leaf], moment: datetime) -> None:
    findings = lint_certificate(make_leaf(**change)[0], now=moment)

    assert [(each.rule, each.severity) for each in findings] == [(rule, "error")]


@pytest.mark.parametrize(("rule", "change"), ADVICE)
def test_one_weakness_is_one_piece_of_advice(
    rule: str, change: Change, make_leaf: Callable[..., Leaf], moment: datetime
) -> None:
    findings = lint_certificate(make_leaf(**change)[0], now=moment)

    assert [(each.rule, each.severity) for each in findings] == [(rule, "advice")]


@pytest.mark.parametrize(("rule", "change"), REFUSED_EVERYWHERE)
def test_what_is_called_an_error_the_library_refuses_to_sign_with(
    rule: str,
    change: Change,
    make_leaf: Callable[..., Leaf],
    sign_foreign: Callable[..., bytes],
    manifest: dict[str, JsonValue],
    plain_clip_bytes: bytes,
) -> None:
    leaf = make_leaf(**change)

    with pytest.raises(C2paError, match=r"certificate|Signature"):
        sign_foreign(plain_clip_bytes, leaf, manifest)


def test_an_expired_certificate_is_told_from_a_good_one_by_the_moment_alone(
    pki: DevelopmentPki, moment: datetime
) -> None:
    findings = lint_certificate(pki.leaf_chain_pem, now=moment + timedelta(days=400))

    assert [each.rule for each in findings] == ["leaf.expired"]
    assert "keys rotate" in findings[0].fix


def test_a_chain_out_of_order_is_an_error(pki: DevelopmentPki, moment: datetime) -> None:
    leaf = pki.leaf_chain_pem.removesuffix(pki.intermediate_pem)

    findings = lint_certificate(leaf + pki.root_pem + pki.intermediate_pem, now=moment)

    assert "chain.order" in [each.rule for each in findings]


def test_a_foreign_intermediate_is_an_error(
    pki: DevelopmentPki, stranger_pki: DevelopmentPki, moment: datetime
) -> None:
    leaf = pki.leaf_chain_pem.removesuffix(pki.intermediate_pem)

    findings = lint_certificate(leaf + stranger_pki.intermediate_pem, now=moment)

    assert [each.rule for each in findings] == ["chain.order"]


def test_a_root_in_the_chain_is_advised_against(pki: DevelopmentPki, moment: datetime) -> None:
    findings = lint_certificate(pki.leaf_chain_pem + pki.root_pem, now=moment)

    assert [(each.rule, each.severity) for each in findings] == [("chain.root-included", "advice")]


@pytest.mark.parametrize(
    "garbage",
    [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff" * 100],
)
def test_garbage_is_one_error(garbage: bytes, moment: datetime) -> None:
    findings = lint_certificate(garbage, now=moment)

    assert [(each.rule, each.severity) for each in findings] == [("chain.unreadable", "error")]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b"Example News claim signer", b"Example Mews claim signer", "chain.order"),
        (bytes.fromhex("030206c0"), bytes.fromhex("040206c0"), "chain.unreadable"),
    ],
    ids=["a letter of the name", "the form of the key usage"],
)
def test_a_damaged_certificate_is_a_finding_and_not_a_crash(
    old: bytes, new: bytes, rule: str, pki: DevelopmentPki, moment: datetime
) -> None:
    der = x509.load_pem_x509_certificate(pki.leaf_chain_pem).public_bytes(serialization.Encoding.DER)
    body = base64.encodebytes(der.replace(old, new))
    damaged = b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n" + pki.intermediate_pem

    findings = lint_certificate(damaged, now=moment)

    assert [(each.rule, each.severity) for each in findings] == [(rule, "error")]


def test_the_days_left_are_those_of_the_certificate_that_ends_first(
    make_leaf: Callable[..., Leaf], moment: datetime
) -> None:
    chain = make_leaf(ends=timedelta(days=20, hours=1))[0]

    assert days_left(chain, now=moment) == 20
    assert days_left(chain, now=moment + timedelta(days=30)) < 0


def test_an_unreadable_chain_has_no_days_left(moment: datetime) -> None:
    assert days_left(b"no certificate", now=moment) == 0


def test_an_issuer_that_is_about_to_end_or_has_ended_is_named(make_leaf: Callable[..., Leaf], moment: datetime) -> None:
    chain = make_leaf(ends=timedelta(days=4000))[0]

    soon = lint_certificate(chain, now=moment + timedelta(days=1800))
    over = lint_certificate(chain, now=moment + timedelta(days=1900))

    assert [(each.rule, each.severity) for each in soon] == [("chain.expires-soon", "advice")]
    assert [(each.rule, each.severity) for each in over] == [("chain.expired", "error")]


def test_an_issuer_that_is_no_authority_is_an_error(
    make_leaf: Callable[..., Leaf], pki: DevelopmentPki, moment: datetime
) -> None:
    leaf, key = make_leaf(issuer_in_chain=False)
    under_a_leaf = issued_under(leaf, key, moment)

    findings = lint_certificate(under_a_leaf + leaf + pki.intermediate_pem, now=moment)

    assert [(each.rule, each.severity) for each in findings] == [("chain.not-an-authority", "error")]


def issued_under(issuer_pem: bytes, issuer_key_pem: bytes, moment: datetime) -> bytes:
    """Issue a leaf with the key of another leaf, as somebody with one certificate too many would."""
    subject = Subject("Example News")
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    chain = certify(key, issuer_pem, issuer_key_pem, subject=subject, now=moment)
    return chain.removesuffix(x509.load_pem_x509_certificate(issuer_pem).public_bytes(serialization.Encoding.PEM))
