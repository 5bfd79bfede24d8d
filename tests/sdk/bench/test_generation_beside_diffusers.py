"""The embedded model is measured beside itself in diffusers."""

import math

import pytest

from platemark.bench import generation_diffusers
from platemark.bench.claims import Options


def test_parity_speed_and_memory_are_measured_in_one_run() -> None:
    *pairs, memory = generation_diffusers.measure_diffusers(Options(quick=True))

    parities, speeds = pairs[::2], pairs[1::2]
    assert [claim.target for claim in (*pairs, memory)] == [1e-5, 1.1, 1e-5, 1.1, 1.0]
    assert [claim.peer for claim in speeds] == ["diffusers' own blocks", "the folder we export, in diffusers"]
    assert [0 <= claim.value <= 1e-5 for claim in parities] == [True, True]
    assert [claim.least and 0.2 < (claim.ratio or 0) < 8 for claim in speeds] == [True, True]
    assert memory.ratio is not None
    assert memory.value > 100


def test_ways_are_run_in_turns_and_each_gets_the_median_of_its_own() -> None:
    order: list[str] = []

    spent = generation_diffusers.in_turns([lambda: order.append("a"), lambda: order.append("b")], turns=3)

    assert order == ["a", "b"] * 3
    assert len(spent) == 2
    assert max(spent) < 1


def test_without_diffusers_the_claim_fails_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_diffusers, "NEEDED", ("no_such_library",))

    (claim,) = generation_diffusers.measure_diffusers(Options(quick=True))

    assert math.isnan(claim.value)
    assert not claim.holds
    assert "no_such_library not installed" in claim.claim
