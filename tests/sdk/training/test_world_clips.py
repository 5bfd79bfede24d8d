"""Clips by number."""

from collections import Counter

import pytest
import torch

from platemark.errors import RequestError
from platemark.generation.actions import ACTIONS
from platemark.training.world.attributes import FAMILIES, Attributes
from platemark.training.world.clips import ClipShape, Part, World, family_of, render_clips
from platemark.training.world.dice import Dice
from platemark.training.world.holdout import is_held_out

NAMES = [family.name for family in FAMILIES]
SHAPE = ClipShape(32, 32, 9)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_clip_is_the_same_bytes(name: str) -> None:
    world, index = World(5, family=name), torch.arange(3)

    assert torch.equal(world.render(index, SHAPE).video, world.render(index, SHAPE).video)


@pytest.mark.parametrize("name", NAMES)
def test_company_changes_no_more_than_the_last_bit(name: str) -> None:
    world = World(5, family=name)

    together = world.render(torch.arange(5), SHAPE).video[3].int()
    alone = world.render(torch.tensor([3]), SHAPE).video[0].int()

    # Vector and scalar sines may differ in the last place, which can tip one rounding.
    assert (together - alone).abs().max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_some_frames_are_those_of_the_whole_clip(name: str) -> None:
    world, index = World(5, family=name), torch.arange(2)
    frames = torch.tensor([[0, 8], [3, 5]])

    some = world.render(index, SHAPE, frames=frames).video.int()
    whole = world.render(index, SHAPE).video.int()

    assert (some - whole[torch.arange(2)[:, None], frames]).abs().max() <= 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [ClipShape(24, 40, 3), ClipShape(41, 17, 1), ClipShape(8, 8, 5)])
def test_every_family_can_be_drawn_at_any_size_and_length(name: str, shape: ClipShape) -> None:
    batch = World(5, family=name).render(torch.arange(2), shape)

    assert batch.video.shape == (2, shape.frames, shape.height, shape.width, 3)
    assert batch.video.dtype == torch.uint8
    assert batch.actions.shape == (2, shape.frames)


@pytest.mark.parametrize("name", NAMES)
def test_something_is_seen_and_something_moves_in_every_family(name: str) -> None:
    video = World(5, family=name).render(torch.arange(6), SHAPE).video.float()

    assert video.std(dim=(1, 2, 3)).mean() > 5
    assert video.diff(dim=1).abs().mean() > 0.1


@pytest.mark.parametrize("name", NAMES)
def test_a_larger_picture_shows_the_same_scene(name: str) -> None:
    world, index = World(5, family=name), torch.arange(4)

    small = world.render(index, ClipShape(48, 48, 5)).video.float()
    large = world.render(index, ClipShape(96, 96, 5)).video.float()

    shrunk = large.reshape(4, 5, 48, 2, 48, 2, 3).mean(dim=(3, 5))
    assert (small - shrunk).abs().mean() < 12


def test_clips_differ_from_one_another_and_from_seed_to_seed() -> None:
    clips = World(5).render(torch.arange(8), SHAPE).video
    others = World(6).render(torch.arange(8), SHAPE).video

    assert not torch.equal(clips[0], clips[1])
    assert not torch.equal(clips, others)


@pytest.mark.parametrize(("part", "held"), [(Part.TRAIN, False), (Part.HELD_OUT, True)])
def test_the_two_parts_of_the_world_never_mix(part: Part, held: bool) -> None:
    clips = World(5, part).attributes(torch.arange(200))

    assert {is_held_out(attributes) for attributes in clips} == {held}


def test_families_come_as_often_as_their_weights_say() -> None:
    counts = Counter(family_of(a) for a in World(1).attributes(torch.arange(4000)))

    assert {f.name: counts[f.name] / 4000 for f in FAMILIES} == pytest.approx(
        {f.name: f.weight for f in FAMILIES}, abs=0.02
    )


def test_floats_are_the_bytes_between_minus_one_and_one() -> None:
    batch = World(5).render(torch.arange(2), SHAPE)

    assert torch.equal(((batch.floats + 1) * 127.5).round().to(torch.uint8), batch.video)


def test_a_batch_speaks_both_languages() -> None:
    batch = World(5, family="sea").render(torch.arange(2), SHAPE)

    assert all(" sea " in caption for caption in batch.captions("en"))
    assert all("바다" in caption for caption in batch.captions("ko"))


def test_slots_are_those_of_the_attributes() -> None:
    batch = World(5).render(torch.arange(4), SHAPE)

    assert batch.slots.tolist() == [list(attributes.indices()) for attributes in batch.attributes]


@pytest.mark.parametrize(
    ("motion", "action"),
    [
        ("flying forward", "forward"),
        ("turning left", "turn left"),
        ("turning right", "turn right"),
        ("jumping", "jump"),
    ],
)
def test_a_steady_flight_does_one_thing_in_every_frame(motion: str, action: str) -> None:
    attributes = (Attributes("voxels", colour="green", time="day", motion=motion),)

    batch = render_clips(attributes, Dice.of(1, torch.arange(1)), SHAPE)

    assert set(batch.actions.flatten().tolist()) == {ACTIONS.index(action)}


def test_a_free_flight_does_several_things_and_never_nothing() -> None:
    attributes = (Attributes("voxels", colour="green", time="day", motion="flying freely"),) * 8

    actions = render_clips(attributes, Dice.of(1, torch.arange(8)), ClipShape(16, 16, 33)).actions

    assert set(actions.flatten().tolist()) == {1, 2, 3, 4}


def test_other_families_have_no_actions() -> None:
    assert World(5, family="sea").render(torch.arange(2), SHAPE).actions.max() == 0


def test_given_actions_steer_the_flight() -> None:
    attributes = (Attributes("voxels", colour="green", time="day", motion="flying forward"),)
    dice, shape = Dice.of(1, torch.arange(1)), ClipShape(32, 32, 9)
    turning = torch.tensor([[1, 1, 1, 1, 2, 2, 2, 2, 2]])

    forward = render_clips(attributes, dice, shape).video
    turned = render_clips(attributes, dice, shape, actions=turning).video

    assert torch.equal(forward[:, :4], turned[:, :4])
    assert not torch.equal(forward[:, 5], turned[:, 5])


@pytest.mark.parametrize(("height", "width", "frames"), [(7, 32, 9), (32, 2049, 9), (32, 32, 0), (32, 32, 1025)])
def test_an_impossible_shape_is_refused(height: int, width: int, frames: int) -> None:
    with pytest.raises(RequestError, match="8 to 2048 pixels"):
        ClipShape(height, width, frames)
