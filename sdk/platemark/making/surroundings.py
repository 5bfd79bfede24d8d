"""What a home knows about a request beside its texts: records, earlier refusals, and what given files show.

One rule: read from the log at the moment of the request, so that the same log gives the same decision again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import uuid_utils

from platemark.clip import Asking
from platemark.homes.home import Home
from platemark.homes.records import Standing
from platemark.homes.refusals import history_of
from platemark.making.looking import look_at
from platemark.making.sources import Source
from platemark_policy.decision import Decision
from platemark_policy.engine import Context, Engine
from platemark_policy.references import ReferenceFacts
from platemark_provenance.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known when a request comes in.

    Attributes:
        at: the request's clock.
        context: for the decisions on its texts.
        records: that count for it.
    """

    at: datetime
    context: Context
    records: Standing


def surroundings(home: Home, ledger: Ledger, engine: Engine, request: Asking, *, task: str) -> Surroundings:
    """Look up what is known about a request and about who asks.

    Raises:
        LedgerCorrupt: an event was changed after it was logged.
    """
    at = home.clock()
    records = home.record_book(ledger, engine).standing(actor=request.actor, at=at)
    history = history_of(ledger, actor=request.actor, at=at, limits=home.refusal_limits)
    metadata = {"task": task, "jurisdiction": home.config.publisher.country.lower()}
    return Surroundings(at, Context(metadata, records.consents, history), records)


def screen_references(
    references: tuple[Source, ...], engine: Engine, known: Surroundings
) -> Iterator[tuple[str, Decision]]:
    """Decide on each file that a model gets to see; give its name among the request's files, and the decision.

    Raises:
        MediaError: a file is damaged.
    """
    for source in references:
        digest = source.file.sha256
        facts = ReferenceFacts(
            digest,
            look_at(source.file),
            consent_ids=known.records.consents_to(digest),
            has_rights=known.records.has_rights(digest),
        )
        decided = engine.screen_reference(facts, at=known.at, decision_id=str(uuid_utils.uuid7()))
        yield source.ingredient.name, decided
