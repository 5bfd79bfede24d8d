"""The index of issued ids: finds the right one, and its bound is a bound."""

import numpy as np
import pytest
from scipy.special import ndtr

from platemark_provenance.errors import WatermarkError
from platemark_provenance.watermark.carriers import SoftBits
from platemark_provenance.watermark.issued import IssuedIds, least_score_for, log10_false_positive
from platemark_provenance.watermark.keys import WatermarkKeys, derive_mark_id
from platemark_provenance.watermark.payload import CODED_BITS, WatermarkId, encode_payload, encode_payloads
from platemark_provenance.watermark.profile import BROADCAST_3


def _soft(keys: WatermarkKeys, mark_id: WatermarkId, *, noise: float, seed: int = 0) -> SoftBits:
    signal = 1.0 - 2.0 * encode_payload(keys.mac, mark_id, BROADCAST_3.family)
    values = signal + noise * np.random.default_rng(seed).normal(size=CODED_BITS)
    return SoftBits(values=values, length=float(np.linalg.norm(values)))


@pytest.mark.parametrize("seed", range(5))
def test_the_right_id_is_found_in_noise_too_strong_for_blind_reading(
    keys: WatermarkKeys, issued: IssuedIds, mark_id: WatermarkId, seed: int
) -> None:
    best = issued.find_best(_soft(keys, mark_id, noise=1.8, seed=seed))

    assert best is not None
    assert best.mark_id == mark_id
    assert log10_false_positive(best.score, hypotheses=10 * len(issued)) < -8


def test_noise_scores_far_below_acceptance(issued: IssuedIds) -> None:
    values = np.random.default_rng(1).normal(size=CODED_BITS)

    best = issued.find_best(SoftBits(values=values, length=float(np.linalg.norm(values))))

    assert best is not None
    assert log10_false_positive(best.score, hypotheses=10 * len(issued)) > -3


def test_an_empty_index_finds_nothing(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    assert IssuedIds.from_ids(keys, []).find_best(_soft(keys, mark_id, noise=0)) is None


def test_soft_bits_without_evidence_find_nothing(issued: IssuedIds) -> None:
    assert issued.find_best(SoftBits(values=np.zeros(CODED_BITS), length=0.0)) is None


def test_an_id_given_twice_counts_once(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    index = IssuedIds.from_ids(keys, [mark_id, WatermarkId(b"8 bytes."), mark_id])

    assert len(index) == 2
    assert mark_id in index
    assert WatermarkId(b"not here") not in index


def test_an_id_of_another_length_is_not_indexed(keys: WatermarkKeys) -> None:
    with pytest.raises(WatermarkError, match="8 bytes"):
        IssuedIds.from_ids(keys, [WatermarkId(b"7 bytes")])


def test_a_large_index_is_built_in_parts_and_still_finds_its_last(keys: WatermarkKeys) -> None:
    mark_ids = [WatermarkId(number.to_bytes(8, "big")) for number in range(70_000)]
    index = IssuedIds.from_ids(keys, mark_ids)

    best = index.find_best(_soft(keys, mark_ids[-1], noise=0.5))

    assert best is not None
    assert best.mark_id == mark_ids[-1]


def test_scores_of_wrong_codewords_are_spread_like_the_bound_says(keys: WatermarkKeys, mark_id: WatermarkId) -> None:
    soft = _soft(keys, mark_id, noise=5.0)
    rng = np.random.default_rng(9)
    signs = rng.choice([-1.0, 1.0], (4000, CODED_BITS))

    scores = signs @ soft.values / soft.length

    assert scores.std() == pytest.approx(1.0, abs=0.05)
    assert np.mean(scores > 3) < 3.178 * (1 - ndtr(3))


def test_the_bound_grows_with_the_number_of_hypotheses() -> None:
    one, thousand = (log10_false_positive(8.0, hypotheses=count) for count in (1, 1000))

    assert thousand - one == pytest.approx(3.0)


@pytest.mark.parametrize(("ids", "needed"), [(1, 6.7), (1_000, 7.7), (1_000_000, 8.5)])
def test_more_issued_ids_need_a_higher_score(ids: int, needed: float) -> None:
    assert log10_false_positive(needed, hypotheses=10 * ids) == pytest.approx(-9.0, abs=0.7)


def test_the_bound_is_never_more_than_certainty() -> None:
    assert log10_false_positive(-3.0, hypotheses=5) == 0.0


def test_ids_drawn_for_different_requests_do_not_collide(keys: WatermarkKeys) -> None:
    assert len({derive_mark_id(keys, b"%d" % number) for number in range(2000)}) == 2000


def test_every_id_that_agrees_well_is_found_the_best_first(keys: WatermarkKeys) -> None:
    mark_ids = [derive_mark_id(keys, b"%d" % number) for number in range(50)]
    index = IssuedIds.from_ids(keys, mark_ids)
    sums = sum(share * _soft(keys, mark_ids[at], noise=0).values for share, at in ((3, 7), (2, 31), (2, 4)))
    both = SoftBits(values=np.asarray(sums), length=float(np.linalg.norm(sums)))

    found = index.find_all(both, least_score=6.0)

    assert found[0].mark_id == mark_ids[7]
    assert {each.mark_id for each in found} == {mark_ids[7], mark_ids[31], mark_ids[4]}
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_nothing_is_found_in_nothing(issued: IssuedIds) -> None:
    assert issued.find_all(SoftBits(values=np.zeros(CODED_BITS), length=0.0), least_score=1.0) == ()


@pytest.mark.parametrize("hypotheses", [1, 1000, 24_000_000])
def test_the_least_score_is_where_the_bound_is_met(hypotheses: int) -> None:
    least = least_score_for(-9.0, hypotheses=hypotheses)

    assert log10_false_positive(least, hypotheses=hypotheses) <= -9.0
    assert log10_false_positive(least - 0.01, hypotheses=hypotheses) > -9.0


@pytest.mark.parametrize("seed", range(4))
def test_scoring_by_windows_is_the_same_as_encoding_and_multiplying(keys: WatermarkKeys, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mark_ids = [WatermarkId(rng.bytes(8)) for _ in range(64)]
    values = rng.normal(size=CODED_BITS)
    soft = SoftBits(values=values, length=float(np.linalg.norm(values)))
    coded = encode_payloads(keys.mac, mark_ids, BROADCAST_3.family)
    expected = (1.0 - 2.0 * coded) @ values / soft.length

    scores = IssuedIds.from_ids(keys, mark_ids).score_all(soft)

    np.testing.assert_allclose(scores, expected, atol=1e-4)


@pytest.mark.parametrize("shared", range(1, 8))
def test_an_id_that_begins_like_the_one_that_is_there_is_not_found_beside_it(keys: WatermarkKeys, shared: int) -> None:
    there = WatermarkId(b"abcdefgh")
    alike = WatermarkId(there[:shared] + bytes(8 - shared))
    index = IssuedIds.from_ids(keys, [alike, there])

    found = index.find_all(_soft(keys, there, noise=0.4), least_score=6.0)

    assert [each.mark_id for each in found] == [there]


def test_no_more_ids_are_found_than_can_lie_together(keys: WatermarkKeys) -> None:
    mark_ids = [derive_mark_id(keys, b"%d" % number) for number in range(40)]
    values = sum(_soft(keys, each, noise=0).values for each in mark_ids)
    soft = SoftBits(values=np.asarray(values), length=float(np.linalg.norm(values)))

    assert len(IssuedIds.from_ids(keys, mark_ids).find_all(soft, least_score=0.0)) == 16


def test_an_id_of_another_kind_or_length_is_not_in_an_index(issued: IssuedIds) -> None:
    assert "0011223344556677" not in issued
    assert b"short" not in issued


def test_an_id_is_given_by_its_place(issued: IssuedIds, mark_id: WatermarkId) -> None:
    assert issued.id_at(len(issued) - 1) == mark_id
