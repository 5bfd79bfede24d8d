"""Decoding a large picture in tiles, so that memory follows the tile and not the picture.

One rule: the same numbers as decoding it whole. Each tile is decoded with as many neighbours around it as the decoder
can see, and only its own middle is kept; nothing is blended.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.config import AutoencoderConfig

TILE = 32
"""Latent positions along a side. The embedded model's own grids are smaller, and are decoded whole."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of latent positions: `first` to `stop` is kept, `seen_from` to `seen_to` is decoded for it."""

    first: int
    stop: int
    seen_from: int
    seen_to: int


def reach(config: AutoencoderConfig) -> int:
    """Count the latent positions around one that its pixels depend on.

    Every 3x3 convolution sees one cell further: the stem and two in each block at the coarse scale, whose cells are
    latent positions, then two in each block and the head at the fine scale, whose cells are half as wide.
    """
    coarse, fine = 1 + 2 * config.coarse_decoder_blocks, 2 * config.fine_decoder_blocks + 1
    return coarse + -(-fine // 2)


def spans(length: int, *, tile: int, around: int) -> Iterator[Span]:
    """Cut a side into tiles."""
    for first in range(0, length, tile):
        stop = min(first + tile, length)
        yield Span(first, stop, max(0, first - around), min(length, stop + around))


def decode_in_tiles(autoencoder: VideoAutoencoder, latents: Tensor, *, tile: int = TILE) -> Tensor:
    """Restore the frames of one latent frame, whole where it is small.

    Args:
        autoencoder: decodes.
        latents: (b, h, w, c) float32.
        tile: side of a tile in latent positions.

    Returns:
        Video (b, group_frames, h * patch, w * patch, 3) float32, as `VideoAutoencoder.decode_group` gives it.
    """
    b, height, width, _ = latents.shape
    if max(height, width) <= tile:
        return autoencoder.decode_group(latents)
    config, patch, around = autoencoder.config, autoencoder.config.patch, reach(autoencoder.config)
    video = torch.empty(b, config.group_frames, height * patch, width * patch, 3, dtype=latents.dtype)
    for row in spans(height, tile=tile, around=around):
        for column in spans(width, tile=tile, around=around):
            seen = latents[:, row.seen_from : row.seen_to, column.seen_from : column.seen_to]
            top, left = (row.first - row.seen_from) * patch, (column.first - column.seen_from) * patch
            rows, columns = (row.stop - row.first) * patch, (column.stop - column.first) * patch
            video[:, :, row.first * patch : row.stop * patch, column.first * patch : column.stop * patch] = (
                autoencoder.decode_group(seen)[:, :, top : top + rows, left : left + columns]
            )
    return video
