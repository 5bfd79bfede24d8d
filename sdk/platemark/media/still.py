"""Still pictures in and out, through Pillow.

One rule: what is read is taken for hostile: three formats, a bound on pixels checked before anything is
decompressed, and every fault of the file is a MediaError. Pillow's own global limits are left as they are.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from platemark.errors import MediaError, RequestError
from platemark.media.destination import output_error, whole_file
from platemark.media.yuv import RGB

MAX_PIXELS = 64_000_000
"""Larger pictures are refused unread: 64 MP is 192 MB as RGB."""

_FORMATS = ("PNG", "JPEG", "WEBP")
_SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_PNG_MAGIC, _JPEG_MAGIC = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_ORIENTATION = 0x0112
_QUARTER_TURNS = (5, 6, 7, 8)
"""Source: Exif 2.32, tag 0x0112: the values at which width and height change places."""
_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
)
"""What Pillow's decoders are known to raise for files that break their format's rules."""


@dataclass(frozen=True, slots=True)
class StillFacts:
    """What a picture file says of itself: its format, colour mode in Pillow's words, upright size, frames, and depth.

    `bits` is per channel, as the file holds it; what Pillow hands out has 8.
    """

    kind: str
    mode: str
    width: int
    height: int
    frames: int
    bits: int


def is_still(path: Path) -> bool:
    """Say whether a file begins like a PNG, JPEG or WebP picture.

    Raises:
        MediaError: the file cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            # Opening a named pipe would wait for somebody to write into it.
            raise MediaError(f"{path} is not a regular file.", fix="Name a clip or a still.")
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise MediaError(f"{path} cannot be read ({error.strerror}).", fix="Check the name.") from error
    return head.startswith((_PNG_MAGIC, _JPEG_MAGIC)) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def read_still_facts(path: Path) -> StillFacts:
    """Read what a picture file says of itself; no pixel is decompressed.

    Raises:
        MediaError: the file is missing, of another kind, damaged, or over 64 million pixels.
    """
    with _opened(path) as picture:
        # Asking a PNG for what is not at its front would decompress it.
        has_exif = picture.format != "PNG" or "exif" in picture.info
        turned = has_exif and picture.getexif().get(_ORIENTATION, 1) in _QUARTER_TURNS
        width, height = reversed(picture.size) if turned else picture.size
        return StillFacts(
            kind=picture.format or "",
            mode=picture.mode,
            width=width,
            height=height,
            frames=getattr(picture, "n_frames", 1),
            bits=_bits(path, picture.mode),
        )


def read_still(path: Path) -> RGB:
    """Read a PNG, JPEG or WebP picture as people see it: upright, transparency over white, first frame only.

    Colour profiles are not applied; 16-bit grey is cut to 8 bits.

    Returns:
        uint8 (h, w, 3) RGB.

    Raises:
        MediaError: the file is missing, of another kind, damaged, or over 64 million pixels.
    """
    with _opened(path) as picture:
        return np.array(_flatten(ImageOps.exif_transpose(picture)))


def write_still(picture: RGB, path: Path) -> None:
    """Write a picture without metadata, in the format that the file's suffix names.

    Args:
        picture: uint8 (h, w, 3) RGB.
        path: .png, .jpg, .jpeg or .webp; what is there is replaced, and nothing is there if writing fails.

    Raises:
        RequestError: another suffix, or not such a picture.
        OutputError: the file cannot be written.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise RequestError(f"Unknown picture suffix {path.suffix!r}.", fix=f"One of {', '.join(_SUFFIXES)}.")
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise RequestError(f"A picture is uint8 (h, w, 3) RGB; got {picture.dtype} {picture.shape}.")
    kind = _SUFFIXES[path.suffix.lower()]
    options: dict[str, int] = {"JPEG": {"quality": 92, "subsampling": 0}, "WEBP": {"lossless": 1}}.get(kind, {})
    with whole_file(path):
        try:
            Image.fromarray(picture).save(path, kind, **options)
        except OSError as error:
            raise output_error(error.errno, path) from error


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    if not path.is_file():
        raise MediaError(f"{path} is not a file.", fix="Check the name.")
    try:
        # Pillow warns about large pictures on its own terms; here the bound below decides.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as picture:
                _check_pixels(path, picture.size)
                yield picture
    except Image.DecompressionBombError as error:
        raise MediaError(f"{path} is too large; at most {MAX_PIXELS // 10**6} million pixels are read.") from error
    except _FAULTS as error:
        raise MediaError(
            f"{path} is not a readable PNG, JPEG or WebP picture.", fix="Use an undamaged copy."
        ) from error


def _bits(path: Path, mode: str) -> int:
    """Give the bits of a channel: PNG keeps them at a fixed place, which Pillow does not show for colour pictures."""
    with path.open("rb") as file:
        head = file.read(25)
    if head.startswith(_PNG_MAGIC):
        return head[24]
    return 16 if mode.startswith("I") else 8


def _check_pixels(path: Path, size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise MediaError(f"{path} is {size[0]}x{size[1]}; at most {MAX_PIXELS // 10**6} million pixels.")


def _flatten(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        # 16-bit grey: Pillow's own conversion would clip everything above 255 to white.
        return Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")
