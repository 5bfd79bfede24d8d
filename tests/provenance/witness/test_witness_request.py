"""What a log asks of a witness is read strictly; every byte comes from a stranger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import VerificationError
from platemark_provenance.witness.request import LARGEST_REQUEST_BYTES, AddCheckpoint, parse_size

NOTE = b"log\n3\nroot\n\n- sig\n"


def test_a_request_is_an_old_size_a_proof_an_empty_line_and_the_note() -> None:
    request = AddCheckpoint(20_852_014, (bytes(32), b"\xff" * 32), NOTE)

    assert request.to_bytes() == (
        b"old 20852014\n"
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        b"//////////////////////////////////////////8=\n\n" + NOTE
    )


@given(st.integers(0, 2**62), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_any_request_reads_back(old: int, proof: list[bytes]) -> None:
    request = AddCheckpoint(old, tuple(proof), NOTE)

    assert AddCheckpoint.parse(request.to_bytes()) == request


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail_in_another_way(content: bytes) -> None:
    try:
        found = AddCheckpoint.parse(content)
    except VerificationError:
        return

    assert found.to_bytes() == content


@pytest.mark.parametrize(
    ("flaw", "content"),
    [
        ("empty", b""),
        ("no empty line", b"old 0\n"),
        ("another word", b"new 0\n\n" + NOTE),
        ("two blanks", b"old  0\n\n" + NOTE),
        ("a leading zero", b"old 07\n\n" + NOTE),
        ("a minus", b"old -1\n\n" + NOTE),
        ("a size that is too long", b"old " + b"9" * 20 + b"\n\n" + NOTE),
        ("other digits", "old ٣\n\n".encode() + NOTE),
        ("a hash of 31 bytes", b"old 1\n" + b"A" * 40 + b"AA==\n\n" + NOTE),
        ("no base64", b"old 1\n" + b"*" * 44 + b"\n\n" + NOTE),
        ("64 lines", b"old 1\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + NOTE),
        ("too long", b"old 0\n\n" + b"x" * LARGEST_REQUEST_BYTES),
    ],
)
def test_a_request_with_one_flaw_is_refused(flaw: str, content: bytes) -> None:
    with pytest.raises(VerificationError):
        AddCheckpoint.parse(content)


def test_a_size_that_a_witness_names_is_read() -> None:
    assert parse_size(b"20852163\n") == 20_852_163


@pytest.mark.parametrize("content", [b"", b"7", b"07\n", b"-7\n", b"seven\n", b"7\n7\n", b"9" * 40 + b"\n"])
def test_what_is_no_size_is_refused(content: bytes) -> None:
    with pytest.raises(VerificationError):
        parse_size(content)
