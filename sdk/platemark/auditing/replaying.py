"""Making a decision of the policy again from the log alone, and saying whether it comes out byte for byte.

One rule: nothing is guessed. What a decision depended on is read from the log as it stood at that moment: the sealed
text, the records of consent, what the person had been refused. What is no longer there is an error, not a difference.
"""

from dataclasses import dataclass

from platemark.errors import RequestError
from platemark.homes.home import Home
from platemark.homes.refusals import history_of
from platemark_policy.engine import Context
from platemark_policy.replay import decided_at, replay
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import Event, EventType
from platemark_provenance.ledger.store import Ledger

_SEALED_AS = {"prompt": "prompt", "negative": "negative_prompt"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of making a decision again.

    Attributes:
        decision_id: which.
        of: the name of the text it was about.
        is_same: whether every byte came out again.
        differing: the fields that did not, in order.
    """

    decision_id: str
    of: str
    is_same: bool
    differing: tuple[str, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object of `platemark policy replay`."""
        return {
            "decision_id": self.decision_id,
            "of": self.of,
            "same": self.is_same,
            "differing": list(self.differing),
        }


def replay_decision(home: Home, ledger: Ledger, decision_id: str) -> Replayed:
    """Make a decision about a text again with the rules that are in force now.

    Args:
        home: its rules and keys.
        ledger: of that home, open.
        decision_id: of the decision.

    Raises:
        RequestError: there is no such decision, it was not about a text, or the text was erased.
        PolicyError: the record cannot be read.
    """
    event, record = _find(ledger, decision_id)
    of = str(event.facts.get("of"))
    text, task = _asked(ledger, event, of)
    at, engine = decided_at(record), home.policy_engine()
    actor = event.actor or ""
    context = Context(
        {"task": task, "jurisdiction": home.config.publisher.country.lower()},
        home.record_book(ledger, engine).standing(actor=actor, at=at).consents,
        history_of(ledger, actor=actor, at=at, limits=home.refusal_limits),
    )
    again = replay(record, text, engine, context=context)
    return Replayed(decision_id, of, again.is_same, again.differing)


def _find(ledger: Ledger, decision_id: str) -> tuple[Event, dict[str, JsonValue]]:
    for event in ledger.query(type=EventType.POLICY_DECIDED):
        found = event.facts.get("decision")
        if isinstance(found, dict) and found.get("decision_id") == decision_id:
            return event, found
    raise RequestError(
        f"There is no decision {decision_id[:80]!r} here.", fix="Use a decision_id of: platemark audit query"
    )


def _asked(ledger: Ledger, decided: Event, of: str) -> tuple[str, str]:
    """Give the text that a decision was about, and the task it was asked for."""
    if of not in _SEALED_AS or decided.clip is None:
        raise RequestError(
            f"This decision was about {of[:40]}, which the log does not keep.", fix="Replay that of a prompt."
        )
    life = ledger.trace(decided.clip)
    submitted = next((event for event in life if event.type == EventType.PROMPT_SUBMITTED), None)
    text = submitted.sealed.get(_SEALED_AS[of]) if submitted is not None and submitted.sealed is not None else None
    if submitted is None or not isinstance(text, str):
        raise RequestError("The text was erased, so the decision cannot be made again.", fix="Replay another one.")
    return text, str(submitted.facts.get("task", ""))
