"""How good trained networks are, on combinations of attributes that they never saw.

One rule: every score of generated clips stands beside the same score of real clips and of real clips that went through
the autoencoder, which no generated clip can be expected to pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from platemark.generation.actions import action_shares
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.config import SamplerConfig
from platemark.generation.sampler import Guidance, Walk, draw_noise, sample
from platemark.generation.transformer import VideoTransformer
from platemark.training.oracle import Scores, as_measured, score
from platemark.training.reconstruction import psnr
from platemark.training.world.clips import ClipBatch, ClipShape, Part, World, family_of

BATCH = 16
_SIXTEEN_STEPS = SamplerConfig()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores on held-out combinations.

    Attributes:
        real: of real clips: what the oracle itself can do.
        autoencoder: of real clips through the autoencoder: the ceiling.
        generated: of clips made from noise.
        psnr: mean over each family's clips, in decibels, through the autoencoder.
        flicker: mean of `flicker` over generated clips, divided by that over real ones; 1 is as steady as real.
        seam: mean of `loop_seam` over generated clips; meaningful for clips made as loops.
    """

    real: Scores
    autoencoder: Scores
    generated: Scores
    psnr: Mapping[str, float]
    flicker: float
    seam: float

    def to_json(self) -> dict[str, object]:
        """Give the scores as plain values, in the order in which they bound one another."""
        scores = {name: getattr(self, name).to_json() for name in ("real", "autoencoder", "generated")}
        return {**scores, "psnr": dict(self.psnr), "flicker": self.flicker, "seam": self.seam}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the networks.

    Attributes:
        clips: how many.
        shape: of them.
        sampler: steps, guidance and shift.
        seed: of the world and of the noise.
    """

    clips: int
    shape: ClipShape
    sampler: SamplerConfig = _SIXTEEN_STEPS
    seed: int = 20_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What clips are asked to show: slots (b, s) int64, and shares of actions (b, t, a) float32 for flights."""

    slots: Tensor
    actions: Tensor


def evaluate(autoencoder: VideoAutoencoder, transformer: VideoTransformer, question: Question) -> Evaluation:
    """Draw held-out clips, restore them, make others from their attributes alone, and measure all three."""
    world = World(question.seed, Part.HELD_OUT)
    real, restored, made, ratios = [], [], [], []
    batches = []
    for first in range(0, question.clips, BATCH):
        index = torch.arange(first, min(first + BATCH, question.clips))
        batch = world.render(index, question.shape)
        batches.append(batch)
        again = through(autoencoder, batch)
        ratios.append(psnr(again.float() / 127.5 - 1, batch.floats))
        real += as_measured(batch.video)
        restored += as_measured(again)
        asked_for = Asked(batch.slots, action_shares(batch.actions, group=autoencoder.config.group_frames))
        made.append(generate(autoencoder, transformer, asked_for, question, first=first))
    asked = [attributes for batch in batches for attributes in batch.attributes]
    steadiness = torch.cat([flicker(video) for video in made]).mean() / torch.cat(
        [flicker(batch.video) for batch in batches]
    ).mean().clamp(min=1e-6)
    by_family: dict[str, list[float]] = {}
    for attributes, value in zip(asked, torch.cat(ratios).tolist(), strict=True):
        by_family.setdefault(family_of(attributes), []).append(value)
    return Evaluation(
        score(real, asked),
        score(restored, asked),
        score([clip for video in made for clip in as_measured(video)], asked),
        {name: sum(values) / len(values) for name, values in sorted(by_family.items())},
        float(steadiness),
        float(torch.cat([loop_seam(video) for video in made]).mean()),
    )


@torch.inference_mode()
def through(autoencoder: VideoAutoencoder, batch: ClipBatch) -> Tensor:
    """Send clips through the autoencoder: (b, t, h, w, 3) uint8."""
    return _levels(autoencoder.decode(autoencoder.encode(batch.floats), frames=batch.video.shape[1]))


@torch.inference_mode()
def generate(
    autoencoder: VideoAutoencoder, transformer: VideoTransformer, asked: Asked, question: Question, *, first: int = 0
) -> Tensor:
    """Make clips: (b, t, h, w, 3) uint8; clip i has the noise of seed `question.seed + first + i`."""
    config, shape = autoencoder.config, question.shape
    frames = range(config.latent_frames(shape.frames))
    rows, columns = -(-shape.height // config.patch), -(-shape.width // config.patch)
    noise = torch.stack(
        [
            draw_noise(question.seed + first + i, frames, height=rows, width=columns, channels=config.latent_channels)
            for i in range(len(asked.slots))
        ]
    )
    empty = transformer.encode_slots(torch.zeros_like(asked.slots))
    guidance = Guidance(transformer.encode_slots(asked.slots, asked.actions), empty)
    places = torch.arange(len(frames)).expand(len(asked.slots), -1)
    latents = sample(transformer, noise, places, Walk(question.sampler, guidance))
    return _levels(autoencoder.decode(latents, frames=shape.frames)[:, :, : shape.height, : shape.width])


def flicker(video: Tensor) -> Tensor:
    """Measure unsteadiness: the mean size of second differences in time, in levels: (b,) from (b, t, h, w, 3), t >= 3.

    Steady movement of soft things has little of it; a picture that jumps back and forth has much.
    """
    return video.float().diff(n=2, dim=1).abs().mean(dim=(1, 2, 3, 4))


def loop_seam(video: Tensor) -> Tensor:
    """Measure the seam of a loop: the step from the last frame to the first over the median step: (b,), t >= 2."""
    frames = video.float()
    steps = frames.diff(dim=1).abs().mean(dim=(2, 3, 4))
    seam = (frames[:, -1] - frames[:, 0]).abs().mean(dim=(1, 2, 3))
    return seam / steps.median(dim=1).values.clamp(min=1e-6)


def _levels(video: Tensor) -> Tensor:
    return ((video.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
