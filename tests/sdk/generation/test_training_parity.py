"""The networks compute what the program that trained the weights computed.

The vectors were printed by that program: its own code, its own weight files, the same noise, four guided steps. On the
machine they were made on the difference was exactly zero.
"""

import pytest
import torch

from platemark.generation.checkpoint import Networks
from platemark.generation.config import SamplerConfig
from platemark.generation.sampler import Guidance, Walk, draw_noise, sample
from platemark.generation.scenes import SlotValues

RED_CIRCLE = SlotValues(scene="circle", colour="red", background="white", motion="moving right")
RAINY_CITY = SlotValues(scene="city rain", time="night", amount="light")
GLOBE = SlotValues(scene="globe", colour="blue", second_colour="green", background="black", motion="rotating left")


@pytest.mark.parametrize(
    ("values", "latent_numbers", "pixels"),
    [
        (RED_CIRCLE, [-4.8251, 2.2821, 0.0929, -0.0164, 0.1086], [0.9176, -0.339, 0.3524, 0.7358]),
        (RAINY_CITY, [3.7013, 0.1776, 0.3835, 0.4404, -0.1643], [-0.886, -0.7652, -0.8265, -0.8036]),
        (GLOBE, [3.144, -0.3895, -0.1241, 0.1453, 0.0445], [-0.7842, -0.1386, -0.3192, -0.8122]),
    ],
)
def test_sampling_and_decoding_give_the_numbers_of_the_training_program(
    networks: Networks, values: SlotValues, latent_numbers: list[float], pixels: list[float]
) -> None:
    slots = torch.tensor([values.indices()])
    transformer = networks.transformer
    guidance = Guidance(transformer.encode_slots(slots), transformer.encode_slots(slots * 0))
    noise = draw_noise(7, range(5), height=8, width=8, channels=16)[None]

    latents = sample(transformer, noise, torch.arange(5)[None], Walk(SamplerConfig(4, 3.0, 2.0), guidance))
    video = networks.autoencoder.decode(latents)

    some = latents[0, [0, 1, 2, 3, 4], [0, 3, 5, 7, 2], [1, 4, 6, 0, 2], [0, 5, 9, 15, 3]]
    places = video[0, [0, 4, 9, 16], [5, 30, 40, 63], [7, 33, 20, 63]].mean(dim=-1)
    assert some.tolist() == pytest.approx(latent_numbers, abs=2e-3)
    assert places.tolist() == pytest.approx(pixels, abs=2e-3)
