"""A prompt, a length and a size become a planned clip; every generator will do."""

from typing import Any

import numpy as np
import pytest

from platemark.clip import Size
from platemark.errors import Cancelled, RequestError
from platemark.generation.backend import CancelToken, Progress, open_generator
from platemark.tasks.text_to_video import DEFAULT_SIZE, TextToVideo, plan_text_to_video

CARD = open_generator("testcard")
SMALL = Size(128, 128)


def test_two_seconds_at_the_default_rate_are_24_frames() -> None:
    request = TextToVideo(prompt="the sea").to_request()

    assert (request.frames, request.fps, request.size) == (24, 12, DEFAULT_SIZE)


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"),
    [(0.25, 12, 3), (0.25, 4, 1), (1.0, 1, 1), (60.0, 60, 3600), (1.04, 25, 26), (0.5, 3, 2), (59.99, 24, 1440)],
)
def test_the_frames_are_the_seconds_times_the_rate_to_the_nearest(seconds: float, fps: int, frames: int) -> None:
    assert TextToVideo(prompt="the sea", seconds=seconds, fps=fps).to_request().frames == frames


def test_a_clip_without_a_frame_is_refused() -> None:
    with pytest.raises(RequestError, match="not one frame"):
        TextToVideo(prompt="the sea", seconds=0.25, fps=1)


@pytest.mark.parametrize("seconds", [0.0, 0.24, -1.0, 60.01, float("nan"), float("inf")])
def test_an_impossible_length_is_refused(seconds: float) -> None:
    with pytest.raises(RequestError, match="seconds"):
        TextToVideo(prompt="the sea", seconds=seconds)


@pytest.mark.parametrize(
    ("name", "value"),
    [("fps", 0), ("fps", 61), ("seed", -1), ("steps", 0), ("guidance", 0.0), ("prompt", "")],
)
def test_an_impossible_value_is_refused_when_the_task_is_made(name: str, value: Any) -> None:
    values: dict[str, Any] = {"prompt": "the sea", name: value}

    with pytest.raises(RequestError, match=name):
        TextToVideo(**values)


def test_the_task_hands_on_everything_it_was_told() -> None:
    task = TextToVideo(prompt="the sea", size=SMALL, fps=24, seed=9, steps=4, guidance=2.5)

    request = task.to_request()

    assert (request.prompt, request.size, request.fps) == ("the sea", SMALL, 24)
    assert (request.seed, request.steps, request.guidance) == (9, 4, 2.5)


def test_a_planned_clip_tells_its_plan_and_cost() -> None:
    planned = plan_text_to_video(CARD, TextToVideo(prompt="the sea", size=SMALL))

    assert planned.resolved.native_frames == 24
    assert planned.cost.seconds > 0


def test_the_frames_of_a_planned_clip_can_be_made_twice() -> None:
    planned = plan_text_to_video(CARD, TextToVideo(prompt="the sea", seconds=0.5, size=SMALL))

    assert np.array_equal(list(planned.frames()), list(planned.frames()))


def test_progress_and_cancellation_reach_the_generator() -> None:
    planned = plan_text_to_video(CARD, TextToVideo(prompt="the sea", seconds=0.5, size=SMALL))
    heard, token = list[Progress](), CancelToken()
    stream = planned.frames(on_progress=heard.append, cancel=token)
    next(stream)
    next(stream)

    token.cancel()

    with pytest.raises(Cancelled):
        next(stream)
    assert heard[0] == Progress("decode", 1, 6)


def test_what_the_generator_cannot_show_is_refused_while_planning() -> None:
    with pytest.raises(RequestError, match="can show"):
        plan_text_to_video(open_generator("embedded"), TextToVideo(prompt="an election night"))
