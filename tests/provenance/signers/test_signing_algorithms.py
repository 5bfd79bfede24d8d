"""Signatures have the one form that COSE wants, whatever made them."""

from itertools import combinations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.new_keys import ClaimKey
from platemark_provenance.signers.algorithms import (
    SIGNING_ALGORITHMS,
    algorithm_named,
    algorithm_of_key,
    digest_of,
    fits,
    raw_signature,
    sign_with_key,
    signature_fits,
)

RSA_KEY = rsa.generate_private_key(65_537, 2_048)
KEYS: dict[str, ClaimKey] = {
    "es256": ec.generate_private_key(ec.SECP256R1()),
    "es384": ec.generate_private_key(ec.SECP384R1()),
    "es512": ec.generate_private_key(ec.SECP521R1()),
    "ps256": RSA_KEY,
    "ps384": RSA_KEY,
    "ps512": RSA_KEY,
    "ed25519": Ed25519PrivateKey.generate(),
}
OTHER_KINDS = [
    pair for pair in combinations(("es256", "es384", "es512", "ps256", "ed25519"), 2)
]  # fmt: skip
ES256 = algorithm_named("es256")


@pytest.mark.parametrize("alg", SIGNING_ALGORITHMS)
def test_a_signature_fits_its_key_and_content_and_nothing_else(alg: str) -> None:
    algorithm, public_key = algorithm_named(alg), KEYS[alg].public_key()

    signature = sign_with_key(KEYS[alg], algorithm, b"content")

    assert signature_fits(algorithm, public_key, signature=signature, content=b"content")
    assert not signature_fits(algorithm, public_key, signature=signature, content=b"Content")


@pytest.mark.parametrize(("alg", "length"), [("es256", 64), ("es384", 96), ("es512", 132), ("ed25519", 64)])
def test_a_signature_has_a_fixed_length(alg: str, length: int) -> None:
    assert len(sign_with_key(KEYS[alg], algorithm_named(alg), b"content")) == length


@pytest.mark.parametrize("alg", ["es256", "es384", "es512", "ps256", "ed25519"])
def test_the_algorithm_follows_from_the_key(alg: str) -> None:
    assert algorithm_of_key(KEYS[alg].public_key()).name == alg


@pytest.mark.parametrize(("alg", "other"), OTHER_KINDS)
def test_a_key_of_another_kind_neither_fits_nor_signs(alg: str, other: str) -> None:
    algorithm = algorithm_named(alg)

    assert not fits(algorithm, KEYS[other].public_key())
    with pytest.raises(KeyUnavailable, match=f"needs|{alg}"):
        sign_with_key(KEYS[other], algorithm, b"content")


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP256K1()), rsa.generate_private_key(65_537, 1_024), X25519PrivateKey.generate()],
    ids=["another curve", "short RSA", "no signing key"],
)
def test_a_key_that_claims_cannot_be_signed_with_is_refused(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | X25519PrivateKey,
) -> None:
    with pytest.raises(KeyUnavailable, match="2048 bits or more"):
        algorithm_of_key(key.public_key())


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(KeyUnavailable, match=r"es256, es384.*got 'none'"):
        algorithm_named("none")


@given(st.integers(1, 2**256 - 1), st.integers(1, 2**256 - 1))
def test_der_becomes_r_and_s_with_their_leading_zeros(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")

    der = utils.encode_dss_signature(r, s)

    assert raw_signature(ES256, raw) == raw
    assert len(der) == 64 or raw_signature(ES256, der) == raw


@given(st.binary(max_size=200))
def test_any_bytes_are_either_a_signature_or_left_as_they_are(noise: bytes) -> None:
    found = raw_signature(ES256, noise)

    assert found == noise or len(found) == 64


def test_numbers_too_large_for_the_curve_are_not_cut_off() -> None:
    der = utils.encode_dss_signature(2**256, 1)

    assert raw_signature(ES256, der) == der


@pytest.mark.parametrize(("alg", "size"), [("es256", 32), ("es384", 48), ("es512", 64), ("ps256", 32)])
def test_a_digest_is_what_the_algorithm_hashes_with(alg: str, size: int) -> None:
    assert len(digest_of(algorithm_named(alg), b"content")) == size


def test_ed25519_hashes_by_itself() -> None:
    assert digest_of(algorithm_named("ed25519"), b"content") == b"content"


@pytest.mark.parametrize(("alg", "form"), [("es256", "r then s"), ("ps256", "as long as"), ("ed25519", "64 bytes")])
@pytest.mark.parametrize("cut", [0, 1])
def test_a_signature_of_another_length_is_named(alg: str, form: str, cut: int) -> None:
    signature = sign_with_key(KEYS[alg], algorithm_named(alg), b"content")

    with pytest.raises(KeyUnavailable, match=form):
        signature_fits(
            algorithm_named(alg), KEYS[alg].public_key(), signature=(signature + b"x")[cut * 2 :], content=b"content"
        )


def test_a_signature_fits_no_key_that_cannot_sign() -> None:
    public_key = X25519PrivateKey.generate().public_key()

    assert not signature_fits(ES256, public_key, signature=bytes(64), content=b"content")


def test_a_salt_of_another_length_than_cose_names_does_not_fit() -> None:
    salted = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.MAX_LENGTH)

    signature = RSA_KEY.sign(b"content", salted, hashes.SHA256())

    public_key = RSA_KEY.public_key()
    assert not signature_fits(algorithm_named("ps256"), public_key, signature=signature, content=b"content")
