"""An icon beside the label's words: only one that is safe to read and can be seen, and the words stay as they were."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from platemark.clip import Size
from platemark.errors import MediaError, RequestError
from platemark.media.icon import MAX_BYTES, LabelIcon, read_icon
from platemark.media.label import LabelSpec, render_label
from platemark.media.label_reading import LabelReader
from platemark.media.luma import luma_of

SIZES = [Size(128, 128), Size(256, 256), Size(512, 288), Size(360, 640), Size(1280, 720), Size(2048, 2048)]
CLEAR = (0, 0, 0, 0)


def ring(side: int = 64, colour: tuple[int, int, int, int] = (255, 255, 255, 255), *, wide: int = 1) -> Image.Image:
    picture = Image.new("RGBA", (side * wide, side), CLEAR)
    ImageDraw.Draw(picture).ellipse((2, 2, side * wide - 3, side - 3), outline=colour, width=max(3, side // 6))
    return picture


def write_moving(path: Path) -> None:
    ring().save(path, save_all=True, append_images=[ring(colour=(200, 200, 200, 255))])


@pytest.fixture
def icon(tmp_path: Path) -> LabelIcon:
    """A white ring on nothing."""
    ring().save(tmp_path / "ring.png")
    return read_icon(tmp_path / "ring.png")


def test_it_is_known_by_the_hash_of_its_bytes(icon: LabelIcon, tmp_path: Path) -> None:
    assert icon.sha256 == hashlib.sha256((tmp_path / "ring.png").read_bytes()).hexdigest()


def test_what_cannot_be_seen_does_not_darken_what_can(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (64, 64), CLEAR)
    picture.paste((255, 255, 255, 255), (0, 0, 32, 64))
    picture.save(tmp_path / "half.png")

    drawn = read_icon(tmp_path / "half.png").scaled(9)

    assert drawn.shape == (9, 9, 2)
    assert (drawn[:, :, 0][drawn[:, :, 1] > 30] >= 250).all()


@pytest.mark.parametrize("side", [16, 1024])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_every_size_and_kind_within_the_bounds_is_taken(tmp_path: Path, side: int, mode: str) -> None:
    ring(side).convert(mode).save(tmp_path / "icon.png")

    assert read_icon(tmp_path / "icon.png").scaled(20).shape == (20, 20, 2)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "not a file"),
    "folder": (lambda path: path.mkdir(), "not a file"),
    "empty": (lambda path: path.write_bytes(b""), "not a readable PNG"),
    "text": (lambda path: path.write_text("<svg/>"), "not a readable PNG"),
    "jpeg": (lambda path: ring().convert("RGB").save(path, format="JPEG"), "not a readable PNG"),
    "cut": (lambda path: (ring(256).save(path), path.write_bytes(path.read_bytes()[:200])), "not a readable PNG"),
    "no alpha": (lambda path: ring().convert("RGB").save(path), "no transparency"),
    "too large": (lambda path: path.write_bytes(b"\x89PNG" + bytes(MAX_BYTES)), "more than 1 MiB"),
    "too many pixels": (lambda path: ring(1025).save(path), "1025x1025"),
    "too small": (lambda path: ring(15).save(path), "15x15"),
    "too wide": (lambda path: ring(64, wide=5).save(path), "4 times as long"),
    "moving": (write_moving, "moves"),
    "invisible": (lambda path: Image.new("RGBA", (64, 64), (255, 255, 255, 0)).save(path), "all but empty"),
    "black": (lambda path: ring(colour=(0, 0, 0, 255)).save(path), "cannot be told"),
    "dim": (lambda path: ring(colour=(70, 70, 70, 255)).save(path), "cannot be told"),
}


@pytest.mark.parametrize(("write", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_icon_is_refused(tmp_path: Path, write: Callable[[Path], object], said: str) -> None:
    write(tmp_path / "icon.png")

    with pytest.raises(MediaError, match=said):
        read_icon(tmp_path / "icon.png")


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("language", ["en", "ko", "zh"])
def test_the_words_keep_their_height_and_the_plate_stays_in_the_frame(
    icon: LabelIcon, size: Size, language: str
) -> None:
    spec = LabelSpec.standard(language)

    plain, with_icon = render_label(spec, size), render_label(spec, size, icon)

    assert with_icon.letter_height == plain.letter_height
    assert with_icon.letters[2:] == plain.letters[2:]
    assert with_icon.box.x >= size.width * 0.05
    assert with_icon.box.x + with_icon.box.width == plain.box.x + plain.box.width
    assert with_icon.box.height == plain.box.height


@pytest.mark.parametrize("size", SIZES[:5], ids=str)
def test_it_stands_left_of_the_words_as_high_as_a_capital(icon: LabelIcon, size: Size) -> None:
    rendered = render_label(LabelSpec.standard("en"), size, icon)

    left = rendered.pixels[:, : rendered.letters.x - rendered.box.x - 1, 0]
    rows = np.flatnonzero((left > 60).any(axis=1))

    assert rendered.letter_height - 2 <= rows[-1] - rows[0] + 1 <= rendered.letter_height
    assert rows[0] >= 1
    assert rows[-1] < rendered.box.height - 1


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("size", SIZES[:4], ids=str)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_reader_finds_the_words_again(icon: LabelIcon, size: Size, language: str, level: int) -> None:
    frame = np.full((size.height, size.width, 3), level, np.uint8)
    reader = LabelReader()

    found = reader.feed(luma_of(render_label(LabelSpec.standard(language), size, icon).draw(frame)))

    sighting = reader.presence.sighting
    assert found
    assert sighting is not None
    assert sighting.text == LabelSpec.standard(language).text
    assert sighting.contrast >= 4.5
    assert sighting.height_share >= 0.048


def test_an_icon_that_leaves_the_words_no_room_is_refused(icon: LabelIcon) -> None:
    with pytest.raises(RequestError, match="does not fit"):
        render_label(LabelSpec("AI-generated picture", "en"), Size(128, 128), icon)


def test_its_colours_become_greys(tmp_path: Path) -> None:
    ring(colour=(90, 220, 255, 255)).save(tmp_path / "blue.png")

    pixels = render_label(LabelSpec("AI", "en"), Size(256, 256), read_icon(tmp_path / "blue.png")).pixels

    assert (pixels[:, :, 0] == pixels[:, :, 2]).all()
