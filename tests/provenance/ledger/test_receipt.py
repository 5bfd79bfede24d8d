"""A receipt convinces somebody who has only the public key, and only of the event it was given out for."""

import base64
import subprocess
import sys
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.checkpoint import Checkpoint, sign_checkpoint
from platemark_provenance.ledger.merkle import leaf_hash, root_of_complete
from platemark_provenance.ledger.receipt import (
    HEADER,
    LARGEST_RECEIPT_BYTES,
    VerifiedReceipt,
    format_receipt,
    verify_receipt,
)

ORIGIN = "news.example/provenance"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key()
EVENTS = [f'{{"event":{i}}}'.encode() for i in range(11)]
HASHES = [leaf_hash(event) for event in EVENTS]


def node(level: int, index: int) -> bytes:
    return root_of_complete(HASHES[index << level : (index + 1) << level])


HEAD = Checkpoint(ORIGIN, 11, merkle.tree_root(11, node))
NOTE = sign_checkpoint(HEAD, KEY)


def receipt_for(index: int) -> bytes:
    return format_receipt(EVENTS[index], index, merkle.inclusion_proof(index, 11, node), NOTE)


RECEIPT = receipt_for(6)


@pytest.mark.parametrize("index", range(11))
def test_a_receipt_proves_its_event_with_the_public_key_alone(index: int) -> None:
    proven = verify_receipt(receipt_for(index), None, PUBLIC)

    assert proven == VerifiedReceipt(HEAD, index, EVENTS[index])


def test_a_receipt_is_written_as_the_tlog_proof_format_says() -> None:
    proof = [base64.b64encode(item).decode() for item in merkle.inclusion_proof(6, 11, node)]

    head, _, note = RECEIPT.decode().partition("\n\n")

    assert head.split("\n") == [HEADER, f"extra {base64.b64encode(EVENTS[6]).decode()}", "index 6", *proof]
    assert note.encode() == NOTE


def test_the_event_can_be_handed_in_beside_the_receipt() -> None:
    assert verify_receipt(RECEIPT, EVENTS[6], PUBLIC, origin=ORIGIN).index == 6


def test_a_receipt_without_its_event_needs_it_handed_in() -> None:
    bare = RECEIPT.replace(RECEIPT.split(b"\n")[1] + b"\n", b"")

    with pytest.raises(VerificationError, match="does not carry its event"):
        verify_receipt(bare, None, PUBLIC)


def test_a_receipt_of_another_tool_without_the_event_is_checked_against_the_one_handed_in() -> None:
    bare = RECEIPT.replace(RECEIPT.split(b"\n")[1] + b"\n", b"")

    assert verify_receipt(bare, EVENTS[6], PUBLIC).event == EVENTS[6]


def test_a_receipt_does_not_prove_another_event() -> None:
    with pytest.raises(VerificationError, match="about another event"):
        verify_receipt(RECEIPT, EVENTS[5], PUBLIC)


def test_a_bare_receipt_does_not_prove_another_event() -> None:
    bare = RECEIPT.replace(RECEIPT.split(b"\n")[1] + b"\n", b"")

    with pytest.raises(VerificationError, match="does not lead to the signed root"):
        verify_receipt(bare, EVENTS[5], PUBLIC)


def test_an_event_swapped_inside_the_receipt_is_noticed() -> None:
    swapped = RECEIPT.replace(base64.b64encode(EVENTS[6]), base64.b64encode(EVENTS[5]))

    with pytest.raises(VerificationError, match="does not lead to the signed root"):
        verify_receipt(swapped, None, PUBLIC)


def test_a_receipt_signed_by_a_stranger_is_refused() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(b"s" * 32)

    with pytest.raises(VerificationError, match="not signed by the ledger's key"):
        verify_receipt(RECEIPT, None, stranger.public_key())


def test_a_receipt_of_another_log_is_refused() -> None:
    with pytest.raises(VerificationError, match="should be of the log"):
        verify_receipt(RECEIPT, None, PUBLIC, origin="other.example/log")


def test_a_proof_for_a_larger_tree_does_not_fit_an_older_checkpoint() -> None:
    old = sign_checkpoint(Checkpoint(ORIGIN, 7, merkle.tree_root(7, node)), KEY)
    mixed = format_receipt(EVENTS[6], 6, merkle.inclusion_proof(6, 11, node), old)

    with pytest.raises(VerificationError):
        verify_receipt(mixed, None, PUBLIC)


@pytest.mark.parametrize(
    "change",
    [
        lambda receipt: b"",
        lambda receipt: receipt.replace(b"@v1", b"@v2"),
        lambda receipt: receipt.replace(b"index 6", b"index 06"),
        lambda receipt: receipt.replace(b"index 6", b"index -6"),
        lambda receipt: receipt.replace(b"index 6", b"index 6 "),
        lambda receipt: receipt.replace(b"index 6", b"INDEX 6"),
        lambda receipt: receipt.replace(b"index 6", b"index 11"),
        lambda receipt: receipt.replace(b"index 6\n", b""),
        lambda receipt: receipt.replace(b"extra ", b"extra !"),
        lambda receipt: receipt.replace(b"\nindex", b"\nextra AAAA\nindex"),
        lambda receipt: receipt.replace(b"\n\n", b"\n", 1),
        lambda receipt: receipt.replace(b"\n", b"\r\n"),
        lambda receipt: receipt.replace(b"index 6\n", b"index 6\nAAAA\n"),
        lambda receipt: receipt.replace(b"index 6\n", b"index 6\n!!!!\n"),
        lambda receipt: receipt.replace(b"index 6\n", b"index 6\n" + b"A" * 43 + b"=\n"),
        lambda receipt: receipt.replace(b"index 6\n", b"index 6\n" + (b"A" * 43 + b"=\n") * 65),
        lambda receipt: receipt.replace(b"index 6\n", "index ٦\n".encode()),
        lambda receipt: receipt[: receipt.index(b"\n\n") + 2],
        lambda receipt: receipt + b"x" * LARGEST_RECEIPT_BYTES,
        lambda receipt: HEADER.encode() + b"\n\n" + NOTE,
    ],
)
def test_a_receipt_with_one_flaw_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(VerificationError):
        verify_receipt(change(RECEIPT), EVENTS[6], PUBLIC)


@given(st.integers(0, len(RECEIPT) - 1), st.integers(1, 255))
def test_no_changed_byte_makes_a_receipt_for_something_else(place: int, change: int) -> None:
    changed = bytearray(RECEIPT)
    changed[place] ^= change

    with pytest.raises(VerificationError):
        verify_receipt(bytes(changed), EVENTS[6], PUBLIC)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_never_a_crash(noise: bytes) -> None:
    with pytest.raises(VerificationError):
        verify_receipt(HEADER.encode() + noise, b"", PUBLIC)


def test_checking_a_receipt_loads_no_database_code() -> None:
    program = "import sys, platemark_provenance.ledger.receipt; print('sqlalchemy' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
