"""A picture that stands beside the label's words, such as a common mark for what AI made.

One rule: it is taken for hostile until it was read whole: one format, a bound on bytes and pixels, every fault refused.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from platemark.errors import MediaError

MAX_BYTES = 1024 * 1024
MIN_SIDE, MAX_SIDE = 16, 1024
MAX_ASPECT = 4
"""An icon wider than that would be a second label."""
LEAST_CONTRAST = 3.0
"""Of the icon to the plate. Source: WCAG 2.2, 1.4.11 (graphics that carry a meaning)."""
PLATE_GREY = 16
_FAULTS = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError)
_FIX = f"Use a PNG with transparency, {MIN_SIDE} to {MAX_SIDE} pixels a side and at most 1 MiB."


@dataclass(frozen=True, slots=True)
class LabelIcon:
    """A checked icon.

    Attributes:
        content: the PNG's bytes.
        sha256: of them, hexadecimal.
    """

    content: bytes
    sha256: str

    def scaled(self, height: int) -> npt.NDArray[np.uint8]:
        """Draw it at a height in pixels.

        Returns:
            uint8 (height, w, 2): brightness and opacity. The label has no colours: greys look the same in any matrix.
        """
        with Image.open(io.BytesIO(self.content), formats=("PNG",)) as picture:
            # Premultiplied, so that the colour of what cannot be seen does not bleed into what can.
            grey = picture.convert("RGBA").convert("LA").convert("La")
        width = max(1, round(grey.width * height / grey.height))
        return np.array(grey.resize((width, height), Image.Resampling.BOX).convert("LA"))


def read_icon(path: Path) -> LabelIcon:
    """Read an icon's file.

    Raises:
        MediaError: it is no PNG with transparency of the right size, or could not be told from the label's plate.
    """
    try:
        if not path.is_file():
            raise MediaError(f"The label's icon {path} is not a file.", fix="Check the name.")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MediaError(
            f"The label's icon {path} cannot be read ({error.strerror}).", fix="Check the name."
        ) from error
    if len(content) > MAX_BYTES:
        raise MediaError(f"The label's icon {path} has more than 1 MiB.", fix=_FIX)
    _check_form(path, content)
    icon = LabelIcon(content, hashlib.sha256(content).hexdigest())
    _check_visible(path, icon)
    return icon


def _check_form(path: Path, content: bytes) -> None:
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            width, height = picture.size
            if not MIN_SIDE <= min(width, height) <= max(width, height) <= MAX_SIDE:
                raise MediaError(f"The label's icon {path} is {width}x{height} pixels.", fix=_FIX)
            if max(width, height) > MAX_ASPECT * min(width, height):
                raise MediaError(f"The label's icon {path} is more than {MAX_ASPECT} times as long as wide.", fix=_FIX)
            if getattr(picture, "n_frames", 1) != 1:
                raise MediaError(f"The label's icon {path} moves.", fix="Use a still picture.")
            has_alpha = picture.mode in ("RGBA", "LA") or "transparency" in picture.info
            picture.load()
    except _FAULTS as error:
        raise MediaError(f"The label's icon {path} is not a readable PNG.", fix=_FIX) from error
    if not has_alpha:
        raise MediaError(f"The label's icon {path} has no transparency.", fix=_FIX)


def _check_visible(path: Path, icon: LabelIcon) -> None:
    """Refuse an icon that nobody would see: its visible part is as dark as the plate, or there is none to speak of."""
    drawn = icon.scaled(MIN_SIDE).astype(np.float64)
    grey, opacity = drawn[:, :, 0], drawn[:, :, 1] / 255
    seen = opacity >= 0.5
    if seen.mean() < 0.05:
        raise MediaError(f"The label's icon {path} is all but empty.", fix="Use a picture that can be seen.")
    over = grey * opacity + PLATE_GREY * (1 - opacity)
    contrast = (_luminance(over)[seen].mean() + 0.05) / (_luminance(np.array(float(PLATE_GREY))) + 0.05)
    if contrast < LEAST_CONTRAST:
        raise MediaError(
            f"The label's icon {path} cannot be told from the label's dark plate ({contrast:.1f}:1).",
            fix=f"Use a light icon, at least {LEAST_CONTRAST:g}:1.",
        )


def _luminance(grey: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    share = grey / 255
    linear: npt.NDArray[np.float64] = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear
