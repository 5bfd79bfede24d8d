"""Clips and pictures with exactly one oddity each, made by code."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

RGB = NDArray[np.uint8]


def picture(width: int = 192, height: int = 128, *, shift: int = 0) -> RGB:
    """Soft coloured waves."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    along = (x - shift) / 17
    waves = [np.sin(along + y / 23), np.sin(along / 2 - y / 31), np.cos(along / 3 + y / 41)]
    return (127.5 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def write_clip(
    path: Path,
    *,
    size: tuple[int, int] = (192, 128),
    frames: int = 8,
    fps: int = 12,
    times: Sequence[int] | None = None,
    rotation: int = 0,
    sound: bool = False,
    codec: str = "mpeg4",
    pixel_format: str = "yuv420p",
) -> Path:
    """Write a clip; `times` are the frames' places in units of one frame."""
    with av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=fps))
        stream.width, stream.height, stream.pix_fmt = (*size, pixel_format)
        stream.codec_context.time_base = Fraction(1, fps)
        if rotation:
            stream.set_display_rotation(rotation)
        tone = container.add_stream("aac", rate=48_000) if sound else None
        for index, time in enumerate(range(frames) if times is None else times):
            frame = av.VideoFrame.from_ndarray(picture(*size, shift=2 * index), format="rgb24").reformat(
                format=pixel_format
            )
            frame.pts, frame.time_base = time, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
            block.sample_rate, block.pts = 48_000, 0
            container.mux(tone.encode(block))
            container.mux(tone.encode(None))
    return path


def write_animation(path: Path) -> Path:
    """Write three pictures in one file."""
    first, *rest = (Image.fromarray(picture(shift=shift)) for shift in (0, 9, 18))
    first.save(path, save_all=True, append_images=rest, duration=100)
    return path


def write_png_header(path: Path, *, width: int, height: int, bits: int = 8) -> Path:
    """Write a PNG that says of itself what it likes, and holds next to nothing."""
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 64)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path
