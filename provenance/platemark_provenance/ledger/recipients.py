"""Whose copy a mark is: the way from an id in a file back to the person that the copy was made for.

One rule: the log holds a pseudonym, and the name lies in the sealed part of the event, which can be erased. Only
whoever has the ledger and its payload key learns a name; a mark alone says nothing.
"""

from collections.abc import Sequence

from platemark_provenance.ledger.event import EventType
from platemark_provenance.ledger.registry import clip_of
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.recipient import Recipient

FACT = "recipient"
"""The pseudonym's name among an event's facts, and the name's in its sealed part."""


def recipients_of(ledger: Ledger, mark_ids: Sequence[bytes]) -> tuple[Recipient, ...]:
    """Name the recipients of the copies that carry these ids, in the order of the ids; nobody twice.

    Raises:
        LedgerCorrupt: an event was changed after it was logged.
        LedgerUnavailable: the database cannot be read.
    """
    found: dict[tuple[str, str], Recipient] = {}
    for mark_id in mark_ids:
        for clip_id in ledger.registry.clips_for_mark(mark_id):
            for event in ledger.trace(clip_of(clip_id)):
                pseudonym = event.facts.get(FACT)
                marked = event.type == EventType.WATERMARK_EMBEDDED.value and event.facts.get("id") == mark_id.hex()
                if marked and isinstance(pseudonym, str):
                    name = None if event.sealed is None else event.sealed.get(FACT)
                    known = name if isinstance(name, str) else None
                    found.setdefault((pseudonym, mark_id.hex()), Recipient(pseudonym, known, clip_id, mark_id.hex()))
    return tuple(found.values())
