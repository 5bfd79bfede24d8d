"""Training the upscaler: what the decoder gives at one size, and the same frames drawn at twice that size.

One rule: a step is a function of its number, so a run can be repeated; a third of each batch are textures of no scene,
so that the network learns edges and not a world by heart.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.finish import smooth_ripples
from platemark.generation.resize import resize
from platemark.generation.upscaler import SCALE, Upscaler
from platemark.training.config import Optimiser
from platemark.training.fidelity import ssim
from platemark.training.optimisation import Adam
from platemark.training.reconstruction import psnr
from platemark.training.world.canvas import Canvas, paint, smooth_noise
from platemark.training.world.clips import ClipShape, Part, World
from platemark.training.world.dice import Dice

RIPPLE = 12.0
"""As scenes smooth their frames before they are enlarged; see `platemark.generation.scenes`."""
_EDGES = 0.25
_TEXTURES = 6
_AT_ONCE = 16
_SETTINGS = Optimiser(rate=1.5e-3, warmup=20, anneal=0.9, decay=0.0, momentum=0.98)
_LATTICE = 8


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pictures twice: as they are enlarged (n, 3, h, w), and as they should be (n, 3, 2h, 2w), float32 in [-1, 1]."""

    small: Tensor
    large: Tensor


@dataclass(frozen=True, slots=True)
class Enlarged:
    """How near to pictures drawn at twice the size each way of enlarging comes.

    Attributes:
        psnr: mean over pictures, in decibels.
        ssim: mean structural similarity.
    """

    psnr: float
    ssim: float


class UpscalerTrainer:
    """Teaches an upscaler to give the large picture of each pair.

    Args:
        upscaler: to be trained.
        draw: gives the pairs of a step by its number.
        steps: of training.
    """

    def __init__(self, upscaler: Upscaler, draw: Callable[[int], Pairs], *, steps: int) -> None:
        self.upscaler = upscaler
        self._draw = draw
        self._steps = steps
        self._adam = Adam(upscaler, _SETTINGS)

    def step(self, number: int) -> float:
        """Take one step; give its loss: absolute errors, with errors of edges beside them."""
        pairs = self._draw(number)
        error = self.upscaler(pairs.small).float() - pairs.large
        edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
        loss = error.abs().mean() + _EDGES * edges
        self._adam.step(loss, step=number, progress=number / self._steps)
        return float(loss.detach())


class PoolOfPairs:
    """Frames of so many clips of the world, drawn and decoded once, and new textures beside them in each step.

    Args:
        autoencoder: whose frames will be enlarged.
        clips: size and length of the clips.
        count: of clips.
        seed: of the clips and textures.
    """

    def __init__(self, autoencoder: VideoAutoencoder, clips: ClipShape, *, count: int, seed: int = 1) -> None:
        self._clips = clips
        self._seed = seed
        parts = [torch.arange(first, min(first + _AT_ONCE, count)) for first in range(0, count, _AT_ONCE)]
        drawn = [pairs_of_world(autoencoder, World(seed), part, clips) for part in parts]
        self._frames = Pairs(torch.cat([each.small for each in drawn]), torch.cat([each.large for each in drawn]))

    def draw(self, number: int) -> Pairs:
        """Choose frames by chance, and draw half as many textures."""
        generator = torch.Generator().manual_seed(self._seed << 32 | number)
        at = torch.randint(len(self._frames.small), (2 * _TEXTURES,), generator=generator)
        index = torch.arange(_TEXTURES) + _TEXTURES * number
        textures = pairs_of_textures(Dice.of(self._seed + 1, index), self._clips)
        return Pairs(
            torch.cat([self._frames.small[at], textures.small]), torch.cat([self._frames.large[at], textures.large])
        )


@torch.no_grad()
def pairs_of_world(autoencoder: VideoAutoencoder, world: World, index: Tensor, shape: ClipShape) -> Pairs:
    """Draw clips at both sizes, and take from each one frame of every latent frame: the small ones as decoded."""
    config = autoencoder.config
    whole = world.render(index, shape)
    decoded = autoencoder.decode(autoencoder.encode(whole.floats), frames=shape.frames)
    firsts = torch.arange(config.latent_frames(shape.frames)) * config.group_frames - config.group_frames + 1
    places = (firsts + index[:, None] % config.group_frames).clamp(min=0)  # (b, g)
    rows = torch.arange(len(index))[:, None]
    levels = (decoded[rows, places].flatten(0, 1) + 1) * 127.5
    smooth = [torch.from_numpy(smooth_ripples(each.numpy(), ripple=RIPPLE)) for each in levels]
    doubled = ClipShape(shape.height * SCALE, shape.width * SCALE, shape.frames)
    large = world.render(index, doubled, frames=places).floats.flatten(0, 1)
    return Pairs((torch.stack(smooth) / 127.5 - 1).permute(0, 3, 1, 2), large.permute(0, 3, 1, 2))


def pairs_of_textures(dice: Dice, shape: ClipShape) -> Pairs:
    """Draw patches, stripes and discs of any colours at twice the size, and shrink them."""
    canvas = Canvas.of(shape.height * SCALE, shape.width * SCALE, device=dice.first.device)
    colours = dice.table(1, 9).reshape(-1, 3, 1, 1, 1, 3)
    angle, pitch = dice.uniform(2, 0, 6.28), dice.uniform(3, 4, 30)
    u, v = canvas.x * angle.cos() + canvas.y * angle.sin(), canvas.y * angle.cos() - canvas.x * angle.sin()
    patches = smooth_noise(dice.table(4, _LATTICE**2), 4 * u + dice.uniform(5, 0, 8), 4 * v + dice.uniform(6, 0, 8))
    hard = (patches - 0.5) * dice.uniform(7, 2, 40) + 0.5
    stripes = canvas.inside((torch.sin(pitch * u) + dice.uniform(8, -0.7, 0.7)) / pitch)
    disc = canvas.inside(((u - dice.uniform(9, -0.4, 0.4)) ** 2 + v**2).sqrt() - dice.uniform(10, 0.05, 0.3))
    picture = paint(colours[:, 0].expand(-1, *hard.shape[1:], -1), colours[:, 1], hard.clamp(0, 1))
    picture = paint(picture, colours[:, 2], torch.where(dice.uniform(11) < 0.5, stripes, disc))
    large = (picture[:, 0].permute(0, 3, 1, 2) * 2 - 1).clamp(-1, 1)
    return Pairs(functional.avg_pool2d(large, SCALE), large)


@torch.inference_mode()
def compare_enlarging(upscaler: Upscaler, pairs: Pairs) -> dict[str, Enlarged]:
    """Enlarge the same pictures by the upscaler, by Lanczos and by bicubic interpolation, and measure all three."""
    height, width = pairs.large.shape[2:]
    by_lanczos = [resize(each.permute(1, 2, 0).numpy(), height=height, width=width) for each in pairs.small]
    ways = {
        "upscaler": upscaler(pairs.small),
        "lanczos": torch.stack([torch.from_numpy(each) for each in by_lanczos]).permute(0, 3, 1, 2),
        "bicubic": functional.interpolate(pairs.small, scale_factor=SCALE, mode="bicubic"),
    }
    return {name: _measured(made, pairs.large) for name, made in ways.items()}


def _measured(made: Tensor, wanted: Tensor) -> Enlarged:
    first, second = (each.clamp(-1, 1).permute(0, 2, 3, 1)[:, None] for each in (made, wanted))
    levels = [((each + 1) * 127.5).round().to(torch.uint8) for each in (first, second)]
    return Enlarged(float(psnr(first, second).mean()), float(ssim(*levels).mean()))


def held_out_pairs(autoencoder: VideoAutoencoder, shape: ClipShape, *, clips: int, family: str | None = None) -> Pairs:
    """Draw pairs of combinations that were never trained on."""
    return pairs_of_world(autoencoder, World(40_000, Part.HELD_OUT, family), torch.arange(clips), shape)
