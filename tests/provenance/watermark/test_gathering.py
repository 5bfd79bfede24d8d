"""What is kept of a clip's frames: the first alone, the rest joined, in a fixed amount of memory."""

import numpy as np
import pytest

from platemark_provenance.errors import WatermarkError
from platemark_provenance.watermark.front_end import Luma, flatten_texture, resample
from platemark_provenance.watermark.gathering import Gatherer


def _frame(seed: int, height: int = 32, width: int = 48) -> Luma:
    return np.random.default_rng(seed).integers(16, 236, (height, width), np.uint8)


def _feed(count: int) -> Gatherer:
    gatherer = Gatherer(32.0)
    frames = [_frame(seed) for seed in range(8)]
    for number in range(count):
        gatherer.feed(frames[number % 8])
    return gatherer


def test_the_first_frame_is_kept_by_itself_however_long_the_clip_is() -> None:
    expected = flatten_texture(resample(_frame(0), 32, 48))

    np.testing.assert_allclose(_feed(2000).slots()[0], expected, atol=1e-6)


@pytest.mark.parametrize(("fed", "used"), [(1, 1), (8, 8), (125, 31), (1500, 50)])
def test_ever_fewer_frames_are_looked_at(fed: int, used: int) -> None:
    assert _feed(fed).used == pytest.approx(used, abs=3)


@pytest.mark.parametrize("fed", [1, 12, 13, 14, 40, 500, 3000])
def test_there_are_never_more_than_thirteen_slots(fed: int) -> None:
    slots = _feed(fed).slots()

    assert 1 <= len(slots) <= 13
    assert slots.dtype == np.float32


def test_no_frame_is_lost_when_slots_are_joined() -> None:
    gatherer = Gatherer(32.0)
    flat = np.full((32, 48), 90, np.uint8)
    for number in range(60):
        gatherer.feed(_frame(5) if number else flat)

    np.testing.assert_allclose(
        gatherer.slots()[1:], np.stack([flatten_texture(resample(_frame(5), 32, 48))] * (len(gatherer.slots()) - 1)),
        atol=1e-5,
    )  # fmt: skip


def test_frames_longer_than_four_to_one_are_counted_and_not_looked_at() -> None:
    gatherer = Gatherer(32.0)

    gatherer.feed(_frame(1, 16, 80))

    assert (gatherer.used, gatherer.canvas) == (0, None)


@pytest.mark.parametrize(
    "frame", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint16), np.zeros((4, 4), np.float32)]
)
def test_anything_but_an_eight_bit_plane_is_refused(frame: Luma) -> None:
    with pytest.raises(WatermarkError, match="8-bit plane"):
        Gatherer(32.0).feed(frame)


def test_a_frame_of_another_size_is_refused() -> None:
    gatherer = _feed(1)

    with pytest.raises(WatermarkError, match="size of the first, 48x32, got 32x48"):
        gatherer.feed(_frame(1, 48, 32))
