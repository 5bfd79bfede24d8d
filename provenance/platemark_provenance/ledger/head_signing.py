"""Signing the tree head: when a log's key may be used, and that it is remembered where it was.

One rule: the key never signs a tree that does not continue every tree it signed before, and nothing after another key
has followed it.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError, LedgerUnavailable, VerificationError
from platemark_provenance.ledger import dialect
from platemark_provenance.ledger.appending import check_agreement
from platemark_provenance.ledger.checkpoint import Checkpoint, LogKeys, open_checkpoint, sign_checkpoint
from platemark_provenance.ledger.event import EventType, decode_body, facts_of
from platemark_provenance.ledger.note import ED25519, VerifierKey
from platemark_provenance.ledger.postgres import LedgerDatabase
from platemark_provenance.ledger.signed_head import read_signed_head, write_signed_head
from platemark_provenance.ledger.succession import is_announced
from platemark_provenance.ledger.tables import checkpoint as checkpoint_table
from platemark_provenance.ledger.tables import event as event_table
from platemark_provenance.ledger.tiles import StoredTree

_NEWEST = select(checkpoint_table).order_by(checkpoint_table.c.size.desc()).limit(1)


class HeadSigner:
    """Signs the tree heads of one log.

    Args:
        database: the open ledger.
        origin: the log's name.
        key: signs.
        log_keys: all keys that the log has had.
        state_path: the file outside the database that keeps the highest signed tree head.
    """

    def __init__(
        self, database: LedgerDatabase, *, origin: str, key: Ed25519PrivateKey, log_keys: LogKeys, state_path: Path
    ) -> None:
        self._database = database
        self._origin = origin
        self._key = key
        self._log_keys = log_keys
        self._state_path = state_path
        self._opened: tuple[bytes, Checkpoint] | None = None

    def sign(self, *, also_by: Ed25519PrivateKey | None = None) -> bytes:
        """Sign the tree as it is now; see `Ledger.checkpoint` for the checks and what is raised.

        Args:
            also_by: the key that follows this one.
        """
        if self._database.is_writing:  # 1
            raise LedgerRequestError("A tree is signed only after its events are kept; leave `atomic` first.")
        with self._database.write() as connection:
            dialect.hold_signing(connection)
            tree = StoredTree(connection)
            size = dialect.logged_size(connection)
            check_agreement(size, tree.size())  # 2
            now = Checkpoint(self._origin, size, tree.root(size))
            stored = connection.execute(_NEWEST).first()
            outside = self.outside_head()
            for signed in (outside, None if stored is None else self._reopen(stored.note)):
                if signed is not None:
                    check_continues(tree, signed)  # 3 and 4
            if also_by is None:
                self._refuse_replaced_key(connection)  # 5
            note = sign_checkpoint(now, self._key, *(() if also_by is None else (also_by,)))
            # First the file: a crash between the two leaves a head that was signed and is remembered.
            if outside != now:
                write_signed_head(self._state_path, note)
            if stored is None or stored.size != size:
                dialect.remember_checkpoint(connection, size, now.root, note)
        return note

    def newest(self) -> bytes | None:
        """Give the checkpoint of the largest tree that was signed and is kept, None where nothing was signed."""
        query = select(checkpoint_table.c.note).order_by(checkpoint_table.c.size.desc()).limit(1)
        with self._database.read() as connection:
            note = connection.execute(query).scalar()
        return None if note is None else bytes(note)

    def check_begins_with(self, note: bytes) -> Checkpoint:
        """Check that the log begins with a tree head that was kept elsewhere, and give that.

        Raises:
            VerificationError: it is not one that this log signed.
            LedgerCorrupt: it is, and the log is shorter or another one.
        """
        signed = open_checkpoint(note, self._log_keys, origin=self._origin)
        with self._database.read() as connection:
            check_continues(StoredTree(connection), signed)
        return signed

    def standing(self) -> bytes | None:
        """Give the newest signed head where it is that of the tree as it is now, and in both places where it belongs.

        Signing again would give the same bytes for the price of a writing transaction. Whatever does not fit is for
        `sign` to refuse.
        """
        if self._database.is_writing:
            return None
        with self._database.read() as connection:
            stored, size = connection.execute(_NEWEST).first(), dialect.logged_size(connection)
            if stored is None or stored.size != size:
                return None
            now = Checkpoint(self._origin, size, StoredTree(connection).root(size))
        return bytes(stored.note) if self._reopen(stored.note) == self.outside_head() == now else None

    def outside_head(self) -> Checkpoint | None:
        """Give the highest tree head that the file outside the database knows; see `read_signed_head`."""
        return read_signed_head(self._state_path, self._log_keys, origin=self._origin)

    def _reopen(self, note: bytes) -> Checkpoint:
        """Open a stored head; the same bytes as last time need no second look."""
        if self._opened is not None and self._opened[0] == note:
            return self._opened[1]
        try:
            self._opened = bytes(note), open_checkpoint(note, self._log_keys, origin=self._origin)
            return self._opened[1]
        except VerificationError as error:
            raise LedgerCorrupt(
                f"The last checkpoint in the ledger is not one that it signed. {error.message}",
                fix="Run `platemark audit verify`.",
            ) from error

    def _refuse_replaced_key(self, connection: Connection) -> None:
        """Refuse to sign with a key that another has followed: verifiers take nothing from it any more."""
        own = VerifierKey(self._origin, ED25519, self._key.public_key().public_bytes_raw())
        query = select(event_table.c.body).where(event_table.c.type == EventType.KEY_ROTATED.value)
        for body in connection.execute(query).scalars():
            if is_announced(facts_of(decode_body(bytes(body))), own):
                raise LedgerUnavailable(
                    "Another key has followed the one that this program signs the log with.",
                    fix="Open the ledger again; if a change of keys was interrupted: platemark keys rotate --ledger",
                )


def check_continues(tree: StoredTree, signed: Checkpoint) -> None:
    """Refuse a tree that is not a continuation of a signed one.

    Raises:
        LedgerCorrupt: it is shorter, or begins with other events.
    """
    fix = "Run `platemark audit verify`. If an old backup was restored, bring back the newer database."
    size = tree.size()
    if size < signed.size:
        raise LedgerCorrupt(f"A tree of {signed.size} events was signed; the ledger has only {size} now.", fix=fix)
    if tree.root(signed.size) != signed.root:
        raise LedgerCorrupt(f"The first {signed.size} events are not those that were signed.", fix=fix)
