"""Weights are loaded only whole, unchanged, and into the network they were made for."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from platemark.errors import GenerationError
from platemark.generation.backends.embedded import WEIGHTS
from platemark.generation.card import ModelCard, WeightFile, read_card
from platemark.generation.checkpoint import Networks, load_networks


def pinned(card: ModelCard, folder: Path) -> ModelCard:
    """The card, with the digest and size of whatever transformer weights lie in the folder."""
    weights = card.weights.transformer
    content = (folder / weights.file).read_bytes()
    changed = WeightFile(weights.file, hashlib.sha256(content).hexdigest(), len(content), weights.parameters)
    return replace(card, weights=replace(card.weights, transformer=changed))


@pytest.fixture
def folder(card: ModelCard, tmp_path: Path) -> Path:
    """A copy of the shipped weights, free to be spoiled."""
    for weights in (card.weights.autoencoder, card.weights.transformer):
        (tmp_path / weights.file).write_bytes((WEIGHTS / weights.file).read_bytes())
    return tmp_path


@pytest.fixture
def transformer_path(card: ModelCard, folder: Path) -> Path:
    """The transformer's weights in that copy."""
    return folder / card.weights.transformer.file


def test_the_networks_are_ready_for_use(networks: Networks) -> None:
    modules = (networks.autoencoder, networks.transformer)

    assert [module.training for module in modules] == [False, False]
    assert {parameter.dtype for module in modules for parameter in module.parameters()} == {torch.float32}
    assert not any(parameter.requires_grad for module in modules for parameter in module.parameters())


def test_every_number_of_the_files_is_in_the_networks(networks: Networks, card: ModelCard) -> None:
    autoencoder = sum(tensor.numel() for tensor in networks.autoencoder.state_dict().values())
    transformer = sum(tensor.numel() for tensor in networks.transformer.state_dict().values())

    assert (autoencoder, transformer) == (
        card.weights.autoencoder.parameters,
        card.weights.transformer.parameters,
    )


def test_the_shipped_files_hold_half_precision_tensors_with_plain_names(card: ModelCard) -> None:
    tensors = load_file(WEIGHTS / card.weights.transformer.file)

    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert "blocks.0.attention_in.weight" in tensors
    assert "conditioner.token.weight" in tensors


def test_truncated_weights_are_refused(card: ModelCard, folder: Path, transformer_path: Path) -> None:
    os.truncate(transformer_path, 1000)

    with pytest.raises(GenerationError, match="1,000 were found"):
        load_networks(card, folder)


def test_weights_with_a_wrong_digest_are_refused(card: ModelCard, folder: Path, transformer_path: Path) -> None:
    content = bytearray(transformer_path.read_bytes())
    content[-1] ^= 1
    transformer_path.write_bytes(content)

    with pytest.raises(GenerationError, match="should have SHA-256"):
        load_networks(card, folder)


def test_truncated_weights_are_refused_even_if_the_card_names_their_digest(
    card: ModelCard, folder: Path, transformer_path: Path
) -> None:
    os.truncate(transformer_path, transformer_path.stat().st_size - 10)

    with pytest.raises(GenerationError, match="do not fit the architecture"):
        load_networks(pinned(card, folder), folder)


def test_a_file_that_is_not_safetensors_is_refused(card: ModelCard, folder: Path, transformer_path: Path) -> None:
    torch.save({"blocks": torch.zeros(1)}, transformer_path)

    with pytest.raises(GenerationError, match="do not fit the architecture"):
        load_networks(pinned(card, folder), folder)


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_weights_of_another_architecture_are_refused(
    card: ModelCard, folder: Path, transformer_path: Path, change: str
) -> None:
    tensors = load_file(transformer_path)
    spoilt = {
        "missing": {name: tensor for name, tensor in tensors.items() if name != "patch_in.bias"},
        "extra": tensors | {"surprise": torch.zeros(1)},
        "shape": tensors | {"patch_in.bias": torch.zeros(3)},
    }
    save_file(spoilt[change], transformer_path)

    with pytest.raises(GenerationError, match="do not fit the architecture"):
        load_networks(pinned(card, folder), folder)


def test_a_card_of_a_deeper_network_does_not_take_these_weights(card_json: dict[str, Any], write_card: Any) -> None:
    card_json["architecture"]["transformer"]["depth"] = 7
    path = write_card(card_json)

    with pytest.raises(GenerationError, match="do not fit the architecture"):
        load_networks(read_card(path), path.parent)


def test_loading_twice_gives_the_same_numbers(card: ModelCard, networks: Networks) -> None:
    again = load_networks(card, WEIGHTS)

    pairs = zip(networks.transformer.parameters(), again.transformer.parameters(), strict=True)
    assert all(torch.equal(first, second) for first, second in pairs)


def test_the_card_beside_the_weights_is_json_that_people_can_read() -> None:
    text = (WEIGHTS / "embedded-2.json").read_text(encoding="utf-8")

    assert json.loads(text)["schema"] == "platemark-model-card-1"
    assert text.count("\n") > 50
