"""Whether a clip was published by two people, told by its events and by nothing else.

One rule: rows, manifests and flags are not asked. An approval by somebody who had a hand in making the clip, or of
a clip whose maker nobody named, is none, whoever wrote it into the log.
"""

from collections.abc import Sequence

from platemark_provenance.ledger.event import Event, EventType


def authors(events: Sequence[Event]) -> frozenset[str]:
    """Give the pseudonyms of those who asked for the clip: whoever acted before its first manifest was signed.

    Args:
        events: of one clip, oldest first.
    """
    found: set[str] = set()
    for event in events:
        if event.type == EventType.MANIFEST_SIGNED:
            break
        if event.actor is not None:
            found.add(event.actor)
    return frozenset(found)


def publication(events: Sequence[Event]) -> Event | None:
    """Give the event of the approval under which a clip was published; None where it was not.

    1. Somebody is known to have asked for the clip.
    2. Somebody else approved it.
    3. After that, the file of that very approval was published.

    Args:
        events: of one clip, oldest first.
    """
    makers = authors(events)
    if not makers:  # 1
        return None
    approved: dict[str, Event] = {}
    for event in events:
        sha256 = event.facts.get("sha256")
        if not isinstance(sha256, str):
            continue
        if event.type == EventType.CLIP_APPROVED and event.actor is not None and event.actor not in makers:  # 2
            approved[sha256] = event
        elif event.type == EventType.CLIP_PUBLISHED and sha256 in approved:  # 3
            return approved[sha256]
    return None


def is_draft(events: Sequence[Event]) -> bool:
    """Say whether a clip was made as a draft and has not been published by two people.

    Args:
        events: of one clip, oldest first.
    """
    drafted = any(event.type == EventType.CLIP_DRAFTED for event in events)
    return drafted and publication(events) is None
