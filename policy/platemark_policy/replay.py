"""Make a recorded decision again, and say whether it comes out byte for byte.

One rule: nothing is guessed. A record made with another pack, model or normaliser is not replayed but named as such.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from platemark_policy.engine import Context, Engine
from platemark_policy.errors import PolicyError
from platemark_provenance.digest import JsonValue, canonical_json

_MADE_WITH = ("pack", "normaliser_version", "classifier_sha256")


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of making a decision again.

    Args:
        is_same: whether every byte of the record came out again.
        differing: the fields that did not, in order.
    """

    is_same: bool
    differing: tuple[str, ...]


def decided_at(record: Mapping[str, JsonValue]) -> datetime:
    """Give the clock of a recorded decision.

    Raises:
        PolicyError: it has none that can be read.
    """
    made_at = record.get("decided_at")
    try:
        return datetime.fromisoformat(made_at if isinstance(made_at, str) else "")
    except ValueError as error:
        raise PolicyError("The record's clock cannot be read.") from error


def replay(
    record: Mapping[str, JsonValue],
    text: str,
    engine: Engine,
    *,
    metadata: Mapping[str, str] | None = None,
    context: Context | None = None,
) -> Replay:
    """Decide about a prompt again as the ledger's record says it was decided.

    Args:
        record: the decision as `Decision.to_json` gave it and the ledger kept it.
        text: the prompt, unsealed by the caller.
        engine: with the pack and the key of that time.
        metadata: the facts about the request at that time, where there was no more to its context.
        context: the records, the refusals and the facts of that time.

    Raises:
        PolicyError: the record is not a decision, or has no clock.
    """
    name = record.get("decision_id")
    if not isinstance(name, str):
        raise PolicyError("Expected the record of a decision, with its id and its clock.")
    known = context or Context(metadata or {})
    again = engine.screen_prompt(text, at=decided_at(record), decision_id=name, context=known).to_json()
    fields = dict.fromkeys([*_MADE_WITH, *record, *again])
    differing = tuple(
        field
        for field in fields
        if canonical_json({"value": again.get(field)}) != canonical_json({"value": record.get(field)})
    )
    return Replay(not differing, differing)
