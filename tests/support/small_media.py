"""Tiny pictures and clips of every kind that can be signed, made by code."""

import io
from pathlib import Path

import av
import numpy as np
from PIL import Image

STILL_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".webp": "WEBP"}


def write_still(path: Path, *, seed: int = 1) -> Path:
    """Write 64 by 64 pixels of noise in the kind that the path's ending names."""
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, STILL_FORMATS[path.suffix])
    return path


def still_bytes(suffix: str, *, seed: int = 1) -> bytes:
    """Give 64 by 64 pixels of noise as a file's content."""
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, STILL_FORMATS[suffix])
    return target.getvalue()


def rewrap(source: Path, target: Path, *, container: str, movflags: str = "") -> Path:
    """Put a clip's packets into another container, without decoding them."""
    options = {"movflags": movflags} if movflags else {}
    with av.open(str(source)) as reading, av.open(str(target), "w", format=container, options=options) as writing:
        stream = writing.add_stream_from_template(reading.streams.video[0])
        for packet in (each for each in reading.demux(reading.streams.video[0]) if each.dts is not None):
            packet.stream = stream
            writing.mux(packet)
    return target


def boxes(content: bytes) -> list[bytes]:
    """Give the types of an ISO file's outermost boxes, in order."""
    found, at = [], 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        found.append(content[at + 4 : at + 8])
        at += size if size >= 8 else len(content)
    return found
