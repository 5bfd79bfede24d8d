"""The transformer's loss and the choices before it."""

import pytest
import torch
from torch import Tensor

from platemark.generation.transformer import Condition
from platemark.training.config import Chances
from platemark.training.flow import Example, choose_frames, draw_levels, drop_slots, flow_loss, tell_actions
from platemark.training.pool import Encoded
from platemark.training.world.attributes import SLOT_VALUES, Attributes

NEVER = Chances(0, 0, 0, 0, 0, 0, 0)
NO_CONDITION = Condition(torch.zeros(2, 1, 4), torch.zeros(2, 4))


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def _example(level: Tensor) -> Example:
    generator = _generator()
    clean, noise = (torch.randn(2, 3, 5, 7, 4, generator=generator) for _ in range(2))
    slots, places = torch.zeros(2, 9, dtype=torch.int64), torch.arange(3).expand(2, -1)
    return Example(clean, noise, level, slots, places, torch.zeros(2, 3, 5))


class _Oracle:
    """A denoiser that knows the answer, but for an error."""

    def __init__(self, clean: Tensor, error: float = 0.0) -> None:
        self.clean = clean
        self.error = error
        self.seen: Tensor | None = None

    def __call__(self, latents: Tensor, noise_level: Tensor, condition: Condition, frame_index: Tensor) -> Tensor:
        """Give the answer."""
        self.seen = latents
        return self.clean + self.error


def test_a_perfect_prediction_has_no_loss() -> None:
    example = _example(torch.full((2, 3), 0.5))

    assert flow_loss(_Oracle(example.clean), NO_CONDITION, example) == 0


@pytest.mark.parametrize(("level", "expected"), [(1.0, 0.01), (0.5, 0.04), (0.1, 1.0), (0.02, 1.0)])
def test_an_error_weighs_as_one_over_the_square_of_the_level(level: float, expected: float) -> None:
    example = _example(torch.full((2, 3), level))

    loss = flow_loss(_Oracle(example.clean, 0.1), NO_CONDITION, example)

    assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_given_frames_are_shown_clean_and_do_not_count() -> None:
    level = torch.tensor([[0.0, 0.5, 0.5], [0.5, 0.5, 0.0]])
    example = _example(level)
    model = _Oracle(example.clean)
    model.clean = example.clean + (level == 0).float()[:, :, None, None, None] * 100

    loss = flow_loss(model, NO_CONDITION, example)

    assert loss == 0
    assert model.seen is not None
    assert torch.equal(model.seen[0, 0], example.clean[0, 0])


def test_pure_noise_shows_nothing_of_the_clip() -> None:
    example = _example(torch.ones(2, 3))
    model = _Oracle(example.clean)

    flow_loss(model, NO_CONDITION, example)

    assert model.seen is not None
    assert torch.equal(model.seen, example.noise)


def test_a_batch_of_given_frames_alone_has_no_loss_and_no_division_by_nought() -> None:
    example = _example(torch.zeros(2, 3))

    assert flow_loss(_Oracle(example.clean, 1.0), NO_CONDITION, example) == 0


def test_levels_are_one_for_each_clip_where_nothing_else_is_asked() -> None:
    level = draw_levels((64, 5), NEVER, mean=0.0, generator=_generator())

    assert torch.equal(level, level[:, :1].expand(-1, 5))
    assert 0 < level.min() < level.max() < 1


def test_levels_can_be_one_for_each_frame() -> None:
    level = draw_levels((64, 5), Chances(0, 0, 0, 0, own_levels=1), mean=0.0, generator=_generator())

    assert level.unique().numel() == 64 * 5


@pytest.mark.parametrize(("first", "last", "column"), [(1.0, 0.0, 0), (0.0, 1.0, 4)])
def test_ends_can_be_given(first: float, last: float, column: int) -> None:
    level = draw_levels((16, 5), Chances(0, 0, first, last, 0), mean=0.0, generator=_generator())

    assert (level == 0).nonzero()[:, 1].tolist() == [column] * 16


def test_a_still_is_never_given_to_itself() -> None:
    level = draw_levels((16, 1), Chances(0, 0, 1.0, 0, 0), mean=0.0, generator=_generator())

    assert level.min() > 0


def test_a_higher_mean_gives_more_noise() -> None:
    low, high = (draw_levels((512, 1), NEVER, mean=mean, generator=_generator()).mean() for mean in (0.0, 1.0))

    assert high > low + 0.1


def test_slots_are_left_as_they_are_where_nothing_is_dropped() -> None:
    slots = torch.arange(1, 19).reshape(2, 9)

    assert torch.equal(drop_slots(slots, NEVER, generator=_generator()), slots)


def test_all_slots_can_be_dropped() -> None:
    assert drop_slots(torch.ones(4, 9), Chances(nothing_said=1), generator=_generator()).sum() == 0


def test_some_slots_can_be_dropped() -> None:
    kept = drop_slots(torch.ones(500, 9), Chances(0, 1.0, 0, 0, 0), generator=_generator()).mean()

    assert float(kept) == pytest.approx(0.65, abs=0.03)


def test_chosen_frames_are_in_order_and_differ() -> None:
    frames = choose_frames((200, 3), total=5, generator=_generator())

    assert (frames.diff(dim=1) > 0).all()
    assert frames.unique().tolist() == [0, 1, 2, 3, 4]


def test_choosing_every_frame_gives_every_frame() -> None:
    assert choose_frames((2, 5), total=5, generator=_generator()).tolist() == [[0, 1, 2, 3, 4]] * 2


def _flights() -> Encoded:
    turning = Attributes("voxels", colour="green", time="day", motion="turning left")
    still = Attributes("shape", shape="circle", colour="red", background="blue", motion="growing")
    shares = torch.zeros(40, 5, 5)
    shares[:20, :, 2] = 1
    slots = torch.tensor([turning.indices()] * 20 + [still.indices()] * 20)
    return Encoded(torch.zeros(40, 5, 1, 1, 1), slots, shares)


def _motions(slots: Tensor) -> list[int]:
    return slots[:, list(SLOT_VALUES).index("motion")].tolist()


def test_actions_are_told_as_they_are_where_nothing_is_dropped() -> None:
    flights = _flights()

    told = tell_actions(flights, flights.slots, NEVER, generator=_generator())

    assert torch.equal(told.actions, flights.actions)
    assert torch.equal(told.slots, flights.slots)


def test_a_flight_can_be_called_free_and_nothing_else_can() -> None:
    flights = _flights()

    told = tell_actions(flights, flights.slots, Chances(actions_dropped=0, flown_freely=1), generator=_generator())

    assert _motions(told.slots[:20]) == [1 + SLOT_VALUES["motion"].index("flying freely")] * 20
    assert torch.equal(told.slots[20:], flights.slots[20:])


def test_actions_that_are_not_told_leave_the_flight_its_name() -> None:
    flights = _flights()

    told = tell_actions(flights, flights.slots, Chances(actions_dropped=1, flown_freely=1), generator=_generator())

    assert told.actions.sum() == 0
    assert torch.equal(told.slots, flights.slots)


def test_an_example_of_which_nothing_is_said_is_told_no_actions() -> None:
    flights = _flights()

    told = tell_actions(flights, torch.zeros_like(flights.slots), NEVER, generator=_generator())

    assert told.actions.sum() == 0
    assert told.slots.sum() == 0
