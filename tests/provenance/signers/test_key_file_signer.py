"""A key file is found by its URI, opened with its passphrase, and asked for it only when it is locked."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.keys import write_private_file
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.signers.claim_signer import KeyMismatch, prove_key_matches
from platemark_provenance.signers.key_file import key_path
from platemark_provenance.signers.uri import STANDARD_SIGNERS, SignerRequest


def lock(key_pem: bytes, passphrase: bytes, form: serialization.PrivateFormat) -> bytes:
    key = serialization.load_pem_private_key(key_pem, None)
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(passphrase))


@pytest.fixture
def open_questions() -> list[str]:
    """What was asked for."""
    return []


def asking(pki: DevelopmentPki, folder: Path, questions: list[str], answer: bytes) -> SignerRequest:
    def ask(what: str) -> bytes:
        questions.append(what)
        return answer

    return SignerRequest(pki.leaf_chain_pem, "es256", folder, ask)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:keys/leaf.key", "/home/keys/leaf.key"),
        ("file:/etc/leaf.key", "/etc/leaf.key"),
        ("file:///etc/leaf.key", "/etc/leaf.key"),
        ("file://localhost/etc/leaf.key", "/etc/leaf.key"),
        ("file:a%20b/%EC%97%B4.key", "/home/a b/열.key"),
        ("file:what?.key#1", "/home/what?.key#1"),
    ],
)
def test_a_file_uri_names_a_path_in_the_home_or_a_full_one(uri: str, path: str) -> None:
    assert key_path(uri, Path("/home")) == Path(path)


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [("file://server/leaf.key", "names a host"), ("file:", "names none"), ("file:a%00b", "names none")],
)
def test_a_file_uri_that_names_no_path_here_is_refused(uri: str, sentence: str) -> None:
    with pytest.raises(KeyUnavailable, match=sentence):
        key_path(uri, Path("/home"))


def test_nobody_is_asked_for_the_passphrase_of_an_open_key(
    pki: DevelopmentPki, tmp_path: Path, open_questions: list[str]
) -> None:
    write_private_file(tmp_path / "leaf.key", pki.leaf_key_pem)

    signer = STANDARD_SIGNERS.open("file:leaf.key", asking(pki, tmp_path, open_questions, b""))

    prove_key_matches(signer)
    assert open_questions == []


@pytest.mark.parametrize("form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL])
def test_a_locked_key_is_opened_with_what_was_answered(
    pki: DevelopmentPki, tmp_path: Path, open_questions: list[str], form: serialization.PrivateFormat
) -> None:
    write_private_file(tmp_path / "leaf.key", lock(pki.leaf_key_pem, b"open sesame", form))

    signer = STANDARD_SIGNERS.open("file:leaf.key", asking(pki, tmp_path, open_questions, b"open sesame"))

    prove_key_matches(signer)
    assert open_questions == [str(tmp_path / "leaf.key")]


def test_a_wrong_passphrase_is_refused_and_not_quoted(
    pki: DevelopmentPki, tmp_path: Path, open_questions: list[str]
) -> None:
    write_private_file(tmp_path / "leaf.key", lock(pki.leaf_key_pem, b"right", serialization.PrivateFormat.PKCS8))

    with pytest.raises(KeyUnavailable, match="Check the passphrase") as refused:
        STANDARD_SIGNERS.open("file:leaf.key", asking(pki, tmp_path, open_questions, b"wr0ng"))

    assert "wr0ng" not in str(refused.value)


def test_a_locked_key_with_nobody_to_ask_says_what_to_set(pki: DevelopmentPki, tmp_path: Path) -> None:
    write_private_file(tmp_path / "leaf.key", lock(pki.leaf_key_pem, b"right", serialization.PrivateFormat.PKCS8))

    with pytest.raises(KeyUnavailable, match="is locked") as refused:
        STANDARD_SIGNERS.open("file:leaf.key", SignerRequest(pki.leaf_chain_pem, "es256", tmp_path))

    assert "env:NAME" in refused.value.fix


def test_a_key_of_another_kind_is_a_mismatch_that_names_both(
    pki: DevelopmentPki, tmp_path: Path, open_questions: list[str]
) -> None:
    write_private_file(tmp_path / "leaf.key", pki.leaf_key_pem)
    request = SignerRequest(pki.leaf_chain_pem, "es384", tmp_path)

    with pytest.raises(KeyMismatch, match=r"ECDSA P-384.*another kind"):
        STANDARD_SIGNERS.open("file:leaf.key", request)
