"""Animate a still: it is the first frame, the rest is made.

One rule: the still is cut to the clip's aspect ratio around its middle, comes out as it is, and the record says so.
"""

from dataclasses import dataclass, field

from platemark.clip import Size, whole_frames
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageToVideo:
    """A clip that starts with a still.

    Attributes:
        prompt: what to show from there on.
        image: (h, w, 3) uint8 RGB of any size.
        seconds: length, the still included.
        size: frame size in pixels.
        fps: frames a second.
        sampling: seed, steps and the like.

    Raises:
        RequestError: a value is out of bounds, or the image is not one.
    """

    prompt: str
    image: RGB = field(repr=False, compare=False)
    seconds: float = 2.0
    size: Size = DEFAULT_SIZE
    fps: int = 12
    sampling: Sampling = STANDARD_SAMPLING

    def __post_init__(self) -> None:
        self.to_request()

    def to_request(self) -> tuple[GenerationRequest, GivenRecord]:
        """Give the request as generators take it, and what happened to the image.

        Raises:
            RequestError: a value is out of bounds, or the image is not one.
        """
        form = Format(self.size, whole_frames(self.seconds, self.fps), self.fps)
        picture, record = cover(self.image, self.size)
        given = Conditioning(given=(Footage(0, picture[None]),))
        return request_for(self.prompt, form, self.sampling, conditioning=given), record


def plan_image_to_video(generator: Generator, task: ImageToVideo) -> PlannedClip:
    """Plan a clip. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what the prompt asks for.
    """
    request, record = task.to_request()
    return plan_request(generator, request, given=(record,))
