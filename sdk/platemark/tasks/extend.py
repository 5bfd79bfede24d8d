"""Extend a clip: more of it after its end, or before its start.

One rule: the given clip comes out bit for bit, and the made frames are added to it.
"""

from dataclasses import dataclass
from typing import Literal

from platemark.clip import whole_frames
from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest, Generator
from platemark.generation.given import Conditioning, Footage
from platemark.tasks.conditioning import STANDARD_SAMPLING, Format, GivenClip, Sampling, request_for
from platemark.tasks.planned import PlannedClip, plan_request


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendVideo:
    """A given clip and more of it.

    Attributes:
        prompt: what to show in what is added.
        clip: decides size and rate too.
        seconds: how much to add.
        direction: after its end, or before its start.
        sampling: seed, steps and the like.

    Raises:
        RequestError: a value is out of bounds.
    """

    prompt: str
    clip: GivenClip
    seconds: float = 2.0
    direction: Literal["forward", "backward"] = "forward"
    sampling: Sampling = STANDARD_SAMPLING

    def __post_init__(self) -> None:
        if self.direction not in ("forward", "backward"):
            raise RequestError(f"A clip is extended forward or backward; got {self.direction[:40]!r}.")
        self.to_request()

    def to_request(self) -> GenerationRequest:
        """Give the request as generators take it.

        Raises:
            RequestError: a value is out of bounds.
        """
        added = whole_frames(self.seconds, self.clip.fps)
        form = Format(self.clip.size, len(self.clip) + added, self.clip.fps)
        footage = Footage(0 if self.direction == "forward" else added, self.clip.pixels)
        return request_for(self.prompt, form, self.sampling, conditioning=Conditioning(given=(footage,)))


def plan_extend(generator: Generator, task: ExtendVideo) -> PlannedClip:
    """Plan a clip. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what the prompt asks for.
    """
    return plan_request(generator, task.to_request(), given=(task.clip.record,))
