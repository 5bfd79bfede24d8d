"""The facts of a certificate are those that other tools show."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from platemark_provenance.certificate_facts import (
    certificate_facts,
    certificates,
    is_authority,
    is_issued_by,
    public_key_sha256,
)
from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.new_keys import new_claim_key
from platemark_provenance.pki import DevelopmentPki


def test_the_facts_are_those_of_the_leaf(pki: DevelopmentPki) -> None:
    leaf = x509.load_pem_x509_certificates(pki.leaf_chain_pem)[0]

    facts = certificate_facts(pki.leaf_chain_pem)

    assert facts.sha256 == leaf.fingerprint(SHA256()).hex()
    assert facts.subject == "CN=Example News claim signer,O=Example News,C=KR"
    assert (facts.alg, facts.not_after) == ("es256", leaf.not_valid_after_utc)
    assert facts.to_json()["not_after"] == leaf.not_valid_after_utc.isoformat()


def test_the_authorities_are_told_from_the_leaf(pki: DevelopmentPki) -> None:
    chain = certificates(pki.leaf_chain_pem + pki.root_pem)

    assert [is_authority(each) for each in chain] == [False, True, True]


def test_an_issuer_is_known_by_its_signature(pki: DevelopmentPki, stranger_pki: DevelopmentPki) -> None:
    leaf, intermediate = certificates(pki.leaf_chain_pem)
    (stranger,) = certificates(stranger_pki.intermediate_pem)

    assert is_issued_by(leaf, intermediate)
    assert not is_issued_by(intermediate, leaf)
    assert not is_issued_by(leaf, stranger)


@pytest.mark.parametrize("pem", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate_is_refused(pem: bytes) -> None:
    with pytest.raises(KeyUnavailable, match="PEM certificates were expected"):
        certificates(pem)


def test_two_keys_have_two_digests() -> None:
    keys = [new_claim_key("es256").public_key() for _ in range(2)]

    assert len({public_key_sha256(key) for key in keys}) == 2
