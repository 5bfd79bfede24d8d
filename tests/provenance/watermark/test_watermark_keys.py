"""Keys and ids: separate, repeatable, secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import KeyUnavailable, WatermarkError
from platemark_provenance.watermark.keys import WatermarkKeys, derive_keys, derive_mark_id

MASTER = bytes(range(32))


def test_the_same_master_gives_the_same_keys_for_ever() -> None:
    keys = derive_keys(MASTER)

    assert keys.carriers.hex().startswith("13af5f09ea6c9fe5")
    assert keys.mac.hex().startswith("9ae54f4bca4ebb8d")


def test_no_two_keys_of_an_epoch_are_alike() -> None:
    keys = derive_keys(MASTER)

    assert len({keys.carriers, keys.mac, keys.ids, keys.fingerprint, MASTER}) == 5


def test_every_key_is_32_bytes() -> None:
    keys = derive_keys(MASTER)

    assert {len(key) for key in (keys.carriers, keys.mac, keys.ids, keys.fingerprint)} == {32}


def test_a_new_epoch_changes_every_key() -> None:
    first, second = derive_keys(MASTER, epoch=1), derive_keys(MASTER, epoch=2)

    assert first.carriers != second.carriers
    assert first.mac != second.mac
    assert first.ids != second.ids
    assert first.fingerprint != second.fingerprint


def test_printing_keys_shows_the_epoch_and_no_secret() -> None:
    assert repr(derive_keys(MASTER, epoch=7)) == "WatermarkKeys(epoch=7)"


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_master_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(KeyUnavailable, match=f"must be 32 bytes, found {length}"):
        derive_keys(b"x" * length)


@pytest.mark.parametrize("epoch", [-1, 0, 2**32])
def test_an_epoch_out_of_range_is_refused(epoch: int) -> None:
    with pytest.raises(KeyUnavailable, match="epoch"):
        derive_keys(MASTER, epoch=epoch)


def test_a_refused_master_is_not_quoted() -> None:
    with pytest.raises(KeyUnavailable) as refusal:
        derive_keys(b"hunter2")

    assert "hunter2" not in str(refusal.value)


@given(st.binary(max_size=200))
def test_the_same_request_gets_the_same_id(request_bytes: bytes) -> None:
    keys = derive_keys(MASTER)

    assert derive_mark_id(keys, request_bytes) == derive_mark_id(keys, request_bytes)
    assert len(derive_mark_id(keys, request_bytes)) == 8


def test_another_attempt_draws_another_id() -> None:
    keys = derive_keys(MASTER)

    assert len({derive_mark_id(keys, b"request", attempt=attempt) for attempt in range(50)}) == 50


def test_an_id_depends_on_the_key_it_is_drawn_with(keys: WatermarkKeys, other_keys: WatermarkKeys) -> None:
    assert derive_mark_id(keys, b"request") != derive_mark_id(other_keys, b"request")


@pytest.mark.parametrize("attempt", [-1, 2**32])
def test_an_attempt_out_of_range_is_refused(attempt: int) -> None:
    with pytest.raises(WatermarkError, match="attempt"):
        derive_mark_id(derive_keys(MASTER), b"request", attempt=attempt)
