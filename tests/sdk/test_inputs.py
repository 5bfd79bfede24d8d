"""What is handed over beside a prompt: the task, pictures and clips with their places, and runs of frames."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.inputs import (
    MAX_IMAGES,
    STILL_ENDINGS,
    GivenImage,
    Inputs,
    Place,
    Span,
    Task,
    check_inputs,
    choose_task,
)

A, B = Path("a.png"), Path("b.png")
CLIP = Path("c.mp4")


def images(*texts: str) -> Inputs:
    return Inputs(images=tuple(GivenImage.parse(text) for text in texts))


def clips(count: int, *, fill: str = "") -> Inputs:
    return Inputs(clips=(CLIP,) * count, fill=Span.parse(fill) if fill else None)


@pytest.mark.parametrize("task", Task)
def test_a_task_is_named_with_dashes_or_underscores_in_any_case(task: Task) -> None:
    assert Task.parse(task.value.replace("-", "_").upper()) is task


def test_an_unknown_task_is_refused_with_all_names() -> None:
    with pytest.raises(RequestError, match="There is no task 'dub'") as refusal:
        Task.parse("dub")

    assert "extend-backward" in refusal.value.fix


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ("a.png", "a.png", None),
        ("a.png@0", "a.png", Place("frame", 0)),
        ("a.png@12", "a.png", Place("frame", 12)),
        ("a.png@1.5s", "a.png", Place("second", 1.5)),
        ("a.png@end", "a.png", Place("end")),
        ("photo@2x.png", "photo@2x.png", None),
        ("photo@2x.png@3", "photo@2x.png", Place("frame", 3)),
        ("a.png@-1", "a.png@-1", None),
        ("a.png@1.5", "a.png@1.5", None),
        ("@3", "@3", None),
    ],
)
def test_a_place_stands_behind_the_last_at_sign_and_anything_else_belongs_to_the_name(
    text: str, path: str, place: Place | None
) -> None:
    assert GivenImage.parse(text) == GivenImage(Path(path), place)


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_any_text_is_a_file_with_or_without_a_place(text: str) -> None:
    found = GivenImage.parse(text)

    assert str(found.path) in (str(Path(text)), str(Path(text.rpartition("@")[0])))


@pytest.mark.parametrize(
    ("place", "frame"),
    [(Place("frame", 7), 7), (Place("second", 0.5), 6), (Place("second", 0.04), 0), (Place("end"), 23)],
)
def test_a_place_is_a_frame_once_rate_and_length_are_known(place: Place, frame: int) -> None:
    assert place.frame(fps=12, frames=24) == frame


@pytest.mark.parametrize(
    ("text", "frames"), [("12-20", (12, 21)), ("0-0", (0, 1)), ("0.5s-1.25s", (6, 15)), ("1s-2s", (12, 24))]
)
def test_a_run_of_frames_has_both_its_ends_and_a_run_of_time_ends_where_it_says(
    text: str, frames: tuple[int, int]
) -> None:
    assert Span.parse(text).frames(12) == frames


@pytest.mark.parametrize("text", ["", "12", "12-", "-12", "12-20s", "1.5-2.5", "a-b", "12..20"])
def test_another_form_of_a_run_is_refused_with_two_examples(text: str) -> None:
    with pytest.raises(RequestError, match="FIRST-LAST") as refusal:
        Span.parse(text)

    assert "12-20" in refusal.value.fix


@pytest.mark.parametrize(
    ("inputs", "strength", "output", "task"),
    [
        (Inputs(), None, None, Task.TEXT_TO_VIDEO),
        (Inputs(), None, Path("x.mp4"), Task.TEXT_TO_VIDEO),
        *[(Inputs(), None, Path(f"x{ending.upper()}"), Task.IMAGE) for ending in STILL_ENDINGS],
        (images("a.png"), None, None, Task.IMAGE_TO_VIDEO),
        (images("a.png@0"), None, None, Task.IMAGE_TO_VIDEO),
        (images("a.png@0s"), None, None, Task.IMAGE_TO_VIDEO),
        (images("a.png@5"), None, None, Task.KEYFRAMES),
        (images("a.png@end"), None, None, Task.KEYFRAMES),
        (images("a.png@0", "b.png@end"), None, None, Task.KEYFRAMES),
        (clips(1), None, None, Task.EXTEND),
        (clips(1), 0.5, None, Task.EDIT),
        (clips(1, fill="3-4"), None, None, Task.INFILL),
        (clips(2), None, None, Task.CONNECT),
    ],
)
def test_the_task_follows_from_what_is_given(
    inputs: Inputs, strength: float | None, output: Path | None, task: Task
) -> None:
    chosen = choose_task(inputs, strength=strength, output=output)

    check_inputs(chosen, inputs, strength=strength)
    assert chosen is task


def test_pictures_and_clips_at_once_mean_nothing() -> None:
    with pytest.raises(RequestError, match="at once"):
        choose_task(Inputs(images=(GivenImage(A),), clips=(CLIP,)), strength=None, output=None)


@pytest.mark.parametrize(
    ("task", "inputs", "strength", "named"),
    [
        (Task.TEXT_TO_VIDEO, images("a.png"), None, "takes no pictures; got 1"),
        (Task.LOOP, clips(1), None, "takes no clips; got 1"),
        (Task.IMAGE, images("a.png"), None, "image takes no pictures"),
        (Task.IMAGE_TO_VIDEO, Inputs(), None, "takes 1 picture; got 0"),
        (Task.IMAGE_TO_VIDEO, images("a.png", "b.png"), None, "takes 1 picture; got 2"),
        (Task.IMAGE_TO_VIDEO, images("a.png@4"), None, "is the first frame"),
        (Task.KEYFRAMES, images(*["a.png@1"] * (MAX_IMAGES + 1)), None, f"takes 1 to {MAX_IMAGES} pictures; got 17"),
        (Task.KEYFRAMES, images("a.png@0", "b.png"), None, "Every keyframe needs its place"),
        (Task.EXTEND, clips(2), None, "takes 1 clip; got 2"),
        (Task.CONNECT, clips(1), None, "takes 2 clips; got 1"),
        (Task.INFILL, clips(1), None, "which frames to make anew"),
        (Task.EXTEND, clips(1, fill="1-2"), None, "extend takes no frames to fill in"),
        (Task.EXTEND, clips(1), 0.5, "extend takes no strength"),
    ],
)
def test_a_task_refuses_what_it_does_not_take_and_names_what_it_needs(
    task: Task, inputs: Inputs, strength: float | None, named: str
) -> None:
    with pytest.raises(RequestError, match=named) as refusal:
        check_inputs(task, inputs, strength=strength)

    assert refusal.value.fix
