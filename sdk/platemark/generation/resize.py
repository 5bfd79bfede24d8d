"""From the model's frames to the frames that were asked for: space by Lanczos, time by blending.

One rule: numpy only, frame by frame, and the same bytes for the same input on every machine of one kind.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.uint8]
"""A frame (h, w, 3), 8 bits a channel."""
Picture = NDArray[np.float32]
"""A frame (h, w, 3), floating point."""


@lru_cache(maxsize=32)
def resize_matrix(source: int, target: int, *, lobes: int = 3) -> Picture:
    """Build the matrix that resamples a line of `source` samples to `target` samples.

    The edge sample is repeated outwards; each row sums to 1, so flat areas stay flat.

    Returns:
        (target, source) float32.

    Source: Duchon, "Lanczos Filtering in One and Two Dimensions", 1979, section 2; widened when shrinking.
    """
    scale = source / target
    reach = lobes * max(scale, 1.0)
    centres = (np.arange(target) + 0.5) * scale - 0.5
    offsets = np.arange(-int(np.ceil(reach)), int(np.ceil(reach)) + 1)
    places = np.floor(centres)[:, None].astype(np.int64) + offsets  # (target, taps)
    distance = (places - centres[:, None]) / max(scale, 1.0)
    weights = np.where(np.abs(distance) < lobes, np.sinc(distance) * np.sinc(distance / lobes), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    matrix = np.zeros((target, source))
    rows = np.broadcast_to(np.arange(target)[:, None], places.shape)
    np.add.at(matrix, (rows, places.clip(0, source - 1)), weights)
    result = matrix.astype(np.float32)
    result.setflags(write=False)
    return result


def resize(picture: Picture, *, height: int, width: int) -> Picture:
    """Resample a picture to another size; the aspect ratio may change.

    Args:
        picture: (h, w, 3) float32.
        height: rows that come out.
        width: columns that come out.

    Returns:
        (height, width, 3) float32; values may overshoot the input's range a little at hard edges.
    """
    h, w = picture.shape[:2]
    columns = np.tensordot(resize_matrix(w, width), picture, axes=(1, 1))  # (width, h, 3)
    small = np.ascontiguousarray(columns.transpose(1, 0, 2)).reshape(h, width * 3)
    return (resize_matrix(h, height) @ small).reshape(height, width, 3)
