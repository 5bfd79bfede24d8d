"""What the embedded model plans for each task, before anything is sampled: sizes, costs, words."""

from typing import Any

import numpy as np
import pytest

from platemark.clip import Size
from platemark.errors import RequestError
from platemark.generation.backend import open_generator
from platemark.generation.given import Controls
from platemark.generation.resize import RGB
from platemark.tasks.conditioning import GivenClip, Sampling, fit_clip
from platemark.tasks.connect import ConnectVideos, plan_connect
from platemark.tasks.edit import DEFAULT_STRENGTH, EditVideo, plan_edit
from platemark.tasks.extend import ExtendVideo, plan_extend
from platemark.tasks.image_to_video import ImageToVideo, plan_image_to_video
from platemark.tasks.infill import InfillVideo, plan_infill
from platemark.tasks.keyframes import Keyframe, KeyframesToVideo, plan_keyframes
from platemark.tasks.loop import LoopVideo, plan_loop
from platemark.tasks.planned import PlannedClip
from platemark.tasks.text_to_image import TextToImage, plan_text_to_image
from platemark.tasks.text_to_video import TextToVideo, plan_text_to_video

MODEL = open_generator("embedded")
SMALL = Size(128, 128)
SHAPES = {"1:1": (512, 512), "16:9": (640, 360), "9:16": (360, 640), "4:3": (640, 480), "2.39:1": (612, 256)}


def still(level: int = 90, *, width: int = 128, height: int = 128) -> RGB:
    return np.full((height, width, 3), level, np.uint8)


def clip(count: int, *, size: Size = SMALL, fps: int = 12) -> GivenClip:
    frames = (still(10 + index, width=size.width, height=size.height) for index in range(count))
    return fit_clip(frames, source_fps=fps, size=size, fps=fps)


def image(prompt: str = "a calm sea", **changes: Any) -> PlannedClip:
    values: dict[str, Any] = {"image": still(), "size": SMALL} | changes
    return plan_image_to_video(MODEL, ImageToVideo(prompt=prompt, **values))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("plan", ["text", "image", "keyframes", "loop", "still", "edit"])
def test_requested_and_actual_sizes_are_both_recorded(plan: str, shape: tuple[int, int]) -> None:
    size = Size(*shape)
    plans: dict[str, Any] = {
        "text": lambda: plan_text_to_video(MODEL, TextToVideo(prompt="a sea", size=size)),
        "image": lambda: image(size=size),
        "keyframes": lambda: plan_keyframes(
            MODEL, KeyframesToVideo(prompt="a sea", keyframes=(Keyframe(4, still()),), size=size)
        ),
        "loop": lambda: plan_loop(MODEL, LoopVideo(prompt="a sea", size=size)),
        "still": lambda: plan_text_to_image(MODEL, TextToImage(prompt="a sea", size=size)),
        "edit": lambda: plan_edit(MODEL, EditVideo(prompt="a sea", clip=clip(4, size=size))),
    }

    resolved = plans[plan]().resolved

    assert resolved.request.size == size
    assert resolved.native_height == 64
    assert resolved.native_width == max(64, 16 * round(64 * shape[0] / shape[1] / 16))
    assert f"{resolved.native_width}x64" in resolved.resampling


@pytest.mark.parametrize("size", [Size(130, 128), Size(2048, 128), Size(128, 2048), Size(2048, 2048)])
def test_sizes_at_the_edge_are_planned(size: Size) -> None:
    resolved = plan_text_to_image(MODEL, TextToImage(prompt="a sea", size=size)).resolved

    assert (resolved.request.size, resolved.native_width) == (size, 192 if size.width > 15 * 128 > size.height else 64)


def test_an_animated_still_tells_what_was_cut_from_it() -> None:
    planned = image(image=still(width=1000, height=500))

    (record,) = planned.given
    assert (record.width, record.height, record.crop) == (1000, 500, (250, 0, 500, 500))
    assert planned.resolved.conditions[0] == "frame 0 kept as given"


@pytest.mark.parametrize(
    ("seconds", "made"),
    [
        (1.0, "frames 1 to 11 made from 12 native frames, 1.00 times the natural pace"),
        (2.0, "frames 1 to 23 made from 24 native frames, 1.00 times the natural pace"),
    ],
)
def test_what_is_made_is_told_in_frames_and_pace(seconds: float, made: str) -> None:
    assert image(seconds=seconds).resolved.conditions[1] == made


def test_a_motion_that_ends_is_slowed_down_and_that_is_told() -> None:
    assert "0.50 times the natural pace" in image("a rising bar chart", seconds=4).resolved.conditions[1]


def test_a_passage_bends_its_pace_and_that_is_told() -> None:
    task = ConnectVideos(prompt="a sea", first=clip(4), second=clip(4), seconds=0.5)

    conditions = plan_connect(MODEL, task).resolved.conditions

    assert conditions[:2] == ("frames 0 to 3 kept as given", "frames 10 to 13 kept as given")
    assert conditions[2] == "frames 4 to 9 made from 10 native frames, 1.29 times the natural pace"


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_more_to_add_costs_more(direction: Any) -> None:
    short, long = (
        plan_extend(MODEL, ExtendVideo(prompt="a sea", clip=clip(4), seconds=seconds, direction=direction)).cost
        for seconds in (1.0, 10.0)
    )

    assert long.forwards >= 6 * short.forwards
    assert long.seconds > short.seconds


def test_a_longer_given_clip_costs_no_more_passes() -> None:
    short, long = (
        plan_extend(MODEL, ExtendVideo(prompt="a sea", clip=clip(count), seconds=1)).cost for count in (2, 60)
    )

    assert short.forwards == long.forwards


@pytest.mark.parametrize(("method", "forwards"), [("euler", 8), ("heun", 15)])
def test_the_method_is_in_the_cost(method: Any, forwards: int) -> None:
    sampling = Sampling(controls=Controls(method=method))

    assert plan_text_to_image(MODEL, TextToImage(prompt="a sea", sampling=sampling)).cost.forwards == forwards


def test_guidance_of_one_halves_the_cost() -> None:
    plain, guided = (
        plan_loop(MODEL, LoopVideo(prompt="a sea", sampling=Sampling(guidance=weight))).cost.forwards
        for weight in (1.0, 2.0)
    )

    assert guided == 2 * plain


def test_an_edit_says_from_where_it_starts() -> None:
    resolved = plan_edit(MODEL, EditVideo(prompt="a sea", clip=clip(4))).resolved

    assert resolved.conditions == (f"all frames start from the given clip, at noise level {DEFAULT_STRENGTH}",)


def test_a_loop_says_how_its_pace_bends() -> None:
    resolved = plan_loop(MODEL, LoopVideo(prompt="a sea", seconds=1.5)).resolved

    assert resolved.conditions == ("a ring of 16 native frames, 0.89 times the natural pace",)


def test_words_that_will_not_be_seen_are_listed_for_every_task() -> None:
    task = InfillVideo(prompt="a sea with a president", clip=clip(6), first=1, stop=3)

    assert plan_infill(MODEL, task).resolved.ignored_words == ("president",)


def test_a_loop_of_what_ends_is_refused_with_what_can_be_looped() -> None:
    with pytest.raises(RequestError, match="seamless loop") as refusal:
        plan_loop(MODEL, LoopVideo(prompt="a red circle moving left"))

    assert "sea" in refusal.value.fix


@pytest.mark.parametrize("plan", [plan_loop, plan_text_to_image], ids=["loop", "still"])
def test_what_the_model_cannot_show_is_refused_for_every_task(plan: Any) -> None:
    task = {plan_loop: LoopVideo, plan_text_to_image: TextToImage}[plan](prompt="an election night")

    with pytest.raises(RequestError, match="can show"):
        plan(MODEL, task)
