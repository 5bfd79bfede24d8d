"""What a caller asks a generator to do and hands it besides words: the task, pictures and clips, and where they go.

One rule: names and places only. No file is opened here; whether the places lie inside the clip is found out when its
length is known.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from platemark.errors import RequestError

MAX_IMAGES = 16
"""As many ingredients as a manifest lists."""
MAX_CLIPS = 2
STILL_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")

_PLACE = re.compile(r"(\d{1,6})|(\d{1,4}(?:\.\d{1,6})?)s|(end)")
_SPAN = re.compile(r"(\d{1,6})-(\d{1,6})|(\d{1,4}(?:\.\d{1,6})?)s-(\d{1,4}(?:\.\d{1,6})?)s")


class Task(StrEnum):
    """What can be asked for."""

    TEXT_TO_VIDEO = "text-to-video"
    IMAGE_TO_VIDEO = "image-to-video"
    KEYFRAMES = "keyframes"
    EXTEND = "extend"
    EXTEND_BACKWARD = "extend-backward"
    CONNECT = "connect"
    INFILL = "infill"
    LOOP = "loop"
    EDIT = "edit"
    IMAGE = "image"
    WORLD = "world"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a task's name; `text_to_video` and `text-to-video` are one.

        Raises:
            RequestError: there is no such task; all names are listed.
        """
        name = text.strip().lower().replace("_", "-")
        if name not in list(cls):
            raise RequestError(f"There is no task {text[:40]!r}.", fix=f"The tasks are: {', '.join(cls)}.")
        return cls(name)

    @property
    def makes_still(self) -> bool:
        """Whether a picture comes out rather than a clip."""
        return self is Task.IMAGE

    @property
    def keeps_length(self) -> bool:
        """Whether what comes out is as long as the clip that was given."""
        return self in (Task.INFILL, Task.EDIT)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a clip that is to be made: the `value`th frame, from 0, so many seconds in, or the last frame."""

    unit: Literal["frame", "second", "end"]
    value: float = 0.0

    def frame(self, *, fps: int, frames: int) -> int:
        """Give the frame that this is, in a clip of so many frames; it may lie outside the clip."""
        if self.unit == "end":
            return frames - 1
        return round(self.value * fps) if self.unit == "second" else int(self.value)


@dataclass(frozen=True, slots=True)
class GivenImage:
    """A picture that is handed over, and where it stands; none where the task leaves no choice."""

    path: Path
    place: Place | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `FILE`, `FILE@12` (a frame), `FILE@1.5s` (a time) or `FILE@end`.

        Whatever else follows an `@` belongs to the name: `photo@2x.png` is a file.
        """
        name, mark, place = text.rpartition("@")
        found = _PLACE.fullmatch(place) if mark and name else None
        if found is None:
            return cls(Path(text))
        if found[3]:
            return cls(Path(name), Place("end"))
        return cls(Path(name), Place("frame", int(found[1])) if found[1] else Place("second", float(found[2])))


@dataclass(frozen=True, slots=True)
class Span:
    """A run of frames: from `first` up to, not including, `stop`; in frames or in seconds."""

    unit: Literal["frame", "second"]
    first: float
    stop: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `12-20` (these frames, both included) or `0.5s-1.2s` (from one time until the other).

        Raises:
            RequestError: the text has another form.
        """
        found = _SPAN.fullmatch(text.strip())
        if found is None:
            raise RequestError(
                f"A run of frames is written FIRST-LAST; got {text[:40]!r}.", fix="For example 12-20, or 0.5s-1.2s."
            )
        if found[1]:
            return cls("frame", int(found[1]), int(found[2]) + 1)
        return cls("second", float(found[3]), float(found[4]))

    def frames(self, fps: int) -> tuple[int, int]:
        """Give the first frame of the run and the frame after its last."""
        scale = fps if self.unit == "second" else 1
        return round(self.first * scale), round(self.stop * scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The pictures and clips that are handed over, in the caller's order, the frames to fill in, each frame's move."""

    images: tuple[GivenImage, ...] = ()
    clips: tuple[Path, ...] = ()
    fill: Span | None = None
    moves: tuple[str, ...] = ()


NO_INPUTS = Inputs()

_IMAGES = {Task.IMAGE_TO_VIDEO: (1, 1), Task.KEYFRAMES: (1, MAX_IMAGES)}
_CLIPS = {
    Task.EXTEND: (1, 1),
    Task.EXTEND_BACKWARD: (1, 1),
    Task.CONNECT: (2, MAX_CLIPS),
    Task.INFILL: (1, 1),
    Task.EDIT: (1, 1),
}


def choose_task(inputs: Inputs, *, strength: float | None, output: Path | None) -> Task:
    """Give the task that the inputs mean where nobody named one.

    Args:
        inputs: what was handed over.
        strength: how far an edit may go, where somebody said so.
        output: where the result goes; a picture's name asks for a picture.

    Raises:
        RequestError: they mean more than one.
    """
    if inputs.images and inputs.clips:
        raise RequestError("Pictures and clips cannot be given at once.", fix="Give --image or --clip, not both.")
    if inputs.images:
        first = inputs.images[0].place
        starts = len(inputs.images) == 1 and (first is None or (first.unit != "end" and first.value == 0))
        return Task.IMAGE_TO_VIDEO if starts else Task.KEYFRAMES
    if len(inputs.clips) > 1:
        return Task.CONNECT
    if inputs.clips:
        if inputs.fill is not None:
            return Task.INFILL
        return Task.EXTEND if strength is None else Task.EDIT
    if inputs.moves:
        return Task.WORLD
    wants_still = output is not None and output.suffix.lower() in STILL_ENDINGS
    return Task.IMAGE if wants_still else Task.TEXT_TO_VIDEO


def check_inputs(task: Task, inputs: Inputs, *, strength: float | None) -> None:
    """Refuse inputs that a task does not take, or lacks.

    Raises:
        RequestError: says what the task takes.
    """
    _check_count(task, "picture", len(inputs.images), _IMAGES.get(task, (0, 0)))
    _check_count(task, "clip", len(inputs.clips), _CLIPS.get(task, (0, 0)))
    if task is Task.KEYFRAMES and any(each.place is None for each in inputs.images):
        raise RequestError(
            "Every keyframe needs its place in the clip; one has none.",
            fix="Write --image FILE@0 for a frame, FILE@1.5s for a time, or FILE@end.",
        )
    if task is Task.IMAGE_TO_VIDEO and inputs.images[0].place not in (None, Place("frame"), Place("second")):
        raise RequestError("The picture of image-to-video is the first frame.", fix="Use the task keyframes.")
    if (inputs.fill is not None) != (task is Task.INFILL):
        raise RequestError(
            f"The task {task} takes no frames to fill in."
            if inputs.fill is not None
            else "The task infill needs to know which frames to make anew.",
            fix="Leave --fill out." if inputs.fill is not None else "For example: --fill 12-20, or --fill 0.5s-1.2s.",
        )
    if bool(inputs.moves) != (task is Task.WORLD):
        raise RequestError(
            f"The task {task} takes no actions; world does."
            if inputs.moves
            else "The task world needs to know what the camera does in each frame.",
            fix="Leave --actions out." if inputs.moves else "For example: --actions forward*8,left*4,jump.",
        )
    if strength is not None and task is not Task.EDIT:
        raise RequestError(f"The task {task} takes no strength; edit does.", fix="Leave --strength out.")


def _check_count(task: Task, what: str, count: int, allowed: tuple[int, int]) -> None:
    low, high = allowed
    if low <= count <= high:
        return
    wanted = "no" if high == 0 else str(low) if low == high else f"{low} to {high}"
    option = "--image" if what == "picture" else "--clip"
    raise RequestError(
        f"The task {task} takes {wanted} {what}{'' if wanted == '1' else 's'}; got {count}.",
        fix=f"Leave {option} out." if high == 0 else f"Give {wanted} with {option} FILE.",
    )
