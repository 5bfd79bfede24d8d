"""Embedding: faint, legal, repeatable, streaming, and picky about its input."""

import tracemalloc
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import cast

import made_clips as made
import numpy as np
import pytest
from made_clips import Clip, Luma

from platemark_provenance.errors import WatermarkError
from platemark_provenance.watermark.detect import Detection
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import WatermarkKeys, derive_alternatives, derive_mark_id
from platemark_provenance.watermark.payload import WatermarkId
from platemark_provenance.watermark.profile import BROADCAST_3


def test_number_and_order_of_frames_are_kept(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    clip = [np.full((144, 160), 60 + 5 * index, np.uint8) for index in range(29)]

    marked = list(Embedder(keys, mark_id).mark(clip))

    means = [float(frame.mean()) for frame in marked]
    assert len(marked) == 29
    assert means == pytest.approx([60 + 5 * index for index in range(29)], abs=1.0)


def test_a_clip_without_frames_stays_one(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    assert list(Embedder(keys, mark_id).mark([])) == []


def test_the_same_frames_keys_and_id_give_the_same_bytes(
    marked: Mapping[str, Clip], originals: Mapping[str, Clip], keys: WatermarkKeys, mark_id: WatermarkId
) -> None:
    again = list(Embedder(keys, mark_id).mark(originals["ball"]))

    np.testing.assert_array_equal(again, marked["ball"])


def test_another_id_gives_other_frames(
    marked: Mapping[str, Clip], originals: Mapping[str, Clip], keys: WatermarkKeys
) -> None:
    other = list(Embedder(keys, WatermarkId(b"another.")).mark(originals["grey"]))

    assert np.mean(other[0] != marked["grey"][0]) > 0.3


def test_the_originals_are_left_alone(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    clip = made.make_ball(2, side=128, frames=3)
    before = [frame.copy() for frame in clip]

    list(Embedder(keys, mark_id).mark(clip))

    np.testing.assert_array_equal(clip, before)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("ball", 46.0, 52.0),
        ("grey", 46.0, 52.0),
        ("windows", 42.3, 52.0),
        ("texture", 40.0, 46.0),
        ("black", 44.5, 49.0),
        ("white", 44.0, 49.0),
    ],
)
def test_the_mark_costs_what_the_profile_says(
    marked: Mapping[str, Clip], originals: Mapping[str, Clip], name: str, least: float, most: float
) -> None:
    assert least < made.measure_psnr(originals[name], marked[name]) < most


@pytest.mark.parametrize("name", ["ball", "windows", "black", "white", "grey", "texture"])
def test_luma_stays_in_the_legal_range(marked: Mapping[str, Clip], name: str) -> None:
    frames = np.array(marked[name])

    assert frames.min() >= 16
    assert frames.max() <= 235


def test_levels_outside_the_legal_range_are_brought_inside(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    extremes = np.zeros((128, 128), np.uint8)
    extremes[:, 64:] = 255

    (marked,) = Embedder(keys, mark_id).mark([extremes])

    assert marked.min() >= 16
    assert marked.max() <= 235


@pytest.mark.parametrize("name", ["black", "white"])
def test_pure_black_and_white_keep_both_halves_of_the_pattern(marked: Mapping[str, Clip], name: str) -> None:
    corner = marked[name][8][300:, :200].astype(np.float64)

    assert 0.4 < corner.std() < 1.3
    assert abs(float(np.mean((corner - corner.mean()) ** 3))) < 0.3 * corner.std() ** 3


def test_flat_areas_get_less_than_textured_ones(marked: Mapping[str, Clip], originals: Mapping[str, Clip]) -> None:
    flat = np.array(marked["grey"][0], float) - originals["grey"][0]
    rough = np.array(marked["texture"][0], float) - originals["texture"][0]

    assert flat[300:, :200].std() < 0.75 * rough.std()


def test_the_pattern_does_not_jump_between_blocks(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    still = made.make_flat(126, side=256, frames=26)

    marked = np.array(list(Embedder(keys, mark_id).mark(still)), float)

    assert np.abs(np.diff(marked[6:], axis=0)).max() <= 1


def test_a_moving_clip_gets_a_smoothly_changing_pattern(
    marked: Mapping[str, Clip], originals: Mapping[str, Clip]
) -> None:
    added = np.array(marked["windows"], float) - np.array(originals["windows"], float)

    steps = np.sqrt(np.mean(np.square(np.diff(added, axis=0)), axis=(1, 2)))

    assert steps.max() < 0.7 * added.std()


def test_a_frame_that_has_gone_out_is_held_by_nobody(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    taken: list[weakref.ref[Luma]] = []

    def frames() -> Iterator[Luma]:
        """Hand each frame over, and remember it without holding it."""
        for index in range(24):
            frame = np.full((144, 160), 60 + index, np.uint8)
            taken.append(weakref.ref(frame))
            yield frame

    out = Embedder(keys, mark_id).mark(frames())
    given = [next(out) for _ in range(10)]

    alive = sum(each() is not None for each in taken)
    assert (len(given), len(taken)) == (10, BROADCAST_3.block_frames)
    assert alive <= BROADCAST_3.block_frames - 10 + 1  # the newest stays, to be compared with the one after it


@pytest.mark.parametrize("height", [128, 129, 191, 250])
def test_strips_of_rows_leave_no_seam(keys: WatermarkKeys, mark_id: WatermarkId, height: int) -> None:
    frames = [np.full((height, 160), 120, np.uint8) for _ in range(3)]

    added = [marked.astype(int) - 120 for marked in Embedder(keys, mark_id).mark(frames)]

    steps = np.abs(np.diff(added[0], axis=0)).mean(axis=1)
    assert steps.max() < 4 * np.median(steps) + 1


def test_no_more_than_one_block_is_taken_ahead(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    taken: list[int] = []

    def source() -> Iterator[Luma]:
        for number in range(40):
            taken.append(number)
            yield np.full((128, 128), 100, np.uint8)

    frames = Embedder(keys, mark_id).mark(source())
    next(frames)

    assert len(taken) == BROADCAST_3.block_frames


def test_a_long_clip_needs_no_more_memory_than_a_short_one(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    embedder = Embedder(keys, mark_id)

    def measure(frames: int) -> int:
        tracemalloc.reset_peak()
        total = sum(1 for _ in embedder.mark(np.full((128, 128), 90, np.uint8) for _ in range(frames)))
        return tracemalloc.get_traced_memory()[1] if total == frames else -1

    tracemalloc.start()
    short, long = measure(24), measure(120)
    tracemalloc.stop()

    assert 0 < long < 1.1 * short


@pytest.mark.parametrize(("height", "width"), [(127, 400), (400, 127), (128, 513)])
def test_a_frame_too_small_or_too_long_is_refused(
    keys: WatermarkKeys, mark_id: WatermarkId, height: int, width: int
) -> None:
    with pytest.raises(WatermarkError, match=f"{width}x{height}"):
        list(Embedder(keys, mark_id).mark([np.zeros((height, width), np.uint8)]))


def test_a_change_of_size_is_refused(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    clip = [np.zeros((128, 128), np.uint8), np.zeros((128, 130), np.uint8)]

    with pytest.raises(WatermarkError, match="128x128, got 130x128"):
        list(Embedder(keys, mark_id).mark(clip))


def test_a_colour_frame_is_refused(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    with pytest.raises(WatermarkError, match="one 8-bit plane"):
        list(Embedder(keys, mark_id).mark([np.zeros((128, 128, 3), np.uint8)]))


def test_a_ten_bit_frame_is_refused(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    ten_bit = np.zeros((128, 128), np.uint16)

    with pytest.raises(WatermarkError, match="uint16"):
        list(Embedder(keys, mark_id).mark([cast(Luma, ten_bit)]))


def test_an_id_of_another_length_is_refused_before_any_frame(keys: WatermarkKeys) -> None:
    with pytest.raises(WatermarkError, match="8 bytes"):
        Embedder(keys, WatermarkId(b"short"))


def test_of_several_ids_the_one_the_picture_speaks_for_is_written(
    keys: WatermarkKeys, originals: Mapping[str, Clip]
) -> None:
    request = b"a clip with alternatives"
    first, others = derive_mark_id(keys, request), derive_alternatives(keys, request, count=255)
    embedder = Embedder(keys, first, alternatives=others)

    frames = list(embedder.mark(originals["windows"][:2]))
    again = Embedder(keys, first, alternatives=others)
    twice = list(again.mark(originals["windows"][:2]))

    assert embedder.mark_id in (first, *others)
    assert embedder.mark_id == again.mark_id
    np.testing.assert_array_equal(frames, twice)


def test_a_chosen_id_is_read_more_surely_than_a_fixed_one(
    find: Callable[..., Detection], keys: WatermarkKeys, originals: Mapping[str, Clip]
) -> None:
    first, others = derive_mark_id(keys, b"r"), derive_alternatives(keys, b"r", count=1023)
    fixed, free = Embedder(keys, first), Embedder(keys, first, alternatives=others)
    clips = [list(each.mark(originals["windows"][:1])) for each in (fixed, free)]
    noise = np.random.default_rng(6).normal(0, 9, clips[0][0].shape)
    noisy = [[np.clip(np.rint(clip[0] + noise), 0, 255).astype(np.uint8)] for clip in clips]
    index = IssuedIds.from_ids(keys, [first, *others])

    found = [find(clip, index) for clip in noisy]

    assert found[1].log10_fpr < found[0].log10_fpr - 1


def test_which_id_it_will_be_is_not_known_before_the_first_frame(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    embedder = Embedder(keys, mark_id, alternatives=derive_alternatives(keys, b"r", count=3))

    with pytest.raises(WatermarkError, match="known after its first frame"):
        _ = embedder.mark_id


def test_without_alternatives_the_id_is_known_at_once(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    assert Embedder(keys, mark_id).mark_id == mark_id
