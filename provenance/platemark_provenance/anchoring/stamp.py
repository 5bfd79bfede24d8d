"""Time-stamps of signed tree heads (RFC 3161): the only importer of rfc3161-client.

One rule: a stamp is kept only after it was checked against a root that is trusted for time-stamps.

A stamp shows that a tree head was there at a time; an authority remembers nothing, so it finds no rollback.
"""

import http.client
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509

from platemark_provenance.anchoring.place import AnchorUnavailable, Found
from platemark_provenance.cut_off import cut_off
from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger.anchors import AnchorKind

try:
    import rfc3161_client
except ImportError as error:
    raise AnchorUnavailable(
        "Time-stamps of the log need the package rfc3161-client, which is not installed.",
        fix="Run: pip install 'platemark[anchors]'",
    ) from error

LARGEST_STAMP_BYTES = 65_536
_TIMEOUT_S = 10.0
_WHOLE_S = 60.0


@dataclass(frozen=True, slots=True)
class StampPlace:
    """An authority that stamps tree heads.

    Args:
        url: its address, http or https.
        roots: certificates (PEM) of authorities that are trusted for time-stamps.
    """

    url: str
    roots: tuple[bytes, ...] = field(repr=False)
    kind: AnchorKind = "timestamp"

    @property
    def target(self) -> str:
        """Give its address."""
        return self.url

    def keep(self, note: bytes, *, origin: str, size: int) -> bytes:
        """Have a tree head stamped, and give the authority's answer; see `Place.keep`."""
        del origin, size
        self._check_roots()
        asked = rfc3161_client.TimestampRequestBuilder().data(note).build()
        answer = self._post(asked.as_bytes())
        try:
            check_stamp(answer, note, self.roots, nonce=asked.nonce)
        except VerificationError as error:
            raise AnchorUnavailable(f"The time-stamp of {self.url} is not good. {error.message}") from error
        return answer

    def newest(self, *, origin: str) -> Found | None:
        """Give None: an authority remembers nothing."""
        del origin
        return None

    def check(self, evidence: bytes, note: bytes) -> datetime:
        """Check a stamp that was kept; see `Stamped.check`."""
        self._check_roots()
        return check_stamp(evidence, note, self.roots)

    def _check_roots(self) -> None:
        if not self.roots:
            raise AnchorUnavailable(
                "No authority for time-stamps is trusted here, so none can be checked.",
                fix="Run: platemark trust add ROOT.pem --kind tsa",
            )

    def _post(self, body: bytes) -> bytes:
        address = urlsplit(self.url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        try:
            connection = kind(address.hostname or "", address.port, timeout=_TIMEOUT_S)
            try:
                connection.connect()
                with cut_off(connection.sock, after_s=_WHOLE_S):
                    connection.request("POST", path, body, {"Content-Type": "application/timestamp-query"})
                    response = connection.getresponse()
                    status, answer = response.status, response.read(LARGEST_STAMP_BYTES + 1)
            finally:
                connection.close()
        except (OSError, ssl.SSLError, http.client.HTTPException) as error:
            raise AnchorUnavailable(
                f"The authority {self.url} could not be reached ({type(error).__name__}).", fix="Try again later."
            ) from error
        if status != 200:
            raise AnchorUnavailable(f"The authority {self.url} answered with HTTP status {status}.")
        return answer


def check_stamp(answer: bytes, note: bytes, roots: Sequence[bytes], *, nonce: int | None = None) -> datetime:
    """Check a time-stamp of a tree head, and give the time that it tells.

    Args:
        answer: what the authority answered, DER.
        note: what was stamped.
        roots: certificates (PEM) of authorities that are trusted for time-stamps.
        nonce: what was asked with; None where that is no longer known.

    Raises:
        VerificationError: it is no answer, is of something else, or leads to no trusted root.
    """
    if len(answer) > LARGEST_STAMP_BYTES:
        raise VerificationError(f"A time-stamp has at most {LARGEST_STAMP_BYTES} bytes.")
    builder = rfc3161_client.VerifierBuilder(
        roots=[each for pem in roots for each in x509.load_pem_x509_certificates(pem)], nonce=nonce
    )
    try:
        stamp = rfc3161_client.decode_timestamp_response(answer)
        builder.build().verify_message(stamp, note)
        told: datetime = stamp.tst_info.gen_time
    except (ValueError, rfc3161_client.VerificationError) as error:
        raise VerificationError("It is no time-stamp of this tree head by a trusted authority.") from error
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)
