"""Text to video for any request within bounds, with any generator that follows the protocol."""

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.clip import MAX_PROMPT_CHARACTERS, MAX_SEED, Size
from platemark.errors import RequestError
from platemark.generation.backend import (
    CancelToken,
    Cost,
    GenerationRequest,
    GeneratorInfo,
    ProgressListener,
    ResolvedRequest,
    available_generators,
    open_generator,
)
from platemark.generation.kept import LatentKeeper
from platemark.generation.resize import RGB
from platemark.tasks.text_to_video import TextToVideo, plan_text_to_video

SMALL = Size(128, 128)


class Slate:
    """A generator that shows its seed as a grey, and keeps what it was asked in which order."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @property
    def info(self) -> GeneratorInfo:
        return available_generators()[1]

    def resolve(self, request: GenerationRequest) -> ResolvedRequest:
        self.asked.append("resolve")
        return ResolvedRequest(
            request=request,
            model="slate",
            native_width=request.size.width,
            native_height=request.size.height,
            native_frames=request.frames,
            native_fps=request.fps,
            steps=request.steps or 1,
            guidance=request.guidance or 1.0,
        )

    def estimate(self, resolved: ResolvedRequest) -> Cost:
        self.asked.append("estimate")
        return Cost(float(resolved.request.frames), 1, resolved.steps)

    def generate(
        self,
        resolved: ResolvedRequest,
        *,
        on_progress: ProgressListener | None = None,
        cancel: CancelToken | None = None,
        keep: LatentKeeper | None = None,
    ) -> Iterator[RGB]:
        self.asked.append("generate")
        size = resolved.request.size
        for _ in range(resolved.request.frames):
            yield np.full((size.height, size.width, 3), resolved.request.seed % 256, np.uint8)


@settings(max_examples=150, deadline=None)
@given(seconds=st.floats(0.25, 60), fps=st.integers(4, 60))
def test_the_length_that_comes_out_is_within_half_a_frame_of_the_one_asked_for(seconds: float, fps: int) -> None:
    request = TextToVideo(prompt="sea", seconds=seconds, fps=fps).to_request()

    assert abs(request.frames - seconds * fps) <= 0.5
    assert 1 <= request.frames <= 60 * fps


@settings(max_examples=60, deadline=None)
@given(frames=st.integers(15, 3600), fps=st.integers(1, 60))
def test_a_length_of_whole_frames_comes_out_to_the_frame(frames: int, fps: int) -> None:
    wanted = min(frames, 60 * fps)

    assert TextToVideo(prompt="sea", seconds=max(0.25, wanted / fps), fps=fps).to_request().frames == wanted


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, MAX_SEED),
    steps=st.none() | st.integers(1, 250),
    guidance=st.none() | st.floats(1, 20),
    half=st.tuples(st.integers(64, 1024), st.integers(64, 1024)),
)
def test_every_setting_within_bounds_reaches_the_generator(
    seed: int, steps: int | None, guidance: float | None, half: tuple[int, int]
) -> None:
    size = Size(2 * half[0], 2 * half[1])
    task = TextToVideo(prompt="sea", size=size, seed=seed, steps=steps, guidance=guidance)

    request = plan_text_to_video(Slate(), task).resolved.request

    assert (request.seed, request.steps, request.guidance, request.size) == (seed, steps, guidance, size)


def test_planning_samples_nothing() -> None:
    slate = Slate()

    planned = plan_text_to_video(slate, TextToVideo(prompt="sea", size=SMALL))

    assert slate.asked == ["resolve", "estimate"]
    assert planned.cost.seconds == 24


def test_each_call_for_frames_starts_anew() -> None:
    slate = Slate()
    planned = plan_text_to_video(slate, TextToVideo(prompt="sea", seconds=0.25, size=SMALL, seed=300))

    first, second = list(planned.frames()), list(planned.frames())

    assert np.array_equal(first, second)
    assert int(first[0][0, 0, 0]) == 300 % 256
    assert slate.asked.count("generate") == 2


def test_two_streams_of_one_plan_do_not_share_their_place() -> None:
    planned = plan_text_to_video(open_generator("testcard"), TextToVideo(prompt="sea", seconds=0.5, size=SMALL))
    first, second = planned.frames(), planned.frames()

    next(first)
    next(first)

    assert np.array_equal(next(second), next(iter(planned.frames())))


@pytest.mark.parametrize("name", ["prompt", "seconds", "seed"])
def test_a_task_and_its_plan_cannot_be_changed(name: str) -> None:
    task = TextToVideo(prompt="sea")

    with pytest.raises(FrozenInstanceError):
        setattr(task, name, "other")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"prompt": " \n\t "}, "empty"),
        ({"prompt": "가" * (MAX_PROMPT_CHARACTERS + 1)}, "limit is 4,000"),
        ({"prompt": "sea\x00"}, "U\\+0000"),
        ({"prompt": "sea\u202etxt"}, "U\\+202E"),
        ({"prompt": "sea\ud800"}, "U\\+D800"),
        ({"seed": MAX_SEED + 1}, "seed"),
        ({"steps": 251}, "steps"),
        ({"guidance": 20.5}, "guidance"),
        ({"guidance": float("nan")}, "guidance"),
        ({"seconds": 60.0001}, "seconds"),
        ({"seconds": -0.0}, "seconds"),
        ({"fps": 61}, "fps"),
        ({"seconds": 0.25, "fps": 2}, "not one frame"),
    ],
)
def test_a_task_with_one_flaw_is_refused_and_the_flaw_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(RequestError, match=named) as refusal:
        TextToVideo(**({"prompt": "the sea"} | changes))

    assert refusal.value.fix


def test_a_task_made_from_another_is_checked_again() -> None:
    task = TextToVideo(prompt="sea", seconds=1)

    with pytest.raises(RequestError, match="seconds"):
        replace(task, seconds=61)


def test_the_longest_prompt_is_taken() -> None:
    task = TextToVideo(prompt=("sea " * 1000)[:MAX_PROMPT_CHARACTERS])

    assert len(task.to_request().prompt) == MAX_PROMPT_CHARACTERS


@pytest.mark.parametrize("name", ["embedded", "testcard"])
def test_every_generator_we_have_plans_the_same_task(name: str) -> None:
    planned = plan_text_to_video(open_generator(name), TextToVideo(prompt="a calm sea", size=SMALL, seed=5))

    assert planned.resolved.model == name
    assert planned.resolved.request.frames == 24
    assert planned.cost.seconds > 0
