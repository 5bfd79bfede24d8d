"""A contact sheet: one picture that shows people what happens in a clip.

One rule: frames are looked at once, as they come; only a handful of small copies is ever held.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from platemark.errors import RequestError
from platemark.media.yuv import RGB

_GROUND = 24
"""A dark grey: neither black nor white frames lose their edge on it."""


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """How a contact sheet is laid out.

    Args:
        count: pictures on the sheet; fewer when the clip has fewer frames.
        columns: pictures in a row.
        tile_width: the width of one picture in pixels; its height follows the clip.
        margin: space around and between pictures, in pixels.

    Raises:
        RequestError: a value is out of its range.
    """

    count: int = 8
    columns: int = 4
    tile_width: int = 320
    margin: int = 12

    def __post_init__(self) -> None:
        if not (1 <= self.count <= 100 and 1 <= self.columns <= 20):
            raise RequestError(f"A sheet has 1 to 100 pictures in 1 to 20 columns; got {self.count}, {self.columns}.")
        if not (16 <= self.tile_width <= 2048 and 0 <= self.margin <= 256):
            raise RequestError(
                f"A tile is 16 to 2048 pixels wide, a margin 0 to 256; got {self.tile_width}, {self.margin}."
            )


STANDARD_LAYOUT = SheetLayout()


def contact_sheet(frames: Iterable[RGB], *, layout: SheetLayout = STANDARD_LAYOUT) -> RGB:
    """Lay evenly spaced frames of a clip out on one picture, first to last, row by row.

    Args:
        frames: uint8 (h, w, 3) pictures of one size; read once, to the end.
        layout: how many, how large.

    Returns:
        uint8 (h, w, 3).

    Raises:
        RequestError: there is no frame.
    """
    tiles = _pick(_evenly_thinned(frames, layout), layout.count)
    if not tiles:
        raise RequestError("A contact sheet needs at least one frame; none came.")
    columns = min(layout.columns, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    tile_height, tile_width = tiles[0].shape[:2]
    step_y, step_x = tile_height + layout.margin, tile_width + layout.margin
    sheet = np.full((rows * step_y + layout.margin, columns * step_x + layout.margin, 3), _GROUND, np.uint8)
    for index, tile in enumerate(tiles):
        y, x = layout.margin + index // columns * step_y, layout.margin + index % columns * step_x
        sheet[y : y + tile_height, x : x + tile_width] = tile
    return sheet


def _evenly_thinned(frames: Iterable[RGB], layout: SheetLayout) -> list[RGB]:
    """Keep at most 8 x count small copies, evenly spaced, and the last frame, however long the clip is."""
    kept: list[RGB] = []
    stride = 1
    last: RGB | None = None
    for index, frame in enumerate(frames):
        last = frame
        if index % stride:
            continue
        if len(kept) == 8 * layout.count:
            kept, stride = kept[::2], stride * 2
            if index % stride:
                continue
        kept.append(_small(frame, layout.tile_width))
        last = None
    if last is not None:
        kept.append(_small(last, layout.tile_width))
    return kept


def _pick(tiles: list[RGB], count: int) -> list[RGB]:
    if len(tiles) <= count:
        return tiles
    return [tiles[round(position)] for position in np.linspace(0, len(tiles) - 1, count)]


def _small(frame: RGB, width: int) -> RGB:
    height = max(1, round(frame.shape[0] * width / frame.shape[1]))
    return np.array(Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS))
