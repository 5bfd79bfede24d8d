"""From a model card to networks with its weights in them.

One rule: safetensors only, digest first. Nothing from a weight file is ever executed, and a file that does not fit
its architecture to the last name and shape is refused.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from platemark.errors import GenerationError
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.card import ModelCard, WeightFile, read_weights
from platemark.generation.transformer import VideoTransformer
from platemark.generation.upscaler import Upscaler

Network = TypeVar("Network", bound=torch.nn.Module)


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks of a model, in evaluation mode, float32 on the CPU; a model may have no upscaler."""

    autoencoder: VideoAutoencoder
    transformer: VideoTransformer
    upscaler: Upscaler | None = None


def load_networks(card: ModelCard, directory: Path) -> Networks:
    """Build a model's networks and fill in its weights.

    Args:
        card: says the shapes, the files and their digests.
        directory: where the files lie.

    Raises:
        GenerationError: a file is missing, has another digest, or does not fit the architecture.
    """
    return Networks(
        _filled(VideoAutoencoder(card.architecture.autoencoder), card.weights.autoencoder, directory),
        _filled(VideoTransformer(card.architecture.transformer), card.weights.transformer, directory),
        _upscaler(card, directory),
    )


def _upscaler(card: ModelCard, directory: Path) -> Upscaler | None:
    shape, weights = card.architecture.upscaler, card.weights.upscaler
    if shape is None and weights is None:
        return None
    if shape is None or weights is None:
        raise GenerationError(
            "The model card must name both the shape and the weights of an upscaler, or neither.",
            fix="Install platemark again.",
        )
    return _filled(Upscaler(shape), weights, directory)


def _filled(network: Network, weights: WeightFile, directory: Path) -> Network:
    content = read_weights(directory, weights)
    try:
        tensors = load_tensors(content)
        # Stored as half precision to stay small; computed in single, which is the faster one on a CPU.
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=True)
    except (SafetensorError, RuntimeError) as error:
        raise GenerationError(
            f"The weights {weights.file} do not fit the architecture in the model card.", fix="Install platemark again."
        ) from error
    return network.eval().requires_grad_(False)
