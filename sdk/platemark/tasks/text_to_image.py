"""One still picture from a prompt, up to 2048x2048.

One rule: a still is a clip of one frame, made and planned like any other.
"""

from dataclasses import dataclass

from platemark.clip import Size
from platemark.generation.backend import GenerationRequest, Generator
from platemark.generation.given import Conditioning
from platemark.tasks.conditioning import DEFAULT_SIZE, STANDARD_SAMPLING, Format, Sampling, request_for
from platemark.tasks.planned import PlannedClip, plan_request


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToImage:
    """A picture from a prompt alone.

    Attributes:
        prompt: what to show.
        size: in pixels.
        sampling: seed, steps and the like.

    Raises:
        RequestError: a value is out of bounds.
    """

    prompt: str
    size: Size = DEFAULT_SIZE
    sampling: Sampling = STANDARD_SAMPLING

    def __post_init__(self) -> None:
        self.to_request()

    def to_request(self) -> GenerationRequest:
        """Give the request as generators take it.

        Raises:
            RequestError: a value is out of bounds.
        """
        still = Conditioning(shape="still")
        return request_for(self.prompt, Format(self.size, 1, 1), self.sampling, conditioning=still)


def plan_text_to_image(generator: Generator, task: TextToImage) -> PlannedClip:
    """Plan a picture. Nothing is sampled yet; the planned clip has one frame.

    Raises:
        RequestError: the generator cannot show what the prompt asks for.
    """
    return plan_request(generator, task.to_request())
