"""What somebody was refused lately, read from the log.

One rule: bounded and derived. Nothing is counted anywhere but in the log, and at most the newest few hundred refusals
are looked at, however long the log is.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from platemark_policy.decision import Verdict
from platemark_policy.history import MOST_REMEMBERED, RETRY_WINDOW, History, Limits, Refusal
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import Event, EventType
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.store import Ledger


def history_of(ledger: Ledger, *, actor: str, at: datetime, limits: Limits) -> History:
    """Give what a person was refused within a day; where nobody was named, what all those without a name were.

    Args:
        ledger: open.
        actor: by name or pseudonym; empty where nobody was named.
        at: the moment of the request, aware; what was logged later is left out.
        limits: what is usual here.
    """
    who = ledger.pseudonym_of(actor) if actor else None
    where = Filter(
        type=EventType.POLICY_DECIDED.value,
        decision=Verdict.BLOCK.value,
        since=at - RETRY_WINDOW,
        until=at + timedelta(microseconds=1),
        actor=who,
    )
    events = ledger.page(where, limit=MOST_REMEMBERED).events
    return History(tuple(_refusals(events, who)), limits)


def _refusals(events: tuple[Event, ...], who: str | None) -> Iterator[Refusal]:
    for event in events:
        decision = event.facts.get("decision")
        if event.actor == who and isinstance(decision, Mapping):
            sketch = decision.get("sketch")
            yield Refusal(event.at, _categories(decision), sketch if isinstance(sketch, str) else "")


def _categories(decision: Mapping[str, JsonValue]) -> frozenset[str]:
    findings = decision.get("findings")
    named = findings if isinstance(findings, list) else []
    return frozenset(str(each.get("category")) for each in named if isinstance(each, Mapping))
