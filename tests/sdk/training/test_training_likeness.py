"""Made clips as a whole against real ones, and the probe that looks at them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from platemark.errors import GenerationError
from platemark.training import probe as probe_module
from platemark.training.likeness import frechet, measure_frechet, measure_memorisation
from platemark.training.probe import FEATURES, WEIGHTS, Probe, published_probe, save_probe, train_probe
from platemark.training.world.clips import ClipBatch, ClipShape, Part, World

SHAPE = ClipShape(32, 32, 9)


@pytest.fixture(scope="module")
def held_out() -> ClipBatch:
    """Forty real held-out clips."""
    return World(5, Part.HELD_OUT).render(torch.arange(40), SHAPE)


@pytest.fixture(scope="module")
def probe() -> Probe:
    """The published probe."""
    return published_probe()


def _normal(mean: float, spread: float, seed: int = 0) -> torch.Tensor:
    return torch.randn(4000, 3, generator=torch.Generator().manual_seed(seed)) * spread + mean


def test_the_distance_of_two_normals_is_the_formulas() -> None:
    # |m|^2 + d (s1 - s2)^2 for isotropic ones: 3 * 1 + 3 * 1.
    assert frechet(_normal(0, 1), _normal(1, 2, seed=1)) == pytest.approx(6, rel=0.05)


def test_equal_features_have_no_distance() -> None:
    assert frechet(_normal(0, 1), _normal(0, 1)) == pytest.approx(0, abs=1e-6)


def test_the_published_probe_knows_the_scenes(probe: Probe, held_out: ClipBatch) -> None:
    scenes = probe(held_out.video)[0].argmax(dim=1)

    assert (scenes == held_out.slots[:, 0]).float().mean() >= 0.9


def test_features_are_bounded_and_tell_clips_apart(probe: Probe, held_out: ClipBatch) -> None:
    features = probe.features(held_out.video)

    assert features.shape == (40, FEATURES)
    assert features.abs().max() <= 1
    assert torch.cdist(features, features)[0, 1:].min() > 1e-3


def test_real_clips_are_nearer_to_real_ones_than_noise_is(probe: Probe, held_out: ClipBatch) -> None:
    noise = torch.randint(0, 256, held_out.video.shape, generator=torch.Generator().manual_seed(0)).to(torch.uint8)

    found = measure_frechet(probe, noise, held_out, seed=6)

    assert found.clips == 40
    assert found.generated > 2 * found.real


def test_clips_that_were_asked_for_have_no_distance_from_themselves(probe: Probe, held_out: ClipBatch) -> None:
    assert measure_frechet(probe, held_out.video, held_out, seed=6).generated == pytest.approx(0, abs=1e-6)


def test_a_copied_training_clip_is_found(held_out: ClipBatch) -> None:
    known = World(1, family="flag").render(torch.arange(64), SHAPE)

    found = measure_memorisation(known.video[:4], _flags(4), World(1), training_clips=64)
    copied = World(1).render(torch.arange(64), SHAPE)
    again = measure_memorisation(copied.video, copied, World(1), training_clips=64)

    assert found.copies.of == 4
    assert again.generated == 0
    assert again.held_out == 0


def _flags(count: int) -> ClipBatch:
    return World(9, Part.HELD_OUT, "flag").render(torch.arange(count), SHAPE)


def test_real_held_out_clips_are_no_copies(held_out: ClipBatch) -> None:
    found = measure_memorisation(held_out.video, held_out, World(1), training_clips=128)

    assert found.training_clips == 128
    assert found.generated == found.held_out
    assert found.copies.hits == 0
    assert found.nearest_held_out <= found.held_out


def test_a_few_steps_teach_a_probe_something() -> None:
    batch = World(77).render(torch.arange(64), ClipShape(32, 32, 9))
    trained, untrained = train_probe(steps=40), train_probe(steps=1)

    losses = [float(functional.cross_entropy(p(batch.video)[0], batch.slots[:, 0])) for p in (trained, untrained)]

    assert losses[0] < losses[1] - 0.02


def test_a_probe_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / WEIGHTS.name
    content = bytearray(WEIGHTS.read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    monkeypatch.setattr(probe_module, "WEIGHTS", changed)

    with pytest.raises(GenerationError, match="not the published probe"):
        published_probe()


def test_a_missing_probe_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "WEIGHTS", tmp_path / "none")

    with pytest.raises(GenerationError, match="cannot be read"):
        published_probe()


def test_saving_gives_the_digest_of_the_file(tmp_path: Path, probe: Probe) -> None:
    digest = save_probe(probe, tmp_path / "p.safetensors")

    assert digest == probe_module.SHA256
    assert np.isfinite(float(probe.slots.weight.sum()))
