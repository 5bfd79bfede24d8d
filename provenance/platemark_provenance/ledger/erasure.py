"""Erase what is sealed about a person, and hold it where the law wants it kept.

One rule: the log itself never changes. Its leaves hold pseudonyms and digests of ciphertexts, so the root stays; what
goes is the key, the ciphertext, the name behind the pseudonym, searchable words and waiting jobs.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection, CursorResult, Select, case, delete, null, select, update

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import LedgerRequestError, SubjectHeld
from platemark_provenance.ledger.event import Appended, Event, EventType, NewEvent, check_text, to_microseconds
from platemark_provenance.ledger.postgres import LedgerDatabase
from platemark_provenance.ledger.query import Filter, all_events, known_pseudonym
from platemark_provenance.ledger.sealing import Sealer
from platemark_provenance.ledger.subject_keys import CLIP_SUBJECT
from platemark_provenance.ledger.tables import actor as actor_table
from platemark_provenance.ledger.tables import event, job, sealed_part, sealed_payload, search_word, subject_key

_HOLD = re.compile(r"[0-9a-f-]{36}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did.

    Args:
        subject: the pseudonym, or `clip:` and a clip's identifier.
        payloads: sealed parts deleted.
        jobs: jobs whose request was deleted; those that waited were cancelled.
        recorded: where the event was put.
        log_emptied: whether the write-ahead log was emptied too; false while another program reads.
    """

    subject: str
    payloads: int
    jobs: int
    recorded: Appended
    log_emptied: bool

    def to_json(self) -> dict[str, JsonValue]:
        """Give the JSON object of `audit erase`."""
        put = self.recorded
        return {
            "subject": self.subject,
            "payloads": self.payloads,
            "jobs": self.jobs,
            "log_emptied": self.log_emptied,
            "ledger": {"seq": put.seq, "event_id": put.event_id, "root": put.root},
        }


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold that stands.

    Args:
        hold_id: its name.
        subject: what it keeps from being erased.
        reason: why.
        since: when it was set, by the log's clock.
        seq: the event that set it.
    """

    hold_id: str
    subject: str
    reason: str
    since: datetime
    seq: int

    def to_json(self) -> dict[str, JsonValue]:
        """Give the JSON object of `audit hold list`."""
        return {
            "hold_id": self.hold_id,
            "subject": self.subject,
            "reason": self.reason,
            "since": self.since.isoformat(),
            "seq": self.seq,
        }


class Subjects:
    """The people, and clips, that sealed parts are about.

    Args:
        database: the open ledger file.
        sealer: makes pseudonyms.
        append: puts an event into the log, inside the transaction of the thread that calls it.
        clock: gives the time now, aware.
    """

    def __init__(
        self,
        database: LedgerDatabase,
        sealer: Sealer,
        append: Callable[[NewEvent], Appended],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._append = append
        self._clock = clock

    def spelled(self, subject: str) -> str:
        """Give the name under which a subject is known here: a pseudonym, or `clip:` and an identifier.

        Raises:
            LedgerRequestError: it is empty or too long.
        """
        check_text("subject", subject)
        return subject if subject.startswith(CLIP_SUBJECT) else known_pseudonym(subject, self._sealer)

    def erase(self, subject: str, *, reason: str, actor: str | None = None) -> Erased:
        """Delete a subject's key, sealed parts, name, words and requests, all or none, and log that it was done.

        Args:
            subject: a person by name or pseudonym, or `clip:` and an identifier.
            reason: why, for everyone who reads the log; no personal data.
            actor: who erases.

        Raises:
            SubjectHeld: a legal hold stands; nothing was deleted.
            LedgerRequestError: nothing sealed is known about the subject, or the reason is empty or too long.
            LedgerUnavailable, LedgerCorrupt: nothing was deleted.
        """
        name = self.spelled(subject)
        check_text("reason", reason)
        try:
            with self._database.write() as connection:
                self._refuse_held(connection, name)
                payloads, jobs = _delete(connection, name, to_microseconds(self._clock()))
                facts: dict[str, JsonValue] = {
                    "subject": name,
                    "payloads": payloads,
                    "jobs": jobs,
                    "reason": reason,
                }
                recorded = self._append(NewEvent(EventType.SUBJECT_ERASED, actor=actor, facts=facts))
        finally:
            # Also where nothing was found: an erasure that was killed may have left its pages there.
            emptied = self._database.empty_write_ahead_log()
        return Erased(name, payloads, jobs, recorded, emptied)

    def set_hold(self, subject: str, *, reason: str, actor: str | None = None) -> Hold:
        """Keep a subject from being erased until the hold is released.

        Raises:
            LedgerRequestError: the subject or the reason is empty or too long.
        """
        name, hold_id = self.spelled(subject), str(uuid_utils.uuid7())
        check_text("reason", reason)
        facts: dict[str, JsonValue] = {"hold": hold_id, "subject": name, "reason": reason}
        put = self._append(NewEvent(EventType.LEGAL_HOLD_SET, actor=actor, facts=facts))
        return next(hold for hold in self.holds() if hold.seq == put.seq)

    def release_hold(self, hold_id: str, *, reason: str, actor: str | None = None) -> Hold:
        """Lift a hold.

        Raises:
            LedgerRequestError: no such hold stands, or the reason is empty or too long.
        """
        check_text("reason", reason)
        with self._database.write():
            found = next((hold for hold in self.holds() if hold.hold_id == hold_id), None)
            if found is None or not _HOLD.fullmatch(hold_id):
                raise LedgerRequestError(
                    f"No hold {hold_id[:40]!r} stands.", fix="List them with: platemark audit hold list"
                )
            facts: dict[str, JsonValue] = {"hold": hold_id, "subject": found.subject, "reason": reason}
            self._append(NewEvent(EventType.LEGAL_HOLD_RELEASED, actor=actor, facts=facts))
        return found

    def holds(self) -> tuple[Hold, ...]:
        """Give the holds that stand, oldest first, as the log tells them: a table could be edited.

        Raises:
            LedgerCorrupt: an event was changed after it was logged.
        """
        with self._database.read() as connection:
            lifted = {_text(each, "hold") for each in self._all(connection, EventType.LEGAL_HOLD_RELEASED)}
            return tuple(
                Hold(_text(each, "hold"), _text(each, "subject"), _text(each, "reason"), each.at, each.seq)
                for each in self._all(connection, EventType.LEGAL_HOLD_SET)
                if _text(each, "hold") not in lifted
            )

    def _all(self, connection: Connection, kind: EventType) -> list[Event]:
        return list(all_events(connection, Filter(type=kind, order="oldest"), self._sealer))

    def _refuse_held(self, connection: Connection, name: str) -> None:
        clips = select(event.c.clip).where(event.c.event_id.in_(_event_ids(name)), event.c.clip.is_not(None))
        about = {name, *(f"{CLIP_SUBJECT}{clip}" for clip in connection.execute(clips.distinct()).scalars())}
        held = [hold for hold in self.holds() if hold.subject in about]
        if held:
            raise SubjectHeld(
                f"A legal hold keeps this from being erased: {held[0].hold_id} ({held[0].reason}).",
                fix=f"When it may go: platemark audit hold release {held[0].hold_id} --reason …",
            )


def _event_ids(name: str) -> Select[Any]:
    """Give the query for the events whose sealed part is about a subject, of every version."""
    if name.startswith(CLIP_SUBJECT):
        return select(event.c.event_id).where(event.c.clip == name.removeprefix(CLIP_SUBJECT))
    about = select(sealed_part.c.event_id).where(sealed_part.c.subject == name)
    return select(event.c.event_id).where((event.c.actor == name) | event.c.event_id.in_(about))


def _delete(connection: Connection, name: str, now_us: int) -> tuple[int, int]:
    """Delete everything about a subject, and count sealed parts and jobs."""
    ids = _event_ids(name)
    places = select(event.c.seq).where(event.c.event_id.in_(ids))
    _count(connection.execute(delete(search_word).where(search_word.c.seq.in_(places))))
    payloads = _count(connection.execute(delete(sealed_payload).where(sealed_payload.c.event_id.in_(ids))))
    connection.execute(delete(sealed_part).where(sealed_part.c.event_id.in_(ids)))
    waiting = job.c.state.in_(("queued", "running"))
    cancelled = case((waiting, "cancelled"), else_=job.c.state)
    jobs = _count(
        connection.execute(
            update(job)
            .where(job.c.subject == name)
            .values(nonce=null(), ciphertext=null(), state=cancelled, fence=job.c.fence + 1, changed_us=now_us)
        )
    )
    keys = _count(connection.execute(delete(subject_key).where(subject_key.c.subject == name)))
    names = _count(connection.execute(delete(actor_table).where(actor_table.c.pseudonym == name)))
    if not payloads + jobs + keys + names:
        raise LedgerRequestError(
            "Nothing sealed is known about this subject.",
            fix="Name a person as the log knows them, a pseudonym p-…, or clip:IDENTIFIER.",
        )
    return payloads, jobs


def _count(result: CursorResult[Any]) -> int:
    return max(result.rowcount, 0)


def _text(found: Event, name: str) -> str:
    value = found.facts.get(name)
    return value if isinstance(value, str) else ""
