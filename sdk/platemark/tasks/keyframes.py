"""Keyframes: stills at chosen frames of a clip; what lies between, before and after them is made.

One rule: each keyframe stands at the frame it was placed at and comes out as it is; none is moved to fit the model.
"""

from dataclasses import dataclass, field

from platemark.clip import Size, whole_frames
from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest, Generator
from platemark.generation.given import Conditioning, Footage
from platemark.generation.resize import RGB
from platemark.tasks.conditioning import (
    DEFAULT_SIZE,
    STANDARD_SAMPLING,
    Format,
    GivenRecord,
    Sampling,
    cover,
    request_for,
)
from platemark.tasks.planned import PlannedClip, plan_request

MAX_KEYFRAMES = 64


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A still, (h, w, 3) uint8 RGB of any size, and the frame of the clip that shows it, from 0."""

    frame: int
    image: RGB = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyframesToVideo:
    """A clip through given stills.

    Attributes:
        prompt: what to show.
        keyframes: 1 to 64, in any order.
        seconds: length.
        size: frame size in pixels.
        fps: frames a second.
        sampling: seed, steps and the like.

    Raises:
        RequestError: a value is out of bounds, or keyframes clash or lie outside the clip.
    """

    prompt: str
    keyframes: tuple[Keyframe, ...]
    seconds: float = 2.0
    size: Size = DEFAULT_SIZE
    fps: int = 12
    sampling: Sampling = STANDARD_SAMPLING

    def __post_init__(self) -> None:
        if not 1 <= len(self.keyframes) <= MAX_KEYFRAMES:
            raise RequestError(f"A clip takes 1 to {MAX_KEYFRAMES} keyframes; got {len(self.keyframes)}.")
        self.to_request()

    def to_request(self) -> tuple[GenerationRequest, tuple[GivenRecord, ...]]:
        """Give the request as generators take it, and what happened to the stills.

        Raises:
            RequestError: a value is out of bounds, or keyframes clash or lie outside the clip.
        """
        form = Format(self.size, whole_frames(self.seconds, self.fps), self.fps)
        fitted = [(key.frame, *cover(key.image, self.size)) for key in self.keyframes]
        given = Conditioning(given=tuple(Footage(frame, picture[None]) for frame, picture, _ in fitted))
        request = request_for(self.prompt, form, self.sampling, conditioning=given)
        return request, tuple(record for _, _, record in fitted)


def plan_keyframes(generator: Generator, task: KeyframesToVideo) -> PlannedClip:
    """Plan a clip. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what the prompt asks for.
    """
    request, records = task.to_request()
    return plan_request(generator, request, given=records)
