"""Where the ledger's clips are: watermark ids, stored manifests and files on their way to their final path.

One rule: plain rows, not the log. They may change; what happened to a clip is told by its events, so that a clip was
withdrawn or corrected is read from the log and from nowhere else.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from platemark_provenance.correction import Correction, read_correction
from platemark_provenance.digest import JsonValue, Sha256Hex, sha256_bytes
from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError
from platemark_provenance.ledger.event import (
    EventType,
    check_text,
    decode_body,
    derive_columns,
    facts_of,
    from_microseconds,
    to_microseconds,
)
from platemark_provenance.ledger.merkle import leaf_hash
from platemark_provenance.ledger.postgres import LedgerDatabase
from platemark_provenance.ledger.tables import event, mark, output
from platemark_provenance.ledger.tables import manifest as manifest_table
from platemark_provenance.withdrawal import Withdrawal, read_withdrawal

MARK_ID_BYTES = 8
LARGEST_MANIFEST_BYTES = 16 * 1024 * 1024
"""Ours have some 20 KiB; thumbnails and ingredients can make one a hundred times that."""
LARGEST_FINGERPRINT_BYTES = 4 * 1024 * 1024
LONGEST_PATH = 4_096
"""PATH_MAX on Linux."""


_BETWEEN = "/"


def edition_of(clip_id: str, job_id: str) -> str:
    """Name a further signed file of a clip, with a mark, manifest and output of its own in the registry."""
    return f"{clip_id}{_BETWEEN}{job_id}"


def clip_of(registered: str) -> str:
    """Give the clip that a name in the registry is about: itself, or that of which it is a further file."""
    return registered.partition(_BETWEEN)[0]


class OutputState(StrEnum):
    """How far a file has come."""

    INTENDED = "intended"
    PUBLISHED = "published"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """A file on its way to its final path.

    Args:
        job_id: the job that makes it.
        clip_id: the clip it holds, or the name of a further file of one (`clip_of`).
        final_path: where it is to be.
        part_path: where it is written first.
        state: how far it has come.
        sha256: digest of the published file, None before.
        mark_id: the 8-byte watermark id it carries, None where it has none yet.
        created_at: when it was intended.
    """

    job_id: str
    clip_id: str
    final_path: Path
    part_path: Path
    state: OutputState
    sha256: Sha256Hex | None
    mark_id: bytes | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ClipRecord:
    """Everything kept about a published clip.

    Args:
        clip_id: the clip.
        mark_id: the 8-byte watermark id in its frames.
        manifest_label: the label of its manifest.
        manifest: the signed manifest.
        fingerprint: its content fingerprint.
        file_sha256: digest of the file as published.
        final_path: where it was published.
        state: how far its file has come.
        published_at: when.
        withdrawn: when and why it was withdrawn, None where it was not.
        corrections: what was corrected, oldest first.
    """

    clip_id: str
    mark_id: bytes
    manifest_label: str
    manifest: bytes
    fingerprint: bytes
    file_sha256: Sha256Hex
    final_path: Path
    state: OutputState
    published_at: datetime
    withdrawn: Withdrawal | None
    corrections: tuple[Correction, ...] = ()


class Registry:
    """Read and write the registry of an open ledger.

    Every change is kept at once, or with the rest of the block inside `Ledger.atomic()`.

    Args:
        database: the open ledger file.
        clock: gives the time now, aware.
    """

    def __init__(self, database: LedgerDatabase, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def reserve_mark(self, mark_id: bytes, clip_id: str, *, request_sha256: str) -> None:
        """Give a watermark id to a clip, before any frame carries it. Asking again for the same does nothing.

        Args:
            mark_id: 8 bytes; other clips may have the same.
            clip_id: the clip.
            request_sha256: digest of the request that the id was made from.

        Raises:
            LedgerRequestError: the id has another length, or the clip has another mark or one that was
                released.
        """
        check_text("clip", clip_id)
        if len(mark_id) != MARK_ID_BYTES:
            raise LedgerRequestError(f"A watermark id has {MARK_ID_BYTES} bytes; got {len(mark_id)}.")
        _check_sha256("request", request_sha256)
        row = {"clip_id": clip_id, "mark_id": mark_id, "request_sha256": request_sha256}
        with self._database.write() as connection:
            found = connection.execute(select(mark).where(mark.c.clip_id == clip_id)).first()
            if found is None:
                now = to_microseconds(self._clock())
                connection.execute(insert(mark).values(**row, state="reserved", issued_us=now))
            elif found.state == "released" or _differs(found, row):
                raise LedgerRequestError(f"The clip {clip_id} has another watermark id already, or gave this one up.")

    def reserve_again(self, clip_id: str, job_id: str) -> str:
        """Give a further signed file of a clip the clip's own mark.

        Returns:
            the name under which the further file stands here (`edition_of`).

        Raises:
            LedgerRequestError: the clip has no mark in its frames, or the job has a file already.
        """
        name = edition_of(clip_id, job_id)
        with self._database.write() as connection:
            found = connection.execute(select(mark).where(mark.c.clip_id == clip_id, mark.c.state == "bound")).first()
            if found is None:
                raise LedgerRequestError(f"The clip {clip_id[:80]} has no mark in its frames.")
            row = {"mark_id": found.mark_id, "request_sha256": found.request_sha256}
            self.reserve_mark(row["mark_id"], name, request_sha256=row["request_sha256"])
        return name

    def bind_mark(self, clip_id: str, *, fingerprint: bytes, mark_id: bytes | None = None) -> None:
        """Say that the clip's frames carry its mark, and what they look like. Again does nothing.

        Args:
            clip_id: the clip.
            fingerprint: its content fingerprint.
            mark_id: the 8-byte id that its frames carry, where that is another than the one reserved: which of the
                ids drawn from a request suits the picture best is known when the frames are.

        Raises:
            LedgerRequestError: the clip has no reserved mark, is bound to another fingerprint, or it is too
                large.
        """
        if not 0 < len(fingerprint) <= LARGEST_FINGERPRINT_BYTES:
            raise LedgerRequestError(f"A fingerprint has 1 to {LARGEST_FINGERPRINT_BYTES} bytes.")
        with self._database.write() as connection:
            found = connection.execute(select(mark).where(mark.c.clip_id == clip_id)).first()
            if found is None or found.state == "released":
                raise LedgerRequestError(f"The clip {clip_id[:80]} has no reserved watermark id.")
            if found.state == "bound" and found.fingerprint != fingerprint:
                raise LedgerRequestError(f"The clip {clip_id[:80]} is bound to another fingerprint.")
            carried = found.mark_id if mark_id is None else mark_id
            if len(carried) != MARK_ID_BYTES or (found.state == "bound" and found.mark_id != carried):
                raise LedgerRequestError(f"The clip {clip_id[:80]} is bound to another watermark id.")
            change = update(mark).where(mark.c.clip_id == clip_id)
            connection.execute(change.values(state="bound", fingerprint=fingerprint, mark_id=carried))

    def release_mark(self, clip_id: str) -> None:
        """Give up the mark of a clip that will not be published; does nothing where there is none.

        Raises:
            LedgerRequestError: the clip was published.
        """
        with self._database.write() as connection:
            published = (output.c.clip_id == clip_id) & (output.c.state == "published")
            if connection.execute(select(output.c.job_id).where(published).limit(1)).first() is not None:
                raise LedgerRequestError(f"The clip {clip_id[:80]} was published; its watermark id stays taken.")
            connection.execute(update(mark).where(mark.c.clip_id == clip_id).values(state="released"))

    def issued_marks(self) -> tuple[bytes, ...]:
        """Give every watermark id that a frame somewhere may carry, each once, in order of first issue."""
        with self._database.read() as connection:
            query = select(mark.c.mark_id).where(mark.c.state != "released").order_by(mark.c.issued_us, mark.c.clip_id)
            return tuple(dict.fromkeys(bytes(found) for found in connection.execute(query).scalars()))

    def clips_for_mark(self, mark_id: bytes) -> tuple[str, ...]:
        """Give the names of all files whose frames may carry this id, published or not, in order of issue."""
        wanted = (mark.c.mark_id == mark_id) & (mark.c.state != "released")
        with self._database.read() as connection:
            query = select(mark.c.clip_id).where(wanted).order_by(mark.c.issued_us, mark.c.clip_id)
            return tuple(connection.execute(query).scalars())

    def issued_stamp(self) -> bytes:
        """Give at most 44 bytes that differ whenever `issued_marks` does.

        They say how many marks there are of each state, and when the last was issued: an id changes only when its mark
        is bound, and nothing goes back to an earlier state.
        """
        counted = [func.count().filter(mark.c.state == state) for state in ("reserved", "bound", "released")]
        with self._database.read() as connection:
            row = connection.execute(select(*counted, func.max(mark.c.issued_us))).one()
        return b":".join(b"%x" % (number or 0) for number in row)

    def store_manifest(self, clip_id: str, *, label: str, manifest: bytes, sha256: str) -> None:
        """Keep the signed manifest of a clip. Storing the same again does nothing.

        Raises:
            LedgerRequestError: the digest is not that of the manifest, it is too large, or the clip or the
                label has another one already.
        """
        check_text("clip", clip_id)
        check_text("label", label)
        if not 0 < len(manifest) <= LARGEST_MANIFEST_BYTES:
            raise LedgerRequestError(f"A manifest has 1 to {LARGEST_MANIFEST_BYTES} bytes; got {len(manifest)}.")
        if sha256_bytes(manifest) != sha256:
            raise LedgerRequestError("The digest handed in is not that of the manifest.")
        row = {"clip_id": clip_id, "label": label, "sha256": sha256, "body": manifest}
        either = (manifest_table.c.clip_id == clip_id) | (manifest_table.c.label == label)
        with self._database.write() as connection:
            found = connection.execute(select(manifest_table).where(either)).first()
            if found is None:
                connection.execute(insert(manifest_table).values(**row))
            elif _differs(found, row):
                raise LedgerRequestError(f"The clip {clip_id} or the label {label} has another manifest already.")

    def intend_output(
        self, job_id: str, *, clip_id: str, final_path: Path, part_path: Path, mark_id: bytes | None = None
    ) -> None:
        """Say which file is about to be made, before its first byte is written.

        Raises:
            LedgerRequestError: the job is known already, or a path is too long.
        """
        check_text("job", job_id)
        check_text("clip", clip_id)
        for path in (final_path, part_path):
            if len(str(path)) > LONGEST_PATH:
                raise LedgerRequestError(f"A path has at most {LONGEST_PATH} characters.")
        with self._database.write() as connection:
            if connection.execute(select(output.c.job_id).where(output.c.job_id == job_id)).first() is not None:
                raise LedgerRequestError(f"The job {job_id} has an output already.", fix="Use a new job id.")
            values = {"job_id": job_id, "clip_id": clip_id, "state": "intended", "mark_id": mark_id}
            paths = {"final_path": str(final_path), "part_path": str(part_path)}
            now = to_microseconds(self._clock())
            connection.execute(insert(output).values(**values, **paths, created_us=now))

    def publish_output(self, job_id: str, sha256: str) -> None:
        """Say that the file is at its final path. Saying the same again does nothing.

        Raises:
            LedgerRequestError: the job is unknown, abandoned, or published with another digest.
        """
        _check_sha256("output", sha256)
        with self._database.write() as connection:
            found = _existing_output(connection, job_id)
            if found.state == "published" and found.sha256 == sha256:
                return
            if found.state != "intended":
                raise LedgerRequestError(f"The output of job {job_id[:80]} is {found.state} already.")
            change = update(output).where(output.c.job_id == job_id)
            now = to_microseconds(self._clock())
            connection.execute(change.values(state="published", sha256=sha256, published_us=now))

    def abandon_output(self, job_id: str) -> None:
        """Say that the file will not be. Saying it again does nothing.

        Raises:
            LedgerRequestError: the job is unknown or its file was published.
        """
        with self._database.write() as connection:
            found = _existing_output(connection, job_id)
            if found.state == "published":
                raise LedgerRequestError(f"The output of job {job_id[:80]} is published already.")
            connection.execute(update(output).where(output.c.job_id == job_id).values(state="abandoned"))

    def open_outputs(self) -> tuple[OutputRecord, ...]:
        """Give the files that were intended and neither published nor abandoned, oldest first."""
        query = select(output).where(output.c.state == "intended").order_by(output.c.created_us, output.c.job_id)
        with self._database.read() as connection:
            return tuple(_output_record(row) for row in connection.execute(query))

    def records_for_mark(self, mark_id: bytes) -> tuple[ClipRecord, ...]:
        """Give the published clips whose frames carry this id, newest first."""
        return self._records(mark.c.mark_id == mark_id)

    def record_for_label(self, manifest_label: str) -> ClipRecord | None:
        """Give the published clip whose manifest has this label."""
        return next(iter(self._records(manifest_table.c.label == manifest_label)), None)

    def record_for_file(self, sha256: str) -> ClipRecord | None:
        """Give the clip that was published as exactly this file."""
        return next(iter(self._records(output.c.sha256 == sha256)), None)

    def record(self, clip_id: str) -> ClipRecord | None:
        """Give what is kept about the newest file of a clip; None where it is unknown or never reached its path."""
        further = mark.c.clip_id.startswith(f"{clip_id}{_BETWEEN}", autoescape=True)
        return next(iter(self._records((mark.c.clip_id == clip_id) | further)), None)

    def _records(self, condition: ColumnElement[bool]) -> tuple[ClipRecord, ...]:
        query = _RECORDS.where(condition).order_by(output.c.published_us.desc(), output.c.job_id.desc())
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            return tuple(_clip_record(row, _told_since(connection, clip_of(row.clip_id))) for row in rows)


_RECORDS = (
    select(
        mark.c.clip_id,
        mark.c.mark_id,
        mark.c.fingerprint,
        manifest_table.c.label,
        manifest_table.c.body,
        manifest_table.c.sha256.label("manifest_sha256"),
        output.c.sha256,
        output.c.final_path,
        output.c.state,
        output.c.published_us,
    )
    .join(manifest_table, manifest_table.c.clip_id == mark.c.clip_id)
    .join(output, output.c.clip_id == mark.c.clip_id)
    .where(mark.c.state == "bound", output.c.state == "published")
)


def _existing_output(connection: Connection, job_id: str) -> Row[*tuple[Any, ...]]:
    found = connection.execute(select(output).where(output.c.job_id == job_id)).first()
    if found is None:
        raise LedgerRequestError(f"No output was intended for job {job_id[:80]}.")
    return found


def _differs(row: Row[*tuple[Any, ...]], wanted: Mapping[str, object]) -> bool:
    return any(getattr(row, name) != value for name, value in wanted.items())


@dataclass(frozen=True, slots=True)
class _Told:
    """What the publisher said about a clip after it was out."""

    withdrawn: Withdrawal | None
    corrections: tuple[Correction, ...]


_AFTERWARDS = (EventType.CLIP_WITHDRAWN.value, EventType.CLIP_CORRECTED.value)


def _told_since(connection: Connection, clip_id: str) -> _Told:
    """Read the first withdrawal of a clip, to which a later one adds nothing, and all its corrections."""
    wanted = (event.c.clip == clip_id) & event.c.type.in_(_AFTERWARDS)
    query = select(event.c.seq, event.c.type, event.c.body, event.c.leaf).where(wanted).order_by(event.c.seq)
    found: dict[str, list[tuple[Mapping[str, JsonValue], datetime]]] = {kind: [] for kind in _AFTERWARDS}
    for row in connection.execute(query):
        body = bytes(row.body)
        if leaf_hash(body) != row.leaf:
            raise LedgerCorrupt(
                f"Event {row.seq} was changed after it was logged.", fix="Run `platemark audit verify`."
            )
        decoded = decode_body(body)
        found[row.type].append((facts_of(decoded), from_microseconds(derive_columns(decoded).ts_us)))
    withdrawn, corrected = (found[kind] for kind in _AFTERWARDS)
    first = read_withdrawal(*withdrawn[0]) if withdrawn else None
    return _Told(first, tuple(read_correction(facts, at) for facts, at in corrected))


def _clip_record(row: Row[*tuple[Any, ...]], told: _Told) -> ClipRecord:
    manifest = bytes(row.body)
    if sha256_bytes(manifest) != row.manifest_sha256:
        raise LedgerCorrupt(
            f"The stored manifest of clip {row.clip_id} was changed.",
            fix="Restore the database from a backup.",
        )
    return ClipRecord(
        clip_id=clip_of(row.clip_id),
        mark_id=bytes(row.mark_id),
        manifest_label=row.label,
        manifest=manifest,
        fingerprint=bytes(row.fingerprint),
        file_sha256=Sha256Hex(row.sha256),
        final_path=Path(row.final_path),
        state=OutputState(row.state),
        published_at=from_microseconds(row.published_us),
        withdrawn=told.withdrawn,
        corrections=told.corrections,
    )


def _output_record(row: Row[*tuple[Any, ...]]) -> OutputRecord:
    return OutputRecord(
        job_id=row.job_id,
        clip_id=row.clip_id,
        final_path=Path(row.final_path),
        part_path=Path(row.part_path),
        state=OutputState(row.state),
        sha256=None if row.sha256 is None else Sha256Hex(row.sha256),
        mark_id=None if row.mark_id is None else bytes(row.mark_id),
        created_at=from_microseconds(row.created_us),
    )


def _check_sha256(what: str, digest: str) -> None:
    if re.fullmatch(r"[0-9a-f]{64}", digest, re.ASCII) is None:
        raise LedgerRequestError(f"The digest of the {what} must be 64 lower-case hexadecimal digits.")
