"""A cosignature says who confirmed which tree and when, in the bytes that other tools read."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint, verifier_key
from platemark_provenance.ledger.cosignature import Cosigner, check_line, cosign, open_cosignatures
from platemark_provenance.ledger.note import SignatureLine, with_lines

LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
NAME = "witness.example/w1"
WITNESS = Cosigner(NAME, KEY.public_key())
STRANGER = Cosigner(NAME, LOG_KEY.public_key())
HEAD = Checkpoint("news.example/log", 20_852_163, bytes(range(32)))
NOTE = sign_checkpoint(HEAD, LOG_KEY)
THEN = datetime(2023, 3, 20, 12, 5, 47, 900_000, tzinfo=UTC)
LINE = cosign(HEAD.text(), NAME, KEY, at=THEN)


def test_what_is_signed_is_a_header_the_time_and_the_text_of_the_note() -> None:
    # Written out from the specification: "cosignature/v1", "time" in whole seconds, the note's body.
    message = b"cosignature/v1\ntime 1679313947\n" + HEAD.text().encode()

    KEY.public_key().verify(LINE.signature[8:], message)


def test_the_time_stands_before_the_signature_in_eight_bytes() -> None:
    assert int.from_bytes(LINE.signature[:8], "big") == 1_679_313_947
    assert len(LINE.signature) == 72


def test_a_cosigned_note_is_read_by_those_who_know_the_witness() -> None:
    (found,) = open_cosignatures(with_lines(NOTE, [LINE]), [WITNESS])

    assert (found.name, found.at) == (NAME, THEN.replace(microsecond=0))


def test_a_cosigned_note_is_still_a_checkpoint_of_its_log() -> None:
    assert open_checkpoint(with_lines(NOTE, [LINE]), LOG_KEY.public_key()) == HEAD


def test_a_witness_of_the_same_name_with_another_key_is_another_one() -> None:
    assert open_cosignatures(with_lines(NOTE, [LINE]), [STRANGER]) == ()


def test_unknown_witnesses_are_ignored() -> None:
    other = cosign(HEAD.text(), "other.example/w9", Ed25519PrivateKey.generate(), at=THEN)

    assert len(open_cosignatures(with_lines(NOTE, [other, LINE]), [WITNESS])) == 1


def test_a_cosignature_of_another_tree_is_refused() -> None:
    other = cosign(Checkpoint(HEAD.origin, HEAD.size - 1, HEAD.root).text(), NAME, KEY, at=THEN)

    with pytest.raises(VerificationError, match="does not match"):
        open_cosignatures(with_lines(NOTE, [other]), [WITNESS])


def test_a_cosignature_with_another_time_is_refused() -> None:
    later = SignatureLine(NAME, LINE.key_id, (1_679_313_948).to_bytes(8, "big") + LINE.signature[8:])

    with pytest.raises(VerificationError, match="does not match"):
        open_cosignatures(with_lines(NOTE, [later]), [WITNESS])


@pytest.mark.parametrize("signature", [LINE.signature[:-1], LINE.signature + b"x", b"\xff" * 72, b"x"])
def test_a_cosignature_of_another_form_is_refused(signature: bytes) -> None:
    with pytest.raises(VerificationError):
        check_line(HEAD.text(), SignatureLine(NAME, LINE.key_id, signature), WITNESS)


@given(st.integers(0, 71), st.integers(1, 255))
def test_no_changed_byte_of_a_cosignature_passes(at: int, change: int) -> None:
    broken = bytearray(LINE.signature)
    broken[at] ^= change

    with pytest.raises(VerificationError):
        check_line(HEAD.text(), SignatureLine(NAME, LINE.key_id, bytes(broken)), WITNESS)


@given(st.integers(1, 2**62), st.binary(min_size=32, max_size=32), st.integers(1, 253_402_300_799))
def test_any_tree_head_is_cosigned_and_read_back(size: int, root: bytes, second: int) -> None:
    head = Checkpoint("news.example/log", size, root)
    at = datetime.fromtimestamp(second, UTC)

    found = check_line(head.text(), cosign(head.text(), NAME, KEY, at=at), WITNESS)

    assert found.at == at


def test_a_clock_before_1970_signs_nothing() -> None:
    with pytest.raises(VerificationError, match="1970"):
        cosign(HEAD.text(), NAME, KEY, at=datetime(1969, 12, 31, tzinfo=UTC))


def test_a_witness_is_read_back_from_its_key_line() -> None:
    assert Cosigner.parse(WITNESS.verifier_key.text()).verifier_key == WITNESS.verifier_key


def test_the_key_of_a_log_is_no_witness() -> None:
    with pytest.raises(VerificationError, match="kind 4"):
        Cosigner.parse(verifier_key("news.example/log", LOG_KEY.public_key()))
