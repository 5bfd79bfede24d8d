"""How much to trust each stretch of a clip, and each frequency.

One rule: only the sync waves' phases and the sizes of all waves are looked at, never the phases of the waves that
carry data, so that choosing weights cannot make a false id more likely than the bound says.
"""

from typing import Final

import numpy as np

from platemark_provenance.watermark.carriers import Carriers, Complexes, Floats

_EXPECTED_FIRST: Final = 1.0
_EXPECTED_LATER: Final = 0.4
_DOUBT: Final = 0.5
_RIDGE: Final = 0.3


def weigh_slots(observed: Complexes, carriers: Carriers) -> Floats:
    """Weigh a clip's slots so that the mark stands out most from what the picture itself says.

    How strong the mark is in each slot is read off the sync waves, starting from what encoders usually leave; how
    much of what is not the mark is the same picture seen again, off the covariance of all waves.

    Args:
        observed: (slots, waves) whitened amplitudes with translation undone; the first slot is the first frame.
        carriers: the key's waves.

    Returns:
        (slots,) weights that are not negative and add up to one.

    Source:
        Matched filter in coloured noise: Van Trees, "Detection, Estimation and Modulation Theory", part I, 4.3.
    """
    count = len(observed)
    covariance = (observed @ observed.conj().T).real / observed.shape[1]
    level = float(np.trace(covariance)) / count
    if count == 1 or level <= 0:
        return np.full(count, 1.0 / count)
    seen = np.array([float(carriers.read_sync(slot).real.mean()) for slot in observed])
    variance = np.maximum(np.diag(covariance), 1e-12) / (2 * carriers.sync)
    usual = np.where(np.arange(count) == 0, _EXPECTED_FIRST, _EXPECTED_LATER)
    usual = usual * max(float(usual @ seen) / float(usual @ usual), 1e-3 * level**0.5)
    prior = np.square(_DOUBT * usual)
    strength = np.maximum((seen * prior + usual * variance) / (prior + variance), 0.0)
    loaded = covariance + _RIDGE * level * np.eye(count)
    weights = np.maximum(np.linalg.solve(loaded, strength), 0.0)
    total = float(weights.sum())
    return weights / total if total > 0 else np.full(count, 1.0 / count)


def weigh_waves(sync: Complexes, frequencies: Floats) -> Floats:
    """Guess from the sync waves how well each frequency came through: a straight line in the radius.

    Args:
        sync: (sync waves,) as `Carriers.read_sync` gives them.
        frequencies: (waves, 2) of all waves, the sync waves first.
    """
    radius = np.hypot(frequencies[:, 0], frequencies[:, 1])
    columns = np.stack([np.ones(len(radius)), radius], axis=-1)
    line = np.linalg.lstsq(columns[: len(sync)], sync.real, rcond=None)[0]
    middle = max(float(sync.real.mean()), 0.05)
    return np.asarray(np.clip(columns @ line, 0.25 * middle, 3.0 * middle), np.float64)
