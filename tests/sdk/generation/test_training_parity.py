"""The networks compute what they computed when these weights were released.

The vectors were printed then, with the same noise and four guided steps. Version 1 of the weights had been compared in
the same way with the program that trained them; the difference was exactly zero.
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
        (RED_CIRCLE, [-5.1754, 1.453, -0.0016, -0.0008, 0.1968], [0.9726, -0.6245, 0.9159, 0.6956]),
        (RAINY_CITY, [4.7508, -0.0113, 1.5387, 0.3888, -0.1921], [-0.9079, -0.9404, -0.0229, -1.2344]),
        (GLOBE, [4.1833, 0.0998, -0.3445, 0.0098, -0.2577], [-0.8679, -0.3983, -0.4279, -0.9009]),
    ],
)
def test_sampling_and_decoding_give_the_numbers_of_the_release(
    networks: Networks, values: SlotValues, latent_numbers: list[float], pixels: list[float]
) -> None:
    slots = torch.tensor([values.indices()])
    transformer = networks.transformer
    guidance = Guidance(transformer.encode_slots(slots), transformer.encode_slots(slots * 0))
    noise = draw_noise(7, range(5), height=8, width=8, channels=20)[None]

    latents = sample(transformer, noise, torch.arange(5)[None], Walk(SamplerConfig(4, 3.0, 2.0), guidance))
    video = networks.autoencoder.decode(latents)

    some = latents[0, [0, 1, 2, 3, 4], [0, 3, 5, 7, 2], [1, 4, 6, 0, 2], [0, 5, 9, 15, 3]]
    places = video[0, [0, 4, 9, 16], [5, 30, 40, 63], [7, 33, 20, 63]].mean(dim=-1)
    assert some.tolist() == pytest.approx(latent_numbers, abs=2e-3)
    assert places.tolist() == pytest.approx(pixels, abs=2e-3)
