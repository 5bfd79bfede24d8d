"""Every figure of the model card that can be recomputed is recomputed: files, networks, sums, shares."""

import functools
import hashlib
import itertools
import json
import math
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from platemark.errors import GenerationError
from platemark.generation.backends.embedded import CARD, WEIGHTS, generator_info
from platemark.generation.card import ModelCard, WeightFile, card_as_json, read_card
from platemark.generation.checkpoint import Networks
from platemark.generation.prompts import understand
from platemark.generation.scenes import LEARNED_SCENES, SCENE_RULES, SCENES
from platemark.training.config import preset_named
from platemark.training.world.mixture import family_shares

PARTS = ["autoencoder", "transformer"]


def weights_of(card: ModelCard, part: str) -> WeightFile:
    return {"autoencoder": card.weights.autoencoder, "transformer": card.weights.transformer}[part]


def header_of(path: Path) -> tuple[int, dict[str, Any]]:
    """The length and content of a safetensors header (safetensors README, section "Format")."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    return length, header


def put(card_json: dict[str, Any], place: tuple[str, ...], value: object) -> None:
    """Change one value deep inside a card."""
    functools.reduce(lambda holder, key: holder[key], place[:-1], card_json)[place[-1]] = value


@pytest.mark.parametrize("part", PARTS)
def test_the_card_names_the_digest_and_the_size_of_the_file_on_disk(card: ModelCard, part: str) -> None:
    weights = weights_of(card, part)
    content = (WEIGHTS / weights.file).read_bytes()

    assert len(content) == weights.size_bytes
    assert hashlib.sha256(content).hexdigest() == weights.sha256


@pytest.mark.parametrize("part", PARTS)
def test_the_card_counts_the_numbers_in_the_file(card: ModelCard, part: str) -> None:
    weights = weights_of(card, part)
    _, header = header_of(WEIGHTS / weights.file)

    assert sum(math.prod(tensor["shape"]) for tensor in header.values()) == weights.parameters


@pytest.mark.parametrize("part", PARTS)
def test_the_file_is_its_header_and_its_numbers_and_nothing_else(card: ModelCard, part: str) -> None:
    weights = weights_of(card, part)
    length, header = header_of(WEIGHTS / weights.file)

    ends = sorted(tuple(tensor["data_offsets"]) for tensor in header.values())
    assert {tensor["dtype"] for tensor in header.values()} == {"F16"}
    assert weights.size_bytes == 8 + length + 2 * weights.parameters
    assert all(before[1] == after[0] for before, after in itertools.pairwise(ends))


@pytest.mark.parametrize("part", PARTS)
def test_no_number_in_the_weights_is_endless_or_missing(networks: Networks, part: str) -> None:
    network = {"autoencoder": networks.autoencoder, "transformer": networks.transformer}[part]

    assert all(bool(torch.isfinite(tensor).all()) for tensor in network.state_dict().values())


def test_nothing_else_lies_beside_the_weights(card: ModelCard) -> None:
    named = {*(weights.file for weights in card.weights.files), CARD.name}

    assert {path.name for path in WEIGHTS.iterdir()} == named


def test_the_native_format_fits_the_networks(card: ModelCard) -> None:
    autoencoder, transformer = card.architecture.autoencoder, card.architecture.transformer

    assert autoencoder.latent_channels == transformer.latent_channels
    assert card.native.width % (autoencoder.patch * transformer.patch) == 0
    assert autoencoder.frames(autoencoder.latent_frames(card.native.frames)) == card.native.frames


def test_the_shares_of_the_training_data_make_a_whole(card: ModelCard) -> None:
    shares = card.training["data"]["families"]

    assert sum(shares.values()) == pytest.approx(1.0)
    assert all(share > 0 for share in shares.values())


def test_the_energy_counts_all_the_seconds_that_were_spent(card: ModelCard) -> None:
    seconds = sum(value for key, value in card.training["compute"].items() if key.endswith("_cpu_seconds"))

    assert f"{seconds:,} CPU seconds" in card.training["energy"]["method"]
    assert card.training["energy"]["kind"] == "estimate"


@pytest.mark.parametrize("measured", ["background", "subject_colour", "motion", "amount", "time", "all_attributes"])
def test_the_model_lies_between_chance_and_what_its_autoencoder_allows(card: ModelCard, measured: str) -> None:
    tables = ("percent_right_chance", "percent_right", "percent_right_autoencoder_ceiling", "percent_right_real_clips")

    chance, made, ceiling, real = (card.evaluation[table][measured] for table in tables)
    assert chance < made <= 100
    assert made <= ceiling + 2  # some hundred clips cannot tell two points apart
    assert ceiling <= real


def test_all_tables_of_the_evaluation_measure_the_same(card: ModelCard) -> None:
    tables = [set(table) for name, table in card.evaluation.items() if name.startswith("percent_right")]

    assert len(tables) == 4
    assert all(table == tables[0] for table in tables)


def test_the_share_of_actions_is_the_one_that_was_measured(card: ModelCard) -> None:
    hits, of, *_ = card.evaluation["actions"]["generated"]

    assert card.actions_followed == pytest.approx(hits / of, abs=5e-4)


def test_the_shares_of_the_last_part_of_the_training_make_a_whole_too(card: ModelCard) -> None:
    assert sum(card.training["data"]["families_at_the_end"].values()) == pytest.approx(1.0)


def test_the_preset_that_the_card_names_trains_these_networks(card: ModelCard) -> None:
    preset = preset_named(card.training["preset"])

    assert card.architecture.autoencoder == preset.autoencoder
    assert card.architecture.transformer == preset.transformer
    assert dict(family_shares(preset.mixture)) == pytest.approx(card.training["data"]["families"], abs=1e-3)


def test_the_card_says_how_each_kind_of_training_data_did_or_why_not(card: ModelCard) -> None:
    by_family = card.evaluation["all_attributes_by_family"]

    unmeasured = [family for family, right in by_family.items() if right is None]
    assert set(by_family) == set(card.training["data"]["families"])
    assert all(any(family in reason for reason in card.evaluation["not_measured"]) for family in unmeasured)


def test_everything_the_card_says_it_shows_can_be_asked_for_in_its_own_words(card: ModelCard) -> None:
    shown = {understand(line).values.scene for line in card.shows}

    assert shown <= set(SCENES)
    assert shown >= {"sky", "sea", "chart", "globe", *LEARNED_SCENES}


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_is_among_what_the_card_says_it_shows(card: ModelCard, name: str) -> None:
    words = {"city rain": "rain", "city snow": "snow", "occluder": "column", "voxels": "blocks"}.get(name, name)

    assert any(re.search(rf"\b{words}", line) for line in card.shows)
    assert SCENE_RULES[name].defaults.scene == name


def test_the_card_is_free_of_real_people_and_other_peoples_work(card: ModelCard) -> None:
    data = card.training["data"]

    assert (data["real_footage"], data["people"], data["third_party_material"]) == (False, False, False)
    assert {card.licence.weights, card.licence.code} == {"Apache-2.0"}


def test_the_generator_says_of_itself_what_its_card_says(card: ModelCard) -> None:
    info = generator_info()

    assert (info.name, info.version, info.licence) == (card.name, card.version, card.licence.weights)
    assert (info.description, info.native_fps) == (card.description, card.native.fps)
    assert info.weights_sha256 == card.weights_sha256
    assert info.card == json.loads(CARD.read_text(encoding="utf-8"))


def test_the_card_survives_being_written_and_read_as_json(card: ModelCard, write_card: Any) -> None:
    assert read_card(write_card(dict(card_as_json(CARD)))) == card


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("native", "width"), "wide"),
        (("native", "frames"), None),
        (("native", "frames"), 17.5),
        (("sampler", "steps"), 0),
        (("sampler", "guidance"), 99),
        (("architecture", "autoencoder", "latent_channels"), -1),
        (("architecture", "transformer", "rope_base"), 1.0),
        (("weights", "transformer", "size_bytes"), "large"),
        (("weights", "transformer"), []),
        (("languages",), "en"),
        (("training",), []),
        (("shows",), [1]),
        (("name",), 5),
    ],
)
def test_a_card_with_a_value_of_another_kind_is_refused_and_the_place_is_named(
    card_json: dict[str, Any], write_card: Any, place: tuple[str, ...], value: object
) -> None:
    put(card_json, place, value)

    with pytest.raises(GenerationError, match=place[-1]):
        read_card(write_card(card_json))


@pytest.mark.parametrize("sizes", [[], [10, 1], [0]])
def test_a_card_with_a_slot_that_says_nothing_is_refused(
    card_json: dict[str, Any], write_card: Any, sizes: list[int]
) -> None:
    put(card_json, ("architecture", "transformer", "slot_sizes"), sizes)

    with pytest.raises(GenerationError, match="slot"):
        read_card(write_card(card_json))


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"schema": "platemark-model-card-1"}'])
def test_a_card_that_is_no_card_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)

    with pytest.raises(GenerationError, match=r"card\.json"):
        read_card(path)


def test_the_digest_over_all_weights_changes_with_each_of_them(card: ModelCard) -> None:
    lines = sorted(f"{part.sha256}  {part.file}\n" for part in card.weights.files)
    by_name = sorted(lines, key=lambda line: line.split("  ")[1])

    assert card.weights_sha256 == hashlib.sha256("".join(by_name).encode()).hexdigest()
    assert np.unique([card.weights_sha256, card.weights.autoencoder.sha256, card.weights.transformer.sha256]).size == 3
