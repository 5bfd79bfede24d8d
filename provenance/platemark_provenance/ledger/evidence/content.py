"""What stands in a bundle's `events.json`, read strictly.

One rule: every byte was chosen by a stranger until the signature and the proofs have been checked.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger.checkpoint import decode_base64
from platemark_provenance.ledger.evidence.bundle import FORMAT
from platemark_provenance.ledger.merkle import LONGEST_PROOF

MOST_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class ProvenEvent:
    """An event's bytes and the hashes that lead from it to the signed root.

    Args:
        seq: its place in the log.
        body: its bytes.
        proof: from the leaf's sibling to the root's child.
    """

    seq: int
    body: bytes
    proof: tuple[bytes, ...]


def write_events_json(clip_id: str, events: Sequence[ProvenEvent]) -> bytes:
    """Spell events with their proofs, one event a line."""
    lines = [
        json.dumps(
            {
                "seq": event.seq,
                "body": event.body.decode(),
                "proof": [base64.b64encode(h).decode() for h in event.proof],
            },
            ensure_ascii=False,
        )
        for event in events
    ]
    head = f'{{"format": {json.dumps(FORMAT)}, "clip": {json.dumps(clip_id, ensure_ascii=False)}, "events": [\n'
    return (head + ",\n".join(lines) + "\n]}\n").encode()


def read_events_json(content: bytes) -> tuple[str, tuple[ProvenEvent, ...]]:
    """Give the clip and its events.

    Raises:
        VerificationError: it is not of this form, of another version, or has too many events.
    """
    try:
        decoded = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise VerificationError("The bundle's events should be JSON and are not.") from error
    if not isinstance(decoded, dict) or decoded.get("format") != FORMAT:
        raise VerificationError(f"The bundle should be of the form {FORMAT}.", fix="Use the platemark that made it.")
    clip, events = decoded.get("clip"), decoded.get("events")
    if not isinstance(clip, str) or not isinstance(events, list) or not 0 < len(events) <= MOST_EVENTS:
        raise VerificationError(f"A bundle names a clip and lists 1 to {MOST_EVENTS} events.")
    return clip, tuple(_read_event(event) for event in events)


def _read_event(value: JsonValue) -> ProvenEvent:
    if isinstance(value, Mapping):
        seq, body, proof = value.get("seq"), value.get("body"), value.get("proof")
        if type(seq) is int and isinstance(body, str) and isinstance(proof, list) and len(proof) <= LONGEST_PROOF:
            hashes = tuple(decode_base64(_text(item), what="proof") for item in proof)
            return ProvenEvent(seq, _bytes(body), hashes)
    raise VerificationError("Each event of a bundle has a place, its text and a list of hashes.")


def _text(value: JsonValue) -> str:
    if not isinstance(value, str) or not value.isascii():
        raise VerificationError("A proof lists hashes in base64.")
    return value


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise VerificationError("An event of the bundle holds half of a surrogate pair.") from error
