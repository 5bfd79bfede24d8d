"""The pixels of one decoded plane, as an array and back.

One rule: only what belongs to the picture; the padding that a decoder keeps at the end of rows stays behind.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from platemark.errors import MediaError

# For its type alone: PyAV itself is opened in `video` and nowhere else.
if TYPE_CHECKING:
    from av.video.plane import VideoPlane


def plane_pixels(plane: "VideoPlane", row_bytes: int) -> npt.NDArray[np.uint8]:
    """Copy a plane without the padding at the end of its rows.

    Args:
        plane: of a decoded picture.
        row_bytes: bytes of a row that belong to the picture.

    Returns:
        uint8 (h, row_bytes).

    Raises:
        MediaError: the picture is stored upside down.
    """
    copy: npt.NDArray[np.uint8] = np.array(_rows(plane)[:, :row_bytes])
    return copy


def fill_plane(plane: "VideoPlane", values: npt.NDArray[np.uint8]) -> None:
    """Write a plane's pixels.

    Args:
        plane: of a picture that is to be encoded.
        values: uint8 (h, w), of the plane's own size.
    """
    _rows(plane)[:, : plane.width] = values


def _rows(plane: "VideoPlane") -> npt.NDArray[np.uint8]:
    if plane.line_size <= 0:
        # Stored bottom-up: the buffer av hands out would reach past the end of the picture.
        raise MediaError("The picture is stored upside down, which is not supported.", fix="Convert it to MP4.")
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
