"""One key for what is about one person, kept in the database under another key that is not.

One rule: a subject's key is asked for each time it is used. One that were remembered could seal after it was destroyed
by somebody else.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select, text, update

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import KeyUnavailable, LedgerCorrupt
from platemark_provenance.ledger.event import NewEvent, to_microseconds
from platemark_provenance.ledger.postgres import LedgerDatabase
from platemark_provenance.ledger.sealing import SealedPayload, Sealer, open_with, seal_with
from platemark_provenance.ledger.tables import sealed_part, subject_key

KEY_BYTES = 32
CLIP_SUBJECT = "clip:"
"""Where nobody is named, a sealed part belongs to its clip; `clip:` and the identifier is then what is erased."""

_NONCE_BYTES = 12
_INSERT_KEY = text(
    "INSERT INTO subject_key (key_id, subject, kek, wrapped, created_us) "
    "VALUES (:key_id, :subject, :kek, :wrapped, :created_us) ON CONFLICT (subject) DO NOTHING"
)


class KeyWrapper(Protocol):
    """A key-encryption key, wherever it is kept: a file, a token, a key service."""

    @property
    def name(self) -> str:
        """Give what rows are marked with, so that a key that was replaced is told from a damaged one; no secret."""
        ...

    def wrap(self, key: bytes, subject: str) -> bytes:
        """Encrypt a subject's key, bound to the subject.

        Raises:
            KeyUnavailable: the key store does not answer.
        """
        ...

    def unwrap(self, wrapped: bytes, subject: str) -> bytes:
        """Decrypt a subject's key.

        Raises:
            KeyUnavailable: the key store does not answer, or this is not the key it was wrapped with.
        """
        ...


@dataclass(frozen=True, slots=True, repr=False)
class SecretWrapper:
    """A key-encryption key held in memory. Has no repr, so that a log line cannot show it.

    Args:
        secret: 32 bytes.
        name: see `KeyWrapper.name`.

    Source: NIST SP 800-38D, AES-256-GCM with a random 96-bit nonce; the subject is the additional data.
    """

    secret: bytes
    name: str = "payload"

    def wrap(self, key: bytes, subject: str) -> bytes:
        """Encrypt a subject's key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, key, subject.encode())

    def unwrap(self, wrapped: bytes, subject: str) -> bytes:
        """Decrypt a subject's key."""
        try:
            return AESGCM(self.secret).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], subject.encode())
        except (InvalidTag, ValueError) as error:
            raise KeyUnavailable(
                "A subject's key does not open with the key that this home has.",
                fix="Use the payload key, or the key service, that it was wrapped with.",
            ) from error


@dataclass(frozen=True, slots=True)
class SubjectSeal:
    """What was sealed with a subject's key, and whom it is about.

    Args:
        payload: nonce and ciphertext.
        key_id: the key.
        owner: the subject whose key it is.
        subjects: everyone it is about, the owner first.
    """

    payload: SealedPayload
    key_id: str
    owner: str
    subjects: tuple[str, ...]

    def rows(self, event_id: str) -> list[dict[str, str | None]]:
        """Give the rows of `sealed_part`."""
        return [
            {"event_id": event_id, "subject": subject, "key_id": self.key_id if subject == self.owner else None}
            for subject in self.subjects
        ]


@dataclass(frozen=True, slots=True)
class SubjectKeys:
    """Seal and open with subjects' keys.

    Args:
        database: where the wrapped keys are.
        sealer: makes pseudonyms, and opens what was sealed before subjects had keys.
        wrapper: the key-encryption key.
        clock: gives the time now, aware.
        earlier: other key-encryption keys, for what they wrapped.
    """

    database: LedgerDatabase
    sealer: Sealer
    wrapper: KeyWrapper = field(repr=False)
    clock: Callable[[], datetime]
    earlier: tuple[KeyWrapper, ...] = field(default=(), repr=False)

    def seal_event(self, event_id: str, new: NewEvent) -> SubjectSeal | None:
        """Seal the sealed part of an event; None where it has none. May be called outside a transaction.

        Raises:
            LedgerRequestError: it is too long.
            KeyUnavailable: the key store does not answer.
        """
        return None if new.sealed is None else self.seal(event_id, new.sealed, self.subjects_of(new))

    def seal(self, name: str, content: Mapping[str, JsonValue], subjects: tuple[str, ...]) -> SubjectSeal:
        """Seal content under a name with the key of the first subject, which is made where there is none.

        Raises:
            LedgerRequestError: it is too long.
            KeyUnavailable: the key store does not answer.
        """
        key_id, key = self._key_for(subjects[0])
        return SubjectSeal(seal_with(key, name, content), key_id, subjects[0], subjects)

    def subjects_of(self, new: NewEvent) -> tuple[str, ...]:
        """Give whom a sealed part is about: who acted, who is named in it, or else the clip."""
        byline = None if new.sealed is None else new.sealed.get("byline")
        named = [name for name in (new.actor, byline) if isinstance(name, str) and name]
        people = tuple(dict.fromkeys(self.sealer.pseudonym(name) for name in named))
        return people or (f"{CLIP_SUBJECT}{new.clip or ''}",)

    def open(self, event_id: str, payload: SealedPayload) -> Mapping[str, JsonValue]:
        """Open the sealed part of an event, of whichever version.

        Raises:
            LedgerCorrupt: it was sealed with another key or for another event, or was changed.
            KeyUnavailable: the key store does not answer.
        """
        query = (
            select(subject_key.c.subject, subject_key.c.kek, subject_key.c.wrapped)
            .join(sealed_part, sealed_part.c.key_id == subject_key.c.key_id)
            .where(sealed_part.c.event_id == event_id)
        )
        with self.database.read() as connection:
            row = connection.execute(query).first()
        if row is None:  # sealed before subjects had keys
            return self.sealer.open(event_id, payload)
        return open_with(self._unwrap(row.kek, bytes(row.wrapped), row.subject), event_id, payload)

    def open_named(self, name: str, subject: str, payload: SealedPayload) -> Mapping[str, JsonValue]:
        """Open what was sealed under a name with the key that a subject has now.

        Raises:
            LedgerCorrupt: the subject has no key any more, or it was sealed with another.
            KeyUnavailable: the key store does not answer.
        """
        query = select(subject_key.c.kek, subject_key.c.wrapped).where(subject_key.c.subject == subject)
        with self.database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise LedgerCorrupt("The key of this subject was destroyed.")
        return open_with(self._unwrap(row.kek, bytes(row.wrapped), subject), name, payload)

    def rewrap(self) -> int:
        """Wrap every subject's key with the key-encryption key that is in force, and count those that were not.

        Raises:
            KeyUnavailable: a key store does not answer; what was wrapped anew before stays so.
        """
        # Also where there is nothing to do: a key that cannot be used is found now and not by the next prompt.
        self.wrapper.wrap(secrets.token_bytes(KEY_BYTES), "probe")
        query = select(subject_key).where(subject_key.c.kek != self.wrapper.name).order_by(subject_key.c.key_id)
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        done = 0
        for row in rows:
            key = self._unwrap(row.kek, bytes(row.wrapped), row.subject)
            anew = {"wrapped": self.wrapper.wrap(key, row.subject), "kek": self.wrapper.name}
            same = (subject_key.c.key_id == row.key_id) & (subject_key.c.wrapped == row.wrapped)
            with self.database.write() as connection:
                done += connection.execute(update(subject_key).where(same).values(**anew)).rowcount
        return done

    def _unwrap(self, kek: str, wrapped: bytes, subject: str) -> bytes:
        """Unwrap with the key of that name; one that is named otherwise now may still be the same."""
        known = {each.name: each for each in self.earlier}
        return known.get(kek, self.wrapper).unwrap(wrapped, subject)

    def _key_for(self, subject: str) -> tuple[str, bytes]:
        query = select(subject_key).where(subject_key.c.subject == subject)
        with self.database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            # Wrapped before anything is locked: a key store may take its time.
            key_id, key = secrets.token_hex(16), secrets.token_bytes(KEY_BYTES)
            wrapped = self.wrapper.wrap(key, subject)
            with self.database.write() as connection:
                # Several writers of a server may be here at once; one of them makes the key that all of them use.
                values = {"key_id": key_id, "subject": subject, "kek": self.wrapper.name, "wrapped": wrapped}
                connection.execute(_INSERT_KEY, {**values, "created_us": to_microseconds(self.clock())})
                row = connection.execute(query).one()
        return row.key_id, self._unwrap(row.kek, bytes(row.wrapped), subject)
