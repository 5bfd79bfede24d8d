"""Frames as video holds them, and the one conversion from RGB.

One rule: pure functions on arrays, no input or output. The conversion is integer arithmetic: equal pictures
give equal bytes on every machine, and each byte is the correctly rounded BT.709 value.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from platemark.errors import PlatemarkError, RequestError

RGB = npt.NDArray[np.uint8]
"""A picture: uint8 (h, w, 3), gamma-coded full-range RGB."""
Luma = npt.NDArray[np.uint8]
"""A brightness plane: uint8 (h, w)."""
_Wide = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class YuvFrame:
    """One 4:2:0 frame, BT.709 limited range: y uint8 (h, w), u and v uint8 (h/2, w/2).

    Raises:
        RequestError: a plane is not 8-bit, a side is odd, or the planes do not belong together.
    """

    y: Luma
    u: npt.NDArray[np.uint8]
    v: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        planes = (self.y, self.u, self.v)
        if any(plane.dtype != np.uint8 or plane.ndim != 2 or plane.size == 0 for plane in planes):
            raise RequestError("A YUV frame is three non-empty planes of 8-bit values.")
        height, width = self.y.shape
        if height % 2 or width % 2:
            raise RequestError(f"4:2:0 video needs even sides; got {width}x{height}.", fix="Ask for even sides.")
        if self.u.shape != (height // 2, width // 2) or self.v.shape != self.u.shape:
            raise RequestError(f"The colour planes of a {width}x{height} frame are half as wide and half as high.")


def to_yuv420(picture: RGB) -> YuvFrame:
    """Convert a picture to limited-range BT.709 4:2:0, every value correctly rounded.

    Colour samples sit at the left of each pair of columns and between the two rows, where H.264 decoders
    expect them.

    Args:
        picture: uint8 (h, w, 3) RGB, both sides even.

    Raises:
        RequestError: the picture has another shape or type, or an odd side.

    Source: ITU-R BT.709-6, items 3.2 to 3.4 and 4.6 (8 bits); H.264 E.2.1, chroma location type 0.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise RequestError(f"A picture is uint8 (h, w, 3) RGB; got {picture.dtype} {picture.shape}.")
    if picture.shape[0] % 2 or picture.shape[1] % 2 or picture.size == 0:
        raise RequestError(
            f"4:2:0 video needs even sides; got {picture.shape[1]}x{picture.shape[0]}.",
            fix="Ask for even sides.",
        )
    red, green, blue = (picture[:, :, channel].astype(np.int32) for channel in range(3))
    # 219/255 x (2126 R + 7152 G + 722 B)/10000 as one fraction, in lowest terms: 73 x (...) / 850000.
    y = (73 * (2126 * red + 7152 * green + 722 * blue) + 425_000) // 850_000 + 16
    red8, green8, blue8 = _eightfold(red), _eightfold(green), _eightfold(blue)
    # 224/255 x (B - Y)/1.8556 and (R - Y)/1.5748, over sums of weight eight; odd denominators never tie.
    u = (7 * (9278 * blue8 - 2126 * red8 - 7152 * green8) + 591_472) // 1_182_945 + 128
    v = (7 * (7874 * red8 - 7152 * green8 - 722 * blue8) + 501_967) // 1_003_935 + 128
    return YuvFrame(y.astype(np.uint8), u.astype(np.uint8), v.astype(np.uint8))


def map_luma(frames: Iterable[YuvFrame], change: Callable[[Iterable[Luma]], Iterator[Luma]]) -> Iterator[YuvFrame]:
    """Run the brightness planes through `change` and put each back with its own colour.

    `change` may read ahead (a block of frames, say); the colour planes of what it has read wait in order.

    Raises:
        PlatemarkError: `change` gave back more or fewer planes than it took, or planes of another size.
    """
    waiting: deque[YuvFrame] = deque()

    def _planes() -> Iterator[Luma]:
        for frame in frames:
            waiting.append(frame)
            yield frame.y

    for y in change(_planes()):
        if not waiting or y.shape != waiting[0].y.shape:
            raise PlatemarkError("A step that changes brightness must give one plane of equal size for each it takes.")
        frame = waiting.popleft()
        yield YuvFrame(y, frame.u, frame.v)
    if waiting:
        raise PlatemarkError(f"A step that changes brightness lost {len(waiting)} frames at the end.")


def turned(frame: YuvFrame, degrees: int) -> YuvFrame:
    """Turn a frame counter-clockwise by whole quarters, so that no player has to."""
    quarters = round(degrees / 90) % 4
    if quarters == 0:
        return frame
    y, u, v = (np.ascontiguousarray(np.rot90(plane, quarters)) for plane in (frame.y, frame.u, frame.v))
    return YuvFrame(y, u, v)


def _eightfold(plane: _Wide) -> _Wide:
    """Sum 2 rows by (1, 2, 1) columns around every even column; the left edge repeats."""
    rows: _Wide = plane[0::2] + plane[1::2]
    even, odd = rows[:, 0::2], rows[:, 1::2]
    sums: _Wide = 2 * even + odd
    sums[:, 0] += even[:, 0]
    sums[:, 1:] += odd[:, :-1]
    return sums
