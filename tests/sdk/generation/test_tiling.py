"""A picture decoded in tiles is the picture decoded whole, whatever its size, and its seams are nowhere."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.config import AutoencoderConfig
from platemark.generation.tiling import decode_in_tiles, reach, spans

CONFIG = AutoencoderConfig(
    latent_channels=4, fine_width=8, coarse_width=8, encoder_blocks=1, coarse_decoder_blocks=1, fine_decoder_blocks=1
)


def lively(config: AutoencoderConfig = CONFIG) -> VideoAutoencoder:
    """An autoencoder whose every weight does something: as made, its blocks are the identity."""
    torch.manual_seed(0)
    autoencoder = VideoAutoencoder(config).eval().requires_grad_(False)
    for tensor in (*autoencoder.parameters(), *autoencoder.buffers()):
        tensor.copy_(torch.randn_like(tensor) * 0.2)
    return autoencoder


def noise(height: int, width: int) -> Tensor:
    return torch.randn(1, height, width, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("height", "width", "tile"), [(9, 20, 8), (17, 5, 4), (16, 16, 8), (13, 13, 12), (3, 40, 1)])
def test_tiles_give_the_same_numbers_as_the_whole(height: int, width: int, tile: int) -> None:
    autoencoder, latents = lively(), noise(height, width)

    tiled = decode_in_tiles(autoencoder, latents, tile=tile)

    assert torch.allclose(tiled, autoencoder.decode_group(latents), rtol=1e-4, atol=1e-5)


def test_a_small_picture_is_decoded_whole_to_the_last_bit() -> None:
    autoencoder, latents = lively(), noise(8, 8)

    assert torch.equal(decode_in_tiles(autoencoder, latents, tile=8), autoencoder.decode_group(latents))


@pytest.mark.parametrize(("coarse", "fine"), [(1, 1), (2, 2), (3, 1), (1, 4)])
def test_no_pixel_depends_on_what_lies_beyond_the_reach_and_some_on_its_edge(coarse: int, fine: int) -> None:
    config = AutoencoderConfig(
        latent_channels=4, fine_width=8, coarse_width=8, coarse_decoder_blocks=coarse, fine_decoder_blocks=fine
    )
    autoencoder, latents = lively(config), noise(3, 40)
    far, middle = reach(config), 20
    before = autoencoder.decode_group(latents)[:, :, :, middle * 8 : (middle + 1) * 8]

    latents[:, :, middle + far + 1 :] += 5
    beyond = autoencoder.decode_group(latents)[:, :, :, middle * 8 : (middle + 1) * 8]
    latents[:, :, middle + 1] += 5
    inside = autoencoder.decode_group(latents)[:, :, :, middle * 8 : (middle + 1) * 8]

    assert torch.allclose(before, beyond, rtol=0, atol=1e-4)
    assert not torch.allclose(before, inside, rtol=0, atol=1e-2)


def test_no_call_sees_more_than_a_tile_and_its_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    autoencoder, seen = lively(), list[int]()
    decode = autoencoder.decode_group

    def watch(latents: Tensor) -> Tensor:
        seen.append(max(latents.shape[1:3]))
        return decode(latents)

    monkeypatch.setattr(autoencoder, "decode_group", watch)
    decode_in_tiles(autoencoder, noise(40, 40), tile=8)

    assert len(seen) == 25
    assert max(seen) <= 8 + 2 * reach(CONFIG)


@settings(deadline=None)
@given(length=st.integers(1, 300), tile=st.integers(1, 64), around=st.integers(0, 12))
def test_tiles_cover_a_side_once_and_see_as_far_as_they_must(length: int, tile: int, around: int) -> None:
    cut = list(spans(length, tile=tile, around=around))

    assert [place for span in cut for place in range(span.first, span.stop)] == list(range(length))
    assert all(span.seen_from == max(0, span.first - around) for span in cut)
    assert all(span.seen_to == min(length, span.stop + around) for span in cut)
