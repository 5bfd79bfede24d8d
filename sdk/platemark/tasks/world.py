"""A simulated world: a clip in which the camera goes where each frame's move tells it.

One rule: one move for each frame, so the moves are the length of the clip.
"""

from dataclasses import dataclass

from platemark.clip import Size
from platemark.generation.backend import GenerationRequest, Generator
from platemark.generation.given import Conditioning
from platemark.tasks.conditioning import DEFAULT_SIZE, STANDARD_SAMPLING, Format, Sampling, request_for
from platemark.tasks.planned import PlannedClip, plan_request


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeredWorld:
    """A world to move through.

    Attributes:
        prompt: what to show.
        moves: what the camera does in each frame, in models' names; see `platemark.moves`.
        size: frame size in pixels.
        fps: frames a second.
        sampling: seed, steps and the like.

    Raises:
        RequestError: a value is out of bounds, or there is no move.
    """

    prompt: str
    moves: tuple[str, ...]
    size: Size = DEFAULT_SIZE
    fps: int = 12
    sampling: Sampling = STANDARD_SAMPLING

    def __post_init__(self) -> None:
        self.to_request()

    def to_request(self) -> GenerationRequest:
        """Give the request as generators take it.

        Raises:
            RequestError: a value is out of bounds, or there is no move.
        """
        form = Format(self.size, len(self.moves), self.fps)
        return request_for(self.prompt, form, self.sampling, conditioning=Conditioning(moves=self.moves))


def plan_world(generator: Generator, task: SteeredWorld) -> PlannedClip:
    """Plan a world. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what the prompt asks for, or was trained without moves.
    """
    return plan_request(generator, task.to_request())
