"""Sealed parts open with the right key and id and with nothing else; pseudonyms say nothing without the key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError
from platemark_provenance.ledger.sealing import LARGEST_SEALED_BYTES, SealedPayload, Sealer

KEY = bytes(range(32))
PROMPT = {"prompt": "rain over the city", "byline": "김지우"}


def test_a_sealed_part_opens_with_the_same_key_and_event() -> None:
    sealed = Sealer(KEY).seal("event-1", PROMPT)

    assert Sealer(KEY).open("event-1", sealed) == PROMPT


def test_a_sealed_part_shows_nothing_of_its_content() -> None:
    sealed = Sealer(KEY).seal("event-1", PROMPT)

    assert b"rain" not in sealed.ciphertext
    assert "김지우".encode() not in sealed.ciphertext


def test_sealing_the_same_content_twice_gives_different_bytes() -> None:
    sealer = Sealer(KEY)

    assert sealer.seal("event-1", PROMPT) != sealer.seal("event-1", PROMPT)


def test_a_sealed_part_does_not_open_for_another_event() -> None:
    sealed = Sealer(KEY).seal("event-1", PROMPT)

    with pytest.raises(LedgerCorrupt, match="event-2 does not open"):
        Sealer(KEY).open("event-2", sealed)


def test_a_sealed_part_does_not_open_with_another_key() -> None:
    sealed = Sealer(KEY).seal("event-1", PROMPT)

    with pytest.raises(LedgerCorrupt, match="does not open with this payload key"):
        Sealer(bytes(32)).open("event-1", sealed)


@given(st.integers(0, 8 * 40 - 1))
def test_a_sealed_part_with_one_changed_bit_does_not_open(bit: int) -> None:
    sealed = Sealer(KEY).seal("event-1", PROMPT)
    changed = bytearray(sealed.ciphertext)
    changed[bit // 8] ^= 1 << (bit % 8)

    with pytest.raises(LedgerCorrupt):
        Sealer(KEY).open("event-1", SealedPayload(sealed.nonce, bytes(changed)))


@pytest.mark.parametrize("ciphertext", [b"", b"short", b"x" * 16])
def test_a_ciphertext_cut_short_does_not_open(ciphertext: bytes) -> None:
    with pytest.raises(LedgerCorrupt):
        Sealer(KEY).open("event-1", SealedPayload(b"n" * 12, ciphertext))


@pytest.mark.parametrize("nonce", [b"", b"n" * 7, b"n" * 200])
def test_a_nonce_of_another_length_does_not_open(nonce: bytes) -> None:
    sealed = Sealer(KEY).seal("event-1", PROMPT)

    with pytest.raises(LedgerCorrupt):
        Sealer(KEY).open("event-1", SealedPayload(nonce, sealed.ciphertext))


def test_the_digest_covers_the_nonce_and_the_ciphertext() -> None:
    first = SealedPayload(b"n" * 12, b"ciphertext")

    assert first.sha256 != SealedPayload(b"m" * 12, b"ciphertext").sha256
    assert first.sha256 != SealedPayload(b"n" * 12, b"Ciphertext").sha256
    assert len(first.sha256) == 64


def test_a_sealed_part_that_is_too_long_is_refused() -> None:
    with pytest.raises(LedgerRequestError, match="sealed part has at most"):
        Sealer(KEY).seal("event-1", {"prompt": "x" * LARGEST_SEALED_BYTES})


def test_the_same_nonce_source_gives_the_same_bytes() -> None:
    first = Sealer(KEY, random_bytes=lambda count: b"r" * count).seal("event-1", PROMPT)

    assert first == Sealer(KEY, random_bytes=lambda count: b"r" * count).seal("event-1", PROMPT)
    assert first.nonce == b"r" * 12


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_payload_key_of_another_length_is_refused_without_showing_it(length: int) -> None:
    with pytest.raises(LedgerRequestError, match=f"32 bytes; got {length}") as caught:
        Sealer(b"K" * length)

    assert "KK" not in str(caught.value)


def test_a_person_has_one_pseudonym() -> None:
    pseudonym = Sealer(KEY).pseudonym("jw.kim")

    assert pseudonym == Sealer(KEY).pseudonym("jw.kim")
    assert pseudonym == "p-glt6hmkerqr6acoi"


def test_a_pseudonym_is_16_letters_after_its_prefix() -> None:
    pseudonym = Sealer(KEY).pseudonym("jw.kim")

    assert pseudonym.startswith("p-")
    assert len(pseudonym) == 18
    assert pseudonym == pseudonym.lower()


def test_two_people_have_two_pseudonyms() -> None:
    sealer = Sealer(KEY)

    assert len({sealer.pseudonym(f"person-{i}") for i in range(2_000)}) == 2_000


def test_another_key_gives_other_pseudonyms() -> None:
    assert Sealer(KEY).pseudonym("jw.kim") != Sealer(bytes(32)).pseudonym("jw.kim")


def test_the_two_unicode_spellings_of_a_korean_name_are_one_person() -> None:
    composed, decomposed = "김지우", "\u1100\u1175\u11b7\u110c\u1175\u110b\u116e"

    assert Sealer(KEY).pseudonym(composed) == Sealer(KEY).pseudonym(decomposed)
