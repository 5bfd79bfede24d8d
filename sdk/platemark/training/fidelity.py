"""What the autoencoder loses, family by family.

One rule: real clips of held-out combinations, drawn anew; none was ever trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from platemark.generation.autoencoder import VideoAutoencoder
from platemark.training.evaluate import through
from platemark.training.reconstruction import psnr
from platemark.training.world.attributes import FAMILIES
from platemark.training.world.clips import ClipShape, Part, World

_WINDOW = 11
_SPREAD = 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How like themselves clips come out of the autoencoder.

    Attributes:
        clips: measured.
        psnr: mean over clips of each clip's peak signal-to-noise ratio, in decibels.
        ssim: mean structural similarity of grey frames, at most 1.
    """

    clips: int
    psnr: float
    ssim: float


@dataclass(frozen=True, slots=True)
class FidelityReport:
    """`Fidelity` of every family, and the mean over families, each weighing the same."""

    by_family: Mapping[str, Fidelity]
    overall: Fidelity


def measure_fidelity(
    autoencoder: VideoAutoencoder, *, clips: int, shape: ClipShape, seed: int = 30_000
) -> FidelityReport:
    """Send so many clips of each family through the autoencoder."""
    found = {}
    for family in FAMILIES:
        batch = World(seed, Part.HELD_OUT, family.name).render(torch.arange(clips), shape)
        again = through(autoencoder, batch)
        ratio = psnr(again.float() / 127.5 - 1, batch.floats)
        found[family.name] = Fidelity(clips, float(ratio.mean()), float(ssim(batch.video, again).mean()))
    count = len(found)
    mean = Fidelity(
        clips * count, sum(f.psnr for f in found.values()) / count, sum(f.ssim for f in found.values()) / count
    )
    return FidelityReport(found, mean)


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """Compare clips (b, t, h, w, 3) uint8, at least 11 pixels a side: (b,) float32, 1 for equal ones.

    Source: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004, equation 13,
    on luma, with the Gaussian window of 11 pixels.
    """
    b, t = first.shape[:2]
    x, y = _luma(first), _luma(second)  # (b t, 1, h, w)
    mean_x, mean_y = _blur(x), _blur(y)
    spread_x, spread_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    together = _blur(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + _C1) * (2 * together + _C2)
    alike = alike / ((mean_x**2 + mean_y**2 + _C1) * (spread_x + spread_y + _C2))
    return alike.mean(dim=(1, 2, 3)).reshape(b, t).mean(dim=1)


def _luma(video: Tensor) -> Tensor:
    weights = torch.tensor([0.299, 0.587, 0.114], device=video.device)
    return (video.float() @ weights).flatten(0, 1)[:, None]


def _blur(pictures: Tensor) -> Tensor:
    at = torch.arange(_WINDOW, device=pictures.device).float() - _WINDOW // 2
    line = torch.exp(-(at**2) / (2 * _SPREAD**2))
    line = line / line.sum()
    return functional.conv2d(functional.conv2d(pictures, line[None, None, None]), line[None, None, :, None])
