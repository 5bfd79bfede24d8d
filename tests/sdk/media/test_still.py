"""Still pictures: read as people see them, refused when damaged or too large, written without metadata."""

import contextlib
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from platemark.errors import MediaError, OutputError, RequestError
from platemark.media import still
from platemark.media.still import is_still, read_still, write_still

RGB = npt.NDArray[np.uint8]


@pytest.fixture
def picture() -> RGB:
    y, x = np.mgrid[0:48, 0:64]
    return np.stack([4 * x, 5 * y, 2 * (x + y)], axis=-1).astype(np.uint8)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header says that it is enormous."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.webp"])
def test_lossless_formats_come_back_as_they_were(tmp_path: Path, picture: RGB, name: str) -> None:
    write_still(picture, tmp_path / name)

    assert np.array_equal(read_still(tmp_path / name), picture)


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg"])
def test_jpeg_comes_back_nearly_so(tmp_path: Path, picture: RGB, name: str) -> None:
    write_still(picture, tmp_path / name)

    assert np.abs(read_still(tmp_path / name).astype(int) - picture).mean() < 3


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_what_is_written_is_a_still_and_the_same_every_time(tmp_path: Path, picture: RGB, name: str) -> None:
    write_still(picture, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    write_still(picture, tmp_path / name)

    assert is_still(tmp_path / name)
    assert (tmp_path / name).read_bytes() == first


def test_a_clip_is_not_a_still(clip: Path) -> None:
    assert not is_still(clip)


def test_a_missing_file_is_neither(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="cannot be read"):
        is_still(tmp_path / "missing.png")


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [(1, 0), (3, 2), (6, 3), (8, 1)],
)
def test_a_picture_is_turned_upright(tmp_path: Path, picture: RGB, orientation: int, turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)

    assert np.array_equal(read_still(tmp_path / "a.png"), np.rot90(picture, turned))


def test_a_picture_that_is_already_turned_does_not_get_turned_again(tmp_path: Path, picture: RGB) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)

    write_still(read_still(tmp_path / "a.png"), tmp_path / "b.png")

    assert np.array_equal(read_still(tmp_path / "b.png"), read_still(tmp_path / "a.png"))
    assert dict(Image.open(tmp_path / "b.png").getexif()) == {}


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    pixels = np.array([[[200, 0, 0, 0], [200, 0, 0, 255], [0, 0, 0, 128]]], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")

    seen = read_still(tmp_path / "a.png")[0]

    assert seen[0].tolist() == [255, 255, 255]
    assert seen[1].tolist() == [200, 0, 0]
    assert abs(int(seen[2, 0]) - 127) <= 1


def test_palette_transparency_is_laid_over_white(tmp_path: Path) -> None:
    indexed = Image.new("P", (2, 1))
    indexed.putpalette([255, 0, 0, 0, 0, 255])
    indexed.putdata([0, 1])
    indexed.save(tmp_path / "a.png", transparency=0)

    assert read_still(tmp_path / "a.png")[0].tolist() == [[255, 255, 255], [0, 0, 255]]


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    Image.new("RGB", (8, 6), "white").convert(mode).save(tmp_path / "a.png")

    seen = read_still(tmp_path / "a.png")

    assert (seen.shape, seen.dtype) == ((6, 8, 3), np.dtype(np.uint8))
    assert seen.min() >= 254


def test_cmyk_jpeg_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg")

    seen = read_still(tmp_path / "a.jpg")[8, 8].astype(int)

    assert seen[0] > 200 > 60 > seen[1]


def test_sixteen_bit_grey_is_cut_to_eight_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 256, 32_768, 65_535]], np.uint16)).save(tmp_path / "a.png")

    assert read_still(tmp_path / "a.png")[0, :, 0].tolist() == [0, 1, 128, 255]


def test_a_moving_picture_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)

    assert read_still(tmp_path / "a.webp")[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("width", "height"), [(8001, 8000), (10_000, 10_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)], ids=str
)
def test_a_picture_bomb_is_refused_unread(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_claiming(width, height))

    with pytest.raises(MediaError, match=r"bomb\.png"):
        read_still(path)


def test_the_bound_is_on_pixels(tmp_path: Path, picture: RGB, monkeypatch: pytest.MonkeyPatch) -> None:
    write_still(picture, tmp_path / "a.png")
    monkeypatch.setattr(still, "MAX_PIXELS", 48 * 64)
    read_still(tmp_path / "a.png")
    monkeypatch.setattr(still, "MAX_PIXELS", 48 * 64 - 1)

    with pytest.raises(MediaError, match="64x48"):
        read_still(tmp_path / "a.png")


def test_a_text_bomb_inside_a_picture_is_refused_or_ignored(tmp_path: Path, picture: RGB) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * 3_000_000, zip=True)
    Image.fromarray(picture).save(tmp_path / "a.png", pnginfo=info)

    with pytest.raises(MediaError):
        read_still(tmp_path / "a.png")


def test_pillows_own_limit_is_left_alone() -> None:
    assert Image.MAX_IMAGE_PIXELS == 1024 * 1024 * 1024 // 4 // 3


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"text", b"GIF89a" + b"\0" * 50, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBP"],
    ids=["empty", "zeros", "text", "gif", "png-magic", "jpeg-magic", "webp-magic"],
)
def test_what_is_not_a_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)

    with pytest.raises(MediaError, match="not a readable"):
        read_still(path)


@pytest.mark.parametrize("name", ["missing.png", ""])
def test_what_is_not_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MediaError, match="not a file"):
        read_still(tmp_path / name)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_a_picture_that_is_cut_off_is_refused(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    write_still(noise, tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])

    with pytest.raises(MediaError):
        read_still(tmp_path / name)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), name=st.sampled_from(["a.png", "a.jpg", "a.webp"]))
def test_damage_anywhere_gives_a_picture_or_a_media_error(
    tmp_path: Path, picture: RGB, data: st.DataObject, name: str
) -> None:
    write_still(picture, tmp_path / name)
    content = bytearray((tmp_path / name).read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    (tmp_path / name).write_bytes(bytes(content))

    seen = picture
    with contextlib.suppress(MediaError):
        seen = read_still(tmp_path / name)

    assert (seen.dtype, seen.ndim) == (np.dtype(np.uint8), 3)


def test_reading_leaves_the_warning_filters_as_they_were(tmp_path: Path, picture: RGB) -> None:
    write_still(picture, tmp_path / "a.png")
    before = list(warnings.filters)

    read_still(tmp_path / "a.png")

    assert list(warnings.filters) == before


@pytest.mark.parametrize("name", ["a.gif", "a.mp4", "a"])
def test_another_format_is_refused(tmp_path: Path, picture: RGB, name: str) -> None:
    with pytest.raises(RequestError, match="suffix"):
        write_still(picture, tmp_path / name)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3)], ids=str)
def test_an_array_that_is_not_a_picture_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(RequestError, match="uint8"):
        write_still(np.zeros(shape, np.uint8), tmp_path / "a.png")


def test_a_missing_directory_is_an_output_error(tmp_path: Path, picture: RGB) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_still(picture, tmp_path / "no" / "a.png")
