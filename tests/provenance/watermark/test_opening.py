"""A scene's first frames carry the mark louder, nothing else does, and older marks are still read."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import made_clips as made
import numpy as np
import pytest
from made_clips import Clip
from numpy.typing import NDArray

from platemark_provenance.watermark.detect import Detection
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.keys import WatermarkKeys
from platemark_provenance.watermark.payload import WatermarkId
from platemark_provenance.watermark.profile import BROADCAST_2, BROADCAST_3

Loudness = NDArray[np.float64]
OPENED = BROADCAST_3.opening


def _texture(seed: int, frames: int) -> Clip:
    return made.make_texture(seed, height=144, width=192, frames=frames)


@pytest.fixture(scope="module")
def measure(keys: WatermarkKeys, mark_id: WatermarkId) -> Callable[[Sequence[NDArray[np.uint8]]], Loudness]:
    """Mark a clip and give the RMS that was added to each frame."""

    def added(clip: Sequence[NDArray[np.uint8]]) -> Loudness:
        marked = np.array(list(Embedder(keys, mark_id).mark(clip)), np.float64)
        return np.asarray(np.std(marked - np.array(clip, np.float64), axis=(1, 2)))

    return added


Measure = Callable[[Sequence[NDArray[np.uint8]]], Loudness]


def test_the_first_frame_is_louder_than_the_later_ones(measure: Measure) -> None:
    loud = measure(_texture(3, 12))

    assert loud[0] > 1.3 * loud[8:].mean()


def test_a_loop_has_no_opening_since_its_first_frame_follows_its_last(
    keys: WatermarkKeys, mark_id: WatermarkId
) -> None:
    clip = _texture(3, 30)

    marked = np.array(list(Embedder(keys, mark_id).mark(clip, is_loop=True)), np.float64)
    loud = np.std(marked - np.array(clip, np.float64), axis=(1, 2))

    assert np.ptp(loud) <= 0.1 * loud.mean()


def test_a_loop_is_marked_as_any_clip_but_for_its_opening(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    clip = _texture(3, 30)

    loop, usual = (list(Embedder(keys, mark_id).mark(clip, is_loop=each)) for each in (True, False))

    assert OPENED is not None
    np.testing.assert_array_equal(loop[OPENED.frames :], usual[OPENED.frames :])


def test_a_cut_inside_a_loop_opens_all_the_same(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    clip = [*made.make_flat(60, side=144, frames=30), *made.make_flat(180, side=144, frames=14)]

    loop, usual = (list(Embedder(keys, mark_id).mark(clip, is_loop=each)) for each in (True, False))

    np.testing.assert_array_equal(loop[30:], usual[30:])


def test_the_mark_of_a_loop_is_read(find: Callable[..., Detection], keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    loop = list(Embedder(keys, mark_id).mark(made.make_ball(5, side=256, frames=8), is_loop=True))

    assert find(loop).id == mark_id


def test_the_opening_dies_down_frame_by_frame(measure: Measure) -> None:
    loud = measure(_texture(3, 12))

    assert OPENED is not None
    assert (np.diff(loud[: OPENED.frames + 1]) < 0).all()
    assert np.ptp(loud[OPENED.frames :]) < 0.1 * loud[8]


def test_no_opening_is_quieter_than_its_floor(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    clip = _texture(4, 12)

    marked = list(Embedder(keys, mark_id).mark(clip))

    assert OPENED is not None
    assert made.measure_psnr(clip[:1], marked[:1]) > OPENED.loudness.least_psnr_db - 0.3


@pytest.mark.parametrize("frames", [1, 2, 6])
def test_a_still_or_a_flash_has_no_opening(measure: Measure, frames: int) -> None:
    loud = measure(_texture(3, frames))

    assert np.ptp(loud) <= 0.1 * loud.mean()


def test_a_cut_opens_again(measure: Measure) -> None:
    one, other = made.make_flat(60, side=144, frames=30), made.make_flat(180, side=144, frames=14)

    loud = measure([*one, *other])

    assert loud[30] > 1.5 * loud[29]
    assert loud[42] < 0.7 * loud[30]


def test_a_cut_between_blocks_is_seen_too(measure: Measure) -> None:
    one, other = made.make_flat(60, side=144, frames=24), made.make_flat(180, side=144, frames=12)

    loud = measure([*one, *other])

    assert loud[24] > 1.5 * loud[23]


def test_nothing_of_the_scene_before_a_cut_fades_into_the_next(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    one, other = made.make_flat(60, side=144, frames=30), _grey_texture(14)

    after = list(Embedder(keys, mark_id).mark([*one, *other]))[30:]
    alone = list(Embedder(keys, mark_id).mark(other))

    np.testing.assert_array_equal(after, alone)


def test_frames_keep_their_number_and_order_across_cuts(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    levels = [40] * 25 + [200] * 40 + [90] * 7

    marked = list(Embedder(keys, mark_id).mark([np.full((144, 160), level, np.uint8) for level in levels]))

    assert [round(float(frame.mean())) for frame in marked] == pytest.approx(levels, abs=1)


def test_a_strobe_opens_at_most_once_in_two_blocks(measure: Measure) -> None:
    strobe = [np.full((144, 160), 60 if index % 2 else 180, np.uint8) for index in range(60)]

    loud = measure(strobe)

    assert np.sum(loud > 1.5 * np.median(loud)) <= 6 * 3


def test_a_steady_pan_over_rough_texture_is_no_cut(measure: Measure) -> None:
    world = _grey_texture(1, width=700)[0]
    pan = [np.ascontiguousarray(world[:, 9 * index : 9 * index + 160]) for index in range(48)]

    loud = measure(pan)

    assert loud[8:].max() < 1.3 * np.median(loud[8:])


def test_a_mark_of_the_profile_before_is_still_read(
    find: Callable[..., Detection], keys: WatermarkKeys, mark_id: WatermarkId
) -> None:
    old = list(Embedder(keys, mark_id, profile=BROADCAST_2).mark(made.make_ball(5, side=256, frames=8)))

    found = find(old)

    assert (found.id, found.method) == (mark_id, "blind")


def test_a_mark_of_another_family_is_not_read_as_ours(
    find: Callable[..., Detection], keys: WatermarkKeys, mark_id: WatermarkId
) -> None:
    foreign = replace(BROADCAST_3, name="other-1", family="other-1")
    clip = list(Embedder(keys, mark_id, profile=foreign).mark(made.make_ball(5, side=256, frames=8)))

    assert find(clip).state == "absent"


def test_both_profiles_are_of_one_family_and_differ_in_loudness_only() -> None:
    same = replace(BROADCAST_3, name=BROADCAST_2.name, loudness=BROADCAST_2.loudness, opening=BROADCAST_2.opening)

    assert same == BROADCAST_2


def _grey_texture(frames: int, *, width: int = 144) -> Clip:
    """Still, fine texture at mid-grey, 144 pixels high."""
    field = np.random.default_rng(8).normal(140, 30, (144, width))
    return [np.clip(np.rint(field), 20, 230).astype(np.uint8)] * frames
