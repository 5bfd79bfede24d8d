"""What happens in the scenes: light, physics, permanence, actions."""

import numpy as np
import pytest
import torch

from platemark.training.measures import centres, subject_mask
from platemark.training.world.attributes import RGB_OF_COLOURS, Attributes
from platemark.training.world.clips import ClipShape, render_clips
from platemark.training.world.dice import Dice

SHAPE = ClipShape(64, 64, 17)
DARK = RGB_OF_COLOURS[7]


def _clips(count: int = 4, *, size: ClipShape = SHAPE, **said: str) -> torch.Tensor:
    attributes = (Attributes(**said),) * count
    return render_clips(attributes, Dice.of(9, torch.arange(count)), size).video


def _path(clip: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    return centres(subject_mask(clip.numpy()))


def test_a_bounce_is_free_fall_between_impacts() -> None:
    clip = _clips(1, scene="shape", shape="circle", colour="red", background="white", motion="bouncing")[0]

    _, y = _path(clip)
    acceleration = np.diff(y, n=2)
    falling = acceleration[acceleration > 0]

    # The height's second difference is the same at every moment but those of an impact.
    assert len(falling) >= 12
    assert np.median(np.abs(falling - np.median(falling))) < 0.15


def test_a_bounce_never_goes_through_the_ground() -> None:
    clips = _clips(8, scene="shape", shape="square", colour="red", background="white", motion="bouncing")

    assert np.abs(clips[:, :, -1].numpy().astype(int) - 240).max() < 40


@pytest.mark.parametrize(
    ("motion", "across", "along"),
    [("moving left", -1, 0), ("moving right", 1, 0), ("moving up", 0, -1), ("moving down", 0, 1)],
)
def test_shapes_go_where_they_are_said_to_go(motion: str, across: int, along: int) -> None:
    clip = _clips(1, scene="shape", shape="triangle", colour="blue", background="yellow", motion=motion)[0]

    x, y = _path(clip)

    assert [np.sign(round(x[-1] - x[0])), np.sign(round(y[-1] - y[0]))] == [across, along]


@pytest.mark.parametrize(("motion", "grows"), [("growing", True), ("shrinking", False)])
def test_shapes_grow_and_shrink(motion: str, grows: bool) -> None:
    clip = _clips(1, scene="shape", shape="square", colour="black", background="white", motion=motion)[0]

    area = subject_mask(clip.numpy()).sum(axis=(1, 2))

    assert bool(area[-1] > 4 * area[0]) is grows


def test_a_spinning_square_keeps_its_place_and_its_area() -> None:
    clip = _clips(1, scene="shape", shape="square", colour="black", background="white", motion="spinning")[0]

    (x, y), area = _path(clip), subject_mask(clip.numpy()).sum(axis=(1, 2))

    assert max(np.ptp(x), np.ptp(y)) < 1
    assert np.ptp(area) < 0.15 * area.mean()


@pytest.mark.parametrize("motion", ["moving left", "moving right"])
def test_what_passes_behind_a_column_vanishes_and_comes_back_as_it_was(motion: str) -> None:
    said = {"shape": "circle", "colour": "red", "second_colour": "blue", "background": "white"}
    clip = _clips(1, scene="occluder", motion=motion, **said)[0].numpy()

    red = (np.abs(clip.astype(int) - RGB_OF_COLOURS[0]).sum(axis=-1) < 60).sum(axis=(1, 2))

    assert red[8] < 0.25 * red[0]
    assert red[-1] == pytest.approx(red[0], rel=0.1)


def test_a_column_is_never_covered() -> None:
    said = {"shape": "circle", "colour": "red", "second_colour": "blue", "background": "white"}
    clip = _clips(1, scene="occluder", motion="moving left", **said)[0]

    assert torch.equal(clip[0, :, 30:34], clip[8, :, 30:34])


def test_a_countdown_runs_down_to_nought_and_stays_there() -> None:
    clip = _clips(1, size=ClipShape(64, 64, 41), scene="countdown", colour="black", background="white", amount="three")[
        0
    ]
    digits = clip[:, 16:48, 20:44].float()

    assert torch.equal(digits[0], digits[8])
    assert not torch.equal(digits[8], digits[9])
    assert torch.equal(digits[25], digits[40])


@pytest.mark.parametrize(("amount", "bars"), [("two", 2), ("three", 3), ("four", 4), ("five", 5)])
def test_a_chart_has_as_many_bars_as_it_says(amount: str, bars: int) -> None:
    clip = _clips(1, scene="bar chart", colour="black", background="white", motion="rising", amount=amount)[0]
    row = (clip[-1, 54, :, 0] < 100).int()

    assert int((row.diff() == 1).sum()) == bars


def test_bars_fall_as_they_rise_backwards() -> None:
    said = {"scene": "bar chart", "colour": "red", "background": "white", "amount": "four"}

    rising, falling = (_clips(1, motion=motion, **said) for motion in ("rising", "falling"))

    assert (rising.int() - falling.flip(1).int()).abs().max() <= 1


def test_night_is_darker_than_sunset_and_sunset_than_day() -> None:
    light = [
        float(_clips(4, scene="sea", colour="blue", time=time, amount="calm").float().mean())
        for time in ("night", "sunset", "day")
    ]

    assert light == sorted(light)


@pytest.mark.parametrize("scene", ["city rain", "city snow"])
def test_heavy_weather_covers_more_than_light_weather(scene: str) -> None:
    clear = [_clips(4, scene=scene, time="night", amount=amount).float() for amount in ("light", "heavy")]

    light, heavy = (clip[:, :, :16].mean() for clip in clear)

    assert heavy > light * 1.2


def test_many_clouds_cover_more_than_few() -> None:
    few, many = (
        _clips(6, scene="sky", motion="drifting left", time="night", amount=amount).float().mean()
        for amount in ("few", "many")
    )

    assert many > few


@pytest.mark.parametrize("pattern", ["vertical bands", "horizontal bands", "cross", "disc"])
def test_both_colours_of_a_flag_are_seen(pattern: str) -> None:
    clip = _clips(1, scene="flag", colour="red", second_colour="yellow", background="black", pattern=pattern)[0]
    green = clip[..., 1].float()

    yellow = ((green > 120) & (clip[..., 0] > 160)).float().mean()
    red = ((green < 80) & (clip[..., 0] > 120)).float().mean()

    assert min(float(yellow), float(red)) > 0.03


def test_a_camera_that_orbits_the_other_way_starts_from_the_same_view() -> None:
    left, right = (
        _clips(1, scene="cube", colour="red", background="white", motion=f"orbiting {way}") for way in ("left", "right")
    )

    assert torch.equal(left[:, 0], right[:, 0])
    assert not torch.equal(left[:, 8], right[:, 8])


def test_turning_one_way_and_then_the_other_comes_back_to_the_heading() -> None:
    attributes = (Attributes("voxels", colour="green", time="day", motion="turning left"),)
    actions = torch.tensor([[1, 2, 2, 3, 3]])

    clip = render_clips(attributes, Dice.of(1, torch.arange(1)), ClipShape(64, 64, 5), actions=actions).video.float()
    away, back = ((clip[0, frame, 20:34] - clip[0, 0, 20:34]).abs().mean() for frame in (2, 4))

    assert back < away


def test_a_jump_lifts_the_camera_and_sets_it_down() -> None:
    attributes = (Attributes("voxels", colour="green", time="day", motion="jumping"),)
    dice, shape = Dice.of(4, torch.arange(1)), ClipShape(64, 64, 9)

    jumping = render_clips(attributes, dice, shape).video.float()
    walking = render_clips(attributes, dice, shape, actions=torch.ones(1, 9, dtype=torch.int64)).video.float()

    assert (jumping[0, 0] - walking[0, 0]).abs().max() == 0
    assert (jumping[0, 4] - walking[0, 4]).abs().mean() > 1
    assert (jumping[0, 8] - walking[0, 8]).abs().mean() < (jumping[0, 4] - walking[0, 4]).abs().mean() / 2
