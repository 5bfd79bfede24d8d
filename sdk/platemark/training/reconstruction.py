"""How the autoencoder learns: a basis in closed form first, then small corrections, then one scale for all latents.

One rule: after `settle` the encoder never changes again, or every latent that was stored would be wrong.
"""

import torch
from einops import rearrange
from torch import Tensor

from platemark.errors import GenerationError
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.patches import group_frames

EDGES = 0.05
"""Weight of errors of edges across and down, and of absolute errors, beside squared ones."""
STEPS_IN_TIME = 0.03
SMALL_LATENTS = 5e-4


@torch.no_grad()
def fit_basis(autoencoder: VideoAutoencoder, video: Tensor) -> None:
    """Set the linear basis to the principal components of a sample of clips.

    Args:
        autoencoder: its buffers are filled.
        video: (b, t, h, w, 3) float32 in [-1, 1], sides divisible by the patch.

    Raises:
        GenerationError: the sample has fewer patches than the basis has components.

    Source: Hotelling, 1933.
    """
    config = autoencoder.config
    groups = group_frames(video, group=config.group_frames)
    patches = rearrange(
        groups,
        "b g s (h i p) (w j q) c -> (b g h w) (i j s p q c)",
        i=2,
        j=2,
        p=config.stem_patch,
        q=config.stem_patch,
    )
    if len(patches) < config.latent_channels:
        raise GenerationError("There are too few patches to fit a basis to.", fix="Give more or larger clips.")
    mean = patches.mean(dim=0)
    centred = patches - mean
    variance, vectors = torch.linalg.eigh(centred.T.double() @ centred.double() / len(patches))
    strongest = variance[-config.latent_channels :].flip(0).clamp(min=1e-12).sqrt()
    # Latents keep half of the differences in strength: noise then costs a strong component less than a weak one.
    scale = strongest.sqrt()
    scale = scale * (strongest / scale).square().mean().sqrt()
    autoencoder.pixel_mean.copy_(mean)
    autoencoder.basis.copy_(vectors[:, -config.latent_channels :].flip(1))
    autoencoder.basis_scale.copy_(scale)


def reconstruction_loss(autoencoder: VideoAutoencoder, video: Tensor, noise: Tensor) -> Tensor:
    """Measure what is lost on the way through noisy latents.

    Args:
        autoencoder: not yet settled, so that latents are in its own units.
        video: (b, t, h, w, 3) float32 in [-1, 1].
        noise: of the latents' shape, already scaled.

    Returns:
        A scalar: squared error first, with errors of edges and of change beside it.
    """
    latents = autoencoder.encode(video)
    error = autoencoder.decode(latents + noise, frames=video.shape[1]) - video
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    change = error.diff(dim=1).abs().mean() if video.shape[1] > 1 else error.new_zeros(())
    small = latents.square().mean()
    return error.square().mean() + EDGES * (error.abs().mean() + edges) + STEPS_IN_TIME * change + SMALL_LATENTS * small


@torch.no_grad()
def settle(autoencoder: VideoAutoencoder, video: Tensor) -> None:
    """Fix the centre of each latent channel and one scale for all, from a sample of clips, and freeze the network.

    One scale, not one a channel: the noise the decoder has learned to bear makes strength mean importance.
    """
    autoencoder.latent_mean.zero_()
    autoencoder.latent_scale.fill_(1)
    latents = autoencoder.encode(video)
    mean = latents.mean(dim=(0, 1, 2, 3))
    autoencoder.latent_mean.copy_(mean)
    autoencoder.latent_scale.fill_(float((latents - mean).std()))
    autoencoder.eval().requires_grad_(False)


def psnr(first: Tensor, second: Tensor) -> Tensor:
    """Give the peak signal-to-noise ratio of each clip in decibels: (b,) float32 from videos in [-1, 1].

    Identical clips have 100 dB.
    """
    mean_square = (first - second).square().mean(dim=(1, 2, 3, 4)) / 4
    return -10 * torch.log10(mean_square.clamp(min=1e-10))
