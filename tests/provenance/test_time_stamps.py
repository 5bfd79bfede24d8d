"""An expired certificate is believed only when a trusted authority confirms that it was used in time.

The authority here is a small RFC 3161 responder on the loopback address, written out in DER.
"""

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from platemark_provenance.digest import JsonValue, sha256_bytes
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.trust import TrustStore
from platemark_provenance.verdict import Verdict, judge
from platemark_provenance.verification import read_provenance

Leaf = tuple[bytes, bytes]
WriteCopy = Callable[[bytes], Path]

SHA256 = bytes.fromhex("300d06096086480165030402010500")
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
SIGNING_CERTIFICATE_V2 = bytes.fromhex("060b2a864886f70d010910022f")
POLICY = bytes.fromhex("06042a030401")


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(octets)]) + octets) + content


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _children(der: bytes) -> list[bytes]:
    found, rest = [], _open(der)[0]
    while rest:
        _, size = _open(rest)
        found.append(rest[:size])
        rest = rest[size:]
    return found


def _open(der: bytes) -> tuple[bytes, int]:
    long = der[1] & 0x7F if der[1] & 0x80 else 0
    length = int.from_bytes(der[2 : 2 + long], "big") if long else der[1]
    return der[2 + long : 2 + long + length], 2 + long + length


@dataclass(frozen=True)
class Authority:
    """A time-stamp authority: its root, and the address it answers at."""

    root_pem: bytes
    url: str


@dataclass(frozen=True)
class Stamper:
    """Answers time-stamp requests. Source: RFC 3161 section 2.4.2, RFC 5652 section 5."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def answer(self, request: bytes) -> bytes:
        imprint, *rest = _children(request)[1:]
        nonce = [each for each in rest if each[0] == 0x02]
        when = _der(0x18, datetime.now(UTC).strftime("%Y%m%d%H%M%SZ").encode())
        info = _der(0x30, _integer(1), POLICY, imprint, _integer(7), when, *nonce)
        return _der(0x30, _der(0x30, _integer(0)), _der(0x30, SIGNED_DATA, _der(0xA0, self._signed_data(info))))

    def _signed_data(self, info: bytes) -> bytes:
        certificate = self.certificate.public_bytes(serialization.Encoding.DER)
        named = _der(0x30, _der(0x30, _der(0x30, _der(0x04, bytes.fromhex(sha256_bytes(certificate))))))
        digest = _der(0x04, bytes.fromhex(sha256_bytes(info)))
        attributes = sorted(
            _der(0x30, kind, _der(0x31, value))
            for kind, value in ((CONTENT_TYPE, TST_INFO), (MESSAGE_DIGEST, digest), (SIGNING_CERTIFICATE_V2, named))
        )
        signature = self.key.sign(_der(0x31, *attributes), ec.ECDSA(hashes.SHA256()))
        issuer = _der(0x30, self.certificate.issuer.public_bytes(), _integer(self.certificate.serial_number))
        signer = _der(0x30, _integer(1), issuer, SHA256, _der(0xA0, *attributes), ECDSA_SHA256, _der(0x04, signature))
        content = _der(0x30, TST_INFO, _der(0xA0, _der(0x04, info)))
        return _der(0x30, _integer(3), _der(0x31, SHA256), content, _der(0xA0, certificate), _der(0x31, signer))


@pytest.fixture(scope="module")
def authority(moment: datetime) -> Iterator[Authority]:
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Time root")])
    root = _certificate(root_name, root_key, root_name, root_key, moment=moment, authority=True)
    leaf_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Time authority")])
    stamper = Stamper(_certificate(leaf_name, key, root_name, root_key, moment=moment, authority=False), key)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = stamper.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Authority(root.public_bytes(serialization.Encoding.PEM), f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    moment: datetime,
    authority: bool,
) -> x509.Certificate:
    usage = x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False)
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), 77 + authority)
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=900))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not authority:
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(stamping, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="module")
def expired(
    make_leaf: Callable[..., Leaf],
    sign_foreign: Callable[..., bytes],
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    authority: Authority,
) -> dict[str, bytes]:
    """Two clips signed in time with a certificate that has expired since: one time-stamped, one not."""
    start = datetime.now(UTC)
    lifetime = timedelta(seconds=3)
    leaf = make_leaf(ends=lifetime + (start - _moment_of(make_leaf)))
    bare = sign_foreign(plain_clip_bytes, leaf, manifest)
    stamped = sign_foreign(plain_clip_bytes, leaf, manifest, time_authority=authority.url)
    remaining = lifetime + timedelta(seconds=1.2) - (datetime.now(UTC) - start)
    time.sleep(max(0.0, remaining.total_seconds()))
    return {"bare": bare, "stamped": stamped}


def _moment_of(make_leaf: Callable[..., Leaf]) -> datetime:
    """The moment that leaf certificates count from, read back from one that ends on it."""
    leaf = x509.load_pem_x509_certificate(make_leaf(ends=timedelta(0))[0])
    return leaf.not_valid_after_utc


@pytest.fixture(scope="module")
def stamped(
    make_leaf: Callable[..., Leaf],
    sign_foreign: Callable[..., bytes],
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    authority: Authority,
) -> bytes:
    """A clip signed with a good certificate and time-stamped."""
    return sign_foreign(plain_clip_bytes, make_leaf(), manifest, time_authority=authority.url)


def test_a_time_stamp_of_a_trusted_authority_is_trusted(
    stamped: bytes, pki: DevelopmentPki, authority: Authority, write_copy: WriteCopy
) -> None:
    trust = TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))

    reading = read_provenance(write_copy(stamped), trust)

    assert (reading.signer, reading.timestamp) == ("trusted", "trusted")
    assert reading.signed_at is not None
    assert abs(reading.signed_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_time_stamp_of_an_unknown_authority_is_untrusted_and_the_signer_stays_trusted(
    stamped: bytes, trust: TrustStore, write_copy: WriteCopy
) -> None:
    reading = read_provenance(write_copy(stamped), trust)

    assert (reading.signer, reading.timestamp) == ("trusted", "untrusted")
    assert judge(reading).verdict is Verdict.TRUSTED


def test_a_time_root_never_makes_a_claim_signer_trusted(
    stamped: bytes, pki: DevelopmentPki, authority: Authority, write_copy: WriteCopy
) -> None:
    trust = TrustStore(tsa_anchors=(pki.root_pem, authority.root_pem))

    reading = read_provenance(write_copy(stamped), trust)

    assert (reading.signer, reading.timestamp) == ("untrusted", "trusted")


def test_an_expired_certificate_without_a_time_stamp_is_expired(
    expired: dict[str, bytes], trust: TrustStore, write_copy: WriteCopy
) -> None:
    reading = read_provenance(write_copy(expired["bare"]), trust)

    assert (reading.integrity, reading.signer, reading.timestamp) == ("intact", "expired", "none")
    assert judge(reading).verdict is Verdict.INTACT
    assert judge(reading).exit_code == 6


def test_an_expired_certificate_with_a_trusted_time_stamp_is_trusted(
    expired: dict[str, bytes], pki: DevelopmentPki, authority: Authority, write_copy: WriteCopy
) -> None:
    trust = TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))

    reading = read_provenance(write_copy(expired["stamped"]), trust)

    assert (reading.signer, reading.timestamp) == ("trusted", "trusted")
    assert "confirms that it was signed by" in judge(reading).explain("en")


def test_an_expired_certificate_with_an_untrusted_time_stamp_is_expired(
    expired: dict[str, bytes], trust: TrustStore, write_copy: WriteCopy
) -> None:
    reading = read_provenance(write_copy(expired["stamped"]), trust)

    assert (reading.integrity, reading.signer, reading.timestamp) == ("intact", "expired", "untrusted")


def test_an_expired_certificate_is_expired_from_its_end_on_and_not_before(
    stamped: bytes, trust: TrustStore, write_copy: WriteCopy, moment: datetime
) -> None:
    path = write_copy(stamped)

    before = read_provenance(path, trust, now=moment + timedelta(days=89))
    after = read_provenance(path, trust, now=moment + timedelta(days=91))

    assert (before.signer, after.signer) == ("trusted", "expired")


def test_a_damaged_time_stamp_is_not_trusted(
    stamped: bytes, pki: DevelopmentPki, authority: Authority, write_copy: WriteCopy
) -> None:
    trust = TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))
    damaged = bytearray(stamped)
    damaged[stamped.index(MESSAGE_DIGEST) + len(MESSAGE_DIGEST) + 10] ^= 1

    reading = read_provenance(write_copy(bytes(damaged)), trust)

    assert reading.timestamp != "trusted"


def test_changed_content_is_tampered_whatever_the_time_stamp_says(
    stamped: bytes, pki: DevelopmentPki, authority: Authority, write_copy: WriteCopy
) -> None:
    trust = TrustStore(manifest_anchors=(pki.root_pem,), tsa_anchors=(authority.root_pem,))
    changed = bytearray(stamped)
    changed[stamped.rindex(b"mdat") + 500] ^= 1

    reading = read_provenance(write_copy(bytes(changed)), trust)

    assert reading.integrity == "tampered"
    assert judge(reading).verdict is Verdict.TAMPERED
