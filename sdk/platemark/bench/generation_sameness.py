"""Whether other ways to compute a clip give the same clip: bfloat16, tiles, kept latents.

One rule: the plain way, float32 and whole, is the measure of the others.
"""

import torch
from torch import Tensor

from platemark.bench.claims import Claim, Options
from platemark.generation.backends.embedded import CARD, WEIGHTS
from platemark.generation.card import read_card
from platemark.generation.checkpoint import Networks, load_networks
from platemark.generation.sampler import draw_noise
from platemark.generation.tiling import decode_in_tiles
from platemark.training.compute import Compute


def measure_sameness(options: Options) -> list[Claim]:
    """Measure how far other ways are from the plain one."""
    del options  # both take seconds
    networks = load_networks(read_card(CARD), WEIGHTS)
    with torch.inference_mode():
        return [_bfloat16(networks), _tiles(networks)]


def relative_error(measured: Tensor, right: Tensor) -> float:
    """Give the root mean square of a difference over that of what is right."""
    return float((measured.float() - right.float()).square().mean().sqrt() / right.float().square().mean().sqrt())


def _bfloat16(networks: Networks) -> Claim:
    """Compare one prediction in both precisions, on the processor: no accelerator is part of this benchmark."""
    transformer = networks.transformer
    noise = draw_noise(7, range(5), height=8, width=8, channels=transformer.config.latent_channels)[None]
    slots = torch.ones(1, len(transformer.config.slot_sizes), dtype=torch.int64)
    predictions = []
    for half in (False, True):
        with Compute(torch.device("cpu"), half=half, compiles=False).precision():
            condition = transformer.encode_slots(slots)
            predictions.append(transformer(noise, torch.full((1, 5), 0.7), condition, torch.arange(5)[None]))
    error = relative_error(predictions[1], predictions[0])
    return Claim("a prediction in bfloat16 on the processor, relative error", error, "", 2e-2, peer="float32")


def _tiles(networks: Networks) -> Claim:
    config = networks.autoencoder.config
    latents = torch.randn(1, 40, 40, config.latent_channels, generator=torch.Generator().manual_seed(7))
    whole = networks.autoencoder.decode_group(latents)
    error = relative_error(decode_in_tiles(networks.autoencoder, latents, tile=16), whole)
    return Claim("a picture decoded in tiles, relative error", error, "", 1e-5, peer="decoded whole")
