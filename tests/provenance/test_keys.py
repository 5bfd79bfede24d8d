"""Key files are used only when nobody else could have read them, and their content is never shown."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.keys import (
    SIGNING_ALGORITHMS,
    ClaimSigner,
    load_claim_signer,
    load_ledger_signing_key,
    load_secret,
    prove_key_matches,
    read_private_file,
    write_private_file,
)
from platemark_provenance.pki import DevelopmentPki

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


@dataclass(frozen=True)
class FakeSigner:
    """Obeys the protocol and answers whatever it was told to."""

    chain_pem: bytes
    answer: Callable[[bytes], bytes]
    alg: str = "es256"

    def sign(self, data: bytes) -> bytes:
        return self.answer(data)


def test_a_private_file_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"

    write_private_file(path, b"content")

    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_private_file_is_private_under_any_umask(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    before = os.umask(0)

    try:
        write_private_file(path, b"content")
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private_file(path, b"first")

    with pytest.raises(KeyUnavailable, match="never overwritten"):
        write_private_file(path, b"second")

    assert path.read_bytes() == b"first"


def test_a_key_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="could not be written"):
        write_private_file(tmp_path / "missing" / "secret", b"content")


def test_a_key_that_could_not_be_made_durable_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)

    with pytest.raises(KeyUnavailable, match="No space left"):
        write_private_file(path, b"content")

    assert not path.exists()


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private_file(path, b"content")

    assert read_private_file(path) == b"content"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o777])
def test_a_key_that_others_can_reach_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    write_private_file(path, b"content")
    path.chmod(mode)

    with pytest.raises(KeyUnavailable, match=f"{mode:04o}") as refused:
        read_private_file(path)

    assert refused.value.fix == f"Run: chmod 600 {path}"


def test_a_missing_key_is_reported_as_missing(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="no key file"):
        read_private_file(tmp_path / "missing")


def test_a_folder_is_not_a_key(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable):
        read_private_file(tmp_path)


def test_a_pipe_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)

    with pytest.raises(KeyUnavailable, match="regular file"):
        read_private_file(path)


def test_a_link_to_an_open_file_is_refused(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"content")
    target.chmod(0o644)
    link.symlink_to(target)

    with pytest.raises(KeyUnavailable, match="mode 0644"):
        read_private_file(link)


def test_a_link_to_a_private_file_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    write_private_file(target, b"content")
    link.symlink_to(target)

    assert read_private_file(link) == b"content"


def test_a_key_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    write_private_file(path, b"content")
    owner = path.stat().st_uid
    status = os.stat_result((0o100600, 0, 0, 1, owner + 12345, 0, 7, 0, 0, 0))
    monkeypatch.setattr("os.fstat", lambda _: status)

    with pytest.raises(KeyUnavailable, match="another user"):
        read_private_file(path)


def test_an_oversized_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private_file(path, bytes(101))

    with pytest.raises(KeyUnavailable, match="at most 100 bytes"):
        read_private_file(path, max_bytes=100)


def test_a_key_file_of_exactly_the_bound_is_read(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private_file(path, bytes(100))

    assert len(read_private_file(path, max_bytes=100)) == 100


def test_a_secret_is_read_from_hexadecimal(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private_file(path, b"ab" * 32 + b"\n")

    assert load_secret(path) == b"\xab" * 32


@pytest.mark.parametrize(
    "content",
    [b"", b"ab" * 31, b"ab" * 33, b"zz" * 32, "가".encode() * 8, bytes(32)],
    ids=["empty", "short", "long", "not hexadecimal", "not ascii", "raw bytes"],
)
def test_a_secret_of_another_form_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    write_private_file(path, content)

    with pytest.raises(KeyUnavailable, match="64 hexadecimal digits"):
        load_secret(path)


def test_a_garbled_secret_is_not_quoted_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private_file(path, b"5ec4e7" * 10 + b"gggg")

    with pytest.raises(KeyUnavailable) as refused:
        load_secret(path)

    assert "5ec4e7" not in f"{refused.value} {refused.value.__cause__} {refused.value.__context__}"


def test_the_claim_signer_signs_with_fixed_length_numbers(signer: ClaimSigner) -> None:
    assert len(signer.sign(b"data")) == 2 * SIGNING_ALGORITHMS[signer.alg].part_bytes


def test_two_signatures_of_the_same_data_differ(signer: ClaimSigner) -> None:
    assert signer.sign(b"data") != signer.sign(b"data")


def test_the_claim_signer_does_not_show_its_key(signer: ClaimSigner) -> None:
    assert "key=" not in repr(signer)
    assert "BEGIN" not in repr(signer)


def test_a_key_that_fits_its_certificate_passes(signer: ClaimSigner) -> None:
    prove_key_matches(signer)


def test_a_key_of_another_certificate_is_refused(
    tmp_path: Path, pki: DevelopmentPki, stranger_pki: DevelopmentPki
) -> None:
    write_private_file(tmp_path / "leaf.key", stranger_pki.leaf_key_pem)
    (tmp_path / "chain.pem").write_bytes(pki.leaf_chain_pem)

    with pytest.raises(KeyUnavailable, match="not the one that the leaf certificate names"):
        load_claim_signer(tmp_path / "leaf.key", tmp_path / "chain.pem")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "got 0 bytes"),
        (bytes(63), "got 63 bytes"),
        (bytes(65), "got 65 bytes"),
        (bytes(64), "leaf certificate names"),
        (b"\xff" * 64, "leaf certificate names"),
    ],
    ids=["nothing", "a byte short", "a byte long", "zeros", "out of range"],
)
def test_a_signer_that_answers_nonsense_is_refused(signer: ClaimSigner, answer: bytes, message: str) -> None:
    with pytest.raises(KeyUnavailable, match=message):
        prove_key_matches(FakeSigner(signer.chain_pem, lambda _: answer))


def test_a_signer_that_repeats_an_old_signature_is_refused(signer: ClaimSigner) -> None:
    old = signer.sign(b"an earlier message")

    with pytest.raises(KeyUnavailable, match="leaf certificate names"):
        prove_key_matches(FakeSigner(signer.chain_pem, lambda _: old))


def test_an_unknown_algorithm_is_refused(signer: ClaimSigner) -> None:
    with pytest.raises(KeyUnavailable, match="one of es256"):
        prove_key_matches(FakeSigner(signer.chain_pem, signer.sign, alg="hs256"))


def test_a_key_in_garbled_pem_is_refused_and_not_quoted(tmp_path: Path, key_folder: Path) -> None:
    write_private_file(tmp_path / "leaf.key", b"-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----\n")

    with pytest.raises(KeyUnavailable, match="one private key in PEM") as refused:
        load_claim_signer(tmp_path / "leaf.key", key_folder / "chain.pem")

    assert "SECRETSECRET" not in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_a_garbled_certificate_is_refused(tmp_path: Path, key_folder: Path, content: bytes) -> None:
    (tmp_path / "chain.pem").write_bytes(content)

    with pytest.raises(KeyUnavailable, match="PEM certificates"):
        load_claim_signer(key_folder / "leaf.key", tmp_path / "chain.pem")


def test_a_missing_certificate_is_reported(tmp_path: Path, key_folder: Path) -> None:
    with pytest.raises(KeyUnavailable, match="could not be read"):
        load_claim_signer(key_folder / "leaf.key", tmp_path / "missing.pem")


def test_a_locked_key_opens_with_its_passphrase(tmp_path: Path, pki: DevelopmentPki, key_folder: Path) -> None:
    locked = _lock(pki.leaf_key_pem, b"open sesame")
    write_private_file(tmp_path / "leaf.key", locked)

    opened = load_claim_signer(tmp_path / "leaf.key", key_folder / "chain.pem", passphrase=b"open sesame")

    prove_key_matches(opened)


@pytest.mark.parametrize("passphrase", [None, b"wrong"])
def test_a_locked_key_stays_shut_otherwise(
    tmp_path: Path, pki: DevelopmentPki, key_folder: Path, passphrase: bytes | None
) -> None:
    write_private_file(tmp_path / "leaf.key", _lock(pki.leaf_key_pem, b"open sesame"))

    with pytest.raises(KeyUnavailable, match="passphrase"):
        load_claim_signer(tmp_path / "leaf.key", key_folder / "chain.pem", passphrase=passphrase)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        Ed25519PrivateKey.generate(),
    ],
    ids=["P-384", "RSA", "Ed25519"],
)
def test_a_claim_key_of_another_kind_is_refused(
    tmp_path: Path, key_folder: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey
) -> None:
    content = key.private_bytes(PEM, PKCS8, serialization.NoEncryption())
    write_private_file(tmp_path / "leaf.key", content)

    with pytest.raises(KeyUnavailable, match="P-256"):
        load_claim_signer(tmp_path / "leaf.key", key_folder / "chain.pem")


def test_a_certificate_for_another_kind_of_key_is_refused(signer: ClaimSigner) -> None:
    chain = _self_signed_p384()

    with pytest.raises(KeyUnavailable, match="not of the kind"):
        prove_key_matches(FakeSigner(chain, signer.sign))


def test_the_ledger_key_is_read(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    write_private_file(tmp_path / "ledger.key", key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))

    loaded = load_ledger_signing_key(tmp_path / "ledger.key")

    assert loaded.public_key() == key.public_key()


def test_a_claim_key_does_not_sign_the_ledger(key_folder: Path) -> None:
    with pytest.raises(KeyUnavailable, match="Ed25519"):
        load_ledger_signing_key(key_folder / "leaf.key")


def _lock(key_pem: bytes, passphrase: bytes) -> bytes:
    key = serialization.load_pem_private_key(key_pem, None)
    return key.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(passphrase))


def _self_signed_p384() -> bytes:
    key, name, now = ec.generate_private_key(ec.SECP384R1()), x509.Name([]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=1))
    return builder.sign(key, hashes.SHA384()).public_bytes(PEM)
