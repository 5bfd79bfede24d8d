"""The scenes agree with the slots the weights were trained with."""

from dataclasses import fields, replace

import pytest

from platemark.generation.card import ModelCard
from platemark.generation.scenes import (
    AMOUNTS,
    COLOURS,
    MOTIONS,
    SCENE_RULES,
    SCENES,
    SLOT_VALUES,
    SlotValues,
    goes_on,
    guidance_for,
    values_of,
)
from platemark.training.world.attributes import FAMILIES, Family, combinations
from platemark.training.world.attributes import SLOT_VALUES as WORLD_VALUES


def test_the_slots_have_the_sizes_of_the_trained_transformer(card: ModelCard) -> None:
    sizes = tuple(1 + len(values) for values in SLOT_VALUES.values())

    assert sizes == card.architecture.transformer.slot_sizes


def test_the_slots_come_in_the_order_of_their_values() -> None:
    assert [slot.name for slot in fields(SlotValues)] == list(SLOT_VALUES)


def test_every_scene_has_its_rules() -> None:
    assert set(SCENE_RULES) == set(SCENES)


def test_open_slots_are_zero() -> None:
    assert SlotValues().indices() == (0,) * 9


def test_slot_numbers_are_those_of_training() -> None:
    values = SlotValues(
        scene="globe",
        colour="blue",
        second_colour="green",
        background="black",
        motion="rotating left",
        time="night",
        amount="five",
    )

    assert values.indices() == (8, 0, 3, 2, 8, 13, 3, 10, 0)


@pytest.mark.parametrize("name", SCENES)
def test_the_defaults_of_a_scene_are_values_the_scene_allows(name: str) -> None:
    scene = SCENE_RULES[name]
    defaults = scene.defaults

    assert defaults.scene == name
    assert defaults.colour is None or defaults.colour in scene.colours
    assert defaults.second_colour is None or defaults.second_colour in scene.second_colours
    assert (defaults.background is not None) is scene.backgrounds
    assert (defaults.time is not None) is scene.times
    assert len({defaults.colour, defaults.second_colour, defaults.background} - {None}) >= int(scene.backgrounds)


@pytest.mark.parametrize("name", SCENES)
def test_everything_a_scene_can_say_has_a_slot_number(name: str) -> None:
    scene = SCENE_RULES[name]

    assert set(scene.motions.values()) - {""} <= set(MOTIONS)
    assert set(scene.behind) <= set(COLOURS)
    assert set(scene.colours) | set(scene.second_colours) <= set(COLOURS)
    assert {scene.little, scene.much} - {None} <= set(AMOUNTS)


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_is_made_under_sane_guidance(name: str) -> None:
    assert 1.0 < guidance_for(SlotValues(scene=name)) <= 3.0


@pytest.mark.parametrize("name", ["city rain", "city snow"])
def test_heavy_weather_is_made_under_less_guidance(name: str) -> None:
    assert guidance_for(SlotValues(scene=name, amount="heavy")) == 1.5


@pytest.mark.parametrize(
    ("values", "endless"),
    [
        (SlotValues(scene="sea"), True),
        (SlotValues(scene="globe", motion="rotating left"), True),
        (SlotValues(scene="chart", motion="rising"), False),
        (SlotValues(scene="circle", motion="moving left"), False),
        (SlotValues(scene="circle", motion="bouncing"), True),
        (SlotValues(scene="square", motion="spinning"), True),
        (SlotValues(scene="square", motion="growing"), False),
    ],
)
def test_motions_that_come_to_an_end_are_known(values: SlotValues, endless: bool) -> None:
    assert goes_on(values) is endless


def test_changing_one_slot_changes_one_number() -> None:
    before = SlotValues(scene="sea", colour="blue", time="day", amount="calm")

    after = replace(before, time="night")

    changed = [a != b for a, b in zip(before.indices(), after.indices(), strict=True)]
    assert changed == [False] * 6 + [True] + [False] * 2


def test_the_slots_are_the_worlds() -> None:
    assert SLOT_VALUES == WORLD_VALUES


@pytest.mark.parametrize("name", SCENES)
def test_numbers_go_back_to_values(name: str) -> None:
    defaults = SCENE_RULES[name].defaults

    assert values_of(defaults.indices()) == defaults


def test_a_shape_is_one_scene_to_the_model() -> None:
    circle, square = SlotValues(scene="circle"), SlotValues(scene="square")

    assert circle.indices()[0] == square.indices()[0] == 1
    assert (circle.indices()[1], square.indices()[1]) == (1, 2)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_of_the_world_can_be_asked_for_as_it_was_trained(family: Family) -> None:
    numbers = [attributes.indices() for attributes in combinations(family.name)[::17]]

    assert [values_of(each).indices() for each in numbers] == numbers
