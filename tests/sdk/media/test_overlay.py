"""The label is laid over coded frames as it would be over pictures, and the policy sees the pixels it would pick."""

import numpy as np
import pytest

from platemark.clip import Size
from platemark.media.label import LabelSpec, RenderedLabel, render_label
from platemark.media.overlay import LabelOverlay, sample_rgb
from platemark.media.yuv import YuvFrame, to_yuv420

SIZE = Size(320, 256)


@pytest.fixture(scope="module")
def label() -> RenderedLabel:
    return render_label(LabelSpec.standard("ko"), SIZE)


@pytest.fixture(scope="module")
def colours() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Broad fields of colour, so that how colour is sampled makes no difference."""
    fields = np.random.default_rng(3).integers(20, 235, (4, 5, 3), dtype=np.uint8)
    return np.repeat(np.repeat(fields, 64, axis=0), 64, axis=1)


def planes(frame: YuvFrame) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int16]], ...]:
    return tuple(plane.astype(np.int16) for plane in (frame.y, frame.u, frame.v))


def test_a_label_on_a_coded_frame_is_the_label_on_the_picture(
    label: RenderedLabel, colours: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    expected = planes(to_yuv420(label.draw(colours)))

    drawn = planes(LabelOverlay(label).draw(to_yuv420(colours)))

    assert np.abs(expected[0] - drawn[0]).max() <= 2
    assert max(np.abs(one - other).mean() for one, other in zip(expected[1:], drawn[1:], strict=True)) < 1


def test_nothing_outside_the_label_changes_and_the_given_frame_is_left_alone(
    label: RenderedLabel, colours: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    frame = to_yuv420(colours)
    before, box = frame.y.copy(), label.box

    drawn = LabelOverlay(label).draw(frame)

    changed = np.argwhere(drawn.y != before)
    assert np.array_equal(frame.y, before)
    assert (changed.min(axis=0) >= (box.y, box.x)).all()
    assert (changed.max(axis=0) < (box.y + box.height, box.x + box.width)).all()


@pytest.mark.parametrize(("width", "height"), [(320, 256), (128, 512), (1280, 720)])
def test_the_sample_is_the_grid_that_the_policy_picks(width: int, height: int) -> None:
    picture = np.full((height, width, 3), (200, 90, 40), np.uint8)

    sample = sample_rgb(to_yuv420(picture), is_bt709=True)

    assert sample.shape == (min(256, height // 16 * 16), min(256, width // 16 * 16), 3)
    assert np.abs(sample.astype(int) - (200, 90, 40)).max() <= 2


def test_the_matrix_decides_what_a_colour_is() -> None:
    frame = to_yuv420(np.full((128, 128, 3), (20, 200, 30), np.uint8))

    right, wrong = sample_rgb(frame, is_bt709=True), sample_rgb(frame, is_bt709=False)

    assert np.abs(right.astype(int) - (20, 200, 30)).max() <= 2
    assert np.abs(wrong.astype(int) - right).max() > 8
