"""Read a file's provenance with the C2PA library: the only reader of manifests.

One rule: a bad file never raises, and nothing is ever fetched. Whatever goes wrong becomes a value of an axis.
"""

import io
import json
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from c2pa import C2paError, Context, Reader

from platemark_provenance.axes import ManifestState
from platemark_provenance.errors import VerificationError
from platemark_provenance.fork_gate import native_work
from platemark_provenance.plain_text import plain_text
from platemark_provenance.reading import ProvenanceReading, Reports, has_identity, has_time_stamp, interpret
from platemark_provenance.report_json import Store, mapping, sequence, text
from platemark_provenance.trust import Settings, TrustStore, for_size
from platemark_provenance.unsigned_bytes import count_unsigned_bytes

__all__ = ["ProvenanceReading", "carries_manifest", "read_crjson", "read_provenance", "read_stored_manifest"]

MAX_REPORT_CHARACTERS = 32 * 1024 * 1024
"""Our manifests report 10 kB, long edit histories some hundred; beyond this a report is an attack on memory."""

_STORE_MARK = b"jumdc2pa"
"""How every C2PA manifest store begins. Source: C2PA 2.2, section 11.1.4.2 (JUMBF type of the store)."""
_CHUNK = 1 << 20

_UNPARSED = {"NotSupported", "Io", "Other"}
"""The library's errors for files it cannot take apart, whether or not a manifest is in them."""


@dataclass(frozen=True, slots=True)
class _Source:
    """What is read: a file that can seek; `media_type` only where content does not tell it."""

    file: IO[bytes]
    size_bytes: int
    sidecar: bytes | None = None
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class _NoReport:
    state: ManifestState
    code: str
    media_recognised: bool = True
    remote_url: str | None = None


@dataclass(frozen=True, slots=True)
class _Report:
    store: Store
    leaf_end: datetime | None = None
    details: str = ""


def read_provenance(
    path: Path, trust: TrustStore, *, sidecar: bytes | None = None, now: datetime | None = None
) -> ProvenanceReading:
    """Say what the file's manifest claims, whether content and claims still belong together, and who signed.

    1. Is there a manifest, in the file or in `sidecar`? One that lies on a server is not fetched.
    2. Can it be read, does its signature hold, does the content match? With manifest anchors only.
    3. If it has a time-stamp: does a trusted authority stand behind it?
    4. If it has an identity assertion: with identity anchors only.
    5. If the signer is not trusted: with the anchors of legacy lists only, for `legacy_trusted` and no more.

    Each question with anchors of its own is a read of its own, because the library lets any anchor vouch for
    anything. Not asked at all: whether a certificate was revoked since (that would need the network).

    Args:
        path: the file; content decides what it is, not its name.
        trust: who is trusted here.
        sidecar: the bytes of a separate manifest store to use instead of an embedded one.
        now: the moment certificates are judged at, aware; the system clock where it is left out, which is
            what the library itself always goes by.

    Raises:
        VerificationError: there is no such file, or it cannot be opened. Never for what the file contains.
    """
    with _opened(path, sidecar) as source:
        return _read(path, source, trust, now=now or datetime.now(UTC))


def carries_manifest(path: Path, trust: TrustStore) -> bool:
    """Say whether there is a manifest in the file, whole or broken, or the address of one.

    A file that plainly has none is not searched for remains of one, as `read_provenance` does.

    Raises:
        VerificationError: there is no such file, or it cannot be opened.
    """
    with _opened(path, None) as source:
        settings = for_size(trust.settings_for_signer(), source.size_bytes)
        try:
            with native_work(), Context.from_dict(settings) as context, Reader(None, source.file, context=context):
                return True
        except C2paError as error:
            return not _says_none(error) and read_provenance(path, trust).state != "absent"


def _says_none(error: C2paError) -> bool:
    return type(error).__name__.endswith("ManifestNotFound") and not str(error).startswith("Remote")


def read_crjson(path: Path, trust: TrustStore, *, sidecar: bytes | None = None) -> str | None:
    """Give the library's own report on a file as crJSON, with the manifest anchors; None where there is none.

    That is the form in which the C2PA conformance programme compares validators. It is what the library says: a
    verdict that keeps signers, time-stamps and identities apart is what `read_provenance` is for.

    Raises:
        VerificationError: there is no such file, or it cannot be opened.
    """
    with _opened(path, sidecar) as source:
        answer = _ask(source, trust.settings_for_signer(), with_details=True)
        return answer.details if isinstance(answer, _Report) else None


@contextmanager
def _opened(path: Path, sidecar: bytes | None) -> Iterator[_Source]:
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte in it
        raise VerificationError(f"{path} could not be opened: {getattr(error, 'strerror', error)}.") from error
    if not stat.S_ISREG(facts.st_mode):
        raise VerificationError(f"{path} should be a regular file and is not.")
    try:
        with path.open("rb") as file:
            yield _Source(file, facts.st_size, sidecar=sidecar)
    except OSError as error:
        raise VerificationError(f"{path} could not be opened: {error.strerror}.") from error


def read_stored_manifest(manifest: bytes, trust: TrustStore, *, now: datetime | None = None) -> ProvenanceReading:
    """Read a manifest store kept apart from its file, for what it says and who signed it.

    The content it belongs to is not here, so `integrity` is never better than unknown.
    """
    source = _Source(io.BytesIO(manifest), len(manifest), media_type="application/c2pa")
    return _read(Path("stored manifest"), source, trust, now=now or datetime.now(UTC))


def _read(path: Path, source: _Source, trust: TrustStore, *, now: datetime) -> ProvenanceReading:
    first = _ask(source, trust.settings_for_signer(), with_details=True)  # 1, 2
    if isinstance(first, _NoReport):
        return ProvenanceReading(
            path=path,
            state=first.state,
            codes=(first.code,),
            media_recognised=first.media_recognised,
            remote_url=first.remote_url,
        )
    reading = interpret(path, _reports(source, trust, first, now=now))  # 3, 4
    if reading.integrity == "intact":
        reading = replace(reading, unsigned_bytes=count_unsigned_bytes(source.file))
    legacy = trust.as_legacy() if reading.signer in ("untrusted", "expired") else None
    return reading if legacy is None else _look_at_legacy(reading, source, legacy, now=now)  # 5


def _reports(source: _Source, trust: TrustStore, first: _Report, *, now: datetime) -> Reports:
    time = _ask(source, trust.settings_for_time()) if has_time_stamp(first.store) else None
    identity = _ask(source, trust.settings_for_identity()) if has_identity(first.store) else None
    return Reports(
        signer=first.store,
        time=_second(time),
        identity=_second(identity),
        leaf_expired=first.leaf_end is None or first.leaf_end < now,
        content_at_hand=source.media_type is None,
    )


def _look_at_legacy(
    reading: ProvenanceReading, source: _Source, legacy: TrustStore, *, now: datetime
) -> ProvenanceReading:
    """Ask the legacy lists about a signer; nothing else in the reading changes."""
    answer = _ask(source, legacy.settings_for_signer(), with_details=True)
    if isinstance(answer, _NoReport):
        return reading
    asked = interpret(reading.path, _reports(source, legacy, answer, now=now))
    vouched = asked.signer in ("trusted", "legacy_trusted") and asked.active_label == reading.active_label
    return replace(reading, signer="legacy_trusted", on_legacy_list=True) if vouched else reading


def _second(answer: _Report | _NoReport | None) -> Store | None:
    """Give the report, or an empty one, which proves nothing, where a second read failed."""
    return answer.store if isinstance(answer, _Report) else None if answer is None else Store({})


def _ask(source: _Source, settings: Settings, *, with_details: bool = False) -> _Report | _NoReport:
    source.file.seek(0)
    try:
        with (
            native_work(),
            Context.from_dict(for_size(settings, source.size_bytes)) as context,
            Reader(source.media_type, source.file, manifest_data=source.sidecar, context=context) as reader,
        ):
            report: str = reader.json()
            details: str = reader.crjson() if with_details else ""
    except C2paError as error:
        return _explain_failure(error, source)
    except UnicodeDecodeError:
        return _NoReport("malformed", "platemark.manifest.report-unreadable")
    try:
        store = Store(_parse(report))
        leaf_end = _leaf_end(_parse(details), store.active_label) if details else None
    except (ValueError, RecursionError):
        return _NoReport("malformed", "platemark.manifest.report-unreadable")
    return _Report(store, leaf_end, details)


def _parse(report: str) -> Mapping[str, object]:
    if len(report) > MAX_REPORT_CHARACTERS:
        raise ValueError
    return mapping(json.loads(report))


def _leaf_end(extra: Mapping[str, object], label: str | None) -> datetime | None:
    """Find the end of the signing certificate's validity in the library's crJSON report."""
    for each in sequence(extra.get("manifests")):
        if mapping(each).get("label") == label:
            certificate = mapping(mapping(mapping(each).get("signature")).get("certificateInfo"))
            try:
                return datetime.fromisoformat(text(mapping(certificate.get("validity")).get("notAfter")) or "")
            except ValueError:
                return None
    return None


def _explain_failure(error: C2paError, source: _Source) -> _NoReport:
    kind = type(error).__name__.removeprefix("_").removeprefix("C2pa")
    if kind == "RemoteManifest" or str(error).startswith("Remote"):
        url = str(error).rpartition(" url ")[2].strip()
        return _NoReport("remote_only", "platemark.manifest.remote-not-fetched", remote_url=plain_text(url, 2048))
    remains = source.sidecar is not None or _holds_store(source.file)
    if kind == "ManifestNotFound":
        code = "platemark.manifest.remains-found" if remains else "platemark.manifest.not-found"
        return _NoReport("absent", code)
    if not remains and kind in _UNPARSED:
        return _NoReport("absent", "platemark.media.not-recognised", media_recognised=False)
    return _NoReport("malformed", f"platemark.manifest.unreadable.{kind}")


def _holds_store(file: IO[bytes]) -> bool:
    """Search a file for the beginning of a manifest store, a piece at a time."""
    file.seek(0)
    tail = b""
    while chunk := file.read(_CHUNK):
        window = tail + chunk
        if _STORE_MARK in window:
            return True
        tail = window[1 - len(_STORE_MARK) :]
    return False
