"""The label laid over decoded video as it is coded, and the few pixels of it that the policy looks at.

One rule: no picture is converted to RGB and back; whatever the label does not cover keeps its values.
"""

import numpy as np
import numpy.typing as npt

from platemark.media.label import RenderedLabel
from platemark.media.luma import luma_of
from platemark.media.yuv import RGB, YuvFrame

_GRID = 16
"""The frame screen looks at a grid of 16 by 16 cells, with up to 16 by 16 pixels in each."""
_WEIGHTS = {True: (0.2126, 0.0722), False: (0.299, 0.114)}
"""Red's and blue's share of brightness. Source: ITU-R BT.709-6, item 3.2; BT.601-7, 2.5.1."""


class LabelOverlay:
    """A label ready to be laid over limited-range 4:2:0 frames. Its colours are greys, so any matrix will do.

    Args:
        label: drawn for the frames' size; its corners are even.
    """

    def __init__(self, label: RenderedLabel) -> None:
        box = label.box
        self._y = np.s_[box.y : box.y + box.height, box.x : box.x + box.width]
        self._c = np.s_[box.y // 2 : (box.y + box.height) // 2, box.x // 2 : (box.x + box.width) // 2]
        opacity = label.pixels[:, :, 3].astype(np.int32)
        self._y_add = luma_of(np.ascontiguousarray(label.pixels[:, :, :3])) * opacity + 127
        self._y_keep = 255 - opacity
        quarters = opacity.reshape(box.height // 2, 2, box.width // 2, 2).sum(axis=(1, 3))
        self._c_add, self._c_keep = 128 * quarters + 510, 1020 - quarters

    def draw(self, frame: YuvFrame) -> YuvFrame:
        """Give a copy of a frame with the label on it."""
        y, u, v = frame.y.copy(), frame.u.copy(), frame.v.copy()
        y[self._y] = (self._y_add + y[self._y] * self._y_keep) // 255
        for plane in (u, v):
            plane[self._c] = (self._c_add + plane[self._c] * self._c_keep) // 1020
        return YuvFrame(y, u, v)


def sample_rgb(frame: YuvFrame, *, is_bt709: bool) -> RGB:
    """Give the pixels of a frame that the frame screen would pick from it, as a small picture.

    Args:
        frame: limited range.
        is_bt709: whether its brightness has BT.709's weights; BT.601's otherwise.

    Returns:
        uint8 (h, w, 3) RGB, at most 256 pixels a side.
    """
    height, width = frame.y.shape
    rows, columns = _grid(height), _grid(width)
    y = frame.y[np.ix_(rows, columns)].astype(np.float32)
    u, v = (plane[np.ix_(rows // 2, columns // 2)].astype(np.float32) for plane in (frame.u, frame.v))
    red_share, blue_share = _WEIGHTS[is_bt709]
    light, blue, red = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    r = light + 2 * (1 - red_share) * red
    b = light + 2 * (1 - blue_share) * blue
    g = (light - red_share * r - blue_share * b) / (1 - red_share - blue_share)
    sampled: RGB = np.clip(np.rint(np.stack((r, g, b), axis=-1) * 255), 0, 255).astype(np.uint8)
    return sampled


def _grid(length: int) -> npt.NDArray[np.intp]:
    count = _GRID * max(1, min(_GRID, length // _GRID))
    return (np.arange(count) * length) // count
