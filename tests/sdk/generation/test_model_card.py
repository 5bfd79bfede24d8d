"""The shipped card is whole and true; a changed card or weight file is refused."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from platemark.errors import GenerationError
from platemark.generation.backends.embedded import CARD, WEIGHTS
from platemark.generation.card import (
    MAX_CARD_BYTES,
    ModelCard,
    WeightFile,
    card_as_json,
    read_card,
    read_weights,
)

MAX_WEIGHTS_TOTAL = 16 * 1024 * 1024


def weight_file(path: Path) -> WeightFile:
    content = path.read_bytes()
    return WeightFile(path.name, hashlib.sha256(content).hexdigest(), len(content), 1)


def test_the_card_says_where_the_model_comes_from(card: ModelCard) -> None:
    data = card.training["data"]

    assert (data["real_footage"], data["people"], data["third_party_material"]) == (False, False, False)
    assert (card.licence.code, card.licence.weights, card.licence.data) == ("Apache-2.0", "Apache-2.0", "CC0-1.0")


def test_the_card_says_what_the_training_cost(card: ModelCard) -> None:
    compute, energy = card.training["compute"], card.training["energy"]

    assert compute["transformer_cpu_seconds"] == 3198
    assert compute["flop"] == 707000000000000.0
    assert energy["kind"] == "estimate"
    assert "CPU seconds" in energy["method"]


def test_the_energy_follows_from_the_method_it_names(card: ModelCard) -> None:
    compute = card.training["compute"]
    seconds = sum(value for name, value in compute.items() if name.endswith("cpu_seconds"))

    assert card.training["energy"]["kilowatt_hours"] == pytest.approx(seconds * 10 / 3.6e6, rel=0.05)


def test_the_card_says_how_good_the_model_is_and_for_how_many_prompts(card: ModelCard) -> None:
    evaluation = card.evaluation

    assert evaluation["prompts"] == 312
    assert evaluation["percent_right"]["all_attributes"] == 94.9
    assert evaluation["percent_right_autoencoder_ceiling"]["all_attributes"] == 97.4
    assert evaluation["not_measured"]


def test_the_card_says_what_the_model_cannot_do(card: ModelCard) -> None:
    assert len(card.limits) >= 5
    assert "no people" in card.limits[0]


@pytest.mark.parametrize("part", ["autoencoder", "transformer"])
def test_the_shipped_weights_are_the_ones_in_the_card(card: ModelCard, part: str) -> None:
    weights: WeightFile = getattr(card.weights, part)

    assert weight_file(WEIGHTS / weights.file).sha256 == weights.sha256


def test_the_shipped_weights_are_small_enough_to_ship(card: ModelCard) -> None:
    assert card.weights.autoencoder.size_bytes + card.weights.transformer.size_bytes < MAX_WEIGHTS_TOTAL


def test_the_digest_over_all_weights_can_be_had_with_sha256sum(card: ModelCard) -> None:
    lines = sorted(WEIGHTS.glob("*.safetensors"))

    printed = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in lines)

    assert card.weights_sha256 == hashlib.sha256(printed.encode()).hexdigest()


def test_the_card_can_be_shown_as_json(card: ModelCard) -> None:
    shown = card_as_json(CARD)

    assert shown["name"] == card.name
    assert shown["weights"]["transformer"]["sha256"] == card.weights.transformer.sha256


def test_a_missing_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="cannot be read"):
        read_card(tmp_path / "absent.json")


def test_a_card_that_is_not_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "garbled.json"
    path.write_text("{")

    with pytest.raises(GenerationError, match="not in a form"):
        read_card(path)


def test_a_card_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    path.write_bytes(b" " * (MAX_CARD_BYTES + 1))

    with pytest.raises(GenerationError, match="longer than"):
        read_card(path)


@pytest.mark.parametrize("key", ["name", "licence", "native", "architecture", "weights", "training", "limits"])
def test_a_card_without_one_of_its_parts_is_refused(card_json: dict[str, Any], write_card: Any, key: str) -> None:
    del card_json[key]

    with pytest.raises(GenerationError, match=key):
        read_card(write_card(card_json))


def test_a_card_with_an_unknown_part_is_refused(card_json: dict[str, Any], write_card: Any) -> None:
    card_json["surprise"] = 1

    with pytest.raises(GenerationError, match="surprise"):
        read_card(write_card(card_json))


def test_a_card_with_an_unknown_weight_property_is_refused(card_json: dict[str, Any], write_card: Any) -> None:
    card_json["weights"]["transformer"]["pickle"] = "model.bin"

    with pytest.raises(GenerationError, match=r"weights\.transformer\.pickle"):
        read_card(write_card(card_json))


def test_a_card_of_another_version_is_refused(card_json: dict[str, Any], write_card: Any) -> None:
    card_json["schema"] = "platemark-model-card-9"

    with pytest.raises(GenerationError, match="platemark-model-card-9"):
        read_card(write_card(card_json))


def test_a_card_with_an_impossible_network_is_refused(card_json: dict[str, Any], write_card: Any) -> None:
    card_json["architecture"]["transformer"]["heads"] = 3

    with pytest.raises(GenerationError, match="heads"):
        read_card(write_card(card_json))


def test_weights_come_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "good.safetensors"
    path.write_bytes(b"weights")

    assert read_weights(tmp_path, weight_file(path)) == b"weights"


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="cannot be read"):
        read_weights(tmp_path, WeightFile("absent.safetensors", "0" * 64, 1, 1))


def test_weights_cut_short_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(b"weights")
    whole = weight_file(path)
    os.truncate(path, 6)

    with pytest.raises(GenerationError, match="should be 7 bytes long; 6 were found"):
        read_weights(tmp_path, whole)


def test_weights_with_one_changed_byte_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "flipped.safetensors"
    path.write_bytes(b"weights")
    whole = weight_file(path)
    path.write_bytes(b"weightz")

    with pytest.raises(GenerationError, match="SHA-256") as refusal:
        read_weights(tmp_path, whole)

    assert whole.sha256 in refusal.value.message
    assert "do not use" in refusal.value.fix
