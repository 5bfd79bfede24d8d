"""The events that appending is measured with, and a ledger for them: about a kilobyte each, like a clip's.

One rule: ours and the peer's event say the same.
"""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger, LedgerSettings

_FILLING = {f"field_{number}": "v" * 40 for number in range(14)}

Row = tuple[str, int, str, str, str, str, str | None, str, bytes]

PEER_COLUMNS = "event_id, ts_us, type, clip, actor, desk, decision, model, body"
PEER_INDEXES = (
    "CREATE UNIQUE INDEX peer_event_id ON peer (event_id)",
    *(f"CREATE INDEX peer_{name} ON peer ({name}, seq)" for name in ("ts_us", "type", "clip", "actor", "desk")),
    "CREATE INDEX peer_decision ON peer (decision, seq) WHERE decision IS NOT NULL",
)
"""What the log has, so that neither pays for an index that the other has not."""


def our_event(number: int) -> NewEvent:
    """Make the event of a number."""
    return NewEvent(
        EventType.POLICY_DECIDED,
        clip=f"clip-{number // 8}",
        actor=f"person-{number % 40}",
        desk=f"desk-{number % 6}",
        decision=_decision(number),
        model="embedded",
        facts=_facts(number),
    )


def peer_row(number: int) -> Row:
    """Make the row that a program without a log of ours would write of the same event."""
    event_id, ts_us = str(uuid.uuid4()), time.time_ns() // 1000
    clip, actor, desk = f"clip-{number // 8}", f"person-{number % 40}", f"desk-{number % 6}"
    decision = _decision(number)
    said = {"id": event_id, "ts": ts_us, "type": "policy.decided", "clip": clip, "actor": actor, "desk": desk}
    said |= {"decision": decision, "model": "embedded", "facts": _facts(number)}
    body = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return event_id, ts_us, "policy.decided", clip, actor, desk, decision, "embedded", body


@contextmanager
def opened(url: str, folder: Path) -> Iterator[Ledger]:
    """Open a ledger that exists."""
    settings = LedgerSettings(
        origin="bench.example/ledger",
        signing_key=Ed25519PrivateKey.generate(),
        payload_key=bytes(32),
        clock=lambda: datetime.now(UTC),
        state_path=folder / "signed-head",
    )
    with Ledger.open(url, settings=settings) as ledger:
        yield ledger


def _decision(number: int) -> str | None:
    return "allow" if number % 4 == 0 else None


def _facts(number: int) -> dict[str, JsonValue]:
    return {**_FILLING, "n": number, "sha256": f"{number:064x}"}
