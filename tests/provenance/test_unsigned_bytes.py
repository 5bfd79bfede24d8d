"""Padding that anybody can fill is counted where somebody did."""

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.signing import SignedAsset
from platemark_provenance.trust import TrustStore
from platemark_provenance.unsigned_bytes import count_unsigned_bytes
from platemark_provenance.verdict import judge
from platemark_provenance.verification import read_provenance


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


FTYP = box(b"ftyp", b"isom" + bytes(4))


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (b"", 0),
        (FTYP, 0),
        (FTYP + box(b"free", bytes(100)), 0),
        (FTYP + box(b"free", b"secret"), 6),
        (FTYP + box(b"skip", bytes(9) + b"x") + box(b"free", b"ab"), 12),
        (FTYP + box(b"mdat", b"media"), 0),
        (FTYP + struct.pack(">I4sQ", 1, b"free", 20) + b"long", 4),
        (FTYP + struct.pack(">I4s", 0, b"free") + b"to the end", 10),
        (FTYP + struct.pack(">I4s", 900, b"free") + b"cut off", 0),
        (FTYP + box(b"free", bytes(3 << 20) + b"x"), (3 << 20) + 1),
        (b"\xff\xd8\xff\xe0 a picture", 0),
    ],
)
def test_what_is_in_padding_is_counted(content: bytes, count: int) -> None:
    assert count_unsigned_bytes(io.BytesIO(content)) == count


@given(st.binary(max_size=300))
def test_any_bytes_give_a_count_within_the_file(noise: bytes) -> None:
    assert 0 <= count_unsigned_bytes(io.BytesIO(FTYP + noise)) <= len(noise)


def test_a_payload_beside_the_signed_content_is_told_and_changes_no_verdict(
    signed_clip: SignedAsset, trust: TrustStore, tmp_path: Path
) -> None:
    stuffed = tmp_path / "stuffed.mp4"
    stuffed.write_bytes(signed_clip.path.read_bytes() + box(b"free", b"a hidden message"))

    report = judge(read_provenance(stuffed, trust))

    assert (report.verdict, report.unsigned_bytes, report.to_json()["unsigned_bytes"]) == ("trusted", 16, 16)
    assert "16 bytes of padding" in report.explain("en")
    assert "16바이트" in report.explain("ko")


def test_a_clip_as_it_was_signed_has_none(signed_clip: SignedAsset, trust: TrustStore) -> None:
    report = judge(read_provenance(signed_clip.path, trust))

    assert report.unsigned_bytes == 0
    assert "padding" not in report.explain("en")
