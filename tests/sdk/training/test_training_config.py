"""What a run is."""

import json
from dataclasses import replace
from typing import Any

import pytest

from platemark.errors import GenerationError, RequestError
from platemark.training.config import (
    BASE,
    NANO,
    PRESETS,
    SMALL,
    Chances,
    Course,
    Optimiser,
    TrainingConfig,
    config_from_json,
    preset_named,
)
from platemark.training.world.clips import ClipShape
from platemark.training.world.mixture import Emphasis, family_shares


def test_there_are_three_presets_each_under_its_own_name() -> None:
    assert {name: preset.name for name, preset in PRESETS.items()} == {"nano": "nano", "small": "small", "base": "base"}


def test_presets_grow() -> None:
    widths = [preset.transformer.width for preset in (NANO, SMALL, BASE)]

    assert widths == sorted(set(widths))


@pytest.mark.parametrize("preset", [NANO, SMALL, BASE])
def test_a_preset_survives_json(preset: TrainingConfig) -> None:
    assert config_from_json(preset.to_json()) == preset


def test_a_course_emphasises_each_thing_once() -> None:
    with pytest.raises(RequestError, match="each thing once"):
        Course(1, 8, 1.0, (Emphasis("map", 2.0), Emphasis("map", 2.0)))


def test_the_small_preset_ends_with_flights() -> None:
    shares = [dict(family_shares(course.mixture or NANO.mixture))["voxels"] for course in NANO.courses]

    assert shares[-1] > 0.3 > shares[0]


def test_a_preset_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(RequestError, match="no preset 'huge'") as refusal:
        preset_named("huge")

    assert "nano, small, base" in refusal.value.fix


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clips": ClipShape(60, 64, 17)}, "Both sides must divide by 8"),
        ({"clips": ClipShape(64, 64, 16)}, "one more than a multiple of 4"),
        ({"clips": ClipShape(64, 64, 5)}, "more than 8 frames"),
        ({"transformer": replace(NANO.transformer, latent_channels=8)}, "the same latent_channels"),
        ({"transformer": replace(NANO.transformer, slot_sizes=(2, 3))}, "must be the world's"),
        ({"autoencoder_share": 1.0}, "autoencoder_share"),
        ({"courses": (Course(1, 8, 0.5),)}, "must sum to 1"),
        ({"courses": (Course(6, 8, 1.0),)}, "more than 5 latent frames"),
        ({"pool_chunks": 0}, "1 or more"),
        ({"mixture": (Emphasis("map", 2.0), Emphasis("map", 3.0))}, "each thing once"),
        ({"basis_clips": 0}, "1 or more"),
        ({"average": 1.0}, "average"),
        ({"latent_noise": -1.0}, "latent_noise"),
        ({"seed": -1}, "seed"),
        ({"seed": 1 << 32}, "seed"),
    ],
)
def test_a_configuration_with_one_flaw_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        replace(NANO, **change)


@pytest.mark.parametrize(
    "values",
    [
        {"rate": 0.0},
        {"rate": 1.0},
        {"warmup": -1},
        {"anneal": 1.5},
        {"decay": -0.1},
        {"momentum": 1.0},
        {"clip": 0.0},
    ],
)
def test_an_impossible_optimiser_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        Optimiser(**values)


@pytest.mark.parametrize("values", [{"frames": -1}, {"batch": 0}, {"share": 0.0}, {"share": 1.1}])
def test_an_impossible_course_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="course"):
        Course(**({"frames": 1, "batch": 1, "share": 0.5} | values))


@pytest.mark.parametrize(
    "values", [{"nothing_said": -0.1}, {"own_levels": 1.1}, {"first_given": 0.6, "last_given": 0.6}]
)
def test_impossible_chances_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        Chances(**values)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "nano"}', "\x00"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="not in a form this version knows"):
        config_from_json(text)


def test_a_configuration_with_an_unknown_key_is_refused_by_its_place() -> None:
    words = json.loads(NANO.to_json()) | {"colour": "red"}

    with pytest.raises(RequestError, match="colour"):
        config_from_json(json.dumps(words))


def test_a_network_that_cannot_be_is_refused_from_json_too() -> None:
    words = json.loads(NANO.to_json())
    words["transformer"]["heads"] = 7

    with pytest.raises((RequestError, GenerationError), match="heads"):
        config_from_json(json.dumps(words))


def test_latent_frames_follow_from_the_clips() -> None:
    assert (NANO.latent_frames, SMALL.latent_frames) == (5, 13)
