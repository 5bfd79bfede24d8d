"""The XMP packet of an MP4 file: a box of its own beside the media, appended and read by its length alone.

One rule: what a file says is taken for hostile: boxes are walked within bounds, and no XML parser ever sees the packet.

Source: XMP Specification Part 3, section 1.2.7 (ISO base media: a `uuid` box at the top level).
"""

import struct
from pathlib import Path

from platemark.errors import OutputError
from platemark.media.destination import output_error
from platemark_provenance.durable import sync_file

XMP_UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
MAX_PACKET_BYTES = 65_536
_MOST_BOXES = 100_000
_HEADER, _LARGE = 8, 16


def append_packet(path: Path, packet: str) -> None:
    """Append an XMP packet to an MP4 file; its media and index stay where they are.

    Raises:
        OutputError: the packet is over 64 KiB, or the file cannot be written.
    """
    content = packet.encode("utf-8")
    if len(content) > MAX_PACKET_BYTES:
        raise OutputError(f"An XMP packet has at most {MAX_PACKET_BYTES} bytes; this one has {len(content)}.")
    box = struct.pack(">I4s", _HEADER + len(XMP_UUID) + len(content), b"uuid") + XMP_UUID + content
    try:
        with path.open("ab") as file:
            file.write(box)
            file.flush()
        sync_file(path)
    except OSError as error:
        raise output_error(error.errno, path) from error


def read_packet(path: Path) -> str | None:
    """Give the first XMP packet at the top level of an MP4 file; None where there is none that can be read."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            at = 0
            for _ in range(_MOST_BOXES):
                file.seek(at)
                size, header = _box(file.read(_LARGE), end - at)
                if not header <= size <= end - at:
                    return None
                if header == _HEADER and size <= MAX_PACKET_BYTES + _HEADER + len(XMP_UUID):
                    file.seek(at)
                    content = file.read(size)
                    if content[4:8] == b"uuid" and content[8:24] == XMP_UUID:
                        return content[24:].decode("utf-8", "replace")
                at += size
    except OSError:
        return None
    return None


def _box(start: bytes, left: int) -> tuple[int, int]:
    """Give the size of a box and of its header; a size of 0 ends the walk."""
    if len(start) < _HEADER:
        return 0, _HEADER
    size = int.from_bytes(start[:4], "big")
    if size == 1 and len(start) == _LARGE:
        return int.from_bytes(start[8:], "big"), _LARGE
    return (left, _HEADER) if size == 0 else (size, _HEADER)
