"""Which stretches of a clip and which frequencies are trusted."""

import numpy as np
import pytest

from platemark_provenance.watermark.carriers import Carriers, Complexes, spread_carriers
from platemark_provenance.watermark.payload import CODED_BITS, Bits
from platemark_provenance.watermark.profile import BROADCAST_3
from platemark_provenance.watermark.weighing import weigh_slots, weigh_waves

CODED: Bits = np.random.default_rng(3).integers(0, 2, CODED_BITS, np.uint8)


@pytest.fixture(scope="module")
def carriers() -> Carriers:
    return spread_carriers(b"w" * 32, BROADCAST_3)


def _slots(carriers: Carriers, strengths: list[float], seed: int = 1) -> Complexes:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(2, len(strengths), carriers.count))
    mark = np.outer(strengths, carriers.modulate(CODED))
    return np.asarray(mark + noise[0] + 1j * noise[1], np.complex128)


def _score(carriers: Carriers, observed: Complexes) -> float:
    soft = carriers.read_bits(observed, np.ones(carriers.count))
    return float((1.0 - 2.0 * CODED) @ soft.values / soft.length)


def test_weights_are_not_negative_and_add_up_to_one(carriers: Carriers) -> None:
    weights = weigh_slots(_slots(carriers, [1, 0, 0.5, -0.3]), carriers)

    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1.0)


def test_the_slot_that_holds_the_mark_weighs_most(carriers: Carriers) -> None:
    weights = weigh_slots(_slots(carriers, [0, 0, 0, 1.0, 0]), carriers)

    assert int(np.argmax(weights)) == 3


def test_weighing_reads_better_than_the_mean_where_only_one_slot_is_marked(carriers: Carriers) -> None:
    observed = _slots(carriers, [0.5] + [0.0] * 11)

    assert _score(carriers, weigh_slots(observed, carriers) @ observed) > 1.5 * _score(carriers, observed.mean(axis=0))


def test_a_picture_seen_again_counts_once(carriers: Carriers) -> None:
    """Four slots that show one picture say less than one that shows another."""
    observed = _slots(carriers, [0.5, 0.5])
    repeated = np.stack([observed[0]] * 4 + [observed[1]])

    weights = weigh_slots(repeated, carriers)

    assert weights[4] > 2 * weights[1]


def test_the_data_waves_phases_change_no_weight(carriers: Carriers) -> None:
    observed = _slots(carriers, [1.0, 0.3, 0.2])
    turned = observed.copy()
    turned[:, carriers.sync :] *= np.exp(2j * np.pi * np.random.default_rng(4).random(carriers.count - carriers.sync))

    np.testing.assert_allclose(weigh_slots(turned, carriers), weigh_slots(observed, carriers), atol=1e-9)


@pytest.mark.parametrize("slots", [1, 2, 13])
def test_nothing_seen_at_all_is_weighed_evenly(carriers: Carriers, slots: int) -> None:
    silent = np.zeros((slots, carriers.count), np.complex128)

    np.testing.assert_allclose(weigh_slots(silent, carriers), np.full(slots, 1 / slots))


def test_waves_that_a_codec_weakened_count_less(carriers: Carriers) -> None:
    radius = np.hypot(*carriers.frequencies.T)
    sync = (1.2 - 8 * radius[: carriers.sync]).astype(np.complex128)

    weights = weigh_waves(sync, carriers.frequencies)

    assert weights[np.argmin(radius)] > 2 * weights[np.argmax(radius)]


def test_no_wave_is_dropped_or_trusted_blindly(carriers: Carriers) -> None:
    rng = np.random.default_rng(5)
    sync = (rng.normal(size=carriers.sync) + 0.3).astype(np.complex128)

    weights = weigh_waves(sync, carriers.frequencies)

    assert weights.min() > 0
    assert weights.max() <= 12 * weights.min() * 1.0001
