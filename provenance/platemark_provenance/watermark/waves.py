"""Adding plane waves up to a picture, and measuring how much of each a picture holds.

One rule: exact at every frequency (no grid, no warping), by splitting each wave into a row and a column.
"""

import numpy as np
from numpy.typing import NDArray

from platemark_provenance.watermark.carriers import Complexes, Floats
from platemark_provenance.watermark.front_end import Plane

Rows = NDArray[np.complex64]
_AT_ONCE = 64
"""Waves tabulated at once: at double precision all of them take 40 MB for a row of 1920."""


def make_rows(frequencies: Floats, length: int) -> Rows:
    """Tabulate waves along one axis whose middle is 0.

    Args:
        frequencies: (n,) cycles per sample.
        length: samples.

    Returns:
        (n, length) complex64.
    """
    places = np.arange(length) - (length - 1) / 2
    rows = np.empty((len(frequencies), length), np.complex64)
    for first in range(0, len(frequencies), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        rows[part] = np.exp(2j * np.pi * np.outer(frequencies[part], places))
    return rows


def add_waves(amplitudes: Complexes, rows_x: Rows, rows_y: Rows) -> Plane:
    """Sum the real parts of waves into a picture, shape (h, w) float32.

    Args:
        amplitudes: (n,) complex.
        rows_x: (n, w) from `make_rows`.
        rows_y: (n, h) from `make_rows`.
    """
    tall = amplitudes.astype(np.complex64)[:, None] * rows_y
    left = np.concatenate([tall.real, -tall.imag])
    right = np.concatenate([rows_x.real, rows_x.imag])
    return np.asarray(left.T @ right, np.float32)


def measure_waves(plane: Plane, rows_x: Rows, rows_y: Rows) -> Complexes:
    """Correlate a picture with each wave: the exact Fourier sum about the picture's middle, shape (n,).

    Args:
        plane: (h, w) float32.
        rows_x: (n, w) from `make_rows`.
        rows_y: (n, h) from `make_rows`.
    """
    half = np.concatenate([rows_y.real, rows_y.imag]) @ plane
    count = len(rows_y)
    across = half[:count] - 1j * half[count:]  # (n, w), the column sums with the wave conjugated
    return np.asarray(np.einsum("nw,nw->n", across, rows_x.conj()), np.complex128)
