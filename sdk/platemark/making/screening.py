"""The texts of a request before the policy: the prompt, what to stay away from, and the prompt in the model's words.

One rule: what reaches the model was screened in the very form in which it reaches it, and each decision is an event.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import uuid_utils

from platemark.clip import ClipRequest
from platemark.generation.rewriting import Rewriting, rewrite_for
from platemark_policy.decision import Decision
from platemark_policy.engine import Context, Engine
from platemark_provenance.digest import JsonValue

TakeDecision = Callable[[str, Decision], None]
"""Gets the name of the text and what was decided on it; logs that, and raises unless the job may go on."""


@dataclass(frozen=True, slots=True)
class Screened:
    """Texts that the policy allowed.

    Attributes:
        decision: on the prompt as it was given.
        prompt: what the model gets.
        rewriting: how the prompt became that; none where it stayed as it was.
        further: the decisions on the other texts, by the text's name.
    """

    decision: Decision
    prompt: str
    rewriting: Rewriting | None = None
    further: tuple[tuple[str, Decision], ...] = ()

    def summary(self) -> tuple[Mapping[str, JsonValue], ...]:
        """Say of each text how it was decided."""
        every = (("prompt", self.decision), *self.further)
        return tuple(
            {"text": name, "verdict": each.verdict.value, "decision_id": each.decision_id} for name, each in every
        )


@dataclass(frozen=True, slots=True)
class Screener:
    """Decides on the texts of one request.

    Attributes:
        engine: of the home.
        at: the request's clock.
        context: what is known about the request beside its texts.
        take: gets every decision.
    """

    engine: Engine
    at: datetime
    context: Context
    take: TakeDecision

    def decide(self, name: str, text: str) -> Decision:
        """Screen one text, and go on only if the job may.

        Raises:
            PromptRefused: the policy blocks it.
            PromptHeld: an editor must decide on it.
        """
        decision = self.engine.screen_prompt(
            text, at=self.at, decision_id=str(uuid_utils.uuid7()), context=self.context
        )
        self.take(name, decision)
        return decision


def screen_texts(request: ClipRequest, screener: Screener) -> Screened:
    """Screen all texts of a request, in the order in which they come to be.

    Raises:
        PromptRefused: the policy blocks one of them.
        PromptHeld: an editor must decide on one of them.
        RequestError: the prompt cannot be rewritten.
    """
    decide = screener.decide
    decision, further = decide("prompt", request.prompt), []
    if request.steering.negative:
        further.append(("negative", decide("negative", request.steering.negative)))
    if not request.rewrite:
        return Screened(decision, request.prompt, None, tuple(further))
    rewriting = rewrite_for(request.model, request.prompt)
    further += [(name, decide(name, text)) for name, text in rewriting.sentences().items()]
    return Screened(decision, rewriting.english, rewriting, tuple(further))
