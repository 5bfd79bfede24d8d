"""The trained reader: what it computes, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from platemark.errors import GenerationError
from platemark.generation import reader as reader_module
from platemark.generation.reader import (
    FOLDER,
    MAX_PIECES,
    VOCABULARY,
    WEIGHTS,
    pieces_of,
    reader_from,
    shipped_reader,
)
from platemark.generation.tokens import vocabulary_from_json
from platemark.training.phrasing import make_prompt
from platemark.training.reading import SHAPE, ReaderNetwork, reader_bytes
from platemark.training.vocabulary import learn_vocabulary

WORDS = ("a", "red", "circle", "moving", "left", "on", "white")


def test_the_shipped_reader_reads_what_it_was_trained_for() -> None:
    reading = shipped_reader().read((*WORDS, "background"))

    assert {slot: value for slot, value in reading.values.items() if value is not None} == {
        "scene": "shape",
        "shape": "circle",
        "colour": "red",
        "background": "white",
        "motion": "moving left",
    }
    assert min(reading.sure.values()) > 0.9
    assert min(reading.expressed) > 0.5


def test_the_shipped_reader_reads_korean() -> None:
    values = shipped_reader().read(("밤", "도시에", "내리는", "약한", "비")).values

    assert (values["scene"], values["time"], values["amount"]) == ("city rain", "night", "light")


def test_a_word_that_was_never_trained_on_is_never_called_expressed() -> None:
    reading = shipped_reader().read(("a", "red", "zeppelin", "circle"))

    assert reading.expressed[2] == 0
    assert reading.expressed[1] > 0.5


def test_a_stranger_that_was_trained_on_is_told_apart() -> None:
    reading = shipped_reader().read(("a", "red", "circle", "president"))

    assert reading.expressed[3] < 0.5


def test_nearly_all_new_prompts_of_the_templates_are_read_right() -> None:
    prompts = [make_prompt(4, (1 << 41) + number) for number in range(60)]
    slots = tuple(SHAPE.slots.items())

    right = [
        [0 if value is None else 1 + names.index(value) for (slot, names) in slots for value in [read.values[slot]]]
        == list(prompt.slots)
        for prompt, read in ((prompt, shipped_reader().read(prompt.words)) for prompt in prompts)
    ]

    assert sum(right) >= 56


def test_numpy_computes_what_torch_computes() -> None:
    vocabulary = learn_vocabulary({"red": 3, "circle": 3, "빨간": 2}, merges=6)
    torch.manual_seed(0)
    network = ReaderNetwork(SHAPE, pieces=vocabulary.size).half().float().eval()
    words = ("red", "빨간", "circle")
    pieces, _ = pieces_of(vocabulary, words)

    with torch.no_grad():
        guesses, _ = network(torch.tensor([pieces]), torch.ones(1, len(pieces), dtype=torch.bool))
    reading = reader_from(vocabulary, reader_bytes(network)).read(words)

    assert list(reading.sure.values()) == pytest.approx(
        [float(guess.softmax(dim=1).max()) for guess in guesses], abs=1e-3
    )


def test_no_words_are_read_without_an_error() -> None:
    assert shipped_reader().read(()).expressed == ()


def test_a_long_prompt_is_read_up_to_a_bound_and_the_rest_is_not_expressed() -> None:
    words = ("red",) * (MAX_PIECES + 50)

    reading = shipped_reader().read(words)

    assert len(reading.expressed) == len(words)
    assert reading.expressed[-1] == 0


@pytest.mark.parametrize("name", [WEIGHTS, VOCABULARY])
def test_a_changed_file_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (WEIGHTS, VOCABULARY):
        (tmp_path / each).write_bytes((FOLDER / each).read_bytes() + (b" " if each == name else b""))
    monkeypatch.setattr(reader_module, "FOLDER", tmp_path)
    shipped_reader.cache_clear()

    with pytest.raises(GenerationError, match=name):
        shipped_reader()
    shipped_reader.cache_clear()


def test_a_missing_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "FOLDER", tmp_path)
    shipped_reader.cache_clear()

    with pytest.raises(GenerationError, match="cannot be read"):
        shipped_reader()
    shipped_reader.cache_clear()


def _file(header: object, numbers: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        _file({}),
        _file({"__metadata__": {"shape": "{}"}}),
        _file(
            {
                "__metadata__": {"shape": json.dumps({"width": 2, "heads": 1, "depth": 1, "slots": {"a": ["b"]}})},
                "last": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            },
            np.zeros(2, np.float32).tobytes(),
        ),
        _file(
            {
                "__metadata__": {"shape": json.dumps({"width": 2, "heads": 1, "depth": 1, "slots": {"a": ["b"]}})},
                "last": {"dtype": "F16", "shape": [9], "data_offsets": [0, 4]},
            },
            np.zeros(2, np.float16).tobytes(),
        ),
    ],
)
def test_what_are_no_weights_is_refused(content: bytes) -> None:
    vocabulary = vocabulary_from_json((FOLDER / VOCABULARY).read_text(encoding="utf-8"))

    with pytest.raises(GenerationError, match="weights"):
        reader_from(vocabulary, content)
