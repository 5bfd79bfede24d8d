"""Several epochs at once: the right one is found, the bound knows how many were tried, no epoch hides another."""

import math
from collections.abc import Mapping, Sequence

import made_clips as made
import numpy as np
import pytest
from made_clips import Clip
from numpy.typing import NDArray

from platemark_provenance.watermark.detect import ACCEPT_LOG10_FPR, Detection, Detector, Effort, Epoch
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import WatermarkKeys, derive_keys, derive_mark_id
from platemark_provenance.watermark.payload import WatermarkId

MASTER = b"a watermark master for tests onl"


@pytest.fixture(scope="module")
def epochs() -> tuple[WatermarkKeys, ...]:
    """Three epochs, the newest first."""
    return tuple(derive_keys(MASTER, epoch=number) for number in (3, 2, 1))


@pytest.fixture(scope="module")
def ids(epochs: Sequence[WatermarkKeys]) -> Mapping[int, WatermarkId]:
    return {keys.epoch: derive_mark_id(keys, b"the clip") for keys in epochs}


@pytest.fixture(scope="module")
def clips(epochs: Sequence[WatermarkKeys], ids: Mapping[int, WatermarkId]) -> Mapping[int, Clip]:
    """One clip of each epoch."""
    picture = made.make_ball(9, side=192, frames=8)
    return {keys.epoch: list(Embedder(keys, ids[keys.epoch]).mark(picture)) for keys in epochs}


def _look(clip: Sequence[NDArray[np.uint8]], epochs: Sequence[Epoch], effort: Effort = "fast") -> Detection:
    detector = Detector(epochs[0].keys)
    for frame in clip:
        detector.feed(frame)
    return detector.detect_any(epochs, effort=effort)


def _faded(clip: Clip, share: float, noise: float) -> Clip:
    """Make a mark too weak to be read blind."""
    rng = np.random.default_rng(2)
    soft = [126 + (frame.astype(np.float64) - 126) * share for frame in clip]
    return [np.clip(np.rint(frame + rng.normal(0, noise, frame.shape)), 16, 235).astype(np.uint8) for frame in soft]


@pytest.mark.parametrize("epoch", [1, 2, 3])
@pytest.mark.parametrize("effort", ["fast", "full"])
def test_a_mark_of_any_epoch_is_found(
    clips: Mapping[int, Clip],
    ids: Mapping[int, WatermarkId],
    epochs: Sequence[WatermarkKeys],
    epoch: int,
    effort: Effort,
) -> None:
    found = _look(clips[epoch], [Epoch(keys) for keys in epochs], effort)

    assert (found.id, found.method) == (ids[epoch], "blind")


def test_a_mark_of_an_epoch_that_is_not_looked_for_is_absent(
    clips: Mapping[int, Clip], epochs: Sequence[WatermarkKeys]
) -> None:
    found = _look(clips[1], [Epoch(keys) for keys in epochs[:2]])

    assert (found.state, found.id) == ("absent", None)


def test_the_bound_grows_with_the_epochs_that_were_tried(
    clips: Mapping[int, Clip], epochs: Sequence[WatermarkKeys]
) -> None:
    alone = _look(clips[3], [Epoch(epochs[0])])
    among = _look(clips[3], [Epoch(keys) for keys in epochs])

    assert among.log10_fpr - alone.log10_fpr == pytest.approx(math.log10(3))


def test_a_weak_mark_of_an_old_epoch_is_matched_with_the_index(
    clips: Mapping[int, Clip], ids: Mapping[int, WatermarkId], epochs: Sequence[WatermarkKeys]
) -> None:
    everything = list(ids.values())
    weak = _faded(clips[1], 0.5, 5.0)

    found = _look(weak, [Epoch(keys, IssuedIds.from_ids(keys, everything)) for keys in epochs])

    assert found.id == ids[1]
    assert found.log10_fpr <= ACCEPT_LOG10_FPR


def test_an_unmarked_clip_has_no_mark_of_any_epoch(
    epochs: Sequence[WatermarkKeys], ids: Mapping[int, WatermarkId]
) -> None:
    plain = made.make_ball(9, side=192, frames=8)

    found = _look(plain, [Epoch(keys, IssuedIds.from_ids(keys, list(ids.values()))) for keys in epochs])

    assert found.state == "absent"
    assert found.log10_fpr > ACCEPT_LOG10_FPR


def test_marks_of_two_epochs_lie_in_one_clip(
    clips: Mapping[int, Clip], ids: Mapping[int, WatermarkId], epochs: Sequence[WatermarkKeys]
) -> None:
    twice = list(Embedder(epochs[0], ids[3]).mark(clips[1]))

    newest, oldest = _look(twice, [Epoch(epochs[0])]), _look(twice, [Epoch(epochs[2])])

    assert (newest.id, oldest.id) == (ids[3], ids[1])


def test_marks_of_two_publishers_lie_in_one_clip(
    clips: Mapping[int, Clip],
    ids: Mapping[int, WatermarkId],
    epochs: Sequence[WatermarkKeys],
    other_keys: WatermarkKeys,
) -> None:
    theirs = WatermarkId(b"not ours")
    twice = made.encode_h264(list(Embedder(other_keys, theirs).mark(clips[3])), crf=23)

    ours, other = _look(twice, [Epoch(epochs[0])]), _look(twice, [Epoch(other_keys)])

    assert (ours.id, other.id) == (ids[3], theirs)


def test_without_frames_nothing_is_found(epochs: Sequence[WatermarkKeys]) -> None:
    found = _look([], [Epoch(keys) for keys in epochs])

    assert (found.state, found.log10_fpr, found.frames) == ("absent", 0.0, 0)
