"""Asking an authority for a certificate over a key that cannot be taken out: in a token, a key service, a program.

One rule: the key signs only after the public half that was named turned out to be its own.

The certificate library writes and signs a request in one step, with a key in memory. So a key of the same kind is made
and thrown away: its request has the right form, and public key and signature are exchanged for those of the real one.

Source: RFC 2986, section 4 (CertificationRequest); X.690, sections 8.1 and 10.1 (DER).
"""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.new_keys import ClaimKey, ClaimPublicKey
from platemark_provenance.pki import Subject, request_builder
from platemark_provenance.signers.algorithms import SigningAlgorithm, algorithm_named
from platemark_provenance.signers.claim_signer import ClaimSigner, KeyMismatch, leaf_public_key

_SEQUENCE, _BIT_STRING = 0x30, 0x03
_PLACE_DAYS = 1


def request_by_signer(signer: ClaimSigner, subject: Subject) -> bytes:
    """Write a certificate request (PEM) that the signer's own key signs.

    1. A key of the same kind, made for this, signs a request with the right subject and extensions.
    2. Its public key is exchanged for the one in the signer's certificate, and the signer signs that.
    3. The request is read back: its signature must be that of the public key in it.

    Args:
        signer: with a certificate, of whatever authority, that names its public key.
        subject: who asks.

    Raises:
        KeyMismatch: the signature is not of the key that the signer's certificate names.
        KeyUnavailable: the key is of a kind that signs no claims, or did not sign.
    """
    algorithm = algorithm_named(signer.alg)
    own = claim_public_key(leaf_public_key(signer.chain_pem))
    model, like = _model(own, algorithm, subject)  # 1
    signed, kind = _parts(model)
    before, after = _spki(like), _spki(own)
    if signed.count(before) != 1 or len(before) != len(after):
        raise KeyUnavailable("No request can be written for this key: its public half has an unusual form.")
    asked = signed.replace(before, after)  # 2
    signature = _as_in_certificates(algorithm, signer.sign(asked))
    whole = _der(_SEQUENCE, asked + kind + _der(_BIT_STRING, b"\0" + signature))
    if not _holds(whole):  # 3
        raise KeyMismatch(
            "The signature on the request is not of the key that was named.",
            fix="Name the public half of the key in [signing] key.",
        )
    return x509.load_der_x509_csr(whole).public_bytes(Encoding.PEM)


def place_for_key(public_pem: bytes, *, now: datetime) -> bytes:
    """Give a certificate (PEM) that only says which public key is meant, for a key that has none yet.

    It vouches for nothing: a key made for this signs it and is thrown away. It opens a signer, which then has to prove
    that it holds the private half.

    Raises:
        KeyUnavailable: the text is no public key in PEM, or of a kind that signs no claims.
    """
    try:
        public = claim_public_key(load_pem_public_key(public_pem))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnavailable("A public key in PEM (-----BEGIN PUBLIC KEY-----) was expected.") from error
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "not a certificate: names a key")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=_PLACE_DAYS))
        .sign(ed25519.Ed25519PrivateKey.generate(), None)
    )
    return certificate.public_bytes(Encoding.PEM)


def _model(
    own: ClaimPublicKey, algorithm: SigningAlgorithm, subject: Subject
) -> tuple[x509.CertificateSigningRequest, ClaimPublicKey]:
    key = _key_like(own)
    builder = request_builder(subject)
    if isinstance(key, rsa.RSAPrivateKey) and algorithm.digest is not None:
        pss = padding.PSS(mgf=padding.MGF1(algorithm.digest()), salt_length=padding.PSS.DIGEST_LENGTH)
        request = builder.sign(key, algorithm.digest(), rsa_padding=pss)
    else:
        request = builder.sign(key, None if algorithm.digest is None else algorithm.digest())
    return request, key.public_key()


def _key_like(own: ClaimPublicKey) -> ClaimKey:
    if isinstance(own, ec.EllipticCurvePublicKey):
        return ec.generate_private_key(own.curve)
    if isinstance(own, rsa.RSAPublicKey):
        return rsa.generate_private_key(65_537, own.key_size)
    return ed25519.Ed25519PrivateKey.generate()


def claim_public_key(key: object) -> ClaimPublicKey:
    """Give a public key as one of those that claims are signed with.

    Raises:
        KeyUnavailable: it is of another kind.
    """
    if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        return key
    raise KeyUnavailable("The key is of a kind that signs no claims.")


def _parts(request: x509.CertificateSigningRequest) -> tuple[bytes, bytes]:
    """Give what is signed, and the field that says how."""
    whole, signed = request.public_bytes(Encoding.DER), request.tbs_certrequest_bytes
    start = whole.index(signed) + len(signed)
    return signed, whole[start : -len(_der(_BIT_STRING, b"\0" + request.signature))]


def _spki(key: ClaimPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _as_in_certificates(algorithm: SigningAlgorithm, raw: bytes) -> bytes:
    """Write r and s as X.509 has them; claims have them side by side."""
    if algorithm.family != "ecdsa":
        return raw
    half = algorithm.part_bytes
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def _holds(request: bytes) -> bool:
    try:
        return x509.load_der_x509_csr(request).is_signature_valid
    except (ValueError, UnsupportedAlgorithm):
        return False


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content
