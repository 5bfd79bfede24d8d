"""What every task becomes: a clip that a generator has planned and can make.

One rule: a plan holds everything its frames depend on, so it can be made again and gives the same ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from platemark.generation.backend import (
    CancelToken,
    Cost,
    GenerationRequest,
    Generator,
    ProgressListener,
    ResolvedRequest,
)
from platemark.generation.kept import LatentKeeper
from platemark.generation.resize import RGB
from platemark.tasks.conditioning import GivenRecord


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """A clip that can be made: what it will be, what it will cost, and its frames when they are wanted.

    Attributes:
        generator: makes it.
        resolved: what it will be.
        cost: what it will cost.
        given: what happened to each given picture or clip before the generator saw it.
    """

    generator: Generator
    resolved: ResolvedRequest
    cost: Cost
    given: tuple[GivenRecord, ...] = ()

    def frames(
        self,
        *,
        on_progress: ProgressListener | None = None,
        cancel: CancelToken | None = None,
        keep: LatentKeeper | None = None,
    ) -> Iterator[RGB]:
        """Make the frames, one by one; each call starts anew and gives the same ones.

        Args:
            on_progress: told after each step.
            cancel: looked at before each step.
            keep: takes latents before they are decoded, and gives back those of an earlier try.

        Yields:
            (height, width, 3) uint8 RGB.

        Raises:
            Cancelled: the token was thrown.
            GenerationError: the model failed.
        """
        return self.generator.generate(self.resolved, on_progress=on_progress, cancel=cancel, keep=keep)


def plan_request(
    generator: Generator, request: GenerationRequest, *, given: tuple[GivenRecord, ...] = ()
) -> PlannedClip:
    """Plan a request. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot do what is asked for.
    """
    resolved = generator.resolve(request)
    return PlannedClip(generator, resolved, generator.estimate(resolved), given)
