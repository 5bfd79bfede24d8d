"""A time-stamp authority on the loopback address, and servers that only pretend to be one.

The authority is a small RFC 3161 responder, written out in DER.
"""

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from platemark_provenance.digest import sha256_bytes

Answer = tuple[int, bytes]
"""An HTTP status and a body."""

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
    requests: list[bytes]


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


@contextlib.contextmanager
def open_time_authority(moment: datetime) -> Iterator[Authority]:
    """Run an authority that stamps whatever it is asked to."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Time root")])
    root = _certificate(root_name, root_key, root_name, root_key, moment=moment, authority=True)
    leaf_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Time authority")])
    stamper = Stamper(_certificate(leaf_name, key, root_name, root_key, moment=moment, authority=False), key)
    requests: list[bytes] = []

    def answer(request: bytes) -> Answer:
        requests.append(request)
        return 200, stamper.answer(request)

    with serve_answers(answer) as url:
        yield Authority(root.public_bytes(serialization.Encoding.PEM), url, requests)


@contextlib.contextmanager
def serve_answers(answer: Callable[[bytes], Answer]) -> Iterator[str]:
    """Answer every POST with what `answer` makes of its body, and give the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
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
