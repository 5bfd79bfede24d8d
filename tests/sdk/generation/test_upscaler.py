"""Twice the sides of decoded frames."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from platemark.errors import GenerationError
from platemark.generation.backends.embedded import WEIGHTS
from platemark.generation.card import ModelCard, WeightFile
from platemark.generation.checkpoint import load_networks
from platemark.generation.config import UpscalerConfig
from platemark.generation.upscaler import Upscaler

SMALL = UpscalerConfig(width=6, blocks=1)


@pytest.fixture
def upscaler() -> Upscaler:
    """An upscaler whose every weight is random."""
    torch.manual_seed(5)
    network = Upscaler(SMALL).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.normal_(std=0.1)
    return network


@pytest.fixture
def folder(card: ModelCard, upscaler: Upscaler, tmp_path: Path) -> Path:
    """A copy of the shipped weights, with this upscaler beside them."""
    for weights in (card.weights.autoencoder, card.weights.transformer):
        (tmp_path / weights.file).write_bytes((WEIGHTS / weights.file).read_bytes())
    save_file({name: tensor.half() for name, tensor in upscaler.state_dict().items()}, tmp_path / "up.safetensors")
    return tmp_path


def pinned(card: ModelCard, folder: Path, *, shape: UpscalerConfig | None = SMALL) -> ModelCard:
    content = (folder / "up.safetensors").read_bytes()
    file = WeightFile("up.safetensors", hashlib.sha256(content).hexdigest(), len(content), 1)
    return replace(
        card,
        weights=replace(card.weights, upscaler=file),
        architecture=replace(card.architecture, upscaler=shape),
    )


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5), (16, 9), (64, 114)])
def test_sides_are_doubled_at_any_size(upscaler: Upscaler, height: int, width: int) -> None:
    picture = np.random.default_rng(1).uniform(0, 255, (height, width, 3)).astype(np.float32)

    enlarged = upscaler.enlarge(picture)

    assert (enlarged.shape, enlarged.dtype) == ((2 * height, 2 * width, 3), np.float32)


@pytest.mark.parametrize("level", [0.0, 100.0, 255.0])
def test_before_it_learns_a_flat_picture_stays_flat(level: float) -> None:
    flat = np.full((6, 7, 3), level, np.float32)

    assert np.allclose(Upscaler(SMALL).eval().enlarge(flat), level, atol=1e-3)


def test_before_it_learns_it_is_bicubic_interpolation() -> None:
    torch.manual_seed(2)
    pictures = torch.rand(2, 3, 5, 8)

    made = Upscaler(SMALL)(pictures)

    assert torch.equal(made, torch.nn.functional.interpolate(pictures, scale_factor=2, mode="bicubic"))


def test_each_picture_is_enlarged_by_itself(upscaler: Upscaler) -> None:
    pictures = torch.rand(3, 3, 6, 6)

    together = upscaler(pictures)

    assert torch.allclose(together[1], upscaler(pictures[1:2])[0], atol=1e-5)


def test_the_same_picture_gives_the_same_bytes(upscaler: Upscaler) -> None:
    picture = np.random.default_rng(3).uniform(0, 255, (9, 9, 3)).astype(np.float32)

    assert np.array_equal(upscaler.enlarge(picture), upscaler.enlarge(picture))


@pytest.mark.parametrize("change", [{"width": 0}, {"blocks": -1}, {"width": 1.5}])
def test_an_upscaler_of_nothing_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(GenerationError, match="positive whole number"):
        UpscalerConfig(**change)  # type: ignore[arg-type]  # that is the flaw


def test_a_card_with_an_upscaler_loads_it(card: ModelCard, folder: Path, upscaler: Upscaler) -> None:
    loaded = load_networks(pinned(card, folder), folder).upscaler

    assert loaded is not None
    assert torch.equal(loaded.head.weight, upscaler.head.weight.half().float())


def test_a_card_without_one_has_none(card: ModelCard, folder: Path) -> None:
    bare = replace(
        card,
        weights=replace(card.weights, upscaler=None),
        architecture=replace(card.architecture, upscaler=None),
    )

    assert load_networks(bare, folder).upscaler is None


def test_weights_without_a_shape_are_refused(card: ModelCard, folder: Path) -> None:
    with pytest.raises(GenerationError, match="both the shape and the weights"):
        load_networks(pinned(card, folder, shape=None), folder)


def test_an_upscaler_that_was_changed_is_refused(card: ModelCard, folder: Path) -> None:
    changed = pinned(card, folder)
    content = bytearray((folder / "up.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "up.safetensors").write_bytes(content)

    with pytest.raises(GenerationError, match="should have SHA-256"):
        load_networks(changed, folder)


def test_the_digest_of_all_weights_counts_the_upscaler(card: ModelCard, folder: Path) -> None:
    bare = replace(card, weights=replace(card.weights, upscaler=None))

    assert pinned(card, folder).weights_sha256 != bare.weights_sha256
