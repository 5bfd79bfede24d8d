"""What can be said of a clip."""

import pytest

from platemark.errors import RequestError
from platemark.training.world.attributes import (
    COLOURS,
    FAMILIES,
    RGB_OF_COLOURS,
    SLOT_SIZES,
    SLOT_VALUES,
    Attributes,
    combinations,
    family_named,
)

NAMES = [family.name for family in FAMILIES]


def _colours(attributes: Attributes) -> list[str]:
    said = (attributes.colour, attributes.second_colour, attributes.background)
    return [colour for colour in said if colour is not None]


def test_there_are_at_least_twelve_families() -> None:
    assert len(set(NAMES)) >= 12


def test_every_scene_belongs_to_exactly_one_family() -> None:
    scenes = [scene for family in FAMILIES for scene in family.scenes]

    assert sorted(scenes) == sorted(SLOT_VALUES["scene"])


def test_every_colour_has_its_levels() -> None:
    assert len(COLOURS) == len(RGB_OF_COLOURS) == len(set(RGB_OF_COLOURS))


def test_slot_sizes_leave_room_for_an_open_slot() -> None:
    assert tuple(1 + len(values) for values in SLOT_VALUES.values()) == SLOT_SIZES


@pytest.mark.parametrize("name", NAMES)
def test_no_two_colours_of_a_clip_are_the_same(name: str) -> None:
    assert all(len(set(_colours(a))) == len(_colours(a)) for a in combinations(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_combination_has_slots_of_its_own(name: str) -> None:
    slots = [attributes.indices() for attributes in combinations(name)]

    assert len(set(slots)) == len(slots)


@pytest.mark.parametrize("name", NAMES)
def test_every_slot_number_is_below_its_slots_size(name: str) -> None:
    columns = zip(*(attributes.indices() for attributes in combinations(name)), strict=True)

    assert all(max(column) < size for column, size in zip(columns, SLOT_SIZES, strict=True))


def test_a_disc_is_never_asked_to_spin() -> None:
    spinning = {a.shape for a in combinations("shapes") if a.motion == "spinning"}

    assert spinning == {"square", "triangle"}


def test_an_open_slot_has_the_number_nought() -> None:
    assert Attributes("sky").indices() == (2, 0, 0, 0, 0, 0, 0, 0, 0)


def test_a_value_of_another_slot_is_refused_with_the_right_ones() -> None:
    with pytest.raises(RequestError, match="no value 'noon'") as refusal:
        Attributes("sky", time="noon").indices()

    assert "sunset" in refusal.value.fix


def test_a_family_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(RequestError, match="no family of scenes 'kittens'") as refusal:
        family_named("kittens")

    assert "voxels" in refusal.value.fix
