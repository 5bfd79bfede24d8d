"""The development PKI is accepted by the profile, by readers and by an independent X.509 verifier."""

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from platemark_provenance.certificate_facts import certificate_facts
from platemark_provenance.errors import KeyUnavailable, SigningError
from platemark_provenance.new_keys import claim_key_from_pem, new_claim_key, private_pem
from platemark_provenance.pki import (
    DEVELOPMENT_ALGORITHMS,
    DevelopmentPki,
    Subject,
    certify,
    create_development_pki,
    issue_leaf,
    lint_certificate,
    request_certificate,
)

PEM = serialization.Encoding.PEM


def test_the_chain_leads_from_leaf_to_root(pki: DevelopmentPki) -> None:
    leaf, intermediate = x509.load_pem_x509_certificates(pki.leaf_chain_pem)
    root = x509.load_pem_x509_certificate(pki.root_pem)

    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)


def test_each_key_belongs_to_its_certificate(pki: DevelopmentPki) -> None:
    pairs = [
        (pki.root_pem, pki.root_key_pem),
        (pki.intermediate_pem, pki.intermediate_key_pem),
        (pki.leaf_chain_pem, pki.leaf_key_pem),
    ]

    named = [x509.load_pem_x509_certificate(certificate).public_key() for certificate, _ in pairs]
    held = [load_pem_private_key(key, None).public_key() for _, key in pairs]

    assert named == held


def test_the_signer_is_named_after_the_organisation(pki: DevelopmentPki) -> None:
    subject = x509.load_pem_x509_certificate(pki.leaf_chain_pem).subject

    names = [each.value for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]

    assert names == ["Example News"]


def test_only_the_authorities_may_issue(pki: DevelopmentPki) -> None:
    certificates = [*x509.load_pem_x509_certificates(pki.leaf_chain_pem + pki.root_pem)]

    limits = [each.extensions.get_extension_for_class(x509.BasicConstraints).value for each in certificates]

    assert [(limit.ca, limit.path_length) for limit in limits] == [(False, None), (True, 0), (True, 1)]


def test_the_root_is_not_in_the_chain(pki: DevelopmentPki) -> None:
    assert pki.root_pem not in pki.leaf_chain_pem


def test_two_pkis_share_nothing(pki: DevelopmentPki, stranger_pki: DevelopmentPki) -> None:
    assert pki.root_key_pem != stranger_pki.root_key_pem
    assert pki.leaf_key_pem != stranger_pki.leaf_key_pem


def test_a_pki_does_not_show_its_keys(pki: DevelopmentPki) -> None:
    assert "PRIVATE" not in repr(pki)


def test_validity_is_counted_from_the_given_moment(moment: datetime) -> None:
    later = moment + timedelta(days=1000)

    leaf = x509.load_pem_x509_certificate(create_development_pki("News", now=later).leaf_chain_pem)

    assert leaf.not_valid_before_utc <= later < leaf.not_valid_after_utc
    assert leaf.not_valid_after_utc - later <= timedelta(days=366)


def test_rotation_issues_a_new_key_under_the_same_intermediate(pki: DevelopmentPki, moment: datetime) -> None:
    renewed = issue_leaf(pki.intermediate_pem, pki.intermediate_key_pem, organisation="Example News", now=moment)

    assert renewed.key_pem != pki.leaf_key_pem
    assert renewed.chain_pem.endswith(pki.intermediate_pem)
    assert lint_certificate(renewed.chain_pem, now=moment) == ()
    assert "PRIVATE" not in repr(renewed)


@pytest.mark.parametrize("organisation", ["", "   ", "x" * 65, "News\x00", "News\u202e", "News\n"])
def test_an_organisation_that_cannot_stand_in_a_certificate_is_refused(organisation: str, moment: datetime) -> None:
    with pytest.raises(SigningError, match="1 to 64 printable characters"):
        create_development_pki(organisation, now=moment)


@pytest.mark.parametrize("organisation", ["예시 뉴스", "Ça", "x" * 64, "가" * 64, "A & B <News>, Ltd."])
def test_an_organisation_may_be_named_in_any_script(organisation: str, moment: datetime) -> None:
    made = create_development_pki(organisation, now=moment)

    assert lint_certificate(made.leaf_chain_pem, now=moment) == ()


@pytest.mark.parametrize("country", ["", "K", "kr", "KOR", "한국", "K1 "])
def test_a_country_is_two_capital_letters(country: str, moment: datetime) -> None:
    with pytest.raises(SigningError, match="two capital letters"):
        create_development_pki("News", now=moment, country=country)


def test_an_unreadable_intermediate_is_refused(pki: DevelopmentPki, moment: datetime) -> None:
    with pytest.raises(SigningError, match="cannot be read"):
        issue_leaf(b"nothing", pki.intermediate_key_pem, organisation="News", now=moment)


def test_a_key_of_another_kind_cannot_issue(pki: DevelopmentPki, moment: datetime) -> None:
    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    with pytest.raises(SigningError, match="another kind"):
        issue_leaf(pki.intermediate_pem, key, organisation="News", now=moment)


def test_keys_are_on_the_curve_that_claims_need(pki: DevelopmentPki) -> None:
    key = load_pem_private_key(pki.leaf_key_pem, None)

    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"


@pytest.mark.parametrize("alg", DEVELOPMENT_ALGORITHMS)
def test_a_pki_for_any_algorithm_passes_the_profile(alg: str, moment: datetime) -> None:
    made = create_development_pki("Example News", now=moment, alg=alg)

    assert lint_certificate(made.leaf_chain_pem, now=moment) == ()
    assert certificate_facts(made.leaf_chain_pem).alg == alg


def test_the_authorities_above_a_p384_leaf_are_as_strong(moment: datetime) -> None:
    made = create_development_pki("Example News", now=moment, alg="es384")

    certificates = x509.load_pem_x509_certificates(made.leaf_chain_pem + made.root_pem)
    assert {each.signature_hash_algorithm.name for each in certificates if each.signature_hash_algorithm} == {"sha384"}
    assert {certificate_facts(each.public_bytes(PEM)).alg for each in certificates} == {"es384"}


@pytest.mark.parametrize("alg", ["", "ES256", "es512", "rs256"])
def test_development_keys_are_made_for_the_four_algorithms_alone(alg: str, moment: datetime) -> None:
    with pytest.raises(SigningError, match="es256, es384, ps256, ed25519"):
        create_development_pki("Example News", now=moment, alg=alg)


@pytest.mark.parametrize("alg", DEVELOPMENT_ALGORITHMS)
def test_a_request_is_signed_by_the_key_it_asks_for(alg: str) -> None:
    key = new_claim_key(alg)

    csr = x509.load_pem_x509_csr(request_certificate(key, Subject("Example News")))

    assert csr.is_signature_valid
    assert csr.public_key() == key.public_key()


def test_an_address_stands_in_the_certificate(pki: DevelopmentPki, moment: datetime) -> None:
    key = new_claim_key("es256").public_key()
    subject = Subject("Example News", email="signing@example.com")

    chain = certify(key, pki.intermediate_pem, pki.intermediate_key_pem, subject=subject, now=moment)

    leaf = x509.load_pem_x509_certificates(chain)[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.RFC822Name) == ["signing@example.com"]
    assert lint_certificate(chain, now=moment) == ()


def test_a_claim_key_survives_being_written() -> None:
    key = new_claim_key("ed25519")

    assert claim_key_from_pem(private_pem(key)).public_key() == key.public_key()


@pytest.mark.parametrize("text", [b"", b"5ecret", b"-----BEGIN PRIVATE KEY-----\n5ecret\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_claim_key_is_refused_and_not_quoted(text: bytes) -> None:
    with pytest.raises(KeyUnavailable) as refused:
        claim_key_from_pem(text)

    assert "5ecret" not in f"{refused.value} {refused.value.__cause__}"
