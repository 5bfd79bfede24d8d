"""What attackers try: forging, copying, averaging, erasing; and how often chance looks like a mark."""

from collections.abc import Callable, Mapping

import made_clips as made
import numpy as np
import pytest
from made_clips import Clip
from scipy.special import ndtr

from platemark_provenance.watermark.carriers import SoftBits, spread_carriers
from platemark_provenance.watermark.detect import ACCEPT_LOG10_FPR, Detection
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import WatermarkKeys, derive_keys, derive_mark_id
from platemark_provenance.watermark.payload import WatermarkId
from platemark_provenance.watermark.profile import BROADCAST_3

Find = Callable[..., Detection]


def _score_unmarked(rng: np.random.Generator, wrong_codewords: int) -> list[float]:
    """Score random codewords on random amplitudes under a fresh key, as an unmarked picture would be."""
    carriers = spread_carriers(rng.bytes(32), BROADCAST_3)
    loudness = rng.uniform(0.0, 2.5, carriers.count)  # uneven on purpose: pictures are
    observed = np.asarray(loudness * np.exp(2j * np.pi * rng.random(carriers.count)), np.complex128)
    soft = carriers.read_bits(observed, np.ones(carriers.count))
    signs = rng.choice([-1.0, 1.0], (wrong_codewords, len(soft.values)))
    return [float(score) for score in signs @ soft.values / soft.length]


def test_scores_on_unmarked_pictures_stay_under_the_bound() -> None:
    rng = np.random.default_rng(11)

    scores = np.concatenate([_score_unmarked(rng, 2000) for _ in range(25)])

    assert scores.std() == pytest.approx(1.0, abs=0.03)
    assert np.mean(scores > 3.0) < 3.178 * (1 - ndtr(3.0))
    assert np.mean(scores > 4.0) < 3.178 * (1 - ndtr(4.0))
    assert scores.max() < 5.5


def test_a_mark_made_with_another_key_is_not_accepted(
    find: Find, originals: Mapping[str, Clip], keys: WatermarkKeys, issued: IssuedIds, mark_id: WatermarkId
) -> None:
    forger = derive_keys(b"a forger who knows the id only..")
    forged = list(Embedder(forger, mark_id).mark(originals["grey"]))

    assert find(forged, issued).state == "absent"


def test_waves_without_the_mac_key_give_no_valid_id(
    find: Find, originals: Mapping[str, Clip], keys: WatermarkKeys, mark_id: WatermarkId
) -> None:
    thief = WatermarkKeys(epoch=1, carriers=keys.carriers, mac=b"?" * 32, ids=keys.ids, fingerprint=b"?" * 32)
    forged = list(Embedder(thief, mark_id).mark(originals["grey"]))

    assert find(forged).state == "absent"


def test_subtracting_the_average_residual_does_not_remove_the_mark(
    find: Find, marked: Mapping[str, Clip], issued: IssuedIds, mark_id: WatermarkId
) -> None:
    cleaned = made.transplant(marked["windows"], -made.estimate_mark(marked["windows"]))

    found = find(cleaned, issued)

    assert found.id in (mark_id, None)
    assert made.measure_psnr(marked["windows"], cleaned) < 40


@pytest.mark.parametrize("copies", [2, 3])
def test_the_average_of_several_copies_names_all_of_them_and_nobody_else(
    find: Find, originals: Mapping[str, Clip], keys: WatermarkKeys, copies: int
) -> None:
    recipients = [derive_mark_id(keys, b"recipient %d" % number) for number in range(20)]
    still = originals["ball"][:3]
    versions = [list(Embedder(keys, mark_id).mark(still)) for mark_id in recipients[:copies]]
    averaged = [np.rint(np.mean(frames, axis=0)).astype(np.uint8) for frames in zip(*versions, strict=True)]

    found = find(averaged, IssuedIds.from_ids(keys, recipients))

    assert found.state == "detected"
    assert {found.id, *found.others} == set(recipients[:copies])


@pytest.mark.parametrize("last", [0, 1])
def test_of_two_marks_as_sure_the_one_that_was_issued_last_is_named(
    find: Find, originals: Mapping[str, Clip], keys: WatermarkKeys, last: int
) -> None:
    both = [derive_mark_id(keys, b"edition %d" % number) for number in range(2)]
    still = originals["ball"][:3]
    versions = [list(Embedder(keys, mark_id).mark(still)) for mark_id in both]
    averaged = [np.rint(np.mean(frames, axis=0)).astype(np.uint8) for frames in zip(*versions, strict=True)]

    found = find(averaged, IssuedIds.from_ids(keys, [both[1 - last], both[last]]))

    assert (found.id, found.others) == (both[last], (both[1 - last],))
    assert found.log10_fpr <= -9


def test_strong_noise_erases_the_mark_and_nothing_else_is_named(
    find: Find, marked: Mapping[str, Clip], issued: IssuedIds, mark_id: WatermarkId
) -> None:
    rng = np.random.default_rng(2)
    drowned = [np.asarray(rng.integers(16, 236, frame.shape), np.uint8) for frame in marked["grey"][:2]]

    found = find(drowned, issued)

    assert found.state == "absent"
    assert found.log10_fpr > ACCEPT_LOG10_FPR


def test_marks_of_two_epochs_are_each_read_under_their_own(find: Find, originals: Mapping[str, Clip]) -> None:
    master = b"a publisher that rotates its key"
    first, second = derive_keys(master, epoch=1), derive_keys(master, epoch=2)
    old = list(Embedder(first, WatermarkId(b"old clip")).mark(originals["grey"]))
    new = list(Embedder(second, WatermarkId(b"new clip")).mark(originals["grey"]))

    assert find(old, under=first).id == b"old clip"
    assert find(new, under=second).id == b"new clip"
    assert find(old, under=second).state == "absent"


def test_marking_twice_leaves_the_stronger_evidence_or_none(
    find: Find, marked: Mapping[str, Clip], keys: WatermarkKeys, mark_id: WatermarkId
) -> None:
    second = derive_mark_id(keys, b"marked again by mistake")
    twice = list(Embedder(keys, second).mark(marked["ball"]))

    found = find(twice, IssuedIds.from_ids(keys, [mark_id, second]))

    assert found.id in (mark_id, second)


def test_the_mark_cannot_be_seen_in_the_mean_of_unrelated_ids(
    originals: Mapping[str, Clip], keys: WatermarkKeys
) -> None:
    """The data waves of different ids cancel, so publishing many clips on one background shows sync alone."""
    still = originals["grey"][:1]
    added = [
        np.asarray(next(iter(Embedder(keys, derive_mark_id(keys, b"%d" % number)).mark(still))), np.float64) - still[0]
        for number in range(16)
    ]

    mean, single = np.mean(added, axis=0), added[0]

    corner = np.s_[200:, :300]
    assert mean[corner].std() < 0.7 * single[corner].std()


def test_evidence_of_no_length_is_no_evidence(issued: IssuedIds) -> None:
    assert issued.find_best(SoftBits(values=np.full(336, 1e-300), length=0.0)) is None
