"""A request with moves: who may be steered, and where."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest
from platemark.generation.card import ModelCard
from platemark.generation.given import Conditioning
from platemark.generation.steered import LEAST_FOLLOWED, read_request

RequestMaker = Callable[..., GenerationRequest]
FLIGHT = "flying over green hills of blocks by day"
MOVES = Conditioning(moves=("forward",) * 8 + ("turn left",) * 8)


@pytest.fixture
def steered_card(card: ModelCard) -> ModelCard:
    """The shipped card, with as many actions followed as are needed."""
    transformer = replace(card.architecture.transformer, actions=5)
    return replace(
        card, architecture=replace(card.architecture, transformer=transformer), actions_followed=LEAST_FOLLOWED
    )


def flight(make_request: RequestMaker, prompt: str = FLIGHT) -> GenerationRequest:
    return replace(make_request(prompt, frames=16), conditioning=MOVES)


def test_without_moves_a_request_is_its_prompt(card: ModelCard, make_request: RequestMaker) -> None:
    assert read_request(card, make_request(FLIGHT)).reading.values.motion == "flying forward"


def test_moves_make_any_flight_a_free_one(steered_card: ModelCard, make_request: RequestMaker) -> None:
    reading = read_request(steered_card, flight(make_request)).reading

    assert (reading.values.scene, reading.values.motion) == ("voxels", "flying freely")


@pytest.mark.parametrize("prompt", [FLIGHT, "green hills of blocks by day", "turning left over green hills of blocks"])
def test_what_the_moves_say_was_not_assumed(steered_card: ModelCard, make_request: RequestMaker, prompt: str) -> None:
    reading = read_request(steered_card, flight(make_request, prompt)).reading

    assert "motion" not in reading.assumed
    assert reading.understood["motion"] == "flying freely"


@pytest.mark.parametrize("prompt", ["a calm blue sea", "a red cube", "a map"])
def test_only_a_flight_can_be_steered(steered_card: ModelCard, make_request: RequestMaker, prompt: str) -> None:
    with pytest.raises(RequestError, match="Only a flight over hills of blocks follows actions"):
        read_request(steered_card, flight(make_request, prompt))


@pytest.mark.parametrize(
    ("followed", "found"), [(None, "it was never measured"), (0.25, "25% were found"), (0.59, "59% were found")]
)
def test_weights_that_were_not_found_to_follow_moves_steer_nothing(
    steered_card: ModelCard, make_request: RequestMaker, followed: float | None, found: str
) -> None:
    with pytest.raises(RequestError, match=f"must follow 60% of actions to steer by; {found}"):
        read_request(replace(steered_card, actions_followed=followed), flight(make_request))


def test_weights_that_were_trained_without_actions_steer_nothing(
    steered_card: ModelCard, make_request: RequestMaker
) -> None:
    transformer = replace(steered_card.architecture.transformer, actions=0)
    card = replace(steered_card, architecture=replace(steered_card.architecture, transformer=transformer))

    with pytest.raises(RequestError, match="were trained without actions"):
        read_request(card, flight(make_request))


def test_the_order_of_refusals_is_first_the_weights_then_the_scene(
    steered_card: ModelCard, make_request: RequestMaker
) -> None:
    with pytest.raises(RequestError, match="to steer by"):
        read_request(replace(steered_card, actions_followed=0.1), flight(make_request, "a calm blue sea"))
