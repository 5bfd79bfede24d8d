"""Text to video: a prompt, a length and a size become a planned clip and its frames.

One rule: a task says what is wanted and knows no generator; any that follows the protocol can do it.
"""

from dataclasses import dataclass

from platemark.clip import Size, whole_frames
from platemark.generation.backend import GenerationRequest, Generator
from platemark.generation.given import STANDARD_CONTROLS, Controls
from platemark.tasks.planned import PlannedClip, plan_request

__all__ = ["DEFAULT_SIZE", "PlannedClip", "TextToVideo", "plan_text_to_video"]

DEFAULT_SIZE = Size(512, 512)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToVideo:
    """A clip from a prompt alone.

    Attributes:
        prompt: what to show.
        seconds: length, 0.25 to 60.
        size: frame size in pixels.
        fps: frames a second, 1 to 60.
        seed: start of all randomness.
        steps: sampling steps; none leaves the choice to the generator.
        guidance: how strictly to follow the prompt; none leaves the choice to the generator.
        controls: how to sample.

    Raises:
        RequestError: a value is out of bounds, or the clip would have no frame.
    """

    prompt: str
    seconds: float = 2.0
    size: Size = DEFAULT_SIZE
    fps: int = 12
    seed: int = 0
    steps: int | None = None
    guidance: float | None = None
    controls: Controls = STANDARD_CONTROLS

    def __post_init__(self) -> None:
        self.to_request()

    def to_request(self) -> GenerationRequest:
        """Give the request as generators take it: whole frames, `seconds * fps` to the nearest.

        Raises:
            RequestError: a value is out of bounds, or there would be no frame.
        """
        return GenerationRequest(
            prompt=self.prompt,
            size=self.size,
            frames=whole_frames(self.seconds, self.fps),
            fps=self.fps,
            seed=self.seed,
            steps=self.steps,
            guidance=self.guidance,
            controls=self.controls,
        )


def plan_text_to_video(generator: Generator, task: TextToVideo) -> PlannedClip:
    """Plan a clip. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what the prompt asks for.
    """
    return plan_request(generator, task.to_request())
