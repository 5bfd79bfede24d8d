"""What a request says, read whole: its prompt, what it is against, and the moves of a camera.

One rule: moves are followed only by weights that were measured to follow them, and only in a flight; anything else is
refused before it is made.
"""

from dataclasses import replace

from platemark.errors import RequestError
from platemark.generation.avoiding import Avoidance, avoid
from platemark.generation.backend import GenerationRequest
from platemark.generation.card import ModelCard
from platemark.generation.prompts import understand
from platemark.generation.scenes import FREE_FLIGHT
from platemark.generation.text import Understanding

_FLIGHT = "voxels"
LEAST_FOLLOWED = 0.6
"""Share of moves read back from flights, from which on weights may be steered; one in four is chance."""


def read_request(card: ModelCard, request: GenerationRequest) -> Avoidance:
    """Read what a request asks for.

    Raises:
        RequestError: the prompt names nothing that the model can show, is against itself, or cannot be steered.
    """
    read = avoid(understand(request.prompt), request.controls.negative_prompt)
    if not request.conditioning.moves:
        return read
    _check_follows_moves(card)
    return replace(read, reading=_flown_freely(read.reading))


def _check_follows_moves(card: ModelCard) -> None:
    if card.architecture.transformer.actions == 0:
        raise RequestError(
            f"The weights of the model {card.name!r} were trained without actions: they steer no world.",
            fix="Leave --actions out, or train weights with actions (platemark train) and install them.",
        )
    followed = card.actions_followed
    if followed is None or followed < LEAST_FOLLOWED:
        found = "it was never measured" if followed is None else f"{followed:.0%} were found"
        raise RequestError(
            f"The weights of the model {card.name!r} must follow {LEAST_FOLLOWED:.0%} of actions to steer by; {found}.",
            fix="Leave --actions out.",
        )


def _flown_freely(reading: Understanding) -> Understanding:
    """Leave the course of a flight to its moves."""
    if reading.values.scene != _FLIGHT:
        raise RequestError(
            f"Only a flight over hills of blocks follows actions; the prompt asks for {reading.understood['scene']}.",
            fix="For example: 'flying over green hills of blocks by day'.",
        )
    values = replace(reading.values, motion=FREE_FLIGHT)
    assumed = {slot: value for slot, value in reading.assumed.items() if slot != "motion"}
    return replace(reading, values=values, assumed=assumed, understood=reading.understood | {"motion": FREE_FLIGHT})
