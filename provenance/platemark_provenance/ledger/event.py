"""What the ledger records: the kinds of event, the event asked for, and the event as stored.

One rule: the leaf of an event is its stored bytes. Columns beside them are an index, made from those bytes by
`derive_columns` and by nothing else, so that a check can make them again and compare.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from json.encoder import encode_basestring
from typing import NamedTuple
from uuid import UUID

from platemark_provenance.digest import JsonValue, canonical_json
from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError

BODY_VERSION = 1
LARGEST_BODY_BYTES = 65_535
"""An entry of a tile log carries a 16-bit length. Source: C2SP tlog-tiles, "Log entries"."""
LONGEST_FIELD = 200
"""Characters in a clip id, actor, desk, decision, model or search text."""
SEALED_ONLY = frozenset({"prompt", "negative_prompt", "byline"})
"""Facts that name people or quote them belong in the sealed part, which can be erased."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")
"""The characters of Unicode's categories Cc and Cs; the text of a NewEvent is checked at every append."""
_TEXT_COLUMNS = ("clip", "actor", "desk", "decision", "model")


class EventType(StrEnum):
    """Every kind of event. A kind is never renamed or given another meaning once released."""

    HOME_CREATED = "home.created"
    PROMPT_SUBMITTED = "prompt.submitted"
    POLICY_DECIDED = "policy.decided"
    POLICY_CHANGED = "policy.changed"
    RECORD_ADDED = "record.added"
    RECORD_WITHDRAWN = "record.withdrawn"
    REVIEW_REQUESTED = "review.requested"
    REVIEW_SIGNED_OFF = "review.signed_off"
    REVIEW_REJECTED = "review.rejected"
    REVIEW_CLAIMED = "review.claimed"
    REVIEW_APPLIED = "review.applied"
    GENERATION_STARTED = "generation.started"
    GENERATION_FINISHED = "generation.finished"
    GENERATION_FAILED = "generation.failed"
    GENERATION_ABANDONED = "generation.abandoned"
    OUTPUT_INTENDED = "output.intended"
    LABEL_DRAWN = "label.drawn"
    WATERMARK_EMBEDDED = "watermark.embedded"
    MANIFEST_SIGNED = "manifest.signed"
    CLIP_PUBLISHED = "clip.published"
    CLIP_WITHDRAWN = "clip.withdrawn"
    CLIP_CORRECTED = "clip.corrected"
    CLIP_DRAFTED = "clip.drafted"
    CLIP_APPROVED = "clip.approved"
    PUBLICATION_ABANDONED = "publication.abandoned"
    CLIP_VERIFIED = "clip.verified"
    SOFTBINDING_RESOLVED = "softbinding.resolved"
    MODEL_REGISTERED = "model.registered"
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    TRUST_CHANGED = "trust.changed"
    TIME_STAMP_WAITING = "timestamp.waiting"
    TIME_STAMP_ADDED = "timestamp.added"
    TIME_STAMP_FAILED = "timestamp.failed"
    ACCESS_GRANTED = "access.granted"
    ACCESS_DENIED = "access.denied"
    AUDIT_QUERIED = "audit.queried"
    AUDIT_EXPORTED = "audit.exported"
    SUBJECT_ERASED = "subject.erased"
    LEGAL_HOLD_SET = "legal_hold.set"
    LEGAL_HOLD_RELEASED = "legal_hold.released"
    RETENTION_PRUNED = "retention.pruned"
    CHECKPOINT_ANCHORED = "checkpoint.anchored"
    WITNESS_CHANGED = "witness.changed"
    WITNESS_FAILED = "witness.failed"
    WITNESS_REFUSED = "witness.refused"
    SCHEMA_MIGRATED = "schema.migrated"
    CLOCK_REGRESSED = "clock.regressed"


ISSUED = frozenset({EventType.CLIP_PUBLISHED, EventType.CLIP_DRAFTED})
"""The kinds that say that a signed file is at its final path: what a receipt is about."""


class SealedState(StrEnum):
    """What became of the part of an event that only the key opens."""

    NONE = "none"
    """The event never had one."""
    KEPT = "kept"
    """Stored; not opened here."""
    OPENED = "opened"
    """Stored and opened here."""
    ERASED = "erased"
    """The leaf names it, the store no longer has it."""
    UNREADABLE = "unreadable"
    """Stored, and neither this key nor this event id opens it."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be recorded.

    Args:
        type: what happened.
        clip: the clip it happened to.
        actor: who did it, by name; stored as a pseudonym.
        desk: the desk it was done for.
        decision: the outcome of a decision, such as "allow", "review" or "block".
        model: the model that was used.
        facts: what anyone who reads the ledger may see.
        sealed: what only the holder of the payload key may see and what can be erased: prompt, byline.
        event_id: a UUID that makes a retry harmless; None lets the ledger choose one.

    Raises:
        LedgerRequestError: a field is too long, empty or holds control characters, or a fact belongs in
            `sealed`.
    """

    type: EventType
    clip: str | None = None
    actor: str | None = None
    desk: str | None = None
    decision: str | None = None
    model: str | None = None
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    sealed: Mapping[str, JsonValue] | None = None
    event_id: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.type, EventType):
            raise LedgerRequestError(f"An event has one of the known types; got {str(self.type)[:60]!r}.")
        for name, value in zip(
            _TEXT_COLUMNS, (self.clip, self.actor, self.desk, self.decision, self.model), strict=True
        ):
            if value is not None:
                check_text(name, value)
        if misplaced := sorted(SEALED_ONLY.intersection(self.facts)):
            raise LedgerRequestError(
                f"Facts are open to every reader; {', '.join(misplaced)} should be sealed.",
                fix="Pass it in `sealed`.",
            )
        if self.event_id is not None:
            check_event_id(self.event_id)


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an event was put.

    Args:
        seq: its place in the log, from 0; also its leaf index in the tree.
        event_id: its UUID.
        root: root of the tree after the commit, 64 hexadecimal digits.
        size: number of leaves after the commit.
    """

    seq: int
    event_id: str
    root: str
    size: int


@dataclass(frozen=True, slots=True)
class Staged:
    """An event that is kept and will get its place in the log.

    Args:
        event_id: its UUID; appending it again with this id tells the place.
    """

    event_id: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event as read back, every value taken from its stored bytes.

    Args:
        seq: its place in the log, from 0.
        event_id: its UUID.
        at: when its writer's clock said it happened; the order of the log is `seq`, not this.
        type: what happened; text, for a newer program may have written kinds unknown here.
        clip: the clip it happened to.
        actor: pseudonym of who did it.
        actor_name: the name behind the pseudonym, None where unknown or erased.
        desk: the desk it was done for.
        decision: the outcome of a decision.
        model: the model that was used.
        facts: what anyone may see.
        sealed_state: what became of the sealed part.
        sealed: the sealed part where it was opened.
        body: the stored bytes that the tree is built on.
    """

    seq: int
    event_id: str
    at: datetime
    type: str
    clip: str | None
    actor: str | None
    actor_name: str | None
    desk: str | None
    decision: str | None
    model: str | None
    facts: Mapping[str, JsonValue]
    sealed_state: SealedState
    sealed: Mapping[str, JsonValue] | None
    body: bytes

    def to_json(self) -> dict[str, JsonValue]:
        """Give the event as JSON, all fields but the stored bytes; the time in ISO 8601, UTC."""
        return {
            "seq": self.seq,
            "event_id": self.event_id,
            "at": self.at.isoformat(timespec="microseconds"),
            "type": self.type,
            "clip": self.clip,
            "actor": self.actor,
            "actor_name": self.actor_name,
            "desk": self.desk,
            "decision": self.decision,
            "model": self.model,
            "facts": self.facts,
            "sealed_state": self.sealed_state.value,
            "sealed": self.sealed,
        }


class Columns(NamedTuple):
    """The index columns of an event, as its stored bytes spell them, in the order of the table.

    A tuple, because one is made for every event that is appended, and a row of the table is made of it.
    """

    event_id: str
    ts_us: int
    type: str
    clip: str | None
    actor: str | None
    desk: str | None
    decision: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the ledger itself adds to an event: id, time in UTC microseconds, pseudonym, sealed digest."""

    event_id: str
    ts_us: int
    actor: str | None
    sealed_sha256: str | None


def encode_body(new: NewEvent, stamp: Stamp) -> bytes:
    """Write an event as the bytes that become its leaf: the canonical JSON of all it says.

    Raises:
        LedgerRequestError: the bytes would not fit an entry of the log.
        PlatemarkError: a fact has no canonical JSON.
    """
    return encode_columns(columns_of(new, stamp), new.facts, stamp.sealed_sha256 or "")


def encode_columns(columns: Columns, facts: Mapping[str, JsonValue], sealed_sha256: str) -> bytes:
    """Do what `encode_body` does with an event that was taken apart; no digest is an empty one.

    Raises:
        LedgerRequestError, PlatemarkError: see `encode_body`.
    """
    encoded = b"".join((body_head(columns), canonical_json(facts), body_tail(columns, sealed_sha256)))
    if len(encoded) > LARGEST_BODY_BYTES:
        raise LedgerRequestError(
            f"An event has at most {LARGEST_BODY_BYTES} bytes; this one would have {len(encoded)}.",
            fix="Keep long material in a file and record its SHA-256.",
        )
    return encoded


def body_head(columns: Columns) -> bytes:
    """Give the stored bytes before the facts. Keys are sorted, so columns of other values give other bytes."""
    parts = ["{"]
    if columns.actor is not None:
        parts.append(f'"actor":{encode_basestring(columns.actor)},')
    if columns.clip is not None:
        parts.append(f'"clip":{encode_basestring(columns.clip)},')
    if columns.decision is not None:
        parts.append(f'"decision":{encode_basestring(columns.decision)},')
    if columns.desk is not None:
        parts.append(f'"desk":{encode_basestring(columns.desk)},')
    parts.append('"facts":')
    return "".join(parts).encode()


def body_tail(columns: Columns, sealed_sha256: str) -> bytes:
    """Give the stored bytes after the facts.

    Args:
        columns: the index columns.
        sealed_sha256: digest of the sealed part; empty where the event has none.
    """
    model = "" if columns.model is None else f'"model":{encode_basestring(columns.model)},'
    sealed = f'"sealed":{{"sha256":"{sealed_sha256}"}},' if sealed_sha256 else ""
    event_id, kind = encode_basestring(columns.event_id), encode_basestring(columns.type)
    return f',"id":{event_id},{model}{sealed}"ts":{columns.ts_us},"type":{kind},"v":{BODY_VERSION}}}'.encode()


def columns_of(new: NewEvent, stamp: Stamp) -> Columns:
    """Give the index columns of an event that is about to be written; `derive_columns` finds the same in its bytes."""
    return Columns(
        stamp.event_id, stamp.ts_us, new.type.value, new.clip, stamp.actor, new.desk, new.decision, new.model
    )


def decode_body(body: bytes) -> dict[str, JsonValue]:
    """Read stored bytes back.

    Raises:
        LedgerCorrupt: they are not an event of a version known here.
    """
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise LedgerCorrupt("The stored bytes of an event should be JSON and are not.") from error
    if not isinstance(decoded, dict) or decoded.get("v") != BODY_VERSION:
        raise LedgerCorrupt(f"The stored bytes of an event should be an object of version {BODY_VERSION}.")
    return decoded


def derive_columns(decoded: Mapping[str, JsonValue]) -> Columns:
    """Make the index columns from a decoded body.

    Raises:
        LedgerCorrupt: a field is missing or has the wrong type.
    """
    event_id, ts_us, kind = decoded.get("id"), decoded.get("ts"), decoded.get("type")
    if not isinstance(event_id, str) or not isinstance(kind, str) or not isinstance(ts_us, int):
        raise LedgerCorrupt("The stored bytes of an event should hold its id, time and type.")
    return Columns(
        event_id=event_id,
        ts_us=ts_us,
        type=kind,
        clip=_optional_text(decoded, "clip"),
        actor=_optional_text(decoded, "actor"),
        desk=_optional_text(decoded, "desk"),
        decision=_optional_text(decoded, "decision"),
        model=_optional_text(decoded, "model"),
    )


def _optional_text(decoded: Mapping[str, JsonValue], name: str) -> str | None:
    value = decoded.get(name)
    if value is None or isinstance(value, str):
        return value
    raise LedgerCorrupt(f"The stored bytes of an event should hold text as {name} and do not.")


def sealed_digest(decoded: Mapping[str, JsonValue]) -> str | None:
    """Give the SHA-256 of the sealed part that a body names, None where it names none."""
    sealed = decoded.get("sealed")
    if not isinstance(sealed, Mapping):
        return None
    digest = sealed.get("sha256")
    return digest if isinstance(digest, str) else None


def facts_of(decoded: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Give the open facts of a decoded body."""
    facts = decoded.get("facts")
    return facts if isinstance(facts, Mapping) else {}


def to_microseconds(moment: datetime) -> int:
    """Count whole microseconds since 1970, UTC.

    Raises:
        LedgerRequestError: the time has no zone.
    """
    if moment.tzinfo is None:
        raise LedgerRequestError("A time needs its zone; got one without.", fix="Use datetime.now(UTC).")
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(ts_us: int) -> datetime:
    """Give the aware UTC time for a count of microseconds.

    Raises:
        LedgerCorrupt: the count is outside the years 1 to 9999.
    """
    try:
        return _EPOCH + timedelta(microseconds=ts_us)
    except OverflowError as error:
        raise LedgerCorrupt(f"A stored time is out of range: {ts_us} microseconds.") from error


def check_text(name: str, value: str | None) -> None:
    """Refuse a short text that is empty, too long, or holds control characters.

    Raises:
        LedgerRequestError: it does.
    """
    if value is None:
        return
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_FIELD:
        raise LedgerRequestError(f"The {name} must be text of 1 to {LONGEST_FIELD} characters.")
    if _CONTROL.search(value):
        raise LedgerRequestError(f"The {name} must not contain control characters.")


def check_event_id(event_id: str) -> None:
    """Refuse an event id that is not a UUID in its canonical spelling.

    Raises:
        LedgerRequestError: it is not.
    """
    try:
        canonical = str(UUID(event_id)) == event_id
    except (ValueError, AttributeError, TypeError):
        canonical = False
    if not canonical:
        raise LedgerRequestError("An event id must be a UUID in its canonical lower-case form.")
