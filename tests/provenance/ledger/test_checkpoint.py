"""Checkpoints are signed notes that other tools read, and anything that is not exactly one is refused."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import LedgerRequestError, VerificationError
from platemark_provenance.ledger.checkpoint import (
    LARGEST_NOTE_BYTES,
    MOST_SIGNATURES,
    Checkpoint,
    check_origin,
    open_checkpoint,
    sign_checkpoint,
    verifier_key,
)

ORIGIN = "news.example/provenance"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)))
NOTE = sign_checkpoint(CHECKPOINT, KEY)


def test_a_checkpoint_is_three_lines_a_blank_one_and_a_signature() -> None:
    lines = NOTE.decode().split("\n")

    assert lines[:4] == [ORIGIN, "20852163", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]


def test_a_signed_checkpoint_reads_back() -> None:
    assert open_checkpoint(NOTE, KEY.public_key(), origin=ORIGIN) == CHECKPOINT


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_any_tree_head_reads_back(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root)

    assert open_checkpoint(sign_checkpoint(checkpoint, KEY), KEY.public_key()) == checkpoint


def test_signing_again_gives_the_same_bytes() -> None:
    assert sign_checkpoint(CHECKPOINT, KEY) == NOTE


def test_key_ids_and_signatures_are_those_of_the_go_note_package() -> None:
    # The example of golang.org/x/mod/sumdb/note: its key, and the key id that its signature begins with.
    key = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    public_key = Ed25519PublicKey.from_public_bytes(key[1:])

    spelled = verifier_key("PeterNeumann", public_key)

    assert spelled == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_a_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(VerificationError, match="should be of the log other"):
        open_checkpoint(NOTE, KEY.public_key(), origin="other.example/log")


def test_a_checkpoint_signed_by_a_stranger_is_refused() -> None:
    with pytest.raises(VerificationError, match="not signed by the ledger's key"):
        open_checkpoint(NOTE, STRANGER.public_key())


def test_signatures_of_witnesses_beside_ours_do_no_harm() -> None:
    witness = "— witness.example " + base64.b64encode(b"0123" + b"w" * 64).decode() + "\n"

    assert open_checkpoint(NOTE + witness.encode(), KEY.public_key()) == CHECKPOINT


def test_a_strangers_signature_under_our_name_is_ignored() -> None:
    text, _, _ = NOTE.decode().partition("\n\n")
    forged = sign_checkpoint(CHECKPOINT, STRANGER).decode().partition("\n\n")[2]

    with pytest.raises(VerificationError, match="not signed by the ledger's key"):
        open_checkpoint(f"{text}\n\n{forged}".encode(), KEY.public_key())


def _replaced(old: str, new: str) -> bytes:
    changed = NOTE.decode().replace(old, new, 1)
    return changed.encode()


@pytest.mark.parametrize(
    "note",
    [
        _replaced("20852163", "20852164"),
        _replaced("AAEC", "AAED"),
    ],
    ids=["another_size", "another_root"],
)
def test_a_signature_does_not_fit_another_text(note: bytes) -> None:
    with pytest.raises(VerificationError, match="signature does not match"):
        open_checkpoint(note, KEY.public_key())


def _signed_text(text: str) -> bytes:
    """Sign any text with the ledger's key, under the name in its first line."""
    name = text.split("\n")[0]
    key_id = bytes.fromhex(verifier_key(name, KEY.public_key()).split("+")[1])
    line = base64.b64encode(key_id + KEY.sign(text.encode())).decode()
    return f"{text}\n— {name} {line}\n".encode()


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n007\n{ROOT}\n",
        f"{ORIGIN}\n-1\n{ROOT}\n",
        f"{ORIGIN}\n+1\n{ROOT}\n",
        f"{ORIGIN}\n1_0\n{ROOT}\n",
        f"{ORIGIN}\n٣\n{ROOT}\n",
        f"{ORIGIN}\n{10**30}\n{ROOT}\n",
        f"{ORIGIN}\n\n{ROOT}\n",
        f"{ORIGIN}\n5\n{ROOT[:-4]}\n",
        f"{ORIGIN}\n5\n{ROOT}AAAA\n",
        f"{ORIGIN}\n5\n{ROOT[:-2]}B=\n",
        f"{ORIGIN}\n5\n not base64\n",
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n5\n{ROOT}\nan extension line\n",
        f"\n5\n{ROOT}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        open_checkpoint(_signed_text(text), KEY.public_key())


@pytest.mark.parametrize(
    "change",
    [
        lambda note: b"",
        lambda note: b"\n\n",
        lambda note: note[:-1],
        lambda note: note.replace(b"\n\n", b"\n"),
        lambda note: note.partition(b"\n\n")[0] + b"\n\n",
        lambda note: note.replace("—".encode(), b"-"),
        lambda note: note.replace(b"\n", b"\r\n"),
        lambda note: b"\x00" + note,
        lambda note: b"\xff" + note,
        lambda note: note + b"\n",
        lambda note: note + "— x AAAA\n".encode(),
        lambda note: note + "— x !!!!\n".encode(),
        lambda note: note + "—  AAAAAAAA\n".encode(),
    ],
)
def test_a_note_of_another_form_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(VerificationError):
        open_checkpoint(change(NOTE), KEY.public_key())


def test_a_note_with_more_signatures_than_the_bound_is_refused() -> None:
    witness = ("— witness.example " + base64.b64encode(b"0123" + b"w" * 64).decode() + "\n").encode()

    with pytest.raises(VerificationError, match="blank line and its signatures"):
        open_checkpoint(NOTE + witness * MOST_SIGNATURES, KEY.public_key())


def test_a_huge_note_is_refused_before_it_is_read() -> None:
    with pytest.raises(VerificationError, match="at most"):
        open_checkpoint(NOTE + b"x" * LARGEST_NOTE_BYTES, KEY.public_key())


@given(st.binary(max_size=300))
def test_noise_is_refused_and_never_a_crash(noise: bytes) -> None:
    with pytest.raises(VerificationError):
        open_checkpoint(noise, KEY.public_key())


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_no_changed_byte_gives_another_checkpoint(place: int, change: int) -> None:
    changed = bytearray(NOTE)
    changed[place] ^= change

    with pytest.raises(VerificationError):
        open_checkpoint(bytes(changed), KEY.public_key())


@pytest.mark.parametrize("origin", ["news.example/provenance", "뉴스.example", "a"])
def test_a_name_without_spaces_may_be_an_origin(origin: str) -> None:
    check_origin(origin)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\x00", "x" * 201])
def test_a_name_that_cannot_stand_in_a_note_is_refused(origin: str) -> None:
    with pytest.raises(LedgerRequestError, match="origin"):
        check_origin(origin)
