"""Who may overrule a block is asked apart from who may decide what is held."""

from pathlib import Path

import pytest

from platemark.errors import PromptHeld, PromptRefused, ReviewRefused
from platemark.homes.review_desk import ReviewDesk, ReviewRules
from platemark.studio import GenerateOptions, Studio
from platemark_policy.review import Ballot, ReviewState

HELD = "Президент объявляет войну"
REFUSED = "Angela Merkel admitting fraud in an interview"
SHORT: GenerateOptions = {"model": "testcard", "seconds": 0.5, "size": "128x128", "seed": 7, "actor": "jw.kim"}


def desk(studio: Studio, **rules: tuple[str, ...]) -> ReviewDesk:
    return ReviewDesk(studio.ledger, clock=studio.home.clock, rules=ReviewRules(**rules))


@pytest.fixture
def held(studio: Studio, tmp_path: Path) -> str:
    """A ticket about a held prompt."""
    with pytest.raises(PromptHeld) as waiting:
        studio.generate(HELD, **SHORT, out=tmp_path / "held.mp4")
    return waiting.value.ticket


@pytest.fixture
def appealed(studio: Studio, tmp_path: Path) -> str:
    """A ticket about a refused prompt."""
    with pytest.raises(PromptRefused) as refused:
        studio.generate(REFUSED, **SHORT, out=tmp_path / "refused.mp4")
    return desk(studio).appeal(refused.value.decision.decision_id, actor="jw.kim", reason="it did happen")


def test_an_editor_who_is_no_overruler_cannot_overrule_a_block(studio: Studio, appealed: str) -> None:
    with pytest.raises(ReviewRefused, match="Only the editors"):
        desk(studio, editors=("ed",), overrulers=("chief",)).decide(
            appealed, Ballot.APPROVE, editor="ed", reason="seen"
        )


def test_two_overrulers_overrule_a_block(studio: Studio, appealed: str) -> None:
    review = desk(studio, editors=("ed",), overrulers=("chief", "legal"))
    review.decide(appealed, Ballot.APPROVE, editor="chief", reason="seen")

    assert review.show(appealed).state is ReviewState.PENDING
    assert review.decide(appealed, Ballot.APPROVE, editor="legal", reason="seen").state is ReviewState.APPROVED


def test_an_overruler_who_is_no_editor_does_not_decide_what_is_held(studio: Studio, held: str) -> None:
    with pytest.raises(ReviewRefused, match="Only the editors"):
        desk(studio, editors=("ed",), overrulers=("chief",)).decide(held, Ballot.APPROVE, editor="chief", reason="x")


def test_editors_decide_what_is_held(studio: Studio, held: str) -> None:
    review = desk(studio, editors=("ed",), overrulers=("chief",))

    assert review.decide(held, Ballot.APPROVE, editor="ed", reason="seen").state is ReviewState.APPROVED


@pytest.mark.parametrize("rules", [{}, {"editors": ("ed",)}])
def test_where_nobody_overrules_by_name_every_editor_may(
    studio: Studio, appealed: str, rules: dict[str, tuple[str, ...]]
) -> None:
    decided = desk(studio, **rules).decide(appealed, Ballot.APPROVE, editor="ed", reason="seen")

    assert len(decided.case.approvers) == 1
