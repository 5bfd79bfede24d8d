"""What is this file? The manifest first, then the mark, the ledger's record, and the content itself.

One rule: this file gathers, `platemark_provenance.verdict` judges. Nothing makes a network request, unless servers were
named that a manifest may be fetched from.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from platemark.errors import LedgerReadOnly, MediaError, RequestError
from platemark.homes.home import Home, find_home, open_home
from platemark.homes.trust_files import trust_from_files
from platemark_provenance.digest import sha256_file
from platemark_provenance.reading import FETCH_FAILED, ProvenanceReading
from platemark_provenance.trust import TrustStore
from platemark_provenance.trust_lists import NO_FILES, TrustFiles, load_trust
from platemark_provenance.verdict import MarkFinding, Report, judge
from platemark_provenance.verification import read_crjson, read_provenance, read_stored_manifest

# FFmpeg, SciPy and SQLAlchemy take most of a second to load, and a manifest is judged without them.
if TYPE_CHECKING:
    from platemark.media.video import Luma
    from platemark.verifying.observation import Observation
    from platemark_provenance.ledger.registry import ClipRecord, Registry
    from platemark_provenance.ledger.store import Ledger
    from platemark_provenance.watermark.detect import Epoch
    from platemark_provenance.watermark.payload import WatermarkId

Onlooker = Callable[[ProvenanceReading], "Callable[[Luma], object]"]
MAX_SIDECAR_BYTES = 64 * 1024 * 1024
NOT_CHECKED = MarkFinding("not_checked")
_CLEARLY_MORE = 0.05
"""By how much more of what is seen a record must account for to speak before one whose mark is newer."""


@dataclass(frozen=True)
class _Memory:
    """What a home can remember by: its ledger, and the keys of its marks, which few files need."""

    home: Home
    ledger: "Ledger"

    @cached_property
    def epochs(self) -> "tuple[Epoch, ...]":
        """Open what the home's marks are looked for with, the newest epoch first."""
        from platemark.homes.mark_keys import open_epochs

        return open_epochs(self.home, self.ledger)


@dataclass(frozen=True, slots=True)
class Examination:
    """What a file is, and the reading of its manifest that the report rests on."""

    report: Report
    reading: ProvenanceReading


def _ledger_to_read(home: Home) -> "Ledger":
    """Open a home's ledger also where it cannot be written: looking at a file leaves no event."""
    try:
        return home.open_ledger()
    except LedgerReadOnly:
        return home.open_ledger_read_only()


class Verifier:
    """Examines files, one after the other, with one home's trust and memory. Use it as a context manager.

    Without a home nothing can be recovered, and only the roots that are handed in are trusted.
    """

    def __init__(
        self, trust: TrustStore, memory: _Memory | None, close: ExitStack, *, servers: tuple[str, ...] = ()
    ) -> None:
        self._trust = trust
        self._memory = memory
        self._close = close
        self._servers = servers
        self._fetched: tuple[str, bytes | str] | None = None

    @classmethod
    def open(
        cls,
        home: str | Path | None = None,
        *,
        trust: tuple[Path, ...] = (),
        lists: TrustFiles = NO_FILES,
        online: tuple[str, ...] | None = None,
    ) -> Self:
        """Open a verifier.

        Args:
            home: a home's directory; found as the command line finds it where none is named.
            trust: files with further root certificates (PEM) of claim signers.
            lists: files with further root certificates, by what they are for.
            online: servers that the manifest of a file which only names one may be fetched from, beside those in
                `[verify] hosts`. None: nothing is ever fetched.

        Raises:
            RequestError: going online, and no server was named.
            HomeError: the home cannot be used, or a file of certificates cannot be read.
            KeyUnavailable: a key of the home is missing or garbled.
            LedgerError: the home's ledger cannot be used.
            VerificationError: a trust list cannot be used.
        """
        found = find_home(Path(home) if home is not None else None)
        if found is None:
            store = trust_from_files(trust).joined(load_trust(None, lists))
            return cls(store, None, ExitStack(), servers=_servers(online, ()))
        opened: Home = open_home(found)
        servers = _servers(online, opened.config.verify.hosts)
        with ExitStack() as stack:
            ledger = stack.enter_context(_ledger_to_read(opened))
            opened.check_watermark_secret()
            memory = _Memory(opened, ledger)
            store = opened.trust_store(trust).joined(load_trust(None, lists))
            return cls(store, memory, stack.pop_all(), servers=servers)

    def examine(self, path: Path, *, sidecar: Path | None = None) -> Report:
        """Examine one file.

        1. The manifest, in the file or in `sidecar`: does it hold, and is its signer trusted here?
        2. The mark. Where the file is byte for byte the one the record of its manifest names, the record tells it;
           otherwise the pixels do: with a manifest that holds, the quick look, without one the full search.
        3. The record that the mark leads to, and whether the content looks like it.
        4. Whether the publisher withdrew or corrected the clip, by the record of the file's own manifest or else by
           that one.
        5. The verdict, from all of it.

        Raises:
            VerificationError: there is no such file.
            RequestError: the sidecar cannot be read.
        """
        return self.look_into(path, sidecar=sidecar).report

    def look_into(self, path: Path, *, sidecar: Path | None = None, onlooker: "Onlooker | None" = None) -> Examination:
        """Examine one file as `examine` does, and give what its manifest says beside the report.

        Args:
            path: a clip or a still.
            sidecar: a manifest store kept beside the file.
            onlooker: gives, for the reading of the manifest, who sees each frame if the picture is decoded here.

        Raises:
            VerificationError: there is no such file.
            RequestError: the sidecar cannot be read.
        """
        reading = self._read(path, sidecar)  # 1
        try:
            mark = self._look_for_mark(path, reading, onlooker)  # 2, 3
        except MediaError:
            # Nobody can see a picture in it: whatever its first bytes promise, it is not media to us.
            reading, mark = replace(reading, media_recognised=False), NOT_CHECKED
        return Examination(self._judge(reading, mark), reading)  # 4, 5

    def examine_manifest(self, path: Path, *, sidecar: Path | None = None) -> Report:
        """Examine a file's manifest and leave its pictures alone: a copy without a manifest is not recognised.

        Raises:
            VerificationError: there is no such file.
            RequestError: the sidecar cannot be read.
        """
        return self._judge(self._read(path, sidecar), NOT_CHECKED)

    def crjson(self, path: Path, *, sidecar: Path | None = None) -> str | None:
        """Give the C2PA library's own report as crJSON; None where the file has no manifest that can be read.

        Raises:
            VerificationError: there is no such file.
            RequestError: the sidecar cannot be read.
        """
        manifest: bytes | str | None = _read_sidecar(sidecar) if sidecar is not None else None
        if self._servers and manifest is None:
            reading = read_provenance(path, self._trust)
            manifest = self._fetch(reading.remote_url) if reading.remote_url else None
        return read_crjson(path, self._trust, sidecar=manifest if isinstance(manifest, bytes) else None)

    def close(self) -> None:
        """Close the home's ledger."""
        self._close.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, path: Path, sidecar: Path | None) -> ProvenanceReading:
        manifest = _read_sidecar(sidecar) if sidecar is not None else None
        reading = read_provenance(path, self._trust, sidecar=manifest)
        return self._read_online(reading) if self._servers and reading.remote_url else reading

    def _read_online(self, reading: ProvenanceReading) -> ProvenanceReading:
        """Read a file again with the manifest from the server that it names, or say why it was not got."""
        from platemark.verifying.remote_manifest import server_of

        url = reading.remote_url or ""
        manifest = self._fetch(url)
        if isinstance(manifest, str):
            return replace(reading, codes=(*reading.codes, FETCH_FAILED + manifest))
        again = read_provenance(reading.path, self._trust, sidecar=manifest)
        return replace(again, codes=(*again.codes, "platemark.manifest.fetched"), fetched_from=server_of(url))

    def _fetch(self, url: str) -> bytes | str:
        """Give the manifest, or in one word why it was not got; what was got last is not asked for again."""
        from platemark.verifying.remote_manifest import NotFetched, fetch_manifest

        if self._fetched is None or self._fetched[0] != url:
            try:
                self._fetched = (url, fetch_manifest(url, hosts=self._servers))
            except NotFetched as error:
                self._fetched = (url, error.why)
        return self._fetched[1]

    def _judge(self, reading: ProvenanceReading, mark: MarkFinding) -> Report:
        told = self._told_since(reading, mark)
        return replace(judge(reading, told), trust_lists=self._trust.lists)

    def _look_for_mark(self, path: Path, reading: ProvenanceReading, onlooker: "Onlooker | None" = None) -> MarkFinding:
        if self._memory is None:
            if reading.state == "absent":
                from platemark.verifying.observation import luma_frames

                next(luma_frames(path), None)  # raises where there is no picture to be seen
            return NOT_CHECKED
        published = self._published_as_is(path, reading)
        if published is not None:
            return self._with_recipients(published)
        holds = reading.state == "present" and reading.integrity == "intact"
        effort: Literal["fast", "full"] = "fast" if holds else "full"
        from platemark.verifying.observation import Search, observe

        watch = onlooker(reading) if onlooker is not None else None
        newest, *earlier = self._memory.epochs
        search = Search(newest.keys, newest.issued, effort, tuple(earlier))
        seen = observe(path, search, watch=watch)  # 2
        if seen.detection.id is None:
            return MarkFinding("absent")
        ids = (seen.detection.id, *seen.detection.others)
        return self._with_recipients(self._compare(seen, ids, self._memory.ledger.registry), ids)

    def _with_recipients(self, finding: MarkFinding, ids: "tuple[WatermarkId, ...]" = ()) -> MarkFinding:
        """Add whom the copies were made for whose marks were found."""
        from platemark_provenance.ledger.recipients import recipients_of

        if self._memory is None:
            return finding
        known = ids or ((bytes.fromhex(finding.watermark_id),) if finding.watermark_id else ())
        return replace(finding, recipients=recipients_of(self._memory.ledger, known))

    def _published_as_is(self, path: Path, reading: ProvenanceReading) -> MarkFinding | None:
        """Give what our record says of the mark where it is the record of exactly these bytes, signed and trusted.

        The pixels cannot say anything else: they are the ones that the mark was put into and found in by the record's
        hash. That saves decoding the clip, which takes longer than everything else.
        """
        own = reading.own
        if self._memory is None or reading.integrity != "intact" or reading.signer != "trusted":
            return None
        if reading.active_label is None or own is None or own.watermark_id is None:
            return None
        record = self._memory.ledger.registry.record_for_label(reading.active_label)
        if record is None or record.mark_id.hex() != own.watermark_id or record.file_sha256 != sha256_file(path):
            return None
        return MarkFinding("matched", watermark_id=own.watermark_id, clip_id=record.clip_id, by_record=True)

    def _compare(self, seen: "Observation", mark_ids: "tuple[WatermarkId, ...]", registry: "Registry") -> MarkFinding:
        """Find the record whose content this is; a mark that leads to other content was moved there (3).

        A clip that was filled in or joined carries the marks of the clips it was made from beside its own. So each
        mark is asked for its record, and the one that accounts for the most of what is seen speaks; of equals the
        mark that was issued last.
        """
        best: tuple[float, WatermarkId, ClipRecord] | None = None
        for mark_id in mark_ids:
            record, share = _content_of(seen, registry.records_for_mark(mark_id))
            if record is not None and (best is None or share > best[0] + _CLEARLY_MORE):
                best = (share, mark_id, record)
        if best is not None:
            return self._finding("matched", best[1], best[2])
        for mark_id in mark_ids:
            for record in registry.records_for_mark(mark_id)[:1]:
                return replace(self._finding("mismatch", mark_id, record), withdrawn=None, corrections=())
        # A mark of ours without a signed record: one put on by `watermark embed`, or a job that was abandoned.
        return MarkFinding("absent", watermark_id=mark_ids[0].hex())

    def _told_since(self, reading: ProvenanceReading, mark: MarkFinding) -> MarkFinding:
        """Add what the log tells of the clip since. The file's own manifest says which clip, where it holds.

        A label counts only where somebody on a trust list stands, or stood, behind it: anybody can copy one.
        """
        mark = replace(mark, approved=self._approved(reading, mark))
        named = reading.integrity == "intact" and reading.signer not in ("untrusted", "not_checked")
        if self._memory is None or reading.active_label is None or not named:
            return mark
        record = self._memory.ledger.registry.record_for_label(reading.active_label)
        if record is None:
            return mark
        return replace(mark, withdrawn=record.withdrawn, corrections=record.corrections)

    def _approved(self, reading: ProvenanceReading, mark: MarkFinding) -> bool | None:
        """Let the log say whether a second person approved the clip, where this home knows it."""
        if self._memory is None:
            return None
        ledger, clip_id = self._memory.ledger, mark.clip_id
        if reading.active_label is not None:
            record = ledger.registry.record_for_label(reading.active_label)
            clip_id = record.clip_id if record is not None else clip_id
        if clip_id is None:
            return None
        from platemark_provenance.approval import publication

        return publication(ledger.trace(clip_id)) is not None

    def _finding(
        self, state: Literal["matched", "mismatch"], mark_id: "WatermarkId", record: "ClipRecord"
    ) -> MarkFinding:
        return MarkFinding(
            state,
            watermark_id=mark_id.hex(),
            clip_id=record.clip_id,
            record=read_stored_manifest(record.manifest, self._trust),
            withdrawn=record.withdrawn,
            corrections=record.corrections,
        )


def verify(
    path: str | Path, *, home: str | Path | None = None, trust: tuple[Path, ...] = (), sidecar: Path | None = None
) -> Report:
    """Say what a file is.

    Args:
        path: a clip or a still.
        home: a home's directory; found as the command line finds it where none is named.
        trust: files with further root certificates (PEM) to trust.
        sidecar: a manifest store kept beside the file.

    Returns:
        A report: the verdict, what each check found, and an explanation in English and Korean.

    Raises:
        VerificationError: there is no such file; a file that can be opened gets a verdict, whatever is in it.
        HomeError: the home or a file of certificates cannot be used.
    """
    with Verifier.open(home, trust=trust) as verifier:
        return verifier.examine(Path(path), sidecar=sidecar)


def _content_of(seen: "Observation", records: "tuple[ClipRecord, ...]") -> "tuple[ClipRecord | None, float]":
    """Find the record of one mark whose content is seen, and the share of what is seen that it accounts for.

    The same request makes the same frames and the same mark, so several records can be meant: one that was
    withdrawn or corrected speaks before one that was not, for nobody can tell their copies apart.
    """
    from platemark_provenance.fingerprint import Fingerprint, compare

    for record in sorted(records, key=lambda each: (each.withdrawn is None, not each.corrections)):
        match = compare(Fingerprint.from_bytes(record.fingerprint), seen.fingerprint, geometry=seen.detection.geometry)
        if match.matches:
            return record, match.overlap
    return None, 0.0


def _servers(online: tuple[str, ...] | None, configured: tuple[str, ...]) -> tuple[str, ...]:
    if online is None:
        return ()
    if not (*online, *configured):
        raise RequestError(
            "Going online needs the names of the servers that manifests may be fetched from.",
            fix='Name them with --online-host, or in the configuration: [verify] hosts = ["manifests.example"].',
        )
    return (*online, *configured)


def _read_sidecar(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_SIDECAR_BYTES:
            raise RequestError(f"{path} is over {MAX_SIDECAR_BYTES:,} bytes; a manifest is smaller.")
        return path.read_bytes()
    except OSError as error:
        raise RequestError(f"The sidecar {path} cannot be read ({error.strerror}).", fix="Name a manifest.") from error
