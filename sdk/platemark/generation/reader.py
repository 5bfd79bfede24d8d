"""A small transformer that reads prompts: every slot's value, and which words it made nothing of.

One rule: numpy only, so that a prompt is read without torch; what is unsure is left open, never guessed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from platemark.errors import GenerationError
from platemark.generation.tokens import Vocabulary, vocabulary_from_json

Array = NDArray[np.float32]
MAX_PIECES = 96
"""Pieces of a prompt that are read; what comes after them is reported as not expressed."""
FOLDER = Path(__file__).parent / "reader_weights"
WEIGHTS, VOCABULARY = "reader-1.safetensors", "reader-1-vocabulary.json"
SHA256: Mapping[str, str] = {
    WEIGHTS: "289313e571ebb0cf3604668cf0b406f526a26ac73c324a7571b2e02c2fcc549b",
    VOCABULARY: "0b02ecba0e5d8ad1383d313ef5e96d3633537092eb6be2cda7d8d58d5e1af72c",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        values: for each slot its value; none if it is left open.
        sure: for each slot the probability of that, 0 to 1.
        expressed: for each word the probability, 0 to 1, that the slots say what it says, or that it says nothing;
            0 for a word that was never trained on, whatever the network makes of it.
    """

    values: Mapping[str, str | None]
    sure: Mapping[str, float]
    expressed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ReaderShape:
    """The form of the network.

    Args:
        width: of a piece.
        heads: of attention.
        depth: blocks.
        slots: their names, and the values of each.
    """

    width: int
    heads: int
    depth: int
    slots: Mapping[str, tuple[str, ...]]


class Reader:
    """Reads prompts.

    Args:
        vocabulary: of the pieces.
        shape: of the network.
        weights: by name, as `platemark.training.reading.ReaderNetwork` has them.
    """

    def __init__(self, vocabulary: Vocabulary, shape: ReaderShape, weights: Mapping[str, Array]) -> None:
        self._vocabulary = vocabulary
        self._shape = shape
        self._weights = weights

    def read(self, words: Sequence[str]) -> Reading:
        """Read a prompt that was split into words."""
        pieces, owners = pieces_of(self._vocabulary, words)
        states = self._encode(np.array(pieces, np.int64))
        values: dict[str, str | None] = {}
        sure: dict[str, float] = {}
        for index, (slot, names) in enumerate(self._shape.slots.items()):
            chance = _softmax(self._linear(f"heads.{index}", states[index]))
            values[slot] = (None, *names)[int(chance.argmax())]
            sure[slot] = float(chance.max())
        known = 1 / (1 + np.exp(-self._linear("tag", states[len(values) :])[:, 0]))
        expressed = (
            float(np.mean([known[i] for i, owner in enumerate(owners) if owner == place]))
            if place in owners and word in self._vocabulary.words
            else 0.0
            for place, word in enumerate(words)
        )
        return Reading(values, sure, tuple(expressed))

    def _encode(self, pieces: NDArray[np.int64]) -> Array:
        weights = self._weights
        tokens = weights["piece.weight"][pieces] + weights["place.weight"][: len(pieces)]
        states: Array = np.concatenate([weights["queries"], tokens])
        for index in range(self._shape.depth):
            name = f"blocks.{index}"
            states = states + self._attend(name, _norm(states, weights[f"{name}.first"]))
            hidden = self._linear(f"{name}.inner", _norm(states, weights[f"{name}.second"]))
            states = states + self._linear(f"{name}.outer", np.maximum(hidden, 0) ** 2)
        return _norm(states, weights["last"])

    def _attend(self, name: str, states: Array) -> Array:
        n, heads = len(states), self._shape.heads
        query, key, value = (
            part.reshape(n, heads, -1).transpose(1, 0, 2)
            for part in np.split(self._linear(f"{name}.mixed", states), 3, axis=1)
        )
        chance = _softmax(query @ key.transpose(0, 2, 1) / np.float32(query.shape[-1] ** 0.5))
        return self._linear(f"{name}.out", (chance @ value).transpose(1, 0, 2).reshape(n, -1))

    def _linear(self, name: str, states: Array) -> Array:
        result: Array = states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result


def pieces_of(vocabulary: Vocabulary, words: Sequence[str]) -> tuple[list[int], list[int]]:
    """Give the pieces of words, at most `MAX_PIECES`, and for each the number of its word; at least one piece."""
    pieces: list[int] = []
    owners: list[int] = []
    for index, word in enumerate(words):
        own = vocabulary.encode(word)
        if len(pieces) + len(own) > MAX_PIECES:
            break
        pieces += own
        owners += [index] * len(own)
    return (pieces, owners) if pieces else ([0], [-1])


def _softmax(numbers: Array) -> Array:
    raised: Array = np.exp(numbers - numbers.max(axis=-1, keepdims=True))
    chances: Array = raised / raised.sum(axis=-1, keepdims=True)
    return chances


def _norm(states: Array, scale: Array) -> Array:
    result: Array = states / np.sqrt((states**2).mean(axis=-1, keepdims=True) + np.float32(1e-6)) * scale
    return result


@lru_cache(maxsize=1)
def shipped_reader() -> Reader:
    """Read the reader that comes with the package.

    Raises:
        GenerationError: a file is missing or another one.
    """
    vocabulary = vocabulary_from_json(_pinned(VOCABULARY).decode("utf-8"))
    return reader_from(vocabulary, _pinned(WEIGHTS))


def reader_from(vocabulary: Vocabulary, content: bytes) -> Reader:
    """Make a reader from the bytes of a safetensors file whose metadata has the shape.

    Raises:
        GenerationError: they are not such a file.

    Source: huggingface/safetensors, README, "Format": eight bytes of length, a JSON header, the numbers.
    """
    try:
        start = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:start])
        form = json.loads(header.pop("__metadata__")["shape"])
        slots = {str(slot): tuple(map(str, names)) for slot, names in form["slots"].items()}
        shape = ReaderShape(form["width"], form["heads"], form["depth"], slots)
        weights = {name: _tensor(content[start:], entry) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise GenerationError("The reader's weights cannot be read.", fix="Install platemark again.") from error
    return Reader(vocabulary, shape, weights)


def _tensor(numbers: bytes, entry: Mapping[str, object]) -> Array:
    if entry["dtype"] != "F16" or not isinstance(entry["data_offsets"], list):
        raise ValueError("not half precision")
    first, stop = entry["data_offsets"]
    half = np.frombuffer(numbers[first:stop], "<f2").astype(np.float32)
    if not isinstance(entry["shape"], list):
        raise TypeError("no shape")
    sides = [int(side) for side in entry["shape"]]
    return half.reshape(sides)


def _pinned(name: str) -> bytes:
    try:
        content = (FOLDER / name).read_bytes()
    except OSError as error:
        raise GenerationError(f"The file {name} cannot be read.", fix="Install platemark again.") from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise GenerationError(f"The file {name} is not the one that was released.", fix="Install platemark again.")
    return content
