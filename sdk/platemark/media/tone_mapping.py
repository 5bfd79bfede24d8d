"""From HDR and wide-gamut colours to standard ones: the arithmetic, and the table that a decoder applies.

One rule: pure functions, and every step is a published one. Light in cd/m² comes out of the file's own transfer
function; the brightest of red, green and blue is taken through BT.2390's curve and scales all three, so that no hue
moves; the primaries become BT.709's; what lies outside is drawn towards the grey of its luminance; BT.1886 codes it.
Source: ITU-R BT.2100-2 (PQ, HLG), BT.2390-10 section 5.4.1 (EETF), BT.2087-0 (primaries), BT.1886-0.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from platemark.errors import RequestError

Light = npt.NDArray[np.float64]
Transfer = Literal["pq", "hlg", "sdr"]

OPERATOR = "ITU-R BT.2390 EETF"
TARGET_PEAK = 100.0
"""What standard white is shown at, in cd/m². Source: ITU-R BT.2035."""
USUAL_PEAK, LEAST_PEAK, MOST_PEAK = 1000.0, TARGET_PEAK, 10_000.0
"""The peak that is taken for a master that does not state its own, and what may be stated. Source: BT.2100, HLG's
nominal display; PQ's range."""
TABLE_SIDE = 65
"""Grid points a side.

Measured on 2026-11-22 against the exact value, for 40,000 colours to 400 cd/m² that BT.709 can show, at 60 % of their
saturation: 0.24 % of full scale in the mean, 99 % of them within 1.6 %. At the very edge of BT.709's colours one of the
three can be 10 % off.
"""

_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_HLG_A = 0.17883277
_HLG_B = 1 - 4 * _HLG_A
_HLG_C = 0.5 - _HLG_A * np.log(4 * _HLG_A)
_HLG_GAMMA = 1.2
_SDR_GAMMA = 2.4
_LUMINANCE_2020 = np.array([0.2627, 0.6780, 0.0593])
_LUMINANCE_709 = np.array([0.2126, 0.7152, 0.0722])
_TO_709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)


@dataclass(frozen=True, slots=True)
class WideForm:
    """How a clip with more than standard colours is coded: BT.2020 primaries, a transfer, its master's peak in cd/m².

    Raises:
        RequestError: the peak is outside 100 to 10,000.
    """

    transfer: Transfer
    peak: float = USUAL_PEAK

    def __post_init__(self) -> None:
        if not LEAST_PEAK <= self.peak <= MOST_PEAK:
            raise RequestError(f"A master's peak lies from {LEAST_PEAK:g} to {MOST_PEAK:g} cd/m²; got {self.peak:g}.")


def to_standard(coded: Light, form: WideForm) -> Light:
    """Take coded BT.2020 RGB to coded BT.709 RGB.

    Args:
        coded: (..., 3), full scale 0 to 1.
        form: how it is coded.

    Returns:
        (..., 3), full scale 0 to 1.
    """
    light = _display_light(np.clip(coded, 0, 1), form)
    if form.transfer != "sdr":
        light = _compress(light, form.peak)
    share = light / TARGET_PEAK @ _TO_709.T
    return np.asarray(np.clip(_draw_inside(share), 0, 1) ** (1 / _SDR_GAMMA))


def make_table(form: WideForm, *, side: int = TABLE_SIDE) -> str:
    """Write the operator as a table in the `.cube` form: red runs fastest. Source: Adobe, Cube LUT 1.0."""
    steps = np.linspace(0, 1, side)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    values = to_standard(np.stack((red, green, blue), axis=-1), form).reshape(-1, 3)
    lines = "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in values.tolist())
    return f"LUT_3D_SIZE {side}\n{lines}\n"


def pq_to_light(coded: Light) -> Light:
    """Give the light in cd/m² of PQ values. Source: BT.2100-2, table 4."""
    root = np.asarray(coded) ** (1 / _M2)
    return np.asarray(MOST_PEAK * (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _M1))


def light_to_pq(light: Light) -> Light:
    """Give the PQ values of light in cd/m². Source: BT.2100-2, table 4."""
    root = (np.maximum(light, 0) / MOST_PEAK) ** _M1
    return np.asarray(((_C1 + _C2 * root) / (1 + _C3 * root)) ** _M2)


def _display_light(coded: Light, form: WideForm) -> Light:
    if form.transfer == "pq":
        return pq_to_light(coded)
    if form.transfer == "sdr":
        return np.asarray(coded**_SDR_GAMMA * TARGET_PEAK)
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - _HLG_C) / _HLG_A) + _HLG_B) / 12)
    luminance = np.maximum(scene @ _LUMINANCE_2020, 1e-9)[..., None]
    return np.asarray(form.peak * luminance ** (_hlg_gamma(form.peak) - 1) * scene)


def _hlg_gamma(peak: float) -> float:
    """Source: BT.2100-2, table 5, note 5f: the system gamma follows the display's peak."""
    return float(_HLG_GAMMA + 0.42 * np.log10(peak / USUAL_PEAK))


def _compress(light: Light, peak: float) -> Light:
    """Bring the brightest of the three below the target's peak, and scale all three by as much."""
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-6)
    return np.asarray(light * (_eetf(np.minimum(brightest, peak), peak) / brightest))


def _eetf(light: Light, peak: float) -> Light:
    """Source: BT.2390-10, 5.4.1: unchanged up to the knee, then a Hermite spline in PQ."""
    top = light_to_pq(np.array(peak))
    most = light_to_pq(np.array(TARGET_PEAK)) / top
    knee = 1.5 * most - 0.5
    given = light_to_pq(light) / top
    t = (given - knee) / np.maximum(1 - knee, 1e-9)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    return pq_to_light(np.where(given < knee, given, spline) * top)


def _draw_inside(share: Light) -> Light:
    """Draw what BT.709 cannot show towards the grey of its luminance, no further than it takes."""
    grey = np.clip(share @ _LUMINANCE_709, 0, 1)[..., None]
    away = share - grey
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(away > 0, (1 - grey) / away, np.inf)
        down = np.where(away < 0, -grey / away, np.inf)
    reach = np.minimum(1, np.minimum(up, down).min(axis=-1, keepdims=True))
    return np.asarray(grey + reach * away)
