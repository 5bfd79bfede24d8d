"""What the autoencoder loses."""

import pytest
import torch

from platemark.training.fidelity import measure_fidelity, ssim
from platemark.training.trainer import Trainer
from platemark.training.world.attributes import FAMILIES
from platemark.training.world.clips import ClipShape, World


@pytest.fixture(scope="module")
def clips() -> torch.Tensor:
    """Four small clips of the world."""
    return World(3).render(torch.arange(4), ClipShape(32, 32, 5)).video


def test_equal_clips_are_wholly_similar(clips: torch.Tensor) -> None:
    assert torch.allclose(ssim(clips, clips), torch.ones(4), atol=1e-5)


def test_noise_takes_similarity_away_and_more_noise_more(clips: torch.Tensor) -> None:
    noise = torch.randn(clips.shape, generator=torch.Generator().manual_seed(0))
    little, much = ((clips + strength * noise).clamp(0, 255).to(torch.uint8) for strength in (6, 60))

    assert (ssim(clips, clips) > ssim(clips, little)).all()
    assert (ssim(clips, little) > ssim(clips, much)).all()


def test_similarity_has_no_order(clips: torch.Tensor) -> None:
    assert torch.allclose(ssim(clips, clips.flip(0)), ssim(clips.flip(0), clips), atol=1e-6)


def test_a_brighter_picture_is_still_similar(clips: torch.Tensor) -> None:
    brighter = (clips.float() * 0.95).to(torch.uint8)

    assert ssim(clips, brighter).min() > 0.9


def test_every_family_is_measured_and_the_mean_is_over_families(trained: Trainer) -> None:
    report = measure_fidelity(trained.autoencoder, clips=2, shape=trained.config.clips)

    assert set(report.by_family) == {family.name for family in FAMILIES}
    assert report.overall.clips == 2 * len(FAMILIES)
    assert report.overall.psnr == pytest.approx(sum(f.psnr for f in report.by_family.values()) / len(FAMILIES))
    assert 5 < report.overall.psnr < 60
    assert report.overall.ssim < 1
