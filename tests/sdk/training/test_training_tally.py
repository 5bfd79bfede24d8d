"""How far a run has come."""

from functools import reduce

import pytest

from platemark.errors import RequestError
from platemark.training.accounting import Cost
from platemark.training.tally import RECORD_EVERY, Budget, Stage, Tally, tally_from_json


def _after(steps: int, tally: Tally | None = None) -> Tally:
    return reduce(lambda t, i: t.after_step(float(i), samples=4, flops=10.0), range(steps), tally or Tally())


def test_steps_samples_and_operations_are_counted() -> None:
    tally = _after(3)

    assert (tally.step, tally.samples, tally.cost.flops) == (3, 12, 30.0)


def test_every_tenth_step_makes_a_point_with_the_mean_loss() -> None:
    tally = _after(2 * RECORD_EVERY + 1)

    assert [(p.step, p.loss, p.flops) for p in tally.curve] == [(10, 4.5, 100.0), (20, 14.5, 200.0)]
    assert tally.recent == 20.0


def test_the_next_stage_begins_anew_but_keeps_the_cost_and_the_curve() -> None:
    tally = _after(12).next_stage()

    assert (tally.stage, tally.step, tally.samples, tally.seconds) == (Stage.TRANSFORMER, 0, 0, 0.0)
    assert (tally.steps_before, tally.cost.flops, len(tally.curve)) == (12, 120.0, 1)


def test_after_the_transformer_a_run_is_done() -> None:
    assert Tally().next_stage().next_stage().stage is Stage.DONE


def test_time_and_energy_are_added() -> None:
    tally = Tally().spent(Cost(0.0, 2.0, 3.0, 20.0, "m")).spent(Cost(0.0, 1.0, 1.0, 10.0, "m"))

    assert (tally.seconds, tally.cost) == (4.0, Cost(0.0, 3.0, 4.0, 30.0, "m"))


def test_a_tally_survives_json() -> None:
    tally = _after(25).next_stage().spent(Cost(1.0, 2.0, 3.0, 4.0, "m"))

    assert tally_from_json(tally.to_json()) == tally


@pytest.mark.parametrize("text", ["", "[]", '{"stage": "breakfast"}', '{"step": "many"}'])
def test_what_is_no_tally_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="cannot be read"):
        tally_from_json(text)


def test_a_budget_of_steps_looks_at_steps_alone() -> None:
    budget, tally = Budget.of_steps(40, 10), _after(10).spent(Cost(wall_seconds=1e6))

    assert budget.progress(tally) == 0.25
    assert budget.progress(_after(5, Tally(stage=Stage.TRANSFORMER))) == 0.5


def test_a_budget_of_minutes_is_divided_and_looks_at_the_clock() -> None:
    budget = Budget.of_minutes(10, autoencoder_share=0.2)

    assert budget.progress(Tally(seconds=30.0)) == pytest.approx(0.25)
    assert budget.progress(Tally(stage=Stage.TRANSFORMER, seconds=240.0)) == pytest.approx(0.5)


def test_progress_never_exceeds_one() -> None:
    assert Budget.of_steps(2, 2).progress(_after(5)) == 1.0


@pytest.mark.parametrize(("first", "second", "unit"), [(0, 1, "steps"), (1, 0, "seconds"), (1, 1, "days")])
def test_an_impossible_budget_is_refused(first: float, second: float, unit: str) -> None:
    with pytest.raises(RequestError, match="budget"):
        Budget(first, second, unit)
