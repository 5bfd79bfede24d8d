"""Text to video: a prompt, a length and a size become a planned clip and its frames.

One rule: a task says what is wanted and knows no generator; any that follows the protocol can do it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from platemark.clip import MAX_FPS, MAX_SECONDS, MIN_FPS, MIN_SECONDS, Size, check_range
from platemark.errors import RequestError
from platemark.generation.backend import (
    CancelToken,
    Cost,
    GenerationRequest,
    Generator,
    ProgressListener,
    ResolvedRequest,
)
from platemark.generation.resize import RGB

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

    def __post_init__(self) -> None:
        check_range("seconds", self.seconds, MIN_SECONDS, MAX_SECONDS)
        check_range("fps", self.fps, MIN_FPS, MAX_FPS)
        self.to_request()

    def to_request(self) -> GenerationRequest:
        """Give the request as generators take it: whole frames, `seconds * fps` to the nearest.

        Raises:
            RequestError: a value is out of bounds, or there would be no frame.
        """
        frames = round(self.seconds * self.fps)
        if frames < 1:
            raise RequestError(
                f"{self.seconds} s at {self.fps} frames a second is not one frame.", fix="Ask for a longer clip."
            )
        return GenerationRequest(
            prompt=self.prompt,
            size=self.size,
            frames=frames,
            fps=self.fps,
            seed=self.seed,
            steps=self.steps,
            guidance=self.guidance,
        )


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """A clip that can be made: what it will be, what it will cost, and its frames when they are wanted."""

    generator: Generator
    resolved: ResolvedRequest
    cost: Cost

    def frames(
        self, *, on_progress: ProgressListener | None = None, cancel: CancelToken | None = None
    ) -> Iterator[RGB]:
        """Make the frames, one by one; each call starts anew and gives the same ones.

        Yields:
            (height, width, 3) uint8 RGB.

        Raises:
            Cancelled: the token was thrown.
            GenerationError: the model failed.
        """
        return self.generator.generate(self.resolved, on_progress=on_progress, cancel=cancel)


def plan_text_to_video(generator: Generator, task: TextToVideo) -> PlannedClip:
    """Plan a clip. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what the prompt asks for.
    """
    resolved = generator.resolve(task.to_request())
    return PlannedClip(generator, resolved, generator.estimate(resolved))
