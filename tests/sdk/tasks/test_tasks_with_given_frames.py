"""Every task becomes a request of one kind: frames that are given, and frames to make between them."""

from dataclasses import FrozenInstanceError
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
from platemark.tasks.edit import EditVideo, plan_edit
from platemark.tasks.extend import ExtendVideo, plan_extend
from platemark.tasks.image_to_video import ImageToVideo, plan_image_to_video
from platemark.tasks.infill import InfillVideo, plan_infill
from platemark.tasks.keyframes import MAX_KEYFRAMES, Keyframe, KeyframesToVideo, plan_keyframes
from platemark.tasks.loop import LoopVideo, plan_loop
from platemark.tasks.text_to_image import TextToImage, plan_text_to_image
from platemark.tasks.text_to_video import TextToVideo, plan_text_to_video

CARD = open_generator("testcard")
SMALL = Size(128, 128)


def still(level: int, *, width: int = 128, height: int = 128) -> RGB:
    return np.full((height, width, 3), level, np.uint8)


def clip(*levels: int, size: Size = SMALL, fps: int = 12) -> GivenClip:
    frames = (still(level, width=size.width, height=size.height) for level in levels)
    return fit_clip(frames, source_fps=fps, size=size, fps=fps)


def places(request: Any) -> list[tuple[int, int]]:
    return [(footage.first, footage.stop) for footage in request.conditioning.given]


LONG = clip(*range(10, 34))
SOME = clip(*range(10, 16))


def test_a_still_is_the_first_frame() -> None:
    request, record = ImageToVideo(prompt="sea", image=still(70, width=300), size=SMALL, seconds=1).to_request()

    assert (request.frames, places(request)) == (12, [(0, 1)])
    assert record.crop == (86, 0, 128, 128)


def test_keyframes_stand_where_they_were_placed() -> None:
    keys = (Keyframe(11, still(1)), Keyframe(0, still(2)), Keyframe(5, still(3, height=200)))

    request, records = KeyframesToVideo(prompt="sea", keyframes=keys, seconds=1, size=SMALL).to_request()

    assert places(request) == [(11, 12), (0, 1), (5, 6)]
    assert [record.height for record in records] == [128, 128, 200]


@pytest.mark.parametrize(
    ("frames", "named"),
    [((0, 12), "Frame 12 is given"), ((-1,), "-1"), ((4, 4), "given twice"), ((), "got 0"), (range(65), "got 65")],
)
def test_keyframes_out_of_range_or_clashing_are_refused(frames: Any, named: str) -> None:
    keys = tuple(Keyframe(frame, still(1)) for frame in frames)

    with pytest.raises(RequestError, match=named):
        KeyframesToVideo(prompt="sea", keyframes=keys, seconds=1, size=SMALL)


def test_as_many_keyframes_as_are_allowed_are_taken() -> None:
    keys = tuple(Keyframe(frame, still(1)) for frame in range(MAX_KEYFRAMES))

    request, _ = KeyframesToVideo(prompt="sea", keyframes=keys, seconds=6, size=SMALL).to_request()

    assert len(request.conditioning.given) == MAX_KEYFRAMES


@pytest.mark.parametrize(("direction", "place"), [("forward", (0, 6)), ("backward", (12, 18))])
def test_a_clip_is_extended_after_its_end_or_before_its_start(direction: Any, place: tuple[int, int]) -> None:
    request = ExtendVideo(prompt="sea", clip=SOME, seconds=1, direction=direction).to_request()

    assert (request.frames, places(request)) == (18, [place])


def test_another_direction_is_refused() -> None:
    with pytest.raises(RequestError, match="forward or backward"):
        ExtendVideo(prompt="sea", clip=SOME, direction="up")  # type: ignore[arg-type]  # what is refused


def test_two_clips_stand_at_the_ends_of_the_passage_between_them() -> None:
    request = ConnectVideos(prompt="sea", first=SOME, second=LONG, seconds=1).to_request()

    assert (request.frames, places(request)) == (6 + 12 + 24, [(0, 6), (18, 42)])


@pytest.mark.parametrize("other", [clip(1, size=Size(130, 128)), clip(1, fps=24)])
def test_clips_of_another_size_or_rate_are_not_connected(other: GivenClip) -> None:
    with pytest.raises(RequestError, match="one size and rate"):
        ConnectVideos(prompt="sea", first=SOME, second=other)


@pytest.mark.parametrize(
    ("first", "stop", "kept"),
    [(2, 4, [(0, 2), (4, 6)]), (0, 3, [(3, 6)]), (3, 6, [(0, 3)]), (5, 6, [(0, 5)])],
)
def test_filling_in_keeps_all_other_frames(first: int, stop: int, kept: list[tuple[int, int]]) -> None:
    request = InfillVideo(prompt="sea", clip=SOME, first=first, stop=stop).to_request()

    assert (request.frames, places(request)) == (6, kept)


@pytest.mark.parametrize(("first", "stop"), [(0, 6), (-1, 2), (3, 3), (4, 2), (2, 7), (6, 7)])
def test_an_impossible_run_is_not_filled_in(first: int, stop: int) -> None:
    with pytest.raises(RequestError, match="some, not all"):
        InfillVideo(prompt="sea", clip=SOME, first=first, stop=stop)


def test_a_changed_clip_is_as_long_as_its_source() -> None:
    request = EditVideo(prompt="sea", clip=SOME, strength=0.4).to_request()

    assert (request.frames, request.conditioning.kind, request.conditioning.strength) == (6, "source", 0.4)


@pytest.mark.parametrize("strength", [-0.01, 1.01, float("nan")])
def test_an_impossible_strength_is_refused(strength: float) -> None:
    with pytest.raises(RequestError, match="strength"):
        EditVideo(prompt="sea", clip=SOME, strength=strength)


def test_a_loop_and_a_still_say_what_they_are() -> None:
    assert LoopVideo(prompt="sea", seconds=1, size=SMALL).to_request().conditioning.kind == "loop"
    assert TextToImage(prompt="sea", size=Size(2048, 2048)).to_request().conditioning.kind == "still"


@pytest.mark.parametrize(
    "request_of",
    [
        lambda s: ImageToVideo(prompt="sea", image=still(1), size=SMALL, sampling=s).to_request()[0],
        lambda s: KeyframesToVideo(
            prompt="sea", keyframes=(Keyframe(3, still(1)),), size=SMALL, sampling=s
        ).to_request()[0],
        lambda s: ExtendVideo(prompt="sea", clip=SOME, sampling=s).to_request(),
        lambda s: ConnectVideos(prompt="sea", first=SOME, second=SOME, sampling=s).to_request(),
        lambda s: InfillVideo(prompt="sea", clip=SOME, first=1, stop=2, sampling=s).to_request(),
        lambda s: EditVideo(prompt="sea", clip=SOME, sampling=s).to_request(),
        lambda s: LoopVideo(prompt="sea", size=SMALL, sampling=s).to_request(),
        lambda s: TextToImage(prompt="sea", size=SMALL, sampling=s).to_request(),
    ],
    ids=["image", "keyframes", "extend", "connect", "infill", "edit", "loop", "still"],
)
def test_every_task_hands_on_how_to_sample(request_of: Any) -> None:
    controls = Controls(method="heun", shift=3.0, negative_prompt="night")

    request = request_of(Sampling(seed=9, steps=4, guidance=2.5, controls=controls))

    assert (request.seed, request.steps, request.guidance, request.controls) == (9, 4, 2.5, controls)


def test_text_to_video_takes_controls_too() -> None:
    controls = Controls(method="heun")

    assert TextToVideo(prompt="sea", controls=controls).to_request().controls == controls


@pytest.mark.parametrize("prompt", ["", "sea\x00"])
def test_an_impossible_prompt_is_refused_when_a_task_is_made(prompt: str) -> None:
    with pytest.raises(RequestError, match="prompt"):
        LoopVideo(prompt=prompt)


def test_a_task_cannot_be_changed() -> None:
    task = LoopVideo(prompt="sea")

    with pytest.raises(FrozenInstanceError):
        task.prompt = "sky"  # type: ignore[misc]  # what is refused


@pytest.mark.parametrize(
    ("planned", "given"),
    [
        (plan_image_to_video(CARD, ImageToVideo(prompt="sea", image=still(70), size=SMALL)), 1),
        (plan_keyframes(CARD, KeyframesToVideo(prompt="sea", keyframes=(Keyframe(3, still(5)),), size=SMALL)), 1),
        (plan_extend(CARD, ExtendVideo(prompt="sea", clip=SOME)), 1),
        (plan_connect(CARD, ConnectVideos(prompt="sea", first=SOME, second=LONG)), 2),
        (plan_infill(CARD, InfillVideo(prompt="sea", clip=LONG, first=4, stop=9)), 1),
    ],
    ids=["image", "keyframes", "extend", "connect", "infill"],
)
def test_any_generator_keeps_given_frames_bit_for_bit(planned: Any, given: int) -> None:
    request = planned.resolved.request

    frames = np.stack(list(planned.frames()))

    assert (len(frames), len(planned.given)) == (request.frames, given)
    assert all(np.array_equal(frames[each.first : each.stop], each.pixels) for each in request.conditioning.given)
    assert len(planned.resolved.conditions) >= given


@pytest.mark.parametrize(
    "plan",
    [
        lambda: plan_edit(CARD, EditVideo(prompt="sea", clip=SOME)),
        lambda: plan_loop(CARD, LoopVideo(prompt="sea", size=SMALL)),
    ],
    ids=["edit", "loop"],
)
def test_what_a_generator_cannot_do_is_refused_while_planning(plan: Any) -> None:
    with pytest.raises(RequestError, match="test card cannot") as refusal:
        plan()

    assert "embedded" in refusal.value.fix


def test_a_still_is_one_frame() -> None:
    planned = plan_text_to_image(CARD, TextToImage(prompt="sea", size=SMALL))

    (frame,) = planned.frames()
    assert frame.shape == (128, 128, 3)


def test_planning_from_text_has_nothing_given() -> None:
    assert plan_text_to_video(CARD, TextToVideo(prompt="sea", size=SMALL)).given == ()
