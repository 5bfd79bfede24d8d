"""Anchors in a bucket of an S3-compatible store whose objects are locked: the only importer of obstore.

One rule: a copy counts only once the store itself says that it cannot be deleted before some day.

The lock comes from the bucket's own default retention, so that whoever may write here cannot choose none. Requests are
signed by obstore (query signatures) and sent with the standard library, because the lock stands in headers that obstore
does not hand on.
"""

import base64
import hashlib
import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from platemark_provenance.anchoring.place import AnchorUnavailable, Found, file_name, folder_name, size_in
from platemark_provenance.cut_off import cut_off
from platemark_provenance.errors import LedgerCorrupt, VerificationError
from platemark_provenance.ledger.anchors import AnchorKind
from platemark_provenance.ledger.checkpoint import read_checkpoint
from platemark_provenance.ledger.note import LARGEST_NOTE_BYTES

try:
    import obstore
    from obstore.exceptions import BaseError
    from obstore.store import S3Store
except ImportError as error:
    raise AnchorUnavailable(
        "Anchors in S3 need the package obstore, which is not installed.", fix="Run: pip install 'platemark[anchors]'"
    ) from error

SHORTEST_LOCK = timedelta(days=1)
_SIGNED_FOR = timedelta(seconds=60)
_TIMEOUT_S = 10.0
_WHOLE_S = 60.0
_MODES = ("COMPLIANCE", "GOVERNANCE")


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """A bucket that keeps copies. Keys come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).

    Args:
        address: such as "s3://bucket/prefix".
        clock: gives the time now, aware.
        endpoint: of a store that is not Amazon's, http or https; empty for Amazon's.
        region: of the bucket.
    """

    address: str
    clock: Callable[[], datetime] = field(repr=False)
    endpoint: str = ""
    region: str = "us-east-1"
    kind: AnchorKind = "s3"

    @property
    def target(self) -> str:
        """Give its address."""
        return self.address

    def keep(self, note: bytes, *, origin: str, size: int) -> bytes:
        """Put a copy that is locked from the first moment; see `Place.keep`."""
        path = f"{folder_name(origin)}/{file_name(size)}"
        digest = base64.b64encode(hashlib.md5(note, usedforsecurity=False).digest()).decode()
        # A locked object needs a checksum; the first to come keeps the name.
        heard = self._ask("PUT", path, note, {"Content-MD5": digest, "If-None-Match": "*"})
        if heard.status not in (200, 412):
            raise self._refused(heard.status)
        if heard.status == 412:
            self._check_same(path, note)
        return self._lock_of(path)

    def newest(self, *, origin: str) -> Found | None:
        """Read the copy of the largest tree; see `Place.newest`."""
        folder = folder_name(origin)
        try:
            names = [entry["path"].rsplit("/", 1)[-1] for page in obstore.list(self._store(), folder) for entry in page]
        except BaseError as error:
            raise self._unreachable(type(error).__name__) from error
        sizes = [name for name in names if size_in(name) is not None]
        return Found(f"{self.address}/{folder}/{max(sizes)}", self._get(f"{folder}/{max(sizes)}")) if sizes else None

    def _check_same(self, path: str, note: bytes) -> None:
        try:
            same = read_checkpoint(self._get(path)) == read_checkpoint(note)
        except VerificationError:
            same = False
        if not same:
            raise LedgerCorrupt(
                f"{self.address}/{path} is another tree head of the same size: the log is not the one anchored there.",
                fix="Run `platemark audit verify`.",
            )

    def _lock_of(self, path: str) -> bytes:
        """Ask the store itself how the object is locked, and give that as evidence."""
        heard = self._ask("HEAD", path)
        mode, until = heard.headers.get("x-amz-object-lock-mode", ""), heard.headers.get(
            "x-amz-object-lock-retain-until-date", ""
        )  # fmt: skip
        try:
            lasts = datetime.fromisoformat(until.replace("Z", "+00:00")) - self.clock()
        except (ValueError, TypeError):
            lasts = timedelta(0)
        if heard.status != 200 or mode not in _MODES or lasts < SHORTEST_LOCK:
            raise AnchorUnavailable(
                f"The copy in {self.address} can be deleted: the bucket does not lock what is put into it.",
                fix="Switch on Object Lock with a default retention (mode COMPLIANCE) for the bucket.",
            )
        version = heard.headers.get("x-amz-version-id", "")
        return json.dumps({"path": path, "version": version, "mode": mode, "until": until}).encode()

    def _get(self, path: str) -> bytes:
        heard = self._ask("GET", path)
        if heard.status != 200:
            raise self._refused(heard.status)
        return heard.body

    def _ask(
        self, method: Literal["GET", "HEAD", "PUT"], path: str, body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> "_Heard":
        try:
            url = urlsplit(obstore.sign(self._store(), method, path, _SIGNED_FOR))
            kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
            connection = kind(url.hostname or "", url.port, timeout=_TIMEOUT_S)
            try:
                connection.connect()
                with cut_off(connection.sock, after_s=_WHOLE_S):
                    connection.request(method, f"{url.path}?{url.query}", body or None, dict(headers))
                    response = connection.getresponse()
                    found = {name.lower(): value for name, value in response.getheaders()}
                    return _Heard(response.status, response.read(LARGEST_NOTE_BYTES + 1), found)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, BaseError) as error:
            raise self._unreachable(type(error).__name__) from error

    def _store(self) -> S3Store:
        url = urlsplit(self.address)
        return S3Store(
            url.netloc,
            prefix=url.path.strip("/") or None,
            region=self.region,
            endpoint=self.endpoint or f"https://s3.{self.region}.amazonaws.com",
            client_options={"allow_http": self.endpoint.startswith("http:"), "timeout": f"{_TIMEOUT_S:g}s"},
            retry_config={"max_retries": 1},
        )

    def _refused(self, status: int) -> AnchorUnavailable:
        return AnchorUnavailable(
            f"The store of {self.address} answered with HTTP status {status}.",
            fix="Check the bucket's name, the keys in the environment and what they may do.",
        )

    def _unreachable(self, why: str) -> AnchorUnavailable:
        return AnchorUnavailable(
            f"The store of {self.address} could not be reached ({why}).", fix="Check the endpoint and the network."
        )


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came back over HTTP; header names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]
