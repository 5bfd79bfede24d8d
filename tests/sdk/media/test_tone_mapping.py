"""HDR becomes standard by published formulas: known points, no hue moves, nothing leaves the range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.media.tone_mapping import (
    TABLE_SIDE,
    Light,
    Transfer,
    WideForm,
    light_to_pq,
    make_table,
    pq_to_light,
    to_standard,
)

PQ, HLG, WIDE = WideForm("pq"), WideForm("hlg"), WideForm("sdr")
SHARES = st.floats(0, 1, allow_nan=False)
COLOURS = st.tuples(SHARES, SHARES, SHARES)


def grey(level: float, form: WideForm) -> float:
    """Give what a coded grey becomes; all three come out alike."""
    red, green, blue = to_standard(np.full(3, level), form)
    assert red == pytest.approx(green, abs=1e-6) == pytest.approx(blue, abs=1e-6)
    return float(red)


def at(light: float) -> float:
    return float(light_to_pq(np.array(light)))


@pytest.mark.parametrize(("light", "coded"), [(0, 0.0), (0.1, 0.0623), (100, 0.5081), (1000, 0.7518), (10_000, 1.0)])
def test_pq_has_the_standards_values(light: float, coded: float) -> None:
    """Source: ITU-R BT.2100-2, table 4; BT.2408-7 gives 58 % for 203 cd/m² and 75 % for 1,000."""
    assert at(light) == pytest.approx(coded, abs=5e-4)


@given(light=st.floats(0.01, 10_000))
def test_pq_there_and_back_is_the_same_light(light: float) -> None:
    assert float(pq_to_light(np.array(at(light)))) == pytest.approx(light, rel=1e-6)


@pytest.mark.parametrize("light", [0.5, 1, 5, 10, 30])
def test_what_is_below_the_knee_keeps_its_light(light: float) -> None:
    assert grey(at(light), PQ) == pytest.approx((light / 100) ** (1 / 2.4), abs=1e-3)


@pytest.mark.parametrize(("form", "level", "becomes"), [(PQ, at(203), 0.949), (HLG, 0.75, 0.949), (WIDE, 0.75, 0.75)])
def test_graphics_white_comes_out_just_below_white(form: WideForm, level: float, becomes: float) -> None:
    assert grey(level, form) == pytest.approx(becomes, abs=2e-3)


@pytest.mark.parametrize("form", [PQ, HLG, WIDE, WideForm("pq", 4000), WideForm("hlg", 600)])
def test_black_stays_black_and_the_masters_peak_is_white(form: WideForm) -> None:
    peak = at(form.peak) if form.transfer == "pq" else 1.0

    assert (grey(0.0, form), grey(peak, form)) == (pytest.approx(0, abs=0.01), pytest.approx(1, abs=1e-3))


@pytest.mark.parametrize("form", [PQ, HLG, WIDE])
def test_more_light_is_never_darker(form: WideForm) -> None:
    ramp = to_standard(np.repeat(np.linspace(0, 1, 400)[:, None], 3, axis=1), form)

    assert (np.diff(ramp[:, 0]) >= -1e-9).all()


@given(colour=COLOURS, transfer=st.sampled_from(["pq", "hlg", "sdr"]))
def test_every_colour_comes_out_within_the_range(colour: tuple[float, float, float], transfer: Transfer) -> None:
    out = to_standard(np.array(colour), WideForm(transfer))

    assert np.isfinite(out).all()
    assert out.min() >= 0
    assert out.max() <= 1


def linear_709(coded: Light) -> Light:
    return np.asarray(coded**2.4)


@pytest.mark.parametrize("light", [10.0, 80.0, 200.0])
@pytest.mark.parametrize("colour", [(1.0, 0.7, 0.6), (0.6, 0.8, 1.0), (1.0, 0.8, 0.5)])
def test_a_colour_keeps_the_ratios_of_its_three_lights(light: float, colour: tuple[float, float, float]) -> None:
    to_2020 = np.linalg.inv(
        [[1.660491, -0.587641, -0.07285], [-0.12455, 1.1329, -0.008349], [-0.018151, -0.100579, 1.11873]]
    )
    coded = light_to_pq(to_2020 @ (np.array(colour) * light))

    out = linear_709(to_standard(coded, PQ))

    assert out / out.max() == pytest.approx(np.array(colour), abs=0.02)


@pytest.mark.parametrize("peak", [99.9, 10_001, float("nan")])
def test_a_peak_that_no_master_has_is_refused(peak: float) -> None:
    with pytest.raises(RequestError, match="peak"):
        WideForm("pq", peak)


def test_the_table_has_the_operators_own_values_with_red_running_fastest() -> None:
    head, *lines = make_table(PQ, side=5).splitlines()
    red_then = [float(each) for each in lines[1].split()]

    assert (head, len(lines)) == ("LUT_3D_SIZE 5", 125)
    assert red_then == pytest.approx(to_standard(np.array([0.25, 0, 0]), PQ), abs=1e-6)


def test_the_usual_table_is_fine_enough_for_greys() -> None:
    """Half-way between two points is where a table is worst."""
    levels = (np.arange(TABLE_SIDE - 1) + 0.5) / (TABLE_SIDE - 1)
    ends = np.linspace(0, 1, TABLE_SIDE)
    exact = to_standard(np.repeat(levels[:, None], 3, axis=1), PQ)[:, 0]
    table = to_standard(np.repeat(ends[:, None], 3, axis=1), PQ)[:, 0]

    assert np.abs((table[1:] + table[:-1]) / 2 - exact).max() < 0.01
