"""Moves are read as people write them, and written back the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.generation.actions import ACTIONS
from platemark.moves import MAX_MOVES, MOVES, check_moves, parse_moves, write_moves


def test_a_run_is_one_move_for_each_frame() -> None:
    assert parse_moves("forward*3, Left*2,jump") == (*["forward"] * 3, "turn left", "turn left", "jump")


@given(st.lists(st.sampled_from(list(MOVES.values())), min_size=1, max_size=60))
def test_what_is_written_is_read_back(moves: list[str]) -> None:
    assert parse_moves(write_moves(moves)) == tuple(moves)


def test_models_know_every_move_by_its_name() -> None:
    assert set(MOVES.values()) == set(ACTIONS)


def test_a_sequence_takes_either_name() -> None:
    assert check_moves(["left", "turn left", "forward"]) == ("turn left", "turn left", "forward")


@pytest.mark.parametrize(
    "text", ["", "fly", "forward*0", "forward*", "forward*-1", "left,,jump", "forward*99999", "앞"]
)
def test_another_form_is_refused_with_the_moves_there_are(text: str) -> None:
    with pytest.raises(RequestError, match="There is no move") as refused:
        parse_moves(text)

    assert "forward, left, right, jump, stay" in refused.value.fix


def test_more_than_a_minute_is_refused_before_it_is_built() -> None:
    with pytest.raises(RequestError, match=f"{MAX_MOVES:,} moves"):
        parse_moves(",".join(["jump*1800"] * 3))
