"""The code and the MAC: what goes in comes out, and nothing else does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from platemark_provenance.errors import WatermarkError
from platemark_provenance.watermark.payload import (
    CODED_BITS,
    WatermarkId,
    check_mark_id,
    compute_mac,
    encode_payload,
    encode_payloads,
    open_payload,
    parse_mark_id,
)

KEY = b"k" * 32
PROFILE = "broadcast-1"


def _soften(coded: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.where(coded == 0, 1.0, -1.0)


ids = st.binary(min_size=8, max_size=8).map(WatermarkId)


@settings(deadline=None, max_examples=40)
@given(ids)
def test_an_id_comes_back_from_its_clean_codeword(mark_id: WatermarkId) -> None:
    soft = _soften(encode_payload(KEY, mark_id, PROFILE))

    assert open_payload(KEY, soft, PROFILE) == mark_id


@settings(deadline=None, max_examples=40)
@given(ids, st.integers(0, 2**32 - 1))
def test_an_id_comes_back_when_one_bit_in_ten_is_wrong(mark_id: WatermarkId, seed: int) -> None:
    soft = _soften(encode_payload(KEY, mark_id, PROFILE))
    wrong = np.random.default_rng(seed).permutation(CODED_BITS)[: CODED_BITS // 20]
    soft[wrong] *= -1

    assert open_payload(KEY, soft, PROFILE) == mark_id


@pytest.mark.parametrize("seed", range(10))
def test_soft_bits_carry_an_id_through_noise_nearly_as_strong_as_the_signal(seed: int) -> None:
    mark_id = WatermarkId(bytes(range(8)))
    soft = _soften(encode_payload(KEY, mark_id, PROFILE))
    noisy = soft + 0.8 * np.random.default_rng(seed).normal(size=CODED_BITS)

    assert open_payload(KEY, noisy, PROFILE) == mark_id


def test_erased_evidence_counts_for_nothing() -> None:
    mark_id = WatermarkId(b"\xff" * 8)
    soft = _soften(encode_payload(KEY, mark_id, PROFILE))
    soft[::4] = 0.0

    assert open_payload(KEY, soft, PROFILE) == mark_id


def test_pure_noise_is_never_an_id() -> None:
    rng = np.random.default_rng(3)

    opened = [open_payload(KEY, rng.normal(size=CODED_BITS), PROFILE) for _ in range(200)]

    assert opened == [None] * 200


def test_no_evidence_at_all_is_no_id() -> None:
    assert open_payload(KEY, np.zeros(CODED_BITS), PROFILE) is None


def test_a_codeword_is_closed_to_another_key() -> None:
    soft = _soften(encode_payload(KEY, WatermarkId(b"someclip"), PROFILE))

    assert open_payload(b"K" * 32, soft, PROFILE) is None


def test_a_codeword_is_closed_to_another_profile() -> None:
    soft = _soften(encode_payload(KEY, WatermarkId(b"someclip"), PROFILE))

    assert open_payload(KEY, soft, "broadcast-2") is None


def test_the_mac_binds_every_bit_of_the_id() -> None:
    whole = int.from_bytes(b"someclip", "big")
    changed = [WatermarkId((whole ^ (1 << bit)).to_bytes(8, "big")) for bit in range(64)]

    macs = {compute_mac(KEY, mark_id, PROFILE) for mark_id in (WatermarkId(b"someclip"), *changed)}

    assert len(macs) == 65


def test_the_code_has_not_changed() -> None:
    coded = encode_payload(KEY, WatermarkId(bytes(8)), PROFILE)

    assert (
        np.packbits(coded).tobytes().hex()
        == "00000000000000000000000000000000000000000000000003947c66aeced73437dc60699ff9e3f6b49f"
    )


def test_encoding_many_ids_equals_encoding_each() -> None:
    mark_ids = [WatermarkId(bytes([number] * 8)) for number in range(5)]

    together = encode_payloads(KEY, mark_ids, PROFILE)

    np.testing.assert_array_equal(together, [encode_payload(KEY, mark_id, PROFILE) for mark_id in mark_ids])


@settings(deadline=None, max_examples=30)
@given(ids, ids)
def test_two_ids_differ_in_many_coded_bits(one: WatermarkId, other: WatermarkId) -> None:
    differing = int(np.sum(encode_payload(KEY, one, PROFILE) != encode_payload(KEY, other, PROFILE)))

    assert one == other or differing >= 18  # the free distance of the code


@pytest.mark.parametrize("mark_id", [b"", b"short", b"nine byte"])
def test_an_id_of_another_length_is_refused(mark_id: bytes) -> None:
    with pytest.raises(WatermarkError, match="8 bytes"):
        check_mark_id(WatermarkId(mark_id))


def test_an_id_is_read_from_sixteen_digits_of_either_case() -> None:
    assert parse_mark_id(" 00fFa1B2c3D4e5F6\n") == bytes.fromhex("00ffa1b2c3d4e5f6")


@pytest.mark.parametrize(
    "text", ["", "00ff", "00ffa1b2c3d4e5f600", "00ffa1b2c3d4e5g6", "00 ffa1b2c3d4e5f", "-0ffa1b2c3d4e5f6"]
)
def test_anything_but_sixteen_digits_is_refused(text: str) -> None:
    with pytest.raises(WatermarkError, match="16 hexadecimal digits"):
        parse_mark_id(text)


@given(ids)
def test_an_id_survives_being_shown_and_read(mark_id: WatermarkId) -> None:
    assert parse_mark_id(mark_id.hex()) == mark_id
