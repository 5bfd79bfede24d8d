"""The visible label, measured on the pixels that people see."""

import sys
from collections.abc import Callable
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from platemark.clip import Size
from platemark.errors import RequestError
from platemark.media.label import (
    HAN_CHARACTERS,
    Box,
    LabelSpec,
    RenderedLabel,
    is_drawable,
    is_drawable_in_han,
    render_label,
)
from platemark.media.video import EncodeSettings, read_frames_rgb, to_yuv420, write_video

RGB = npt.NDArray[np.uint8]

SIZES = [
    Size(128, 128),
    Size(256, 256),
    Size(360, 640),
    Size(512, 288),
    Size(512, 512),
    Size(1280, 720),
    Size(1920, 1080),
    Size(128, 2048),
    Size(2048, 2048),
]
sizes = pytest.mark.parametrize("size", SIZES, ids=str)
languages = pytest.mark.parametrize("language", ["en", "ko"])


def ground(kind: str, size: Size) -> RGB:
    y, x = np.ogrid[0 : size.height, 0 : size.width]
    waves = (lambda: np.sin(x / 5 + y / 9), lambda: np.sin(x / 3 + 0 * y), lambda: np.cos(0 * x + y / 4))
    kinds: dict[str, Callable[[], npt.NDArray[Any]]] = {
        "black": lambda: np.zeros((size.height, size.width, 3), np.uint8),
        "white": lambda: np.full((size.height, size.width, 3), 255, np.uint8),
        "busy": lambda: np.stack([(128 + 127 * wave()).astype(np.uint8) for wave in waves], -1),
        "noise": lambda: np.random.default_rng(5).integers(0, 256, (size.height, size.width, 3), dtype=np.uint8),
        "checks": lambda: np.repeat(((x + y) % 2 * 255).astype(np.uint8)[..., None], 3, axis=-1),
    }
    return kinds[kind]()


grounds = pytest.mark.parametrize("kind", ["black", "white", "busy", "noise", "checks"])


def luminance(picture: RGB) -> npt.NDArray[np.float64]:
    """WCAG 2.2 relative luminance."""
    share = picture.astype(np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    weighted: npt.NDArray[np.float64] = linear @ np.array([0.2126, 0.7152, 0.0722])
    return weighted


def cut(picture: RGB, box: Box) -> RGB:
    return picture[box.y : box.y + box.height, box.x : box.x + box.width]


def letters_of(rendered: RenderedLabel, picture: RGB) -> npt.NDArray[np.bool_]:
    """Where the picture is bright inside the plate: the letters, found without asking the renderer."""
    mask: npt.NDArray[np.bool_] = cut(picture, rendered.box).astype(int).sum(axis=-1) > 3 * 140
    return mask


def ink_rows(mask: npt.NDArray[np.bool_]) -> int:
    rows = np.flatnonzero(mask.any(axis=1))
    return int(rows[-1] - rows[0] + 1)


@sizes
@languages
def test_the_first_capital_is_at_least_five_percent_of_the_short_side_high(size: Size, language: str) -> None:
    rendered = render_label(LabelSpec.standard(language), size)

    bright = letters_of(rendered, rendered.draw(ground("black", size)))
    columns = np.flatnonzero(bright.any(axis=0))
    # Both wordings begin with A: its ink ends where the first empty column begins.
    end = int(np.flatnonzero(~bright[:, columns[0] :].any(axis=0))[0])
    assert ink_rows(bright[:, columns[0] : columns[0] + end]) >= 0.05 * min(size.width, size.height)


@sizes
@languages
def test_the_letters_are_no_larger_than_they_need_to_be(size: Size, language: str) -> None:
    rendered = render_label(LabelSpec.standard(language), size)

    assert rendered.letter_height < 0.05 * min(size.width, size.height) + 2


@sizes
@languages
def test_the_plate_stands_top_right_inside_the_safe_margins(size: Size, language: str) -> None:
    box = render_label(LabelSpec.standard(language), size).box

    assert box.y >= 0.05 * size.height
    assert box.x >= 0.05 * size.width
    assert box.x + box.width <= 0.95 * size.width
    assert box.y + box.height <= 0.5 * size.height
    assert size.width - (box.x + box.width) < 0.05 * size.width + 4
    assert box.y < 0.05 * size.height + 4


@sizes
@languages
def test_the_letters_keep_clear_of_the_plates_edge(size: Size, language: str) -> None:
    rendered = render_label(LabelSpec.standard(language), size)

    bright = letters_of(rendered, rendered.draw(ground("black", size)))
    edges = [bright[0], bright[-1], bright[:, 0], bright[:, -1]]
    assert not any(edge.any() for edge in edges)


@sizes
@languages
def test_the_told_boxes_are_where_the_pixels_changed(size: Size, language: str) -> None:
    frame = ground("white", size)
    rendered = render_label(LabelSpec.standard(language), size)

    labelled = rendered.draw(frame)

    changed = np.argwhere((labelled != frame).any(axis=-1))
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
    assert Box(int(left), int(top), int(right - left + 1), int(bottom - top + 1)) == rendered.box
    bright = np.argwhere(letters_of(rendered, labelled))
    (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0)
    seen = np.array([rendered.box.x + left, rendered.box.y + top, right - left + 1, bottom - top + 1])
    assert np.abs(seen - rendered.letters).max() <= 2


@languages
@grounds
@pytest.mark.parametrize("size", [Size(128, 128), Size(512, 512), Size(2048, 2048)], ids=str)
def test_letters_and_plate_differ_enough_whatever_the_picture(size: Size, language: str, kind: str) -> None:
    rendered = render_label(LabelSpec.standard(language), size)

    light = luminance(cut(rendered.draw(ground(kind, size)), rendered.box))

    opaque_letters = rendered.pixels[:, :, :3].min(axis=-1) == 255
    plate = rendered.pixels[:, :, :3].max(axis=-1) == rendered.pixels[0, 0, 0]
    contrast = (light[opaque_letters].min() + 0.05) / (light[plate].max() + 0.05)
    assert contrast >= 4.5


@languages
@grounds
def test_the_label_is_still_there_after_a_coarse_encoding(tmp_path: Path, language: str, kind: str) -> None:
    size = Size(256, 256)
    rendered = render_label(LabelSpec.standard(language), size)
    frame = to_yuv420(rendered.draw(ground(kind, size)))

    write_video([frame] * 3, tmp_path / "clip.mp4", settings=EncodeSettings(Fraction(24), crf=35))

    expected = letters_of(rendered, rendered.draw(ground("black", size)))
    decoded = list(read_frames_rgb(tmp_path / "clip.mp4"))
    agreement = [(letters_of(rendered, picture) == expected).mean() for picture in decoded]
    assert min(agreement) > 0.95


def test_the_two_languages_look_different_and_not_like_empty_boxes() -> None:
    size = Size(512, 512)

    korean = render_label(LabelSpec.standard("ko"), size).pixels
    boxes = render_label(LabelSpec("AI ○○ ○○", "ko"), size).pixels

    assert korean.shape != render_label(LabelSpec.standard("en"), size).pixels.shape
    assert korean.shape != boxes.shape or not np.array_equal(korean, boxes)


def test_standard_wordings() -> None:
    assert LabelSpec.standard("en") == LabelSpec("AI-generated", "en", "top_right")
    assert LabelSpec.standard("ko-KR") == LabelSpec("AI 생성 영상", "ko-KR", "top_right")
    assert LabelSpec.standard("fr", text="Créé par IA").text == "Créé par IA"


def test_a_language_without_wording_is_refused() -> None:
    with pytest.raises(RequestError, match="no standard label in 'fr'"):
        LabelSpec.standard("fr")


@pytest.mark.parametrize(
    ("place", "right", "bottom"),
    [
        ("top_left", False, False),
        ("top_right", True, False),
        ("bottom_left", False, True),
        ("bottom_right", True, True),
    ],
)
def test_every_corner_keeps_the_margins(place: str, right: bool, bottom: bool) -> None:
    size = Size(640, 360)

    box = render_label(LabelSpec("AI-generated", "en", place), size).box  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    assert (box.x + box.width / 2 > size.width / 2) is right
    assert (box.y + box.height / 2 > size.height / 2) is bottom
    assert 0.05 * size.width <= box.x <= box.x + box.width <= 0.95 * size.width
    assert 0.05 * size.height <= box.y <= box.y + box.height <= 0.95 * size.height


def test_a_frame_is_copied_and_nothing_outside_the_plate_changes() -> None:
    size = Size(512, 512)
    frame = ground("noise", size)
    rendered = render_label(LabelSpec.standard("en"), size)

    labelled = rendered.draw(frame)

    inside = np.zeros(frame.shape[:2], bool)
    inside[rendered.box.y :, rendered.box.x :][: rendered.box.height, : rendered.box.width] = True
    assert np.array_equal(frame, ground("noise", size))
    assert np.array_equal(labelled[~inside], frame[~inside])
    assert not np.array_equal(labelled[inside], frame[inside])


def test_the_same_request_gives_the_same_pixels() -> None:
    first, second = (render_label(LabelSpec.standard("ko"), Size(512, 512)) for _ in range(2))

    assert np.array_equal(first.pixels, second.pixels)
    assert first.box == second.box


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((512, 510, 3), np.uint8),
        np.zeros((512, 512), np.uint8),
        np.zeros((512, 512, 4), np.uint8),
        np.zeros((512, 512, 3), np.float32),
    ],
    ids=["other-size", "grey", "alpha", "float"],
)
def test_a_frame_that_the_label_was_not_drawn_for_is_refused(frame: RGB) -> None:
    rendered = render_label(LabelSpec.standard("en"), Size(512, 512))

    with pytest.raises(RequestError, match="512x512"):
        rendered.draw(frame)


def test_a_long_text_gives_up_its_side_padding_and_not_its_height() -> None:
    size = Size(512, 512)

    short = render_label(LabelSpec("AI-generated", "en"), size)
    long = render_label(LabelSpec("Generated with AI by them", "en"), size)

    def side(label: RenderedLabel) -> int:
        return label.letters.x - label.box.x

    assert 1 <= side(long) < side(short)
    assert long.letter_height == short.letter_height >= 26
    assert long.box.x >= 26
    assert long.box.x + long.box.width <= 486


@pytest.mark.parametrize("text", ["This clip was generated with artificial intelligence", "가" * 40])
def test_a_text_too_long_for_the_width_is_refused_rather_than_shrunk(text: str) -> None:
    with pytest.raises(RequestError, match="letters 26 pixels high"):
        render_label(LabelSpec(text, "en"), Size(512, 512))


def test_the_same_long_text_fits_a_wide_clip() -> None:
    rendered = render_label(LabelSpec("This clip was generated with artificial intelligence", "en"), Size(2048, 512))

    assert rendered.letter_height >= 26


def test_small_letters_alone_are_drawn_large_enough_too() -> None:
    rendered = render_label(LabelSpec("ai is us", "en"), Size(1024, 512))

    assert rendered.letters.height >= 26


@pytest.mark.parametrize("text", ["...", "–", "·" * 5])
def test_a_text_without_letters_to_read_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="no letters to read"):
        LabelSpec(text, "en")


@pytest.mark.parametrize(
    "text",
    ["", "   ", "x" * 61, "AI\ngenerated", "AI\u202egenerated", "AI\x00", "AI 龍", "🤖 AI", "뷁쀍", "AI\u00ad", "АI"],
    ids=[
        "empty",
        "blank",
        "long",
        "two-lines",
        "bidi",
        "nul",
        "han",
        "emoji",
        "rare-hangul",
        "soft-hyphen",
        "cyrillic",
    ],
)
def test_a_text_the_font_cannot_show_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        LabelSpec(text, "en")


def test_an_unknown_corner_is_refused() -> None:
    with pytest.raises(RequestError, match="top_right"):
        LabelSpec("AI-generated", "en", "middle")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_decomposed_hangul_is_composed() -> None:
    assert LabelSpec("AI \u110b\u1167\u11bc\u1109\u1161\u11bc", "ko").text == "AI 영상"


@given(st.characters())
def test_every_character_called_drawable_has_a_glyph_of_its_own(character: str) -> None:
    font = ImageFont.truetype(
        str(resources.files("platemark.media") / "fonts" / "PlatemarkLabel.otf"),
        24,
        layout_engine=ImageFont.Layout.BASIC,
    )

    shown, empty_box = (bytes(font.getmask(text)) for text in (character, "\U0010ffff"))

    assert (shown != empty_box) or not is_drawable(character)


def test_the_font_holds_all_of_ks_x_1001_and_latin_1() -> None:
    everything = [chr(code) for code in range(sys.maxunicode + 1) if is_drawable(chr(code))]
    font = ImageFont.truetype(
        str(resources.files("platemark.media") / "fonts" / "PlatemarkLabel.otf"),
        16,
        layout_engine=ImageFont.Layout.BASIC,
    )

    empty_box = bytes(font.getmask("\U0010ffff"))
    missing = [character for character in everything if bytes(font.getmask(character)) == empty_box]

    assert len([character for character in everything if "가" <= character <= "힣"]) == 2350
    assert len(everything) > 2500
    assert missing == []


def test_the_fonts_licence_lies_beside_it() -> None:
    folder = resources.files("platemark.media") / "fonts"

    licence = (folder / "OFL.txt").read_text(encoding="utf-8")
    font = (folder / "PlatemarkLabel.otf").read_bytes()

    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "Reserved Font Name Pretendard" in licence
    assert len(font) < 1_000_000


def test_the_font_does_not_carry_the_reserved_name() -> None:
    path = str(resources.files("platemark.media") / "fonts" / "PlatemarkLabel.otf")

    assert ImageFont.truetype(path, 16).getname() == ("Platemark Label", "Regular")


HAN_FONT = "PlatemarkLabelHan.otf"


def test_the_font_for_chinese_holds_what_it_is_said_to_hold() -> None:
    everything = [chr(code) for code in range(sys.maxunicode + 1) if is_drawable_in_han(chr(code))]
    path = str(resources.files("platemark.media") / "fonts" / HAN_FONT)
    font = ImageFont.truetype(path, 40, layout_engine=ImageFont.Layout.BASIC)
    empty_box = bytes(font.getmask("\U0010ffff"))

    missing = [each for each in everything if each != " " and bytes(font.getmask(each)) == empty_box]

    assert set(everything) >= HAN_CHARACTERS
    assert missing == []


def test_the_font_for_chinese_has_its_licence_beside_it_and_no_reserved_name() -> None:
    folder = resources.files("platemark.media") / "fonts"
    licence = (folder / "OFL-Han.txt").read_text("utf-8")
    family, style = ImageFont.truetype(str(folder / HAN_FONT), 20).getname()

    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "Adobe" in licence
    assert "Source" not in f"{family} {style}"
    assert len((folder / HAN_FONT).read_bytes()) < 50_000


@pytest.mark.parametrize("size", [Size(128, 128), Size(256, 256), Size(320, 180), Size(1920, 1080), Size(2048, 2048)])
@pytest.mark.parametrize("text", ["AI 生成合成", "人工智能生成视频", "AI生成"])
def test_a_chinese_label_is_as_high_as_the_rule_asks_on_every_size(size: Size, text: str) -> None:
    label = render_label(LabelSpec(text, "zh"), size)

    assert label.letter_height >= 0.05 * min(size.width, size.height)
    assert label.letters.height >= label.letter_height
    assert label.box.x + label.box.width <= size.width


def test_the_standard_chinese_wording_has_the_words_of_the_rule() -> None:
    text = LabelSpec.standard("zh-CN").text

    assert "AI" in text
    assert "生成" in text
    assert "合成" in text


def test_hangul_and_chinese_in_one_label_are_refused() -> None:
    with pytest.raises(RequestError, match="both Hangul and Chinese"):
        LabelSpec("AI 생성 合成", "ko")


def test_an_english_label_keeps_its_font() -> None:
    alone = render_label(LabelSpec("AI-generated", "en"), Size(256, 256))
    tagged = render_label(LabelSpec("AI-generated", "zh"), Size(256, 256))

    np.testing.assert_array_equal(alone.pixels, tagged.pixels)
