"""What a witness remembers: for each log the last tree head that it cosigned.

One rule: a tree head is on the disk before its cosignature leaves, and one that cannot be read back is never taken for
none. A witness that forgets would sign a second history.

Source: C2SP tlog-witness, "add-checkpoint".
"""

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from platemark_provenance.durable import write_whole
from platemark_provenance.errors import LedgerCorrupt, LedgerUnavailable, VerificationError
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.checkpoint import (
    Checkpoint,
    LogKey,
    LogKeys,
    open_checkpoint,
    read_checkpoint,
)
from platemark_provenance.ledger.cosignature import Cosigner, cosign
from platemark_provenance.ledger.note import (
    ED25519,
    LARGEST_NOTE_BYTES,
    VerifierKey,
    parse_verifier_key,
    split_note,
)
from platemark_provenance.witness.request import SIZE_TYPE, AddCheckpoint

LOGS = "logs"
MOST_LOGS = 1_024
MOST_KEYS = 16
"""Of one log; it gets a new one now and then."""

_LARGEST_STATE_BYTES = LARGEST_NOTE_BYTES * 2


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answers.

    Args:
        status: of HTTP.
        body: its content.
        kind: its content type.
    """

    status: int
    body: bytes
    kind: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Known:
    """A log: its keys, and the last of its checkpoints that was cosigned."""

    origin: str
    keys: tuple[VerifierKey, ...]
    note: bytes | None

    @property
    def log_keys(self) -> LogKeys:
        """Give its keys as what checks a checkpoint."""
        return LogKeys(tuple(LogKey(Ed25519PublicKey.from_public_bytes(key.key)) for key in self.keys))

    def last(self) -> Checkpoint:
        """Give the last tree that was cosigned; the empty one where there is none."""
        if self.note is None:
            return Checkpoint(self.origin, 0, merkle.EMPTY_ROOT)
        return open_checkpoint(self.note, self.log_keys, origin=self.origin)


class WitnessBook:
    """A witness: its key, the logs it serves, and what it signed last for each. Threads may share it.

    Use `open_book`, which keeps a second program from opening the same folder.

    Args:
        folder: where its files are.
        name: the witness's.
        key: signs.
        clock: gives the time now, aware.
    """

    def __init__(self, folder: Path, name: str, key: Ed25519PrivateKey, clock: Callable[[], datetime]) -> None:
        self._folder = folder / LOGS
        self._name = name
        self._key = key
        self._clock = clock
        self._one_at_a_time = threading.Lock()

    @property
    def cosigner(self) -> Cosigner:
        """Give what others check its cosignatures with."""
        return Cosigner(self._name, self._key.public_key())

    def add_log(self, verifier_key: str) -> str:
        """Serve a log from now on, or take another key of one that is served; give its origin.

        Raises:
            VerificationError: it is no key of a log, or there are too many.
            LedgerCorrupt: what is remembered of this log cannot be read.
            LedgerUnavailable: it cannot be written down.
        """
        found = parse_verifier_key(verifier_key)
        if found.kind != ED25519:
            raise VerificationError(
                f"The key of {found.name} is no log's key but one of kind {found.kind}.",
                fix="In the log's home: platemark audit witness list",
            )
        with self._one_at_a_time:
            known = self._read(found.name) or _Known(found.name, (), None)
            if found in known.keys:
                return found.name
            if len(known.keys) >= MOST_KEYS or (not known.keys and len(self._files()) >= MOST_LOGS):
                raise VerificationError(f"A witness serves {MOST_LOGS} logs with {MOST_KEYS} keys each at most.")
            self._write(_Known(found.name, (*known.keys, found), known.note))
        return found.name

    def logs(self) -> tuple[tuple[str, int], ...]:
        """Give each log's origin and the size of its last tree that was cosigned.

        Raises:
            LedgerCorrupt: what is remembered of one cannot be read.
        """
        known = [self._parse(path) for path in self._files()]
        return tuple(sorted((each.origin, each.last().size) for each in known))

    def add_checkpoint(self, content: bytes) -> Reply:
        """Cosign a checkpoint, or say why not.

        Checks: 1 the form; 2 the log is one of ours; 3 its signature; 4 the old size is not above the new one; 5 the
        old size is that of the last tree cosigned; 6 the new tree continues that one. Then: 7 remember it on the disk;
        8 sign. 5 to 8 happen for one request at a time.

        Raises:
            LedgerCorrupt: what is remembered of this log cannot be read; nothing is signed.
            LedgerUnavailable: the new tree cannot be remembered; nothing is signed.
        """
        try:
            asked = AddCheckpoint.parse(content)  # 1
            origin = read_checkpoint(asked.note).origin
        except VerificationError as error:
            return _refusal(400, error.message)
        with self._one_at_a_time:
            known = self._read(origin)
            if known is None:  # 2
                return _refusal(404, "This witness does not know that log.")
            try:
                new = open_checkpoint(asked.note, known.log_keys, origin=origin)  # 3
            except VerificationError as error:
                return _refusal(403, error.message)
            refused = _refuse_jump(asked, self._last_of(known), new)  # 4 to 6
            if refused is not None:
                return refused
            self._write(_Known(origin, known.keys, _without_strangers(asked.note, known.keys)))  # 7
            line = cosign(new.text(), self._name, self._key, at=self._clock())  # 8
        return Reply(200, line.text().encode())

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))

    def _path(self, origin: str) -> Path:
        # An origin is a stranger's text and may hold a slash.
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.json"

    def _read(self, origin: str) -> _Known | None:
        path = self._path(origin)
        return self._parse(path) if path.exists() else None

    def _last_of(self, known: _Known) -> Checkpoint:
        try:
            return known.last()
        except VerificationError as error:
            raise _garbled(self._path(known.origin)) from error

    def _parse(self, path: Path) -> _Known:
        try:
            with path.open("rb") as file:
                entry = json.loads(file.read(_LARGEST_STATE_BYTES))
            keys = tuple(parse_verifier_key(text) for text in entry["keys"])
            note = None if entry["note"] is None else str(entry["note"]).encode()
            known = _Known(str(entry["origin"]), keys, note)
            known.last()
        except (OSError, ValueError, KeyError, TypeError, VerificationError) as error:
            raise _garbled(path) from error
        if path != self._path(known.origin) or any(key.name != known.origin for key in keys):
            raise _garbled(path)
        return known

    def _write(self, known: _Known) -> None:
        entry = {
            "origin": known.origin,
            "keys": [key.text() for key in known.keys],
            "note": None if known.note is None else known.note.decode("utf-8"),
        }
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            write_whole(self._path(known.origin), json.dumps(entry, ensure_ascii=False, indent=1).encode())
        except OSError as error:
            raise LedgerUnavailable(
                f"The witness cannot remember what it is about to sign: {error.strerror or error}.",
                fix="Free some space, or give write permission on its folder.",
            ) from error


@contextmanager
def open_book(
    folder: Path, name: str, key: Ed25519PrivateKey, *, clock: Callable[[], datetime]
) -> Iterator[WitnessBook]:
    """Open a witness's folder, alone.

    Raises:
        LedgerUnavailable: another program has it open, or it cannot be used.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise LedgerUnavailable(f"The witness's folder {folder} cannot be opened: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LedgerUnavailable(
                f"Another program serves the witness in {folder}: two of them would sign two histories.",
                fix="Stop the other one first.",
            ) from error
        yield WitnessBook(folder, name, key, clock)
    finally:
        os.close(descriptor)


def _refuse_jump(asked: AddCheckpoint, last: Checkpoint, new: Checkpoint) -> Reply | None:
    """Say why a new tree is not to be signed after the last one, None where it is."""
    if asked.old_size > new.size:
        return _refusal(400, "The old size is above the new one.")
    if asked.old_size != last.size:
        return Reply(409, f"{last.size}\n".encode(), SIZE_TYPE)
    try:
        if last.size:
            merkle.check_consistency((last.size, last.root), (new.size, new.root), asked.proof)
        elif asked.proof or (new.size == 0 and new.root != merkle.EMPTY_ROOT):
            return _refusal(422, "The empty tree needs no proof and has one root.")
    except VerificationError as error:
        return _refusal(422, error.message)
    return None


def _without_strangers(note: bytes, keys: tuple[VerifierKey, ...]) -> bytes:
    """Give a note with the log's own signatures only: anybody can add lines, until it is too long to be read back."""
    parts, own = split_note(note), {(key.name, key.key_id) for key in keys}
    lines = dict.fromkeys(line.text() for line in parts.lines if (line.name, line.key_id) in own)
    return f"{parts.text}\n{''.join(lines)}".encode()


def _refusal(status: int, reason: str) -> Reply:
    return Reply(status, f"{reason}\n".encode())


def _garbled(path: Path) -> LedgerCorrupt:
    return LedgerCorrupt(
        f"What this witness remembers of a log cannot be read: {path}.",
        fix="Restore the file. Never remove it: a witness that forgets would sign a second history.",
    )
