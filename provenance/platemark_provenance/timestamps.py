"""What is wanted of time-stamps, and whether an authority would give one now.

One rule: an authority is asked once before anything is written, with a time limit. The C2PA library has none, and says
of every failure only that "the http resolver" failed.

Source: RFC 3161, sections 2.4 (request and response) and 3.4 (over HTTP).
"""

import http.client
import secrets
import ssl
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from platemark_provenance.errors import SigningError

TimeStampMode = Literal["off", "best-effort", "require"]

MAX_ANSWER_BYTES = 65_536
"""A time-stamp with its chain of certificates has 2 to 8 kB."""

_SHA256_ALGORITHM = bytes.fromhex("300d06096086480165030402010500")
_REJECTIONS = {2: "rejected the request", 3: "waits for something", 4: "warns of a revocation", 5: "was revoked"}
"""Source: RFC 3161, section 2.4.2 (PKIStatus; 0 and 1 are granted)."""


@dataclass(frozen=True, slots=True)
class TimeStampPolicy:
    """Whether a signed file must, should or need not carry a time-stamp.

    `require`: nothing is signed without a stamp of an authority that is trusted here. `best-effort`: a file is signed
    without one where the authority does not answer; `resigning.add_time_stamp` adds it later. `off`: nobody is asked.

    Args:
        mode: one of the three.
        url: the address of the authority; needed unless the mode is off.
        timeout_s: how long to wait for each step of its answer, in seconds.

    Raises:
        SigningError: the mode is unknown, or the address is missing or not an http or https one.
    """

    mode: TimeStampMode = "off"
    url: str = ""
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        if self.mode not in ("off", "best-effort", "require"):
            raise SigningError(f"Time-stamps are off, best-effort or require; got {str(self.mode)[:20]!r}.")
        if self.mode != "off":
            _check_address(self.url)

    @property
    def host(self) -> str:
        """Give the host, and the port where the address names one."""
        return urlsplit(self.url).netloc


NO_TIME_STAMP = TimeStampPolicy()


def find_trouble(policy: TimeStampPolicy) -> str | None:
    """Ask the authority to stamp a random number, and say why it would not; None where it would.

    The answer's signature is not judged here: what ends up in the file is judged when that is read back.
    """
    request = _request(secrets.token_bytes(32), nonce=secrets.randbits(63))
    try:
        answer = _post(urlsplit(policy.url), request, timeout_s=policy.timeout_s)
    except ssl.SSLError:
        return "no secure connection could be made to it"
    except TimeoutError:
        return f"it did not answer within {policy.timeout_s:g} seconds"
    except (OSError, http.client.HTTPException) as error:
        return f"it could not be reached ({type(error).__name__})"
    return _judge(*answer)


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or "@" in url or " " in url:
        raise SigningError(
            "A time-stamp authority needs an http or https address without a password in it.",
            fix="Set tsa_url, for example http://timestamp.example.org/tsr.",
        )


def _post(address: SplitResult, body: bytes, *, timeout_s: float) -> tuple[int, bytes]:
    secure = address.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=timeout_s)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        connection.request("POST", path, body, {"Content-Type": "application/timestamp-query"})
        response = connection.getresponse()
        return response.status, response.read(MAX_ANSWER_BYTES)
    finally:
        connection.close()


def _judge(status: int, answer: bytes) -> str | None:
    if status != 200:
        return f"it answered with HTTP status {status}"
    granted = _read_status(answer)
    if granted is None:
        return "its answer is not a time-stamp response"
    return None if granted in (0, 1) else f"it {_REJECTIONS.get(granted, 'gave an unknown answer')}"


def _request(digest: bytes, *, nonce: int) -> bytes:
    imprint = _der(0x30, _SHA256_ALGORITHM + _der(0x04, digest))
    number = _der(0x02, nonce.to_bytes(nonce.bit_length() // 8 + 1, "big"))
    return _der(0x30, b"\x02\x01\x01" + imprint + number + b"\x01\x01\xff")


def _der(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content  # everything asked for is shorter than 128 bytes


def _read_status(answer: bytes) -> int | None:
    """Read the status out of SEQUENCE { SEQUENCE { INTEGER status … } … }."""
    inner = _open(answer, 0x30)
    status = _open(inner, 0x30) if inner else None
    number = _open(status, 0x02) if status else None
    return int.from_bytes(number, "big", signed=True) if number else None


def _open(der: bytes, tag: int) -> bytes | None:
    """Give the content of one DER value, or None where it is another one or cut off."""
    if len(der) < 2 or der[0] != tag:
        return None
    extra = der[1] & 0x7F if der[1] & 0x80 else 0
    start = 2 + extra
    length = int.from_bytes(der[2:start], "big") if extra else der[1]
    return der[start : start + length] if extra <= 4 and start + length <= len(der) else None
