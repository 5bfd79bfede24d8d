"""A seamless loop: the last frame leads into the first.

One rule: the seam is one step among the others; what cannot go around is refused when it is planned.
"""

from dataclasses import dataclass

from platemark.clip import Size, whole_frames
from platemark.generation.backend import GenerationRequest, Generator
from platemark.generation.given import Conditioning
from platemark.tasks.conditioning import (
    DEFAULT_SIZE,
    STANDARD_SAMPLING,
    Format,
    Sampling,
    request_for,
)
from platemark.tasks.planned import PlannedClip, plan_request


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopVideo:
    """A clip to be played around and around.

    Attributes:
        prompt: what to show; something that goes on.
        seconds: length of one turn.
        size: frame size in pixels.
        fps: frames a second.
        sampling: seed, steps and the like.

    Raises:
        RequestError: a value is out of bounds.
    """

    prompt: str
    seconds: float = 2.0
    size: Size = DEFAULT_SIZE
    fps: int = 12
    sampling: Sampling = STANDARD_SAMPLING

    def __post_init__(self) -> None:
        self.to_request()

    def to_request(self) -> GenerationRequest:
        """Give the request as generators take it.

        Raises:
            RequestError: a value is out of bounds.
        """
        form = Format(self.size, whole_frames(self.seconds, self.fps), self.fps)
        return request_for(self.prompt, form, self.sampling, conditioning=Conditioning(shape="loop"))


def plan_loop(generator: Generator, task: LoopVideo) -> PlannedClip:
    """Plan a loop. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what the prompt asks for, or not as a loop.
    """
    return plan_request(generator, task.to_request())
