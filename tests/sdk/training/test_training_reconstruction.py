"""How the autoencoder learns."""

import pytest
import torch

from platemark.errors import GenerationError
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.config import AutoencoderConfig
from platemark.training.reconstruction import fit_basis, psnr, reconstruction_loss, settle
from platemark.training.world.clips import ClipShape, World


@pytest.fixture
def video() -> torch.Tensor:
    """Twelve clips of the world."""
    return World(3).render(torch.arange(12), ClipShape(32, 32, 9)).floats


@pytest.fixture
def fitted(video: torch.Tensor) -> VideoAutoencoder:
    """An autoencoder with a basis and no corrections yet."""
    torch.manual_seed(0)
    network = VideoAutoencoder(AutoencoderConfig(latent_channels=12, fine_width=8, coarse_width=8))
    torch.nn.init.zeros_(network.encoder.head.weight)
    torch.nn.init.zeros_(network.decoder.head.weight)
    network.encoder.head.bias.data.zero_()  # type: ignore[union-attr]
    network.decoder.head.bias.data.zero_()  # type: ignore[union-attr]
    fit_basis(network, video)
    return network.requires_grad_(False)


def test_a_fitted_basis_is_orthonormal(fitted: VideoAutoencoder) -> None:
    product = fitted.basis.T @ fitted.basis

    assert torch.allclose(product, torch.eye(12), atol=1e-4)


def test_a_basis_alone_restores_clips_recognisably(fitted: VideoAutoencoder, video: torch.Tensor) -> None:
    assert psnr(fitted.decode(fitted.encode(video), frames=9), video).mean() > 18


def test_encoding_what_was_decoded_gives_the_same_latents(fitted: VideoAutoencoder, video: torch.Tensor) -> None:
    """So the patches were gathered in the order in which the network reads them."""
    once = fitted.encode(video[:, :5])[:, 1]

    again = fitted.encode(torch.cat([video[:, :1], fitted.decode_group(once)], dim=1))[:, 1]

    assert torch.allclose(once, again, atol=1e-3)


def test_components_come_by_strength(fitted: VideoAutoencoder, video: torch.Tensor) -> None:
    strength = fitted.encode(video).flatten(0, 3).std(dim=0)

    assert strength[0] > strength[5] > strength[11]


def test_too_few_patches_are_refused() -> None:
    network = VideoAutoencoder(AutoencoderConfig(latent_channels=16))

    with pytest.raises(GenerationError, match="too few patches"):
        fit_basis(network, torch.zeros(1, 1, 8, 8, 3))


def test_settling_gives_latents_of_unit_scale_and_freezes(fitted: VideoAutoencoder, video: torch.Tensor) -> None:
    settle(fitted, video)

    latents = fitted.encode(video)
    assert float(latents.std()) == pytest.approx(1, abs=0.02)
    assert latents.mean(dim=(0, 1, 2, 3)).abs().max() < 1e-3
    assert not any(parameter.requires_grad for parameter in fitted.parameters())


def test_settling_uses_one_scale_for_all_channels(fitted: VideoAutoencoder, video: torch.Tensor) -> None:
    settle(fitted, video)

    assert fitted.latent_scale.unique().numel() == 1


def test_settling_does_not_change_what_is_restored(fitted: VideoAutoencoder, video: torch.Tensor) -> None:
    before = fitted.decode(fitted.encode(video))

    settle(fitted, video)

    assert torch.allclose(fitted.decode(fitted.encode(video)), before, atol=1e-4)


def test_noise_in_the_latents_costs(fitted: VideoAutoencoder, video: torch.Tensor) -> None:
    noise = torch.randn(12, 3, 4, 4, 12, generator=torch.Generator().manual_seed(1))

    quiet, loud = (reconstruction_loss(fitted, video, noise * size) for size in (0.0, 0.3))

    assert loud > quiet > 0


def test_a_still_can_be_learned_from(fitted: VideoAutoencoder, video: torch.Tensor) -> None:
    loss = reconstruction_loss(fitted, video[:, :1], torch.zeros(12, 1, 4, 4, 12))

    assert loss.isfinite()


def test_psnr_has_known_answers() -> None:
    black, grey = -torch.ones(1, 2, 4, 4, 3), torch.zeros(1, 2, 4, 4, 3)

    assert float(psnr(black, black)) == pytest.approx(100)
    assert float(psnr(black, grey)) == pytest.approx(6.0206, abs=1e-3)
    assert float(psnr(black, -black)) == pytest.approx(0, abs=1e-5)
