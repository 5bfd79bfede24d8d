"""The brightness of a still, taken out and put back, at any size. Pure functions.

One rule: what goes back is the change alone, so that colours keep their shade and an unchanged plane changes nothing.
"""

import numpy as np

from platemark.media.yuv import RGB, Luma

_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Source: ITU-R BT.709-6, item 3.2."""
_LIMITED_SPAN, _BLACK = 219.0, 16.0
"""Source: ITU-R BT.709-6, item 4.6, at 8 bits."""


def luma_of(picture: RGB) -> Luma:
    """Give the limited-range BT.709 brightness of a picture.

    Args:
        picture: uint8 (h, w, 3) RGB, of any size.

    Returns:
        uint8 (h, w), 16 (black) to 235 (white).
    """
    luma: Luma = np.rint(picture.astype(np.float32) @ _WEIGHTS * (_LIMITED_SPAN / 255) + _BLACK).astype(np.uint8)
    return luma


def with_luma(picture: RGB, before: Luma, after: Luma) -> RGB:
    """Give a copy of a picture whose brightness changes as much as `after` differs from `before`.

    Args:
        picture: uint8 (h, w, 3) RGB.
        before: uint8 (h, w), the picture's own brightness, from `luma_of`.
        after: uint8 (h, w), the brightness it should have.
    """
    change = (after.astype(np.float32) - before) * (255 / _LIMITED_SPAN)
    changed: RGB = np.clip(np.rint(picture + change[:, :, None]), 0, 255).astype(np.uint8)
    return changed
