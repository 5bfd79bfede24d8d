"""Change a clip towards a prompt, keeping its layout and timing.

One rule: `strength` alone says how far to go: 0 gives the clip as the model's autoencoder sees it, 1 forgets it.
"""

from dataclasses import dataclass

from platemark.clip import check_range
from platemark.generation.backend import GenerationRequest, Generator
from platemark.generation.given import Conditioning, Footage
from platemark.tasks.conditioning import STANDARD_SAMPLING, Format, GivenClip, Sampling, request_for
from platemark.tasks.planned import PlannedClip, plan_request

DEFAULT_STRENGTH = 0.85
"""Where new colours and shapes are clean and the layout is still the old one (chosen by eye on sheets)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditVideo:
    """A given clip, changed.

    Attributes:
        prompt: what it shall show.
        clip: decides size, rate and length too.
        strength: 0 to 1.
        sampling: seed, steps and the like.

    Raises:
        RequestError: a value is out of bounds.

    Source: Meng et al., "SDEdit: Guided Image Synthesis and Editing with Stochastic Differential Equations", 2022.
    """

    prompt: str
    clip: GivenClip
    strength: float = DEFAULT_STRENGTH
    sampling: Sampling = STANDARD_SAMPLING

    def __post_init__(self) -> None:
        check_range("strength", self.strength, 0.0, 1.0)
        self.to_request()

    def to_request(self) -> GenerationRequest:
        """Give the request as generators take it.

        Raises:
            RequestError: a value is out of bounds.
        """
        given = Conditioning(source=Footage(0, self.clip.pixels), strength=self.strength)
        form = Format(self.clip.size, len(self.clip), self.clip.fps)
        return request_for(self.prompt, form, self.sampling, conditioning=given)


def plan_edit(generator: Generator, task: EditVideo) -> PlannedClip:
    """Plan a clip. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what the prompt asks for.
    """
    return plan_request(generator, task.to_request(), given=(task.clip.record,))
