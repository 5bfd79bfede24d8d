"""The ledger: append events, read them back, sign tree heads, hand out receipts, check everything.

One rule: an event that was acknowledged stays. No method changes or removes one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, Unpack, overload
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, bindparam, or_, select

from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.anchors import AnchorRows
from platemark_provenance.ledger.appending import Clerk
from platemark_provenance.ledger.attesting import Attesting
from platemark_provenance.ledger.audit import Audit, LedgerReport
from platemark_provenance.ledger.checkpoint import (
    LogKeys,
    open_checkpoint,
)
from platemark_provenance.ledger.database import Database, database_path
from platemark_provenance.ledger.erasure import Subjects
from platemark_provenance.ledger.event import ISSUED, Appended, Event, EventType, NewEvent, Staged
from platemark_provenance.ledger.head_signing import HeadSigner
from platemark_provenance.ledger.jobs import JobQueue
from platemark_provenance.ledger.note import ED25519, VerifierKey
from platemark_provenance.ledger.postgres import PostgresDatabase, is_postgres_url
from platemark_provenance.ledger.query import (
    Criteria,
    Filter,
    Page,
    known_pseudonym,
    read_counts,
    read_page,
    read_trace,
)
from platemark_provenance.ledger.receipt import format_receipt
from platemark_provenance.ledger.registry import Registry
from platemark_provenance.ledger.reviews import ReviewRows
from platemark_provenance.ledger.sealing import Sealer
from platemark_provenance.ledger.settings import LedgerSettings
from platemark_provenance.ledger.sqlite_log import SqliteLog
from platemark_provenance.ledger.subject_keys import SecretWrapper, SubjectKeys
from platemark_provenance.ledger.succession import KeyLink, Succession, announcement, leading_to
from platemark_provenance.ledger.tables import event as event_table
from platemark_provenance.ledger.tile_files import TileCopy, first_difference, kept_checkpoint, write_tiles
from platemark_provenance.ledger.tiles import StoredTree

if TYPE_CHECKING:
    from platemark_provenance.ledger.postgres_log import PostgresLog

__all__ = ["Ledger", "LedgerSettings", "Proven", "TreeHead"]


@dataclass(frozen=True, slots=True)
class TreeHead:
    """The tree as it is now; nobody has signed this.

    Args:
        origin: the log's name.
        size: number of events.
        root: 64 hexadecimal digits.
    """

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Proven:
    """Proofs that lead to one signed tree head.

    Args:
        checkpoint: the signed note.
        proofs: for each event asked for, the hashes from its leaf's sibling to the root's child.
    """

    checkpoint: bytes
    proofs: tuple[tuple[bytes, ...], ...]


class Ledger:
    """An open ledger. Threads may share it; other processes may have the same file open.

    Use `Ledger.open`, and close it or use it in a `with` block.
    """

    def __init__(self, database: Database | PostgresDatabase, settings: LedgerSettings) -> None:
        self._database = database
        self._settings = settings
        self._sealer = Sealer(settings.payload_key)
        own = SecretWrapper(self._sealer.wrapping_key)
        self.keys = SubjectKeys(database, self._sealer, settings.wrapper or own, settings.clock, earlier=(own,))
        """Seals what is about somebody with a key of their own."""
        clerk = Clerk(self._sealer, self.keys, settings.keeps_words, settings.clock, settings.new_event_id)
        self._log = _log_in(database, clerk)
        self.subjects = Subjects(database, self._sealer, self.append, settings.clock)
        """Erasure and legal holds."""
        self.jobs = JobQueue(database, self.keys, settings.clock)
        """Work that waits, in the same database."""
        self._log_keys = leading_to(self.public_key, settings.succession)
        self.heads = HeadSigner(
            database,
            origin=settings.origin,
            key=settings.signing_key,
            log_keys=self.log_keys,
            state_path=settings.state_path,
        )
        """Signed tree heads: the newest, and those that were kept elsewhere."""
        self.registry = Registry(database, clock=settings.clock)
        """Watermark ids, manifests and outputs, in the same database."""
        self.reviews = ReviewRows(database)
        """Tickets of the review queue, in the same database."""
        self.anchors = AnchorRows(database, settings.clock)
        """Cosignatures, time-stamps and places of copies, in the same database."""
        self.attesting = Attesting(settings.panel, self.anchors, self.append, self.consistency)
        """Asks the witnesses."""

    @classmethod
    def open(cls, url: str, *, settings: LedgerSettings) -> Self:
        """Open an existing ledger.

        Args:
            url: such as "sqlite:////srv/news/ledger.db" or "postgresql://ledger.example/news".
            settings: keys, clock and names.

        Raises:
            LedgerUnavailable: the file is missing, locked or read-only.
            LedgerCorrupt: it is damaged, or its append-only guards were changed.
            SchemaMismatch: its schema is older or newer than this program's.
            VerificationError: its earlier keys do not lead to the signing key.
        """
        Sealer(settings.payload_key)
        if is_postgres_url(url):
            server = PostgresDatabase(url, busy_timeout_s=settings.busy_timeout_s, read_only=settings.read_only)
            return cls(server, settings)
        path = database_path(url)
        return cls(Database(path, busy_timeout_s=settings.busy_timeout_s, read_only=settings.read_only), settings)

    @property
    def is_read_only(self) -> bool:
        """Whether it was opened for reading only, so that nothing done with it leaves a trace."""
        return self._settings.read_only

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The key that checks this ledger's checkpoints and receipts."""
        return self._settings.signing_key.public_key()

    @property
    def log_keys(self) -> LogKeys:
        """Every key that this log has had; what was signed with an earlier one is still good."""
        return self._log_keys

    @property
    def succession(self) -> Succession:
        """How those keys followed one another; for everybody to read."""
        return self._settings.succession

    @property
    def verifier_key(self) -> VerifierKey:
        """The key that signs now, as witnesses and other tools want it."""
        return VerifierKey(self._settings.origin, ED25519, self.public_key.public_bytes_raw())

    @overload
    def append(self, event: NewEvent, *, wait: Literal["integrated", "checkpointed"] = ...) -> Appended: ...

    @overload
    def append(self, event: NewEvent, *, wait: Literal["staged"]) -> Staged: ...

    def append(
        self, event: NewEvent, *, wait: Literal["staged", "integrated", "checkpointed"] = "integrated"
    ) -> Appended | Staged:
        """Record one event; it is on the disk when this returns.

        Threads that append at the same time share one commit. An event with an id of its own may be appended again
        after an answer was lost: it keeps its first place.

        Args:
            event: what happened.
            wait: "staged" until the event is sure to get a place, "integrated" until it has one in the tree,
                "checkpointed" until a signed tree head covers it. In a SQLite file a staged event has its place too.

        Raises:
            LedgerRequestError: it is too large, or its id belongs to a different event.
            LedgerUnavailable, LedgerCorrupt: it was not recorded; see `checkpoint` for a tree that is not signed.
        """
        if wait == "staged":
            return Staged(self._log.stage((event,))[0])
        appended = self.append_all((event,))[0]
        if wait == "checkpointed":
            self.checkpoint()
        return appended

    def append_all(self, events: Sequence[NewEvent]) -> tuple[Appended, ...]:
        """Record events in one go, all or none. Each is told the tree as it is after all of them.

        Raises:
            LedgerRequestError: one is too large, or its id belongs to a different event.
            LedgerUnavailable, LedgerCorrupt: none was recorded.
        """
        return self._log.append(events) if events else ()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Keep every append and registry change of the block together, or none of them.

        Other writers wait meanwhile: do nothing slow inside. What `append` returned inside the block is true
            only
        once the block has ended.
        """
        with self._database.write():
            yield

    def query(self, **criteria: Unpack[Criteria]) -> Iterator[Event]:
        """Give every event that fits, page by page; the keywords are the fields of `Filter`.

        Raises:
            LedgerRequestError: a criterion cannot be.
        """
        return self._all_pages(Filter(**criteria))

    def page(self, where: Filter, *, after: str | None = None, limit: int = 100) -> Page:
        """Give one page of the events that fit.

        Args:
            where: which events.
            after: `next` of the page before.
            limit: 1 to 1000.

        Raises:
            LedgerRequestError: the cursor or the limit cannot be.
            LedgerCorrupt: an event was changed after it was logged.
        """
        with self._database.read() as connection:
            return read_page(connection, where, self._sealer, after=after, limit=limit)

    def counts(self, where: Filter, *, by: tuple[str, ...]) -> dict[tuple[str | None, ...], int]:
        """Count the events that fit, for each combination of values in `by`: type, desk, decision, model.

        Raises:
            LedgerRequestError: one of them is no column to count by.
        """
        with self._database.read() as connection:
            return read_counts(connection, where, self._sealer, by=by)

    def trace(self, clip_id: str) -> tuple[Event, ...]:
        """Give the whole life of one clip, oldest first, with its sealed parts opened.

        Raises:
            LedgerCorrupt: an event was changed after it was logged.
        """
        with self._database.read() as connection:
            return read_trace(connection, clip_id, self.keys.open)

    def head(self) -> TreeHead:
        """Give the size and root of the tree as it is now."""
        with self._database.read() as connection:
            tree = StoredTree(connection)
            size = tree.size()
            return TreeHead(self._settings.origin, size, tree.root(size).hex())

    def checkpoint(self) -> bytes:
        """Sign the tree as it is now, and remember that it was signed.

        Checks, before the key is used: 1 nothing unfinished is in the tree; 2 log and tree agree; 3 no signed
        head, in the database or in the file outside it, is larger than the tree; 4 the tree begins with each
        of them; 5 no event says that another key has followed this one.

        Returns:
            a signed note, see `checkpoint.open_checkpoint`.

        Raises:
            LedgerRequestError: called inside `atomic`.
            LedgerCorrupt: the tree is not a continuation of what was signed; events were lost or changed.
            LedgerUnavailable: the signature could not be remembered, so it was not given out.

        Source: C2SP tlog-checkpoint, "Signatures".
        """
        return self.heads.sign()

    def announce_key(self, new_key: Ed25519PrivateKey, *, actor: str | None = None) -> KeyLink:
        """Name the key that follows this one, under a checkpoint that both sign. Done twice, it is one event.

        Whoever finishes a change that was interrupted need not be the one who began it: the event names who did.

        From then on this key signs nothing: whoever has the ledger open with it must open it again with the new one.

        Raises:
            LedgerCorrupt, LedgerUnavailable: see `checkpoint`.
        """
        new = VerifierKey(self._settings.origin, ED25519, new_key.public_key().public_bytes_raw())
        facts, event_id = announcement(self.verifier_key, new), str(uuid5(NAMESPACE_URL, f"platemark:{new.text()}"))
        named = select(event_table.c.seq).where(event_table.c.event_id == event_id)
        with self._database.read() as connection:
            seq = connection.execute(named).scalar()
        if seq is None:
            seq = self.append(NewEvent(EventType.KEY_ROTATED, actor=actor, facts=facts, event_id=event_id)).seq
        note = self.heads.sign(also_by=new_key)
        size = open_checkpoint(note, self.log_keys, origin=self._settings.origin).size
        with self._database.read() as connection:
            proof = merkle.inclusion_proof(seq, size, StoredTree(connection).node)
            body = connection.execute(select(event_table.c.body).where(event_table.c.seq == seq)).scalar_one()
        return KeyLink(self.verifier_key, new, format_receipt(bytes(body), seq, proof, note))

    def receipt(self, clip_id: str) -> bytes:
        """Give the proof that the clip's publication is in the log; see `receipt.verify_receipt`.

        Raises:
            LedgerRequestError: the clip was not published.
            LedgerCorrupt, LedgerUnavailable: see `checkpoint`.
        """
        with self._database.read() as connection:
            published = _publication(connection, clip_id)
        proven = self.prove((published[0],))
        return format_receipt(published[1], published[0], proven.proofs[0], proven.checkpoint)

    def prove(self, seqs: Sequence[int]) -> Proven:
        """Prove that events are in the log: one signed checkpoint, and for each event its inclusion proof.

        The log's witnesses are asked to cosign the checkpoint; it carries the cosignatures of those that did.

        Raises:
            VerificationError: there is no such event.
            LedgerCorrupt, LedgerUnavailable: see `checkpoint`.
        """
        note = self.attesting.cosign(self.heads.standing() or self.checkpoint()).note
        size = open_checkpoint(note, self.log_keys, origin=self._settings.origin).size
        with self._database.read() as connection:
            node = StoredTree(connection).node
            return Proven(note, tuple(merkle.inclusion_proof(seq, size, node) for seq in seqs))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Prove that the tree of one size is the beginning of the tree of another.

        Raises:
            VerificationError: the first is empty or larger than the second.
            LedgerCorrupt: a tile is missing or short.
        """
        with self._database.read() as connection:
            return merkle.consistency_proof(old, new, StoredTree(connection).node)

    def require_witnesses(self) -> None:
        """Refuse to go on where witnesses are required and too few of them confirm the log as it is now.

        Raises:
            WitnessesMissing: they are, and do not.
            LedgerCorrupt, LedgerUnavailable: see `checkpoint`.
        """
        self.attesting.require(self.checkpoint)

    def verify(self, *, against: bytes | None = None, since: bytes | None = None) -> LedgerReport:
        """Check everything in the ledger; the report says what is wrong first.

        Args:
            against: a checkpoint of this ledger that was kept elsewhere.
            since: a checkpoint of this ledger that was given at an earlier check: what it covers is held to its root
                and not read again, which takes a moment for a log of any length. See `Audit.run` for what is left out.

        Raises:
            VerificationError: `against` or `since` is not a checkpoint signed by this ledger.
            LedgerUnavailable: the database cannot be read at all.
        """
        origin = self._settings.origin
        outside = [open_checkpoint(note, self.log_keys, origin=origin) for note in (against,) if note is not None]
        after = None if since is None else open_checkpoint(since, self.log_keys, origin=origin)
        try:
            if (head := self.heads.outside_head()) is not None:
                outside.append(head)
            with self._database.read() as connection:
                audit = Audit(connection, self.log_keys, origin=origin, sealer=self._sealer)
                return audit.run(tuple(outside), since=after)
        except LedgerCorrupt as error:
            return LedgerReport(False, 0, "", None, None, None, error.message)

    def copy_tiles(self, folder: Path) -> TileCopy:
        """Write what a folder lacks of the whole log, as C2SP tiles under a new checkpoint; see `tile_files`.

        Raises:
            LedgerCorrupt: the folder holds signed events that this log does not begin with. See also `checkpoint`.
            LedgerUnavailable: the folder cannot be written.
            VerificationError: the folder holds another log's copy.
        """
        note = self.checkpoint()
        with self._database.read() as connection:
            return write_tiles(connection, folder, note, self.log_keys)

    def verify_copy(self, folder: Path) -> LedgerReport:
        """Check everything in the ledger, and that it begins with the events of a copy made by `copy_tiles`.

        Raises:
            VerificationError: the copy is not whole, or not of this log; it proves nothing either way.
            LedgerUnavailable: the database or the copy cannot be read at all.
        """
        note = kept_checkpoint(folder)
        signed = open_checkpoint(note, self.log_keys, origin=self._settings.origin)
        report = self.verify(against=note)
        with self._database.read() as connection:
            wrong = first_difference(connection, folder, signed)
        if wrong is None:
            return report
        reason = f"Event {wrong} is not the one in the copy."
        return replace(report, ok=False, first_bad_seq=wrong, first_bad_column="body", reason=reason)

    def pseudonym(self, identity: str) -> str:
        """Give the pseudonym under which this ledger knows a person."""
        return self._sealer.pseudonym(identity)

    def pseudonym_of(self, person: str) -> str:
        """Give the pseudonym of a person named either way: by name, or by the pseudonym itself."""
        return known_pseudonym(person, self._sealer)

    def close(self) -> None:
        """Close the ledger; harmless when done twice."""
        self._log.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _all_pages(self, where: Filter) -> Iterator[Event]:
        after: str | None = None
        while True:
            page = self.page(where, after=after, limit=500)
            yield from page.events
            if page.next is None:
                return
            after = page.next


def _log_in(database: Database | PostgresDatabase, clerk: Clerk) -> "SqliteLog | PostgresLog":
    """Give the end of the log in a database, where events are written."""
    if isinstance(database, Database):
        return SqliteLog(database, clerk)
    # Loads SQLAlchemy's dialect for it, which takes longer than opening a file.
    from platemark_provenance.ledger.postgres_log import PostgresLog

    return PostgresLog(database, clerk)


# Made once: spelling a question takes longer than answering it.
_PUBLISHED = (
    select(event_table.c.seq, event_table.c.body)
    .where(event_table.c.clip == bindparam("clip"), or_(*(event_table.c.type == kind.value for kind in sorted(ISSUED))))
    .order_by(event_table.c.seq.desc())
    .limit(1)
)


def _publication(connection: Connection, clip_id: str) -> tuple[int, bytes]:
    """Find the newest publication of a clip: its place and its bytes."""
    row = connection.execute(_PUBLISHED, {"clip": clip_id}).first()
    if row is None:
        raise LedgerRequestError(f"The clip {clip_id[:80]} was not published, so there is no receipt for it.")
    return int(row.seq), bytes(row.body)
