"""Where the waves lie: keyed, inside the band, the same for ever."""

from dataclasses import replace

import numpy as np
import pytest

from platemark_provenance.watermark.carriers import Carriers, spread_carriers
from platemark_provenance.watermark.payload import CODED_BITS, WatermarkId, encode_payload, open_payload
from platemark_provenance.watermark.profile import ALGORITHM, BROADCAST_3

KEY = b"c" * 32


@pytest.fixture(scope="module")
def carriers() -> Carriers:
    return spread_carriers(KEY, BROADCAST_3)


def test_the_algorithm_has_a_reverse_dns_name() -> None:
    assert ALGORITHM == "org.platemark.watermark.1"


def test_the_waves_of_a_key_have_not_changed(carriers: Carriers) -> None:
    assert carriers.count == 643
    np.testing.assert_allclose(carriers.frequencies[0], (-0.095200428332, 0.056185156885), atol=1e-11)
    assert carriers.bit_of_axis[:4].tolist() == [261, 276, 172, 68]
    assert carriers.flips[:6].tolist() == [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]


def test_every_wave_lies_inside_the_band(carriers: Carriers) -> None:
    radius = np.hypot(*carriers.frequencies.T)

    assert radius.min() > BROADCAST_3.band[0]
    assert radius.max() < BROADCAST_3.band[1]
    assert carriers.frequencies[:, 1].min() > 0


def test_waves_keep_their_distance(carriers: Carriers) -> None:
    gaps = np.hypot(*(carriers.frequencies[:, None] - carriers.frequencies[None]).transpose(2, 0, 1))

    assert gaps[gaps > 0].min() > 1 / 720  # half a bin of a square picture of the canonical size


def test_another_key_has_other_waves(carriers: Carriers) -> None:
    other = spread_carriers(b"d" * 32, BROADCAST_3)

    gaps = np.hypot(*(carriers.frequencies[:, None] - other.frequencies[None]).transpose(2, 0, 1)).min(axis=1)

    assert np.median(gaps) > 1e-4


def test_every_coded_bit_is_carried_at_least_twice(carriers: Carriers) -> None:
    repeats = np.bincount(carriers.bit_of_axis, minlength=CODED_BITS)

    assert repeats.min() >= 2


def test_neighbouring_bits_are_scattered(carriers: Carriers) -> None:
    steps = np.abs(np.diff(carriers.bit_of_axis))

    assert np.mean(steps <= 3) < 0.05


def test_sync_waves_say_nothing_about_the_id(carriers: Carriers) -> None:
    one = carriers.modulate(encode_payload(KEY, WatermarkId(b"one clip"), "p"))
    other = carriers.modulate(encode_payload(KEY, WatermarkId(b"twoclips"), "p"))

    np.testing.assert_array_equal(one[: carriers.sync], other[: carriers.sync])
    assert np.mean(one[carriers.sync :] == other[carriers.sync :]) < 0.5


def test_every_wave_has_the_same_strength(carriers: Carriers) -> None:
    waves = carriers.modulate(encode_payload(KEY, WatermarkId(b"one clip"), "p"))

    np.testing.assert_allclose(np.abs(waves), 1.0)


def test_what_is_modulated_is_read_back(carriers: Carriers) -> None:
    mark_id = WatermarkId(b"one clip")
    waves = carriers.modulate(encode_payload(KEY, mark_id, "p"))

    soft = carriers.read_bits(waves, np.ones(carriers.count))

    assert open_payload(KEY, soft.values, "p") == mark_id
    np.testing.assert_allclose(carriers.read_sync(waves), 1.0, atol=1e-12)


def test_the_length_of_soft_bits_counts_each_axis_once(carriers: Carriers) -> None:
    waves = carriers.modulate(np.zeros(CODED_BITS, np.uint8))

    soft = carriers.read_bits(2 * waves, np.full(carriers.count, 0.5))

    assert soft.length == pytest.approx(np.sqrt(carriers.count - carriers.sync))


def test_a_profile_with_another_band_gets_other_waves(carriers: Carriers) -> None:
    narrow = spread_carriers(KEY, replace(BROADCAST_3, band=(0.03, 0.06)))

    assert np.hypot(*narrow.frequencies.T).max() < 0.06
    assert narrow.count == pytest.approx(carriers.count, rel=0.1)
