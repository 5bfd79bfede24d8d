"""The visible label: words on a plate, on every frame, that people can read whatever the picture below.

One rule: sizes are measured on rendered pixels, never taken from a font's nominal size, and a label that
cannot be drawn large enough is refused rather than shrunk.
"""

import io
import math
import re
import sys
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from platemark.clip import Size
from platemark.errors import RequestError
from platemark.media.icon import PLATE_GREY, LabelIcon
from platemark.media.yuv import RGB

Place = Literal["top_right", "top_left", "bottom_right", "bottom_left"]

STANDARD_TEXTS = {"en": "AI-generated", "ko": "AI 생성 영상", "zh": "AI 生成合成"}
"""The standard wordings. All keep the capital letters "AI", which the European code of practice asks for."""

STANDARD_STILL_TEXTS = {"ko": "AI 생성 이미지"}
"""For stills, where a language's standard wording speaks of a clip."""

MIN_HEIGHT_SHARE = 0.05
"""Letters are at least this share of the short side high.

Source: GB 45438-2025 (labels of generated media) asks for 5 % of the short side, the strictest rule we know.
"""
SAFE_MARGIN_SHARE = 0.05
"""The plate keeps this share of each side free at the edge. Source: EBU R 95, graphics (title) safe area."""
MAX_TEXT_CHARACTERS = 60

_PLATE = (PLATE_GREY, PLATE_GREY, PLATE_GREY, 217)
"""Near black, 85 % opaque: 12:1 against the letters even over pure white (WCAG 2.2, 1.4.3 asks 4.5:1)."""
_LETTERS = (255, 255, 255, 255)
_PADDING_SHARE = 0.45
"""Space between letters and the plate's edge, as a share of the letters' height."""
_GAP_SHARE = 0.5
"""Space between an icon and the first letter; the reader's pattern counts 0.12 of it as plate."""
_LEAST_SIDE_PADDING = 1
_INK = 144
"""A pixel counts as part of a letter when clearly more than half of it is covered."""
HAN_CHARACTERS = frozenset(
    "人工智能生成合视频图像影片音声文字内容由制作辅助模型修改编辑重现还原场景示意画面新闻虚拟数演员非真实仅供参考本含部分的为"
)
"""What labels in Chinese are written with, from a font of their own."""
_HAN_PUNCTUATION = frozenset("·—…，。、：；！？（）《》「」【】")
_LANGUAGE = re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_LABEL_FONT, _HAN_FONT = "PlatemarkLabel.otf", "PlatemarkLabelHan.otf"
_PUNCTUATION = frozenset("‐‑–—‘’‚“”„†‡•…‰′″‹›€₩™※《》「」『』〈〉【】←↑→↓■□●○◆◇★☆")


class Box(NamedTuple):
    """A rectangle in pixels, from the frame's top left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """What a label says and where it stands.

    Args:
        text: one line, 1 to 60 characters that one label font holds: Latin-1, common punctuation and the
            2,350 syllables of KS X 1001, or plain Latin and `HAN_CHARACTERS`; it is kept in composed form (NFC).
        language: a BCP 47 language tag, for those who read the manifest.
        place: the corner.

    Raises:
        RequestError: the text is empty, too long, or holds a character that would come out as an empty box; or the
            language is no tag.
    """

    text: str
    language: str
    place: Place = "top_right"

    def __post_init__(self) -> None:
        text = unicodedata.normalize("NFC", self.text.strip())
        object.__setattr__(self, "text", text)
        if not 0 < len(text) <= MAX_TEXT_CHARACTERS:
            raise RequestError(f"A label has 1 to {MAX_TEXT_CHARACTERS} characters; got {len(text)}.")
        if not any(character.isalnum() for character in text):
            raise RequestError(f"The label {text!a} has no letters to read.", fix="Use words.")
        if _font_name(text) is None:
            missing = "".join(sorted({each for each in text if not (is_drawable(each) or is_drawable_in_han(each))}))
            raise RequestError(
                f"The label font has no {missing[:5]!a}." if missing else "No label font has both Hangul and Chinese.",
                fix="Use Latin letters, Hangul and plain punctuation, or the Chinese characters that labels need.",
            )
        if not _LANGUAGE.fullmatch(self.language):
            raise RequestError(
                f"A label's language is a tag such as en or ko-KR; got {self.language[:20]!a}.", fix="Use such a tag."
            )
        if self.place not in get_args(Place):
            raise RequestError(f"Unknown label place {self.place!r}.", fix=f"One of {', '.join(get_args(Place))}.")

    @classmethod
    def standard(cls, language: str, *, text: str = "") -> "LabelSpec":
        """Give a language's label, top right.

        Args:
            language: a language tag; `ko-KR` finds the wording of `ko`.
            text: own wording; empty means the standard one.

        Raises:
            RequestError: there is no standard wording in that language, or the own wording cannot be drawn.
        """
        wording = text or STANDARD_TEXTS.get(language.split("-")[0].lower(), "")
        if not wording:
            raise RequestError(
                f"There is no standard label in {language[:20]!r}.",
                fix="Use en, ko or zh, or give the label's text.",
            )
        return cls(wording, language)


@dataclass(frozen=True, slots=True, eq=False)
class RenderedLabel:
    """A label drawn once for one frame size, ready to be laid over every frame.

    `box` is the plate and `letters` the ink on it, both in frame pixels; `letter_height` is the measured
    height of a capital A. `pixels` is uint8 (box.height, box.width, 4) RGBA, not premultiplied.
    """

    spec: LabelSpec
    size: Size
    box: Box
    letters: Box
    letter_height: int
    pixels: npt.NDArray[np.uint8]

    def draw(self, frame: RGB) -> RGB:
        """Give a copy of the frame with the label on it.

        Raises:
            RequestError: the frame is not uint8 RGB of the size that the label was drawn for.
        """
        if frame.shape != (self.size.height, self.size.width, 3) or frame.dtype != np.uint8:
            raise RequestError(
                f"This label fits uint8 RGB frames of {self.size}; got {frame.dtype} {frame.shape}.",
                fix="Render the label for the clip's own size.",
            )
        labelled = frame.copy()
        below = labelled[self.box.y : self.box.y + self.box.height, self.box.x : self.box.x + self.box.width]
        opacity = self.pixels[:, :, 3:].astype(np.uint16)
        # At most 255 x 255 + 127, which 16 bits hold.
        blended = self.pixels[:, :, :3] * opacity + below * (255 - opacity) + 127
        below[:] = (blended // 255).astype(np.uint8)
        return labelled


def render_label(spec: LabelSpec, size: Size, icon: LabelIcon | None = None) -> RenderedLabel:
    """Draw a label for a frame size: letters at least 5 % of the short side high, inside the safe margins.

    Where the plate would be too wide, its side padding gives way; the letters never shrink.

    Args:
        spec: what it says and where.
        size: of the frames.
        icon: stands left of the words, as high as a capital A.

    Raises:
        RequestError: the text, with its icon, is too long for the width.
    """
    margin_x, margin_y = _margin(size.width), _margin(size.height)
    room = (size.width - 2 * margin_x) & ~1
    least_height = math.ceil(min(size.width, size.height) * MIN_HEIGHT_SHARE)
    font, letter_height = _font_for(spec.text, least_height, room=room)
    mask = _coverage(spec.text, font)
    drawn = None if icon is None else icon.scaled(letter_height)
    lead = 0 if drawn is None else drawn.shape[1] + round(letter_height * _GAP_SHARE)
    padding = round(letter_height * _PADDING_SHARE)
    side_padding = min(padding, (room - lead - mask.shape[1]) // 2)
    if side_padding < _LEAST_SIDE_PADDING:
        raise RequestError(
            f"The label {spec.text!r} does not fit a {size} clip with letters {least_height} pixels high.",
            fix="Use a shorter label, a wider clip, or no icon." if icon else "Use a shorter label or a wider clip.",
        )
    # Even sides and corners: the plate's edge then falls on a colour sample and stays sharp in 4:2:0.
    width, height = _even(lead + mask.shape[1] + 2 * side_padding), _even(mask.shape[0] + 2 * padding)
    x = margin_x if spec.place.endswith("left") else (size.width - margin_x - width) & ~1
    y = margin_y if spec.place.startswith("top") else (size.height - margin_y - height) & ~1
    ink = _ink(mask)
    letters = Box(x + side_padding + lead + ink.x, y + padding + ink.y, ink.width, ink.height)
    pixels = _plate_with(mask, width, height, at=(side_padding + lead, padding))
    if drawn is not None:
        # On the line that a capital A stands on: below it may only hang tails of letters.
        _lay(drawn, pixels, at=(side_padding, padding + _baseline(spec.text, font, mask) - letter_height))
    return RenderedLabel(spec, size, Box(x, y, width, height), letters, letter_height, pixels)


def wording_coverage(text: str, *, height: int) -> tuple[npt.NDArray[np.uint8], int]:
    """Render a wording alone, for whoever looks for it in a picture.

    Args:
        text: a label's text.
        height: the least height of a capital A in pixels.

    Returns:
        uint8 (h, w), how much of each pixel the letters cover, cropped to the letters; and the height of a
        capital A as it came out, in pixels.
    """
    font, letter_height = _font_for(text, height, room=sys.maxsize)
    coverage = _coverage(text, font)
    ink = _ink(coverage)
    return coverage[ink.y : ink.y + ink.height, ink.x : ink.x + ink.width], letter_height


def is_drawable(character: str) -> bool:
    """Say whether the label font holds a character."""
    if "\uac00" <= character <= "\ud7a3":
        # The syllables of KS X 1001 are the ones with two bytes; the codec spells out the others in eight.
        return len(character.encode("euc_kr")) == 2
    in_latin = " " <= character <= "~" or "\u00a1" <= character <= "\u00ff"
    return (in_latin and character.isprintable()) or character in _PUNCTUATION


def is_drawable_in_han(character: str) -> bool:
    """Say whether the font for Chinese labels holds a character."""
    return " " <= character <= "~" or character in HAN_CHARACTERS or character in _HAN_PUNCTUATION


def _font_name(text: str) -> str | None:
    """Choose the font that holds all of a text: a label is never set in two."""
    if all(map(is_drawable, text)):
        return _LABEL_FONT
    return _HAN_FONT if all(map(is_drawable_in_han, text)) else None


def _margin(side: int) -> int:
    return _even(math.ceil(side * SAFE_MARGIN_SHARE))


def _even(number: int) -> int:
    return number + number % 2


@cache
def _font_bytes(name: str) -> bytes:
    return (resources.files("platemark.media") / "fonts" / name).read_bytes()


def _font_for(text: str, least_height: int, *, room: int) -> tuple[ImageFont.FreeTypeFont, int]:
    """Find the smallest size at which both a capital A and the text itself, as rendered, are high enough.

    The search ends where the text no longer fits the room; the caller then refuses it.
    """
    points, outlines = least_height, _font_bytes(_font_name(text) or _LABEL_FONT)
    while True:
        # Basic layout: the same pixels whether or not the machine has a text shaping library.
        font = ImageFont.truetype(io.BytesIO(outlines), points, layout_engine=ImageFont.Layout.BASIC)
        text_coverage, letter_height = _coverage(text, font), _ink(_coverage("A", font)).height
        high_enough = min(letter_height, _ink(text_coverage).height) >= least_height
        if high_enough or text_coverage.shape[1] > room:
            return font, letter_height
        points += 1


def _coverage(text: str, font: ImageFont.FreeTypeFont) -> npt.NDArray[np.uint8]:
    """Render a text: uint8 (h, w), how much of each pixel its letters cover, cropped to what they touch."""
    left, top, right, bottom = (int(edge) for edge in font.getbbox(text))
    canvas = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(canvas).text((2 - left, 2 - top), text, fill=255, font=font)
    return np.array(canvas.crop(canvas.getbbox()))


def _ink(coverage: npt.NDArray[np.uint8]) -> Box:
    """Give the rectangle of the pixels that count as parts of letters."""
    rows = np.flatnonzero((coverage >= _INK).any(axis=1))
    columns = np.flatnonzero((coverage >= _INK).any(axis=0))
    if rows.size == 0:
        return Box(0, 0, 0, 0)
    left, top = int(columns[0]), int(rows[0])
    return Box(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)


def _plate_with(mask: npt.NDArray[np.uint8], width: int, height: int, *, at: tuple[int, int]) -> npt.NDArray[np.uint8]:
    plate = Image.new("RGBA", (width, height), _PLATE)
    plate.paste(_LETTERS, at, Image.fromarray(mask))
    return np.array(plate)


def _baseline(text: str, font: ImageFont.FreeTypeFont, mask: npt.NDArray[np.uint8]) -> int:
    """Give the row of a rendered text on which its capitals stand, at least a capital's height from the top."""
    top, foot = font.getbbox(text)[1], font.getbbox("A")[3]
    height = _ink(_coverage("A", font)).height
    row = int(foot) - int(top)
    return min(max(row, height), max(int(mask.shape[0]), height))


def _lay(drawn: npt.NDArray[np.uint8], pixels: npt.NDArray[np.uint8], *, at: tuple[int, int]) -> None:
    """Lay greys with opacity (h, w, 2) over a plate; where the icon is opaque, so is the plate."""
    x, y = at
    below = pixels[y : y + drawn.shape[0], x : x + drawn.shape[1]].astype(np.float64)
    share, own = drawn[:, :, 1:].astype(np.float64) / 255, below[:, :, 3:] / 255
    together = share + own * (1 - share)
    greys = (drawn[:, :, :1] * share + below[:, :, :3] * own * (1 - share)) / together
    laid = np.concatenate((greys, together * 255), axis=2)
    pixels[y : y + drawn.shape[0], x : x + drawn.shape[1]] = np.rint(laid).astype(np.uint8)
