"""A signing function is checked, not believed, and what goes wrong in it is heard."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from platemark_provenance.errors import KeyUnavailable, SigningError
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.signers.callback import MAX_SIGNATURE_BYTES, CallbackSigner
from platemark_provenance.signers.claim_signer import ClaimSigner, KeyMismatch, prove_key_matches


@pytest.mark.parametrize("alg", ["es256", "es384"])
def test_a_key_in_a_key_service_proves_itself(alg: str, open_in_service: Callable[[str], ClaimSigner]) -> None:
    signer = open_in_service(alg)

    prove_key_matches(signer)

    assert signer.alg == alg


def test_a_key_service_that_is_asked_for_a_key_it_does_not_have_is_heard(
    open_in_service: Callable[[str], ClaimSigner], key_service: Any
) -> None:
    signer = open_in_service("es256")

    def sign(content: bytes) -> bytes:
        answer: bytes = key_service.sign(
            KeyId="nowhere", Message=content, MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256"
        )["Signature"]
        return answer

    with pytest.raises(KeyUnavailable, match=r"NotFoundException|ClientError") as refused:
        CallbackSigner("es256", signer.chain_pem, sign).sign(b"content")

    assert refused.value.__cause__ is not None


def test_a_signature_in_der_is_given_as_r_and_s(pki: DevelopmentPki) -> None:
    key = load_pem_private_key(pki.leaf_key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signer = CallbackSigner("es256", pki.leaf_chain_pem, lambda content: key.sign(content, ec.ECDSA(hashes.SHA256())))

    prove_key_matches(signer)

    assert len(signer.sign(b"content")) == 64


@pytest.mark.parametrize("error", [ValueError("secret"), KeyError("secret"), RuntimeError("secret"), OSError("secret")])
def test_what_the_function_raises_is_chained_and_not_quoted(pki: DevelopmentPki, error: Exception) -> None:
    def sign(_: bytes) -> bytes:
        raise error

    with pytest.raises(KeyUnavailable, match=type(error).__name__) as refused:
        CallbackSigner("es256", pki.leaf_chain_pem, sign).sign(b"content")

    assert refused.value.__cause__ is error
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("error", [SigningError("ours"), KeyboardInterrupt()])
def test_our_own_errors_and_an_interruption_pass_unchanged(pki: DevelopmentPki, error: BaseException) -> None:
    def sign(_: bytes) -> bytes:
        raise error

    with pytest.raises(type(error)) as passed:
        CallbackSigner("es256", pki.leaf_chain_pem, sign).sign(b"content")

    assert passed.value is error


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [(None, "must give bytes; got NoneType"), ("text", "got str"), (b"", "gave 0"), (bytes(3000), "gave 3000")],
)
def test_what_is_no_signature_is_refused(pki: DevelopmentPki, answer: Any, sentence: str) -> None:
    with pytest.raises(KeyUnavailable, match=sentence):
        CallbackSigner("es256", pki.leaf_chain_pem, lambda _: answer).sign(b"content")


def test_the_longest_signature_there_is_passes(pki: DevelopmentPki) -> None:
    longest = bytes(MAX_SIGNATURE_BYTES)

    assert CallbackSigner("ps256", pki.leaf_chain_pem, lambda _: longest).sign(b"content") == longest


def test_garbage_is_called_a_mismatch_when_the_key_is_proved(pki: DevelopmentPki) -> None:
    with pytest.raises(KeyMismatch):
        prove_key_matches(CallbackSigner("es256", pki.leaf_chain_pem, lambda _: b"\x01" * 64))
