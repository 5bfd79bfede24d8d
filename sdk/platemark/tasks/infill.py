"""Fill in: some frames of a clip are made anew, the others stay.

One rule: every frame outside the named run comes out bit for bit.
"""

from dataclasses import dataclass

from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest, Generator
from platemark.generation.given import Conditioning, Footage
from platemark.tasks.conditioning import STANDARD_SAMPLING, Format, GivenClip, Sampling, request_for
from platemark.tasks.planned import PlannedClip, plan_request


@dataclass(frozen=True, slots=True, kw_only=True)
class InfillVideo:
    """A given clip with a run of frames made anew.

    Attributes:
        prompt: what to show in the new frames.
        clip: decides size, rate and length too.
        first: the first frame to make, from 0.
        stop: the frame after the last one to make.
        sampling: seed, steps and the like.

    Raises:
        RequestError: the run is empty, leaves the clip, or covers all of it.
    """

    prompt: str
    clip: GivenClip
    first: int
    stop: int
    sampling: Sampling = STANDARD_SAMPLING

    def __post_init__(self) -> None:
        frames = len(self.clip)
        if not 0 <= self.first < self.stop <= frames or self.stop - self.first == frames:
            raise RequestError(
                f"The frames to fill in must be some, not all, of 0 to {frames - 1}; got {self.first} to "
                f"{self.stop - 1}.",
                fix="Leave a frame at one end at least.",
            )
        self.to_request()

    def to_request(self) -> GenerationRequest:
        """Give the request as generators take it.

        Raises:
            RequestError: a value is out of bounds.
        """
        pixels = self.clip.pixels
        parts = ((0, pixels[: self.first]), (self.stop, pixels[self.stop :]))
        given = Conditioning(given=tuple(Footage(start, part) for start, part in parts if len(part)))
        form = Format(self.clip.size, len(pixels), self.clip.fps)
        return request_for(self.prompt, form, self.sampling, conditioning=given)


def plan_infill(generator: Generator, task: InfillVideo) -> PlannedClip:
    """Plan a clip. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what the prompt asks for.
    """
    return plan_request(generator, task.to_request(), given=(task.clip.record,))
