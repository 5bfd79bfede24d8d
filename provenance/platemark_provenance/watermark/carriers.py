"""The plane waves a key spreads its mark over, and which bit each of them carries.

One rule: everything here follows from the key through SHAKE-256, whose output no library update can change;
numpy's random generators are not used, because their streams may change between versions.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from platemark_provenance.watermark.payload import CODED_BITS, Bits
from platemark_provenance.watermark.profile import Profile

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_SYNC_SYMBOL = complex(math.sqrt(0.5), math.sqrt(0.5))
_JITTER = 0.3  # of a lattice step: keeps neighbours apart yet unpredictable without the key


@dataclass(frozen=True, slots=True, eq=False)
class SoftBits:
    """Hold the evidence for each coded bit, and the length it is measured against.

    Attributes:
        values: (336,) positive means 0.
        length: Euclidean norm of everything that went into `values`, before repetitions were added up. For a
            picture that does not carry our mark, `±values` summed over a fixed codeword is a sum of
            independent fair signs times numbers of this norm (see `log10_false_positive`).
    """

    values: Floats
    length: float


@dataclass(frozen=True, slots=True, eq=False)
class Carriers:
    """Hold the waves of one key under one profile; the first `sync` of them carry no data.

    Attributes:
        frequencies: (waves, 2) x and y in cycles per canonical unit, y > 0.
        phases: (waves,) radians.
        sync: how many waves have a phase the key alone decides.
        bit_of_axis: (2 * data waves,) which coded bit each real and imaginary axis carries.
        flips: (2 * data waves,) -1 or +1, the key's scrambling of those axes.
    """

    frequencies: Floats
    phases: Floats
    sync: int
    bit_of_axis: NDArray[np.intp]
    flips: Floats

    @property
    def count(self) -> int:
        """Count the waves."""
        return len(self.phases)

    def modulate(self, coded: Bits) -> Complexes:
        """Give each wave its complex amplitude, shape (waves,), magnitude 1.

        Args:
            coded: (336,) bits of one codeword.
        """
        symbols = np.full(self.count, _SYNC_SYMBOL)
        axes = (1.0 - 2.0 * coded[self.bit_of_axis]) * self.flips
        symbols[self.sync :] = (axes[0::2] + 1j * axes[1::2]) * math.sqrt(0.5)
        return np.asarray(symbols * np.exp(1j * self.phases), np.complex128)

    def read_sync(self, observed: Complexes) -> Complexes:
        """Turn the sync waves so that an undisturbed mark reads as positive real numbers, shape (sync,)."""
        turned: Complexes = observed[: self.sync] * np.exp(-1j * self.phases[: self.sync])
        return turned * _SYNC_SYMBOL.conjugate()

    def read_bits(self, observed: Complexes, weights: Floats) -> SoftBits:
        """Collect the evidence of the data waves for each coded bit.

        Args:
            observed: (waves,) complex amplitudes with translation already undone.
            weights: (waves,) how much to trust each; must not depend on the data waves' phases.
        """
        data: Complexes = (observed * np.exp(-1j * self.phases) * weights)[self.sync :]
        axes = np.empty(2 * len(data))
        axes[0::2] = data.real
        axes[1::2] = data.imag
        values = np.bincount(self.bit_of_axis, weights=axes * self.flips, minlength=CODED_BITS)
        return SoftBits(values=values.astype(np.float64), length=float(np.linalg.norm(axes)))


@lru_cache(maxsize=8)
def spread_carriers(carrier_key: bytes, profile: Profile) -> Carriers:
    """Lay out the waves of a key: a jittered lattice over the profile's band, in keyed order.

    Args:
        carrier_key: 32 secret bytes.
        profile: names the band, the number of waves and the share kept for synchronisation.
    """
    frequencies = _lay_lattice(carrier_key, profile)
    waves = len(frequencies)
    frequencies = frequencies[_shuffle(carrier_key, b"order", waves)]
    sync = int(waves * profile.sync_share)
    axes = 2 * (waves - sync)
    rounds = [_shuffle(carrier_key, b"bits%d" % turn, CODED_BITS) for turn in range(math.ceil(axes / CODED_BITS))]
    return Carriers(
        frequencies=frequencies,
        phases=2 * np.pi * _uniform(carrier_key, b"phases", waves),
        sync=sync,
        bit_of_axis=np.concatenate(rounds)[:axes],
        flips=np.where(_uniform(carrier_key, b"flips", axes) < 0.5, -1.0, 1.0),
    )


def _lay_lattice(key: bytes, profile: Profile) -> Floats:
    low, high = profile.band
    step = math.sqrt(math.pi * (high**2 - low**2) / 2 / profile.waves)
    reach = math.ceil(high / step) + 1
    axis = np.arange(-reach, reach + 1, dtype=np.float64)
    columns, rows = np.meshgrid(axis, axis)
    points = np.stack([columns.ravel(), rows.ravel()], axis=-1)
    jitter = (2 * _uniform(key, b"jitter", points.size).reshape(points.shape) - 1) * _JITTER
    points = (points + _uniform(key, b"origin", 2) + jitter) * step
    radius = np.hypot(points[:, 0], points[:, 1])
    return np.asarray(points[(radius > low) & (radius < high) & (points[:, 1] > 0)])


def _words(key: bytes, label: bytes, count: int) -> NDArray[np.uint64]:
    digest = hashlib.shake_256(key + b"/platemark/carriers/" + label).digest(8 * count)
    return np.frombuffer(digest, "<u8").astype(np.uint64)


def _uniform(key: bytes, label: bytes, count: int) -> Floats:
    return (_words(key, label, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _shuffle(key: bytes, label: bytes, count: int) -> NDArray[np.intp]:
    return np.argsort(_words(key, label, count), kind="stable")
