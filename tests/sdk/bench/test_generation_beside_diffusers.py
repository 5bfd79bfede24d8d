"""The embedded model is measured beside itself in diffusers."""

import math

import pytest

from platemark.bench import generation_diffusers
from platemark.bench.claims import Options


def test_parity_speed_and_memory_are_measured_in_one_run() -> None:
    parity, speed, memory = generation_diffusers.measure_diffusers(Options(quick=True))

    assert (parity.target, speed.target, memory.target) == (1e-5, 1.1, 1.0)
    assert 0 <= parity.value <= 1e-5
    assert speed.least
    assert speed.ratio is not None
    assert 0.2 < speed.ratio < 5
    assert memory.ratio is not None
    assert memory.value > 100


def test_without_diffusers_the_claim_fails_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_diffusers, "NEEDED", ("no_such_library",))

    (claim,) = generation_diffusers.measure_diffusers(Options(quick=True))

    assert math.isnan(claim.value)
    assert not claim.holds
    assert "no_such_library not installed" in claim.claim
