"""Model cards: what a model is, what it was made from and at what cost, read from JSON and checked.

One rule: a weight file is used only if its bytes have the digest that its card names. No torch here.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from platemark.errors import GenerationError
from platemark.generation.config import AutoencoderConfig, SamplerConfig, TransformerConfig, UpscalerConfig

MAX_CARD_BYTES = 65_536
MAX_WEIGHTS_BYTES = 64 * 1024 * 1024
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of weights: its name beside the card, its digest, its size, and the numbers in it."""

    file: str
    sha256: str
    size_bytes: int
    parameters: int
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class Weights:
    """The files of weights of the networks; the upscaler is there or not."""

    autoencoder: WeightFile
    transformer: WeightFile
    upscaler: WeightFile | None = None
    __pydantic_config__ = _STRICT

    @property
    def files(self) -> tuple[WeightFile, ...]:
        """All of them."""
        return tuple(file for file in (self.autoencoder, self.transformer, self.upscaler) if file is not None)


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shapes of the networks."""

    autoencoder: AutoencoderConfig
    transformer: TransformerConfig
    upscaler: UpscalerConfig | None = None
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class NativeFormat:
    """The clips the model was trained on."""

    width: int
    height: int
    frames: int
    fps: int
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class Licence:
    """SPDX expressions for the code, the weights and the training data."""

    code: str
    weights: str
    data: str
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A whole card. `training` and `evaluation` are for people and auditors; nothing is computed from them.

    `actions_followed` is the share of a flight's actions, 0 to 1, that are read back from clips of these weights; none
    where that was never measured.
    """

    schema: str
    name: str
    version: str
    description: str
    licence: Licence
    languages: tuple[str, ...]
    native: NativeFormat
    architecture: Architecture
    sampler: SamplerConfig
    weights: Weights
    training: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    shows: tuple[str, ...]
    limits: tuple[str, ...]
    actions_followed: float | None = None
    __pydantic_config__ = _STRICT

    @property
    def weights_sha256(self) -> str:
        """One digest over all weight files: what `sha256sum FILES | sha256sum` prints, files sorted by name."""
        files = sorted(self.weights.files, key=lambda weights: weights.file)
        lines = "".join(f"{weights.sha256}  {weights.file}\n" for weights in files)
        return hashlib.sha256(lines.encode()).hexdigest()


@lru_cache(maxsize=8)
def read_card(path: Path) -> ModelCard:
    """Read and check a model card.

    Raises:
        GenerationError: the card is missing, too long, not JSON, or has another form than this version knows.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_CARD_BYTES + 1)
    except OSError as error:
        raise GenerationError(f"The model card {path.name} cannot be read.", fix="Install platemark again.") from error
    if len(content) > MAX_CARD_BYTES:
        raise GenerationError(f"The model card {path.name} is longer than {MAX_CARD_BYTES:,} bytes.")
    try:
        card = TypeAdapter(ModelCard).validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise GenerationError(
            f"The model card {path.name} is not in a form this version knows: {place}: {first['msg']}.",
            fix="Install platemark again.",
        ) from error
    if card.schema != "platemark-model-card-1":
        raise GenerationError(f"The model card {path.name} has the unknown form {card.schema[:40]!r}.")
    return card


def card_as_json(path: Path) -> Mapping[str, Any]:
    """Give a checked card as plain JSON values, for showing."""
    read_card(path)
    shown: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return shown


def read_weights(directory: Path, weights: WeightFile) -> bytes:
    """Read a file of weights and check its digest.

    Returns:
        The whole file, exactly the bytes that were checked.

    Raises:
        GenerationError: the file is missing, cut short, too large, or has another digest than its card says.
    """
    fix = "Install platemark again; do not use this file."
    try:
        with (directory / weights.file).open("rb") as stream:
            content = stream.read(MAX_WEIGHTS_BYTES + 1)
    except OSError as error:
        raise GenerationError(f"The weights {weights.file} cannot be read.", fix=fix) from error
    if len(content) != weights.size_bytes:
        raise GenerationError(
            f"The weights {weights.file} should be {weights.size_bytes:,} bytes long; {len(content):,} were found.",
            fix=fix,
        )
    found = hashlib.sha256(content).hexdigest()
    if found != weights.sha256:
        raise GenerationError(
            f"The weights {weights.file} should have SHA-256 {weights.sha256}; they have {found}.", fix=fix
        )
    return content
