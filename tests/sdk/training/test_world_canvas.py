"""The strokes that all renderers share."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.training.world.attributes import SLOT_VALUES, Attributes
from platemark.training.world.canvas import Canvas, Stage, look_up, paint, shape_distance, sky_gradient, smooth_noise
from platemark.training.world.dice import Dice

CPU = torch.device("cpu")


def _stage(*clips: Attributes, side: int = 16) -> Stage:
    slots = torch.tensor([attributes.indices() for attributes in clips])
    chosen = dict(zip(SLOT_VALUES, slots.unbind(dim=1), strict=True))
    moment = torch.zeros(len(clips), 1, 1, 1)
    dice = Dice.of(1, torch.arange(len(clips)))
    return Stage(dice, chosen, Canvas.of(side, side, device=CPU), moment, moment, torch.zeros(len(clips), 1).long())


@settings(max_examples=30, deadline=None)
@given(height=st.integers(8, 90), width=st.integers(8, 90))
def test_the_short_side_is_one_and_the_centre_the_origin(height: int, width: int) -> None:
    canvas = Canvas.of(height, width, device=CPU)

    assert canvas.x.shape == (height, width)
    assert canvas.pixel == 1 / min(height, width)
    assert float(canvas.x.mean()) == pytest.approx(0, abs=1e-5)
    assert float(canvas.y.mean()) == pytest.approx(0, abs=1e-5)
    assert min(float(canvas.x.max()), float(canvas.y.max())) == pytest.approx(0.5 - canvas.pixel / 2, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(height=st.integers(8, 90), width=st.integers(8, 90))
def test_down_runs_from_edge_to_edge_whatever_the_aspect(height: int, width: int) -> None:
    down = Canvas.of(height, width, device=CPU).down

    assert float(down[0, 0]) == pytest.approx(0.5 / height, abs=1e-5)
    assert float(down[-1, 0]) == pytest.approx(1 - 0.5 / height, abs=1e-5)


def test_coverage_is_half_on_the_edge_and_whole_within_a_pixel() -> None:
    canvas = Canvas.of(64, 64, device=CPU)
    distance = torch.tensor([-1.0, -1 / 64, 0.0, 1 / 64, 1.0])

    assert canvas.inside(distance).tolist() == [1, 1, 0.5, 0, 0]


def test_a_disc_has_the_area_that_it_should_have() -> None:
    stage = _stage(Attributes("shape", shape="circle"), side=128)
    canvas = stage.canvas

    covered = canvas.inside(shape_distance(stage, canvas.x, canvas.y, torch.tensor(0.3))).mean()

    assert float(covered) == pytest.approx(torch.pi * 0.09, rel=0.01)


@pytest.mark.parametrize("shape", ["circle", "square", "triangle"])
def test_every_shape_has_its_centre_inside_and_the_corners_outside(shape: str) -> None:
    stage = _stage(Attributes("shape", shape=shape))
    places = torch.tensor([0.0, 0.5])

    distance = shape_distance(stage, places, places, torch.tensor(0.2))

    assert distance.flatten()[0] < 0 < distance.flatten()[1]


def test_paint_lays_colours_over_one_another() -> None:
    under, over = torch.zeros(1, 1, 2, 2, 3), torch.ones(1, 1, 1, 1, 3)
    coverage = torch.tensor([[[[0.0, 0.25], [0.5, 1.0]]]])

    assert torch.equal(paint(under, over, coverage)[..., 0], coverage)


def test_tables_are_read_for_each_clip_on_its_own() -> None:
    table = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    index = torch.tensor([[[2, 0]], [[1, 1]]])

    assert look_up(table, index).tolist() == [[[3, 1]], [[5, 5]]]


def test_noise_is_the_lattice_at_its_points_and_between_its_values_elsewhere() -> None:
    table = Dice.of(2, torch.arange(1)).table(0, 16)
    column, row = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="xy")

    at_points = smooth_noise(table, column[None, None], row[None, None])
    between = smooth_noise(table, column[None, None] + 0.37, row[None, None] + 0.81)

    assert torch.allclose(at_points.flatten(), table.flatten())
    assert table.min() <= between.min() <= between.max() <= table.max()


@settings(max_examples=20, deadline=None)
@given(x=st.floats(-50, 50), y=st.floats(-50, 50))
def test_noise_repeats_itself(x: float, y: float) -> None:
    table = Dice.of(2, torch.arange(1)).table(0, 64)
    here, along = torch.full((1, 1, 1, 1), x), torch.full((1, 1, 1, 1), y)

    once, again = smooth_noise(table, here, along), smooth_noise(table, here + 8, along - 16)

    assert float(once) == pytest.approx(float(again), abs=1e-3)


@pytest.mark.parametrize("place", [0.0, 1.0, 5.0, 7.0])
def test_noise_has_no_edges(place: float) -> None:
    table = Dice.of(2, torch.arange(1)).table(0, 64)
    y = torch.full((1, 1, 1, 1), 0.4)

    before, after = (smooth_noise(table, torch.full((1, 1, 1, 1), place + step), y) for step in (-1e-4, 1e-4))

    assert float(before) == pytest.approx(float(after), abs=1e-3)


def test_colours_are_those_of_the_palette() -> None:
    stage = _stage(Attributes("shape", colour="red"), Attributes("shape", colour="white"))

    assert (stage.colour("colour").flatten(0, 3) * 255).round().tolist() == [[214, 40, 40], [240, 240, 240]]


def test_a_value_gives_its_number_and_others_nought() -> None:
    stage = _stage(Attributes("sea", amount="calm"), Attributes("sea", amount="rough"), Attributes("sea"))

    numbers = stage.one_of("amount", {"calm": 0.5, "light": 9.0})

    assert numbers.flatten().tolist() == [0.5, 0, 0]
    assert stage.says("amount", "rough").flatten().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("time", "expected"), [("day", [70, 140, 225]), ("sunset", [70, 50, 110]), ("night", [8, 10, 30])]
)
def test_a_sky_has_the_colour_of_its_time_at_the_top(time: str, expected: list[int]) -> None:
    sky = sky_gradient(_stage(Attributes("sky", time=time), side=512))

    assert (sky[0, 0, 0, 0] * 255).round().tolist() == pytest.approx(expected, abs=1)
