"""How like real clips made ones are as a whole, and whether any is a copy of a clip trained on.

One rule: both figures stand beside the same figure of real held-out clips, which sets what can be expected.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from platemark.training.probe import Probe
from platemark.training.rates import Rate, rate_of
from platemark.training.world.clips import ClipBatch, ClipShape, Part, World, family_of

_SMALL = 16
_MOMENTS = 5
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class FrechetDistance:
    """Distance of the probe's features of made clips from those of real ones.

    Attributes:
        clips: on each side.
        generated: of made clips from real ones.
        real: of other real clips from the same real ones: what so few clips give by chance.
    """

    clips: int
    generated: float
    real: float


@dataclass(frozen=True, slots=True)
class Memorisation:
    """How near made clips come to the nearest clip that was trained on.

    Distances are root mean squares in levels of 255, over five frames of 16 x 16 pixels.

    Attributes:
        training_clips: that were searched.
        generated: median distance of made clips.
        held_out: median distance of real held-out clips.
        nearest_held_out: the least distance of a held-out clip.
        copies: made clips that are nearer than that: none may be much nearer by chance.
    """

    training_clips: int
    generated: float
    held_out: float
    nearest_held_out: float
    copies: Rate


def frechet(first: Tensor, second: Tensor) -> float:
    """Measure the distance of two sets of features (n, d), n > 1, taken as normal distributions.

    Source: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", 2017, equation 6.
    """
    a, b = first.double().numpy(), second.double().numpy()
    mean = float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum())
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The trace of the root of a product of two covariances is the sum of the roots of its eigenvalues.
    root = _root(cov_a)
    middle = np.linalg.eigvalsh(root @ cov_b @ root).clip(min=0)
    return mean + float(np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(middle).sum())


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    result: NDArray[np.float64] = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return result


@torch.inference_mode()
def measure_frechet(probe: Probe, made: Tensor, batch: ClipBatch, *, seed: int) -> FrechetDistance:
    """Compare made clips with the real ones of the same attributes, and those with as many others.

    Args:
        probe: gives the features.
        made: (n, t, h, w, 3) uint8.
        batch: real held-out clips that were asked for.
        seed: of the other real clips, drawn from held-out combinations too.
    """
    height, width = batch.video.shape[2:4]
    shape = ClipShape(height, width, batch.video.shape[1])
    other = World(seed, Part.HELD_OUT).render(torch.arange(len(made)), shape)
    real = probe.features(batch.video)
    return FrechetDistance(len(made), frechet(probe.features(made), real), frechet(probe.features(other.video), real))


def measure_memorisation(made: Tensor, batch: ClipBatch, world: World, *, training_clips: int) -> Memorisation:
    """Look for the nearest training clip of the same family, for made clips and for real held-out ones.

    Args:
        made: (n, t, h, w, 3) uint8.
        batch: real held-out clips of the same families.
        world: that was trained on, its seed and its mixture.
        training_clips: to search, from the first.
    """
    shape = ClipShape(batch.video.shape[2], batch.video.shape[3], batch.video.shape[1])
    families = [family_of(attributes) for attributes in batch.attributes]
    nearest = torch.full((2, len(made)), float("inf"))
    sought = [_signature(made), _signature(batch.video)]
    for first in range(0, training_clips, _CHUNK):
        known = world.render(torch.arange(first, min(first + _CHUNK, training_clips)), shape)
        signature = _signature(known.video)
        same = torch.tensor([[family_of(k) == f for k in known.attributes] for f in families])
        for row, each in enumerate(sought):
            distance = torch.cdist(each, signature, compute_mode="donot_use_mm_for_euclid_dist") / each.shape[1] ** 0.5
            nearest[row] = torch.minimum(nearest[row], distance.masked_fill(~same, float("inf")).amin(dim=1))
    least = float(nearest[1].min())
    return Memorisation(
        training_clips,
        float(nearest[0].median()),
        float(nearest[1].median()),
        least,
        rate_of((nearest[0] < least).tolist()),
    )


def _signature(video: Tensor) -> Tensor:
    """Shrink clips to (n, d) float32, in levels."""
    chosen = torch.linspace(0, video.shape[1] - 1, _MOMENTS).round().long()
    pictures = video[:, chosen].flatten(0, 1).permute(0, 3, 1, 2).float()
    small = functional.interpolate(pictures, size=(_SMALL, _SMALL), mode="area")
    return small.reshape(len(video), -1)
