"""How embedder and detector look at a frame: at one canonical size, flattened, and cut down to what a mark can be.

One rule: pure functions of one plane; both sides of the mark go through the same ones.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import uniform_filter
from scipy.sparse import csr_array

Luma = NDArray[np.uint8]
Plane = NDArray[np.float32]


def _make_taper() -> Plane:
    """Make a window whose square, at half overlap, adds up to one."""
    places = (np.arange(16) + 0.0) / 16
    rise = np.sin(np.pi * places)
    return np.outer(rise, rise).astype(np.float32)


def _make_pass_band() -> Plane:
    radius = np.hypot(np.fft.fftfreq(16)[:, None], np.fft.rfftfreq(16)[None])
    return np.asarray((radius > 0.02) & (radius < 0.2), np.float32)


_ASPECT_LIMIT: Final = 4.0
_CUBIC: Final = -0.5
"""Keys' parameter. Source: R. Keys, "Cubic convolution interpolation", IEEE Trans. ASSP 29(6), 1981, eq. 15."""
_WINDOW: Final = 16
_HOP: Final = _WINDOW // 2
_SLACK: Final = np.float32(8.0)  # coefficients well under this are left alone: noise must not be blown up
_TAPER: Final = _make_taper()
_PASSED: Final = _make_pass_band()


@dataclass(frozen=True, slots=True)
class Canvas:
    """Tie a picture's pixels to canonical units, in which every picture's short side is the same.

    Attributes:
        height: rows of the canonical plane.
        width: columns of the canonical plane.
        unit_x: canonical units from one column of that plane to the next (1 but for rounding).
        unit_y: the same from row to row.
    """

    height: int
    width: int
    unit_x: float
    unit_y: float


def fit_canvas(shape: tuple[int, int], short_side: float) -> Canvas | None:
    """Fit a picture of shape (h, w) to the canonical size, or nothing if it is longer than 4:1."""
    height, width = shape
    if min(shape) < 1 or max(shape) > _ASPECT_LIMIT * min(shape):
        return None
    scale = short_side / min(shape)
    rows, columns = round(height * scale), round(width * scale)
    return Canvas(height=rows, width=columns, unit_x=width * scale / columns, unit_y=height * scale / rows)


def resample(plane: Luma | NDArray[np.int16] | Plane, height: int, width: int) -> Plane:
    """Resize a plane with a cubic kernel that widens when shrinking; picture centres stay together.

    Args:
        plane: (h, w) of any size, any of the three sample types.
        height: rows wanted.
        width: columns wanted.

    Returns:
        (height, width) float32.
    """
    values = plane.astype(np.float32)
    if values.shape[0] != height:
        values = _weights(values.shape[0], height) @ values
    if values.shape[1] != width:
        values = (_weights(values.shape[1], width) @ np.ascontiguousarray(values.T)).T
    return np.ascontiguousarray(values, np.float32)


def flatten_texture(plane: Plane) -> Plane:
    """Keep the frequencies a mark uses and bring every small area's spectrum to the same strength.

    What the picture itself shows is large and lies in few places and directions; there a mark cannot be read.
    Dividing each short-time Fourier coefficient by its own size leaves the phase, which a mark still moves
    everywhere else.

    Args:
        plane: (h, w) luma at canonical size, at least 16 pixels each way.

    Returns:
        (h, w) float32, about 0.1 RMS where there is texture.

    Source:
        Whitening before correlation: Knapp and Carter, "The generalized correlation method", IEEE Trans. ASSP
        24(4), 1976, table I (PHAT), here for each window of 16 pixels.
    """
    height, width = plane.shape
    padded = np.pad(plane, ((_HOP, _HOP + -height % _HOP), (_HOP, _HOP + -width % _HOP)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (_WINDOW, _WINDOW))[::_HOP, ::_HOP]
    means = windows.mean(axis=(2, 3), keepdims=True, dtype=np.float32)
    spectra = fft.rfft2((windows - means) * _TAPER)
    spectra *= _PASSED / (np.abs(spectra) + _SLACK)
    parts = np.asarray(fft.irfft2(spectra, s=(_WINDOW, _WINDOW)), np.float32) * _TAPER
    return _overlap_add(parts)[_HOP : _HOP + height, _HOP : _HOP + width]


def measure_activity(plane: Plane) -> Plane:
    """Say how much mark each area hides: little where it is flat or dark, more where there is texture.

    Texture is a geometric mean, so that a lone edge in a flat area does not count as texture around it.

    Args:
        plane: (h, w) luma at canonical size.

    Returns:
        (h, w) float32 in [0.75, 4.2]; 1 is a flat area of medium brightness.
    """
    detail = np.log1p(np.abs(plane - _box(plane, 5)))
    texture = np.clip(np.expm1(_box(detail, 15)) - 0.5, 0.0, 8.0)
    brightness = 0.75 + 0.25 * np.clip((_box(plane, 15) - 30.0) / 50.0, 0.0, 1.0)
    return np.asarray((1.0 + 0.4 * texture) * brightness, np.float32)


def _overlap_add(windows: NDArray[np.float32]) -> Plane:
    """Put windows (rows, columns, 16, 16), half a window apart, back into one plane."""
    rows, columns = windows.shape[:2]
    cells = np.zeros((rows + 1, _HOP, columns + 1, _HOP), np.float32)
    parts = windows.transpose(0, 2, 1, 3)
    for down in (0, 1):
        for across in (0, 1):
            part = parts[:, down * _HOP : (down + 1) * _HOP, :, across * _HOP : (across + 1) * _HOP]
            cells[down : down + rows, :, across : across + columns] += part
    return cells.reshape((rows + 1) * _HOP, (columns + 1) * _HOP)


def _box(plane: Plane, side: int) -> Plane:
    return uniform_filter(plane, side, mode="nearest")


@lru_cache(maxsize=32)
def _weights(source: int, target: int) -> csr_array[np.float32]:
    """Build the (target, source) matrix of one axis of `resample`; each row sums to 1."""
    stretch = max(1.0, source / target)
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    first = np.floor(centres - 2 * stretch).astype(np.intp) + 1
    taps = first[:, None] + np.arange(int(np.ceil(4 * stretch)))
    kernel = _cubic_kernel(np.abs(taps - centres[:, None]) / stretch)
    kernel /= kernel.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(target), taps.shape[1])
    columns = np.clip(taps, 0, source - 1).ravel()
    return csr_array((kernel.ravel().astype(np.float32), (rows, columns)), shape=(target, source))


def _cubic_kernel(x: NDArray[np.float64]) -> NDArray[np.float64]:
    near = ((_CUBIC + 2) * x - (_CUBIC + 3)) * x * x + 1
    far = ((_CUBIC * x - 5 * _CUBIC) * x + 8 * _CUBIC) * x - 4 * _CUBIC
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))
