"""Twice the sides of decoded frames, by a small network that learned what the decoder blurs.

One rule: frame by frame, at the frame's own size, so memory does not grow with a clip; what it adds is a correction of
bicubic interpolation, so flat areas stay as they were.
"""

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from platemark.generation.autoencoder import ResidualBlock
from platemark.generation.config import UpscalerConfig
from platemark.generation.resize import Picture

SCALE = 2


class Upscaler(nn.Module):
    """Double the sides of pictures.

    Source: Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
    Neural Network", 2016, section 3.2 (pixels out of channels), around interpolation as in Kim et al., "Accurate Image
    Super-Resolution Using Very Deep Convolutional Networks", 2016, section 3.1.
    """

    def __init__(self, config: UpscalerConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Conv2d(3, config.width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(config.width) for _ in range(config.blocks)))
        self.head = nn.Conv2d(config.width, 3 * SCALE**2, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]  # there is one

    def forward(self, pictures: Tensor) -> Tensor:
        """Map (n, 3, h, w) pictures in about [-1, 1] to (n, 3, 2h, 2w)."""
        correction = self.head(self.blocks(self.stem(pictures.contiguous(memory_format=torch.channels_last))))
        finer = rearrange(correction, "n (c p q) h w -> n c (h p) (w q)", p=SCALE, q=SCALE)
        result: Tensor = functional.interpolate(pictures, scale_factor=SCALE, mode="bicubic") + finer
        return result

    @torch.inference_mode()
    def enlarge(self, picture: Picture) -> Picture:
        """Double the sides of one picture: (h, w, 3) float32 in levels of 255, to (2h, 2w, 3)."""
        levels = torch.from_numpy(picture / 127.5 - 1).permute(2, 0, 1)[None]
        enlarged: Picture = ((self(levels)[0].permute(1, 2, 0) + 1) * 127.5).numpy()
        return enlarged
