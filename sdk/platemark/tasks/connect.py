"""Connect two clips: what leads from the end of one to the start of the other is made.

One rule: both given clips come out bit for bit.
"""

from dataclasses import dataclass

from platemark.clip import whole_frames
from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest, Generator
from platemark.generation.given import Conditioning, Footage
from platemark.tasks.conditioning import STANDARD_SAMPLING, Format, GivenClip, Sampling, request_for
from platemark.tasks.planned import PlannedClip, plan_request


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectVideos:
    """Two given clips and a passage between them.

    Attributes:
        prompt: what to show in the passage.
        first: decides size and rate; the second has the same.
        second: comes after the passage.
        seconds: length of the passage.
        sampling: seed, steps and the like.

    Raises:
        RequestError: a value is out of bounds, or the clips differ in size or rate.
    """

    prompt: str
    first: GivenClip
    second: GivenClip
    seconds: float = 1.0
    sampling: Sampling = STANDARD_SAMPLING

    def __post_init__(self) -> None:
        one, other = self.first, self.second
        if (one.size, one.fps) != (other.size, other.fps):
            raise RequestError(
                f"Both clips must have one size and rate; got {one.size} at {one.fps} and {other.size} at {other.fps}.",
                fix="Fit both clips to the same size and rate.",
            )
        self.to_request()

    def to_request(self) -> GenerationRequest:
        """Give the request as generators take it.

        Raises:
            RequestError: a value is out of bounds.
        """
        start = len(self.first) + whole_frames(self.seconds, self.first.fps)
        form = Format(self.first.size, start + len(self.second), self.first.fps)
        given = Conditioning(given=(Footage(0, self.first.pixels), Footage(start, self.second.pixels)))
        return request_for(self.prompt, form, self.sampling, conditioning=given)


def plan_connect(generator: Generator, task: ConnectVideos) -> PlannedClip:
    """Plan a clip. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what the prompt asks for.
    """
    return plan_request(generator, task.to_request(), given=(task.first.record, task.second.record))
