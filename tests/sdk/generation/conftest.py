"""Networks for the generation tests: the shipped ones, loaded once, and tiny random ones of odd shapes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from platemark.clip import Size
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.backend import GenerationRequest
from platemark.generation.backends.embedded import CARD, WEIGHTS, EmbeddedGenerator
from platemark.generation.card import ModelCard, read_card
from platemark.generation.checkpoint import Networks, load_networks
from platemark.generation.config import AutoencoderConfig, TransformerConfig
from platemark.generation.transformer import VideoTransformer

RequestMaker = Callable[..., GenerationRequest]
CardWriter = Callable[[dict[str, Any]], Path]


@pytest.fixture(scope="session")
def card() -> ModelCard:
    """The model card that is shipped."""
    return read_card(CARD)


@pytest.fixture(scope="session")
def networks(card: ModelCard) -> Networks:
    """The shipped networks."""
    return load_networks(card, WEIGHTS)


@pytest.fixture(scope="session")
def embedded() -> EmbeddedGenerator:
    """The embedded generator, on one thread so that its frames are the same bytes everywhere."""
    return EmbeddedGenerator(threads=1)


@pytest.fixture
def tiny_transformer() -> VideoTransformer:
    """A transformer of two small blocks whose every weight is random, so that nothing is hidden by a zero."""
    torch.manual_seed(3)
    config = TransformerConfig(
        latent_channels=3, patch=2, width=32, depth=2, heads=2, slot_sizes=(3, 4), registers=2, time_frequencies=8
    )
    network = VideoTransformer(config).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.normal_(std=0.2)
    return network


@pytest.fixture
def tiny_autoencoder() -> VideoAutoencoder:
    """An autoencoder with a random basis and random corrections."""
    torch.manual_seed(4)
    config = AutoencoderConfig(latent_channels=5, group_frames=3, stem_patch=2, fine_width=6, coarse_width=8)
    network = VideoAutoencoder(config).eval().requires_grad_(False)
    for tensor in (*network.parameters(), network.basis, network.pixel_mean, network.latent_mean):
        tensor.normal_(std=0.1)
    return network


@pytest.fixture
def make_request() -> RequestMaker:
    """Requests that are cheap unless a test says otherwise."""

    def make(prompt: str = "a calm sea at sunset", **changes: Any) -> GenerationRequest:
        values: dict[str, Any] = {"size": Size(128, 128), "frames": 3, "fps": 12, "seed": 7, "steps": 2}
        return GenerationRequest(prompt=prompt, **(values | changes))

    return make


@pytest.fixture
def card_json() -> dict[str, Any]:
    """The shipped card as JSON values, free to be changed."""
    content: dict[str, Any] = json.loads(CARD.read_text(encoding="utf-8"))
    return content


@pytest.fixture
def write_card(tmp_path: Path) -> CardWriter:
    """Writes a card into a folder that also holds the shipped weights."""
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)

    def write(content: dict[str, Any]) -> Path:
        path = folder / "changed.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write
