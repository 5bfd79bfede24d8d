"""The autoencoder keeps shapes at odd sizes, groups apart, and simple pictures recognisable."""

import pytest
import torch
from torch import Tensor

from platemark.generation.autoencoder import ResidualBlock, VideoAutoencoder
from platemark.generation.checkpoint import Networks


@pytest.mark.parametrize(
    ("frames", "height", "width", "latents"),
    [
        (1, 4, 4, (1, 1, 1)),
        (2, 5, 7, (2, 2, 2)),
        (4, 8, 12, (2, 2, 3)),
        (5, 9, 3, (3, 3, 1)),
    ],
)
def test_latents_cover_clips_of_every_size(
    tiny_autoencoder: VideoAutoencoder, frames: int, height: int, width: int, latents: tuple[int, int, int]
) -> None:
    video = torch.rand(2, frames, height, width, 3)

    encoded = tiny_autoencoder.encode(video)

    assert encoded.shape == (2, *latents, 5)


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 7])
def test_decoding_gives_back_as_many_frames_as_were_encoded(tiny_autoencoder: VideoAutoencoder, frames: int) -> None:
    video = torch.rand(1, frames, 8, 12, 3)

    decoded = tiny_autoencoder.decode(tiny_autoencoder.encode(video), frames=frames)

    assert decoded.shape == video.shape


def test_decoding_gives_all_frames_of_the_groups_when_not_told(tiny_autoencoder: VideoAutoencoder) -> None:
    latents = torch.randn(1, 3, 2, 2, 5)

    decoded = tiny_autoencoder.decode(latents)

    assert decoded.shape == (1, 7, 8, 8, 3)


def test_groups_do_not_see_one_another(tiny_autoencoder: VideoAutoencoder) -> None:
    latents = torch.randn(1, 3, 2, 3, 5)
    changed = latents.clone()
    changed[:, 2] += 1

    before, after = tiny_autoencoder.decode(latents), tiny_autoencoder.decode(changed)

    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_one_group_decodes_as_it_does_within_a_clip(tiny_autoencoder: VideoAutoencoder) -> None:
    latents = torch.randn(1, 2, 2, 2, 5)

    clip, group = tiny_autoencoder.decode(latents), tiny_autoencoder.decode_group(latents[:, 1])

    assert torch.allclose(clip[:, 1:], group, atol=1e-6)


def test_the_first_frame_of_a_clip_is_encoded_like_a_still(tiny_autoencoder: VideoAutoencoder) -> None:
    video = torch.rand(1, 4, 8, 8, 3)

    clip, still = tiny_autoencoder.encode(video), tiny_autoencoder.encode(video[:, :1])

    assert torch.allclose(clip[:, :1], still, atol=1e-5)


def test_places_far_apart_do_not_see_one_another(tiny_autoencoder: VideoAutoencoder) -> None:
    latents = torch.randn(1, 1, 3, 40, 5)
    changed = latents.clone()
    changed[:, :, :, 0] += 1

    before, after = tiny_autoencoder.decode(latents), tiny_autoencoder.decode(changed)

    assert torch.allclose(before[:, :, :, -4:], after[:, :, :, -4:], atol=1e-6)


def test_a_new_residual_block_is_the_identity() -> None:
    block = ResidualBlock(6)
    cells = torch.randn(2, 6, 3, 5)

    assert torch.equal(block(cells), cells)


def flat(colour: tuple[float, float, float]) -> Tensor:
    return torch.tensor(colour).expand(1, 5, 64, 64, 3)


@pytest.mark.parametrize("colour", [(0.8, -0.7, -0.7), (-0.7, -0.3, 0.6), (0.9, 0.9, 0.9), (-0.85, -0.85, -0.8)])
def test_the_shipped_autoencoder_keeps_flat_colours(networks: Networks, colour: tuple[float, float, float]) -> None:
    video = flat(colour)

    restored = networks.autoencoder.decode(networks.autoencoder.encode(video))

    assert (restored - video).abs().mean() < 0.05


def test_the_shipped_autoencoder_restores_a_still_square(networks: Networks) -> None:
    video = flat((0.9, 0.9, 0.9)).clone()
    video[:, :, 20:44, 20:44] = torch.tensor([-0.7, -0.3, 0.6])

    restored = networks.autoencoder.decode(networks.autoencoder.encode(video))

    psnr = -10 * torch.log10(((restored - video) / 2).square().mean())
    assert psnr > 24


def test_the_shipped_latents_have_about_unit_scale(networks: Networks) -> None:
    video = flat((0.9, 0.9, 0.9)).clone()
    video[:, :, 10:30, 10:30] = -0.5

    latents = networks.autoencoder.encode(video)

    assert 0.2 < latents.square().mean().sqrt() < 5
