"""China's statement in real files: as a tag and as XMP, there after signing, and nothing but the metadata touched."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import OutputError
from platemark.media.aigc import XMP_NAMESPACE, AigcStatement, read_xmp, to_xmp
from platemark.media.stating import AigcFound, read_aigc, write_aigc
from platemark.media.video import EncodeSettings, read_luma, read_tags, remux_with_tags, to_yuv420, write_video
from platemark.media.xmp import MAX_PACKET_BYTES, XMP_UUID, append_packet, read_packet

SAID = AigcStatement("1", '데일리 <Example> & "Sons"', "01a20447-aa", reserved_1="é")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small clip without any metadata."""
    path = tmp_path_factory.mktemp("aigc") / "plain.mp4"
    grey = (to_yuv420(np.full((64, 96, 3), 20 * n, np.uint8)) for n in range(6))
    write_video(grey, path, settings=EncodeSettings(fps=Fraction(12)))
    return path


@pytest.fixture
def stated(plain: Path, tmp_path: Path) -> Path:
    """The clip with a statement."""
    path = tmp_path / "stated.mp4"
    path.write_bytes(plain.read_bytes())
    write_aigc(path, SAID, through=tmp_path / "through.mp4")
    return path


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_it_is_read_back_from_both_places(stated: Path) -> None:
    assert read_aigc(stated) == AigcFound(SAID, SAID)


def test_the_tag_has_the_name_of_the_standard(stated: Path) -> None:
    assert list(read_tags(stated)).count("AIGC") == 1


def test_the_picture_is_copied_packet_by_packet(plain: Path, stated: Path) -> None:
    assert packets(stated) == packets(plain)
    assert all(np.array_equal(a, b) for a, b in zip(read_luma(stated), read_luma(plain), strict=True))


def test_nothing_is_left_of_the_file_on_the_way(stated: Path) -> None:
    assert [each.name for each in stated.parent.iterdir()] == ["stated.mp4"]


def test_a_clip_without_says_nothing(plain: Path) -> None:
    assert read_aigc(plain) == AigcFound()


def test_a_second_statement_takes_the_place_of_the_first(stated: Path, tmp_path: Path) -> None:
    other = AigcStatement("2", "Other", "7")

    write_aigc(stated, other, through=tmp_path / "through.mp4")

    assert read_aigc(stated) == AigcFound(other, other)


def test_where_the_way_is_blocked_the_clip_stays_as_it_was(plain: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(plain.read_bytes())

    with pytest.raises(OutputError):
        write_aigc(path, SAID, through=tmp_path / "no such folder" / "x.mp4")

    assert path.read_bytes() == plain.read_bytes()


def test_a_tag_that_cannot_be_kept_is_told(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="should carry the tag"):
        remux_with_tags(plain, tmp_path / "out.mp4", {"comment": "x" * 100_000})

    assert not (tmp_path / "out.mp4").exists()


# XMP


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_statement_survives_xmp(producer: str, number: str) -> None:
    said = AigcStatement("1", producer, number)

    assert read_xmp(to_xmp(said)) == said


@pytest.mark.parametrize(
    "form",
    [
        '<rdf:Description xmlns:TC260="{ns}"><TC260:AIGC>{said}</TC260:AIGC></rdf:Description>',
        '<rdf:Description xmlns:x="{ns}" x:AIGC="{said}"/>',
        "<rdf:Description xmlns:x='{ns}' x:AIGC='{said}'/>",
        '<a xmlns:n="other"/><rdf:Description xmlns:q-1="{ns}"><q-1:AIGC>{said}</q-1:AIGC></rdf:Description>',
    ],
)
def test_others_spell_it_with_their_own_prefix_or_as_an_attribute(form: str) -> None:
    said = AigcStatement("1", "Daily", "7")
    quoted = said.to_text().replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")

    assert read_xmp(form.format(ns=XMP_NAMESPACE, said=quoted)) == said


@pytest.mark.parametrize(
    "packet",
    [
        "",
        "<x:xmpmeta/>",
        f'<a xmlns:T="{XMP_NAMESPACE}"><T:AIGC>no json</T:AIGC></a>',
        '<a xmlns:T="http://elsewhere/"><T:AIGC>{"Label":"1"}</T:AIGC></a>',
        f'<a xmlns:T="{XMP_NAMESPACE}"><T:AIGC>' + "x" * 200_000,
        '<!DOCTYPE a [<!ENTITY b "c">]>' + f'<a xmlns:T="{XMP_NAMESPACE}"><T:AIGC>&b;</T:AIGC></a>',
    ],
)
def test_another_packet_says_nothing(packet: str) -> None:
    assert read_xmp(packet) is None


@given(st.text(max_size=400))
def test_no_packet_makes_reading_fail(packet: str) -> None:
    assert read_xmp(f'xmlns:T="{XMP_NAMESPACE}" {packet}') is None or "AIGC" in packet


def test_a_packet_too_large_is_refused(plain: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(plain.read_bytes())

    with pytest.raises(OutputError, match="65536"):
        append_packet(path, "x" * (MAX_PACKET_BYTES + 1))

    assert path.read_bytes() == plain.read_bytes()


def box(kind: bytes, content: bytes, *, size: int | None = None) -> bytes:
    return struct.pack(">I4s", len(content) + 8 if size is None else size, kind) + content


FTYP = box(b"ftyp", b"isom\0\0\0\0")
PACKET = box(b"uuid", XMP_UUID + b"<xmp/>")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (FTYP + PACKET, "<xmp/>"),
        (FTYP + box(b"uuid", b"\0" * 16 + b"other") + PACKET, "<xmp/>"),
        (FTYP + struct.pack(">I4sQ", 1, b"mdat", 24) + b"12345678" + PACKET, "<xmp/>"),
        (FTYP + box(b"mdat", b"rest", size=0) + PACKET, None),
        (FTYP + box(b"free", b"", size=4) + PACKET, None),
        (FTYP + box(b"mdat", b"", size=2**31) + PACKET, None),
        (FTYP + struct.pack(">I4sQ", 1, b"mdat", 3) + PACKET, None),
        (b"", None),
        (b"\0\0", None),
        (FTYP + box(b"uuid", XMP_UUID + b"x" * (MAX_PACKET_BYTES + 1)), None),
    ],
)
def test_boxes_are_walked_by_their_length_and_no_further(content: bytes, found: str | None, tmp_path: Path) -> None:
    path = tmp_path / "boxes.mp4"
    path.write_bytes(content)

    assert read_packet(path) == found


@pytest.mark.parametrize("size", [2**63 - 1, 2**63, 2**64 - 1, 15])
def test_a_box_that_says_it_is_longer_than_any_file_ends_the_walk(size: int, plain: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    path.write_bytes(plain.read_bytes() + struct.pack(">I4sQ", 1, b"free", size) + bytes(64))

    assert read_packet(path) is None


@given(st.binary(max_size=200))
def test_whatever_follows_a_clip_is_no_more_than_an_answer(plain: Path, content: bytes) -> None:
    path = plain.with_name("followed.mp4")
    path.write_bytes(plain.read_bytes() + content)

    assert read_packet(path) is None or content


def test_a_file_that_is_not_there_has_no_packet(tmp_path: Path) -> None:
    assert read_packet(tmp_path / "none.mp4") is None
