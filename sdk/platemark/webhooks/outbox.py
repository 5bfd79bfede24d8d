"""What is still to be told, and how often it was tried: the log is the outbox, a small file remembers the place.

One rule: an event is told until the receiver took it or it was tried too often; then it is kept as a dead letter and
the next one is told. Nothing is told twice on purpose, and nothing is lost silently.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from platemark.errors import HomeError
from platemark.webhooks.signature import Message
from platemark_provenance.digest import JsonValue, canonical_json
from platemark_provenance.durable import write_whole
from platemark_provenance.ledger.event import Event, EventType

MOST_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=5)
"""Doubled after each failure: 5 s, 10 s … about 11 minutes in all before a letter is dead."""
MAX_STATE_BYTES = 65_536
STATE_FILE = "state.json"
DEAD_FOLDER = "dead"

TOLD: tuple[EventType, ...] = (
    EventType.POLICY_DECIDED,
    EventType.REVIEW_REQUESTED,
    EventType.REVIEW_SIGNED_OFF,
    EventType.REVIEW_REJECTED,
    EventType.GENERATION_FAILED,
    EventType.CLIP_DRAFTED,
    EventType.CLIP_APPROVED,
    EventType.CLIP_PUBLISHED,
    EventType.CLIP_WITHDRAWN,
    EventType.CLIP_CORRECTED,
)
"""The changes of state that others are told of."""

Send = Callable[[bytes, dict[str, str]], str]
"""Sends a body with headers; gives an empty text when it was taken, otherwise why not."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far the telling has come.

    Args:
        next_seq: the first event that was not dealt with.
        attempts: how often that one was tried.
        not_before: when it may be tried again; None for now.
    """

    next_seq: int = 0
    attempts: int = 0
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one run came to."""

    sent: int = 0
    dead: int = 0
    waiting: bool = False
    problem: str = ""
    place: Place = field(default_factory=Place)

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that `platemark webhooks deliver --json` prints."""
        return {
            "sent": self.sent,
            "dead": self.dead,
            "waiting": self.waiting,
            "problem": self.problem,
            "next_seq": self.place.next_seq,
        }


@dataclass(frozen=True, slots=True)
class Outbox:
    """A folder of a home that remembers what was told.

    Args:
        folder: where the place and dead letters are kept.
        secret: shared with the receiver.
        clock: gives the time now, aware.
        send: sends one message.
    """

    folder: Path
    secret: bytes = field(repr=False)
    clock: Callable[[], datetime]
    send: Send

    def place(self) -> Place:
        """Read how far the telling has come; the beginning where nothing was ever told.

        Raises:
            HomeError: the file that remembers is damaged.
        """
        path = self.folder / STATE_FILE
        if not path.is_file():
            return Place()
        try:
            if path.stat().st_size > MAX_STATE_BYTES:
                raise ValueError("too long")
            kept = json.loads(path.read_text(encoding="utf-8"))
            not_before = kept["not_before"]
            found = Place(
                int(kept["next_seq"]),
                int(kept["attempts"]),
                None if not_before is None else datetime.fromisoformat(not_before),
            )
            if found.next_seq < 0 or found.attempts < 0:
                raise ValueError("negative")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HomeError(
                f"{path} does not say how far the webhooks have come.",
                fix="Remove it to tell everything again, or restore it from a backup.",
            ) from error
        return found

    def start_at(self, seq: int) -> None:
        """Begin telling with an event; what came before is never told."""
        self._keep(Place(seq))

    def deliver(self, events: Iterable[Event]) -> Delivery:
        """Tell events in order until one is not taken.

        Args:
            events: the log from `place().next_seq` on, oldest first.

        Raises:
            HomeError: the place cannot be read.
        """
        place = self.place()
        run = Delivery(place=place)
        for event in events:
            if event.seq < place.next_seq:
                continue
            if event.type not in TOLD:
                place = Place(event.seq + 1)
                continue
            now = self.clock()
            if place.not_before is not None and now < place.not_before:
                run = replace(run, waiting=True)
                break
            problem = self._tell(event, now)
            if not problem:
                place, run = Place(event.seq + 1), replace(run, sent=run.sent + 1)
                # Kept after each: a crash tells one event twice at most, which its id gives away.
                self._keep(place)
                continue
            place, run = self._put_off(event, place, problem, now, run)
            if run.waiting:
                break
        self._keep(place)
        return replace(run, place=place)

    def dead_letters(self) -> tuple[Path, ...]:
        """Give the events that were tried too often, oldest first, one JSON file each."""
        return tuple(sorted((self.folder / DEAD_FOLDER).glob("*.json")))

    def _tell(self, event: Event, now: datetime) -> str:
        message = Message(event.event_id, now, message_body(event))
        return self.send(message.body, message.headers(self.secret))

    def _put_off(
        self, event: Event, place: Place, problem: str, now: datetime, run: Delivery
    ) -> tuple[Place, Delivery]:
        attempts = place.attempts + 1
        if attempts >= MOST_ATTEMPTS:
            dead = self.folder / DEAD_FOLDER
            dead.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(dead / f"{event.seq:012}.json", message_body(event))
            return Place(event.seq + 1), replace(run, dead=run.dead + 1, problem=problem)
        wait = FIRST_WAIT * 2 ** (attempts - 1)
        return Place(event.seq, attempts, now + wait), replace(run, waiting=True, problem=problem)

    def _keep(self, place: Place) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        until = place.not_before.isoformat() if place.not_before is not None else None
        kept = {"next_seq": place.next_seq, "attempts": place.attempts, "not_before": until}
        write_whole(self.folder / STATE_FILE, canonical_json(kept))


def message_body(event: Event) -> bytes:
    """Give what is told about an event: what anyone may see of it, and nothing sealed."""
    told: dict[str, JsonValue] = {
        "type": event.type,
        "timestamp": event.at.isoformat(timespec="microseconds"),
        "data": {
            "event_id": event.event_id,
            "seq": event.seq,
            "clip_id": event.clip,
            "desk": event.desk,
            "decision": event.decision,
            "model": event.model,
            "facts": dict(event.facts),
        },
    }
    return canonical_json(told)
