"""A key that cannot be taken out of its token or service asks for its own certificate."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from platemark_provenance.certificate_lint import C2PA_CLAIM_SIGNING, lint_certificate
from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.new_keys import claim_key_from_pem, new_claim_key
from platemark_provenance.outside_request import claim_public_key, place_for_key, request_by_signer
from platemark_provenance.pki import DEVELOPMENT_ALGORITHMS, DevelopmentPki, Subject, request_certificate
from platemark_provenance.signers.algorithms import SIGNING_ALGORITHMS, algorithm_named, sign_with_key
from platemark_provenance.signers.callback import CallbackSigner
from platemark_provenance.signers.claim_signer import KeyMismatch
from platemark_provenance.signers.uri import STANDARD_SIGNERS, SignerRequest

NOW = datetime.now(UTC)
WHO = Subject("Daily Example", "KR", "", "signing@example.com")
PIN = b"4711"


def public_pem(key: Any) -> bytes:
    """The public half as a key store's own tool writes it."""
    exported: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return exported


def signer_with(key: Any, alg: str, *, named: Any = None) -> CallbackSigner:
    """A service that signs with `key` and is said to hold `named`."""
    place = place_for_key(public_pem(named or key), now=NOW)
    return CallbackSigner(alg, place, lambda data: sign_with_key(key, algorithm_named(alg), data))


@pytest.mark.parametrize("alg", sorted(SIGNING_ALGORITHMS))
def test_the_request_is_signed_by_the_key_it_names(alg: str) -> None:
    key = new_claim_key(alg)

    request = x509.load_pem_x509_csr(request_by_signer(signer_with(key, alg), WHO))

    assert request.is_signature_valid
    assert request.public_key() == key.public_key()


def test_the_request_asks_for_what_one_with_a_key_at_hand_asks_for() -> None:
    key = new_claim_key("es256")

    outside = x509.load_pem_x509_csr(request_by_signer(signer_with(key, "es256"), WHO))

    inside = x509.load_pem_x509_csr(request_certificate(key, WHO))
    assert outside.subject == inside.subject
    assert list(outside.extensions) == list(inside.extensions)
    assert outside.signature_algorithm_oid == inside.signature_algorithm_oid
    usages = outside.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usages) == {C2PA_CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION}


@pytest.mark.parametrize("alg", DEVELOPMENT_ALGORITHMS)
def test_a_key_in_a_token_asks_for_its_certificate(
    alg: str, soft_token: Any, pki_for: Callable[[str], DevelopmentPki]
) -> None:
    pem = pki_for(alg).leaf_key_pem
    soft_token.load(pem, f"asks-{alg}", f"5{DEVELOPMENT_ALGORITHMS.index(alg)}")
    place = place_for_key(public_pem(load_pem_private_key(pem, None)), now=NOW)
    signer = STANDARD_SIGNERS.open(
        soft_token.uri(f"object=asks-{alg}"), SignerRequest(place, alg, ask_secret=lambda _: PIN)
    )

    request = x509.load_pem_x509_csr(request_by_signer(signer, WHO))

    assert request.is_signature_valid
    assert request.public_key() == claim_key_from_pem(pem).public_key()


@pytest.mark.parametrize("alg", ["es256", "ps256", "ed25519"])
def test_a_service_that_holds_another_key_is_found_out(alg: str) -> None:
    signer = signer_with(new_claim_key(alg), alg, named=new_claim_key(alg))

    with pytest.raises(KeyMismatch, match="not of the key that was named"):
        request_by_signer(signer, WHO)


@pytest.mark.parametrize("answer", [b"", bytes(64), b"\xff" * 64, bytes(7)])
def test_a_service_that_answers_nonsense_is_found_out(answer: bytes) -> None:
    place = place_for_key(public_pem(new_claim_key("es256")), now=NOW)

    with pytest.raises(KeyUnavailable):
        request_by_signer(CallbackSigner("es256", place, lambda _: answer), WHO)


@pytest.mark.parametrize("text", [b"", b"junk", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_public_key_is_refused(text: bytes) -> None:
    with pytest.raises(KeyUnavailable, match="BEGIN PUBLIC KEY"):
        place_for_key(text, now=NOW)


@pytest.mark.parametrize("key", [x25519.X25519PrivateKey.generate(), dsa.generate_private_key(1024)], ids=["x", "dsa"])
def test_a_key_that_signs_no_claims_is_refused(key: Any) -> None:
    with pytest.raises(KeyUnavailable, match="signs no claims"):
        claim_public_key(key.public_key())


def test_the_place_for_a_key_could_never_sign_a_claim() -> None:
    place = place_for_key(public_pem(new_claim_key("es256")), now=NOW)

    assert "error" in {each.severity for each in lint_certificate(place, now=NOW)}
