"""Signed notes and verifier keys are read strictly, and what is read is what was written."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger.note import (
    ED25519,
    ED25519_COSIGNATURE,
    LARGEST_NOTE_BYTES,
    LONGEST_NAME,
    MOST_SIGNATURES,
    SignatureLine,
    VerifierKey,
    decode_base64,
    is_key_name,
    key_id,
    parse_lines,
    parse_verifier_key,
    read_lines,
    split_note,
    with_lines,
)

TEXT = "news.example/log\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
LINE = SignatureLine("news.example/log", b"\x01\x02\x03\x04", b"s" * 64)
NOTE = f"{TEXT}\n{LINE.text()}".encode()
NAMES = st.text("abz019./-_é한😀=", min_size=1, max_size=20)


def test_a_note_is_cut_at_its_last_blank_line() -> None:
    parts = split_note(b"first\n\nsecond\n\n" + LINE.text().encode())

    assert parts.text == "first\n\nsecond\n"
    assert parts.lines == (LINE,)


@given(NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))
def test_any_signature_line_reads_back(name: str, identifier: bytes, signature: bytes) -> None:
    line = SignatureLine(name, identifier, signature)

    assert parse_lines(line.text()) == (line,)


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_fail_in_another_way(content: bytes) -> None:
    try:
        parts = split_note(content)
    except VerificationError:
        return

    assert f"{parts.text}\n{''.join(line.text() for line in parts.lines)}".encode() == content


@given(st.integers(0, len(NOTE) - 1), st.integers(0, 255))
def test_a_changed_byte_never_reads_as_the_same_note(at: int, value: int) -> None:
    changed = NOTE[:at] + bytes([value]) + NOTE[at + 1 :]

    try:
        same = split_note(changed) == split_note(NOTE)
    except VerificationError:
        same = False

    assert same == (changed == NOTE)


@pytest.mark.parametrize(
    ("flaw", "content"),
    [
        ("no blank line", b"text\n" + LINE.text().encode()),
        ("no signatures", b"text\n\n"),
        ("no line end", NOTE[:-1]),
        ("a hyphen for the dash", NOTE.replace("—".encode(), b"-")),
        ("no name", f"text\n\n—  {base64.b64encode(b'x' * 9).decode()}\n".encode()),
        ("a signature of four bytes", f"text\n\n— name {base64.b64encode(b'xxxx').decode()}\n".encode()),
        ("a tab", b"te\txt\n\n" + LINE.text().encode()),
        ("not UTF-8", b"te\xffxt\n\n" + LINE.text().encode()),
        ("too many signatures", (TEXT + "\n" + LINE.text() * (MOST_SIGNATURES + 1)).encode()),
        ("too long", b"x" * LARGEST_NOTE_BYTES + NOTE),
    ],
)
def test_a_note_with_one_flaw_is_refused(flaw: str, content: bytes) -> None:
    with pytest.raises(VerificationError):
        split_note(content)


def test_as_many_signatures_as_the_bound_allows_are_read() -> None:
    parts = split_note((TEXT + "\n" + LINE.text() * MOST_SIGNATURES).encode())

    assert len(parts.lines) == MOST_SIGNATURES


def test_lines_that_come_alone_are_bounded() -> None:
    with pytest.raises(VerificationError, match="at most"):
        read_lines(b"x" * (LARGEST_NOTE_BYTES + 1))


def test_a_signature_is_added_once() -> None:
    other = SignatureLine("witness.example/w1", b"wwww", b"t" * 72)

    once = with_lines(NOTE, (other,))
    twice = with_lines(once, (other, LINE))

    assert once == twice
    assert split_note(twice).lines == (LINE, other)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\tb", "a\u00a0b", "a\nb", "n" * (LONGEST_NAME + 1)])
def test_what_cannot_stand_in_a_signature_line_is_no_name(name: str) -> None:
    assert not is_key_name(name)


def test_a_key_id_is_the_beginning_of_a_hash_over_name_kind_and_key() -> None:
    expected = hashlib.sha256(b"witness.example/w1\n\x04" + b"k" * 32).digest()[:4]

    assert key_id("witness.example/w1", ED25519_COSIGNATURE, b"k" * 32) == expected


def test_the_same_key_has_another_id_for_another_kind() -> None:
    assert key_id("a", ED25519, b"k" * 32) != key_id("a", ED25519_COSIGNATURE, b"k" * 32)


def test_the_verifier_key_of_the_go_note_package_is_read() -> None:
    # The example of golang.org/x/mod/sumdb/note.
    found = parse_verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")

    assert (found.name, found.kind, len(found.key)) == ("PeterNeumann", ED25519, 32)


@given(NAMES, st.sampled_from([ED25519, ED25519_COSIGNATURE]), st.binary(min_size=32, max_size=32))
def test_any_verifier_key_reads_back(name: str, kind: int, key: bytes) -> None:
    spelled = VerifierKey(name, kind, key)

    assert parse_verifier_key(spelled.text()) == spelled
    assert parse_verifier_key(f" {spelled.text()}\n") == spelled


GOOD = VerifierKey("log.example", ED25519, b"k" * 32)


@pytest.mark.parametrize(
    ("flaw", "text"),
    [
        ("empty", ""),
        ("only a name", "log.example"),
        ("no key", "log.example+01020304+"),
        ("the id of another key", GOOD.text().replace(GOOD.key_id.hex(), "00000000")),
        ("an id in capitals", GOOD.text().replace(GOOD.key_id.hex(), GOOD.key_id.hex().upper())),
        ("a space in the name", VerifierKey("log example", ED25519, b"k" * 32).text()),
        ("a name that is too long", VerifierKey("n" * (LONGEST_NAME + 1), ED25519, b"k" * 32).text()),
        ("a key that is too short", VerifierKey("log.example", ED25519, b"k" * 31).text()),
        ("an unknown kind", VerifierKey("log.example", 0x63, b"k" * 32).text()),
        ("no kind", f"log.example+{hashlib.sha256(b'log.example').hexdigest()[:8]}+="),
        ("much too long", GOOD.text() + "A" * 5_000),
    ],
)
def test_a_verifier_key_with_one_flaw_is_refused(flaw: str, text: str) -> None:
    with pytest.raises(VerificationError):
        parse_verifier_key(text)


@given(st.text(max_size=60))
def test_no_text_makes_the_key_reader_fail_in_another_way(text: str) -> None:
    try:
        found = parse_verifier_key(text)
    except VerificationError:
        return

    assert found.text() == text.strip()


@pytest.mark.parametrize("encoded", ["AAE", "AAF=", "AA E=", "AAE=\n", "A", "=AAE"])
def test_base64_with_a_second_spelling_is_refused(encoded: str) -> None:
    with pytest.raises(VerificationError):
        decode_base64(encoded, what="thing")
