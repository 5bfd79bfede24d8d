"""What happened in a month, as numbers: by desk, decision and reason.

One rule: numbers are counted from the log alone, one page at a time, and say from which events.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import EventType
from platemark_provenance.ledger.event_words import reason_codes
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.store import Ledger

DECISIONS = ("allow", "review", "block")
NO_DESK = "-"
MOST_REASONS = 1_000
"""Different rules in one report; a pack has some fifty. What is beyond is counted under `other`."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time: from the first moment, up to and not with the second; both aware."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """The numbers of a month.

    Args:
        span: the month.
        events: events of each kind.
        desks: for each desk, policy decisions by outcome.
        reasons: how often each rule was named in a decision other than allow.
        models: clips published by model.
        size: events in the log when it was counted.
        root: its root then, 64 hexadecimal digits.
    """

    span: Span
    events: Mapping[str, int]
    desks: Mapping[str, Mapping[str, int]]
    reasons: Mapping[str, int]
    models: Mapping[str, int]
    size: int
    root: str

    @property
    def decisions(self) -> dict[str, int]:
        """Give policy decisions by outcome, of all desks."""
        total: Counter[str] = Counter()
        for outcomes in self.desks.values():
            total.update(outcomes)
        return {name: total[name] for name in (*DECISIONS, *sorted(total.keys() - set(DECISIONS)))}

    def rows(self) -> Iterator[tuple[str, str, str, int]]:
        """Give every number with what it counts: section, name, outcome, count."""
        for kind, count in self.events.items():
            yield "event", kind, "", count
        for outcome, count in self.decisions.items():
            yield "decision", outcome, "", count
        for desk, outcomes in self.desks.items():
            for outcome, count in outcomes.items():
                yield "desk", desk, outcome, count
        for section, counts in (("reason", self.reasons), ("model", self.models)):
            for name, count in counts.items():
                yield section, name, "", count

    def to_json(self) -> dict[str, JsonValue]:
        """Give the numbers as JSON."""
        return {
            "since": self.span.since.isoformat(),
            "until": self.span.until.isoformat(),
            "events": dict(self.events),
            "decisions": dict(self.decisions),
            "desks": {desk: dict(outcomes) for desk, outcomes in self.desks.items()},
            "reasons": dict(self.reasons),
            "models": dict(self.models),
            "size": self.size,
            "root": self.root,
        }


def count_month(ledger: Ledger, span: Span) -> MonthCounts:
    """Count a month's events; what comes while it counts may be in or not.

    Raises:
        LedgerCorrupt: an event was changed after it was logged.
    """
    head = ledger.head()
    everything = Filter(since=span.since, until=span.until)
    decided = Filter(type=EventType.POLICY_DECIDED, since=span.since, until=span.until)
    published = Filter(type=EventType.CLIP_PUBLISHED, since=span.since, until=span.until)
    desks: dict[str, dict[str, int]] = {}
    for (desk, decision), count in ledger.counts(decided, by=("desk", "decision")).items():
        desks.setdefault(desk or NO_DESK, {})[decision or NO_DESK] = count
    return MonthCounts(
        span=span,
        events={kind or "": count for (kind,), count in _ordered(ledger.counts(everything, by=("type",)))},
        desks=dict(sorted(desks.items())),
        reasons=_reasons(ledger, span),
        models={model or NO_DESK: count for (model,), count in _ordered(ledger.counts(published, by=("model",)))},
        size=head.size,
        root=head.root,
    )


def _reasons(ledger: Ledger, span: Span) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for decision in DECISIONS[1:]:
        found = ledger.query(
            type=EventType.POLICY_DECIDED, decision=decision, since=span.since, until=span.until, order="oldest"
        )
        for event in found:
            for code in reason_codes(event.facts):
                known = code in counted or len(counted) < MOST_REASONS
                counted[code if known else "other"] += 1
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _ordered(counts: Mapping[tuple[str | None, ...], int]) -> list[tuple[tuple[str | None, ...], int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
