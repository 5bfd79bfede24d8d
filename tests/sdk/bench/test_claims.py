"""A claim says what was measured, against what, and whether it holds; nothing else decides that."""

import math

import pytest

from platemark.bench.claims import Claim, Result, draw, machine

FIELDS = {"claim", "value", "unit", "target", "peer", "ratio", "ok"}


@pytest.mark.parametrize(
    ("value", "ratio", "least", "holds"),
    [
        (3.0, None, False, False),
        (2.0, None, False, True),
        (9.0, 1.9, False, True),
        (9.0, 2.1, False, False),
        (3.0, None, True, True),
        (math.nan, None, False, False),
        (math.nan, None, True, False),
    ],
)
def test_a_claim_holds_by_its_ratio_where_it_has_one(
    value: float, ratio: float | None, least: bool, holds: bool
) -> None:
    claim = Claim("it is quick", value, "s", 2.0, ratio=ratio, least=least)

    assert claim.holds is holds
    assert claim.to_json()["ok"] is holds


def test_a_number_without_a_target_is_only_printed() -> None:
    claim = Claim("how it looks", 12.5, "dB", None, peer="the ceiling (20 dB)")

    assert claim.holds
    assert claim.to_json()["target"] is None
    assert claim.to_line() == "    how it looks: 12.5 dB, beside the ceiling (20 dB)"


def test_the_result_is_one_object_with_the_fields_of_the_contract() -> None:
    result = Result("example", (Claim("a < b", 1.0, "s", 2.0),)).to_json()

    claims = result["claims"]
    assert set(result) == {"name", "machine", "claims"}
    assert isinstance(claims, list)
    assert isinstance(claims[0], dict)
    assert set(claims[0]) == FIELDS


def test_a_small_number_is_not_rounded_away() -> None:
    written = Claim("they agree", 0.0000012345678, "", 1e-5).to_json()

    assert written["value"] == 1.235e-06


def test_what_is_not_a_number_is_null_in_json() -> None:
    written = Claim("it was measured", math.nan, "s", 2.0).to_json()

    assert written["value"] is None


def test_one_claim_that_fails_fails_the_result() -> None:
    good, bad = Claim("quick", 1.0, "s", 2.0), Claim("too slow", 3.0, "s", 2.0)

    assert Result("example", (good,)).holds
    assert not Result("example", (good, bad)).holds


@pytest.mark.parametrize(
    ("claim", "line"),
    [
        (Claim("too slow", 3.0, "s", 2.0), "RED too slow: 3 s (target <= 2)"),
        (Claim("right", 0.9, "", 0.8, least=True), "ok  right: 0.9  (target >= 0.8)"),
        (Claim("sign", 4.0, "s", 2.5, "SHA-256", 2.0), "ok  sign: 4 s, 2.00 x SHA-256 (target <= 2.5)"),
    ],
)
def test_a_line_for_people_says_number_peer_and_target(claim: Claim, line: str) -> None:
    assert claim.to_line() == line


def test_the_plot_marks_what_fails_and_escapes_what_it_writes() -> None:
    drawn = draw("example", [Claim("a < b", 1.0, "s", 2.0), Claim("c & d", 9.0, "s", 0.0), Claim("e", 1.0, "s", None)])

    assert drawn.startswith("<svg ")
    assert "a &lt; b" in drawn
    assert "c &amp; d" in drawn
    assert drawn.count("#c33") == 1


def test_the_machine_is_named_with_its_load() -> None:
    assert set(machine()) == {"system", "processor", "cores", "python", "load"}
