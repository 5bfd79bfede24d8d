"""A student that needs no guidance: one pass of it gives what two passes of its teacher give.

One rule: the student sees what the teacher sees, and no clip's pixels; what it is taught is only the teacher's guided
prediction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from platemark.generation.sampler import noise_schedule
from platemark.generation.transformer import VideoTransformer
from platemark.training.accounting import BACKWARD, transformer_flops
from platemark.training.config import Chances, Optimiser
from platemark.training.flow import SMALLEST_LEVEL, Example, draw_levels, drop_slots, tell_actions
from platemark.training.optimisation import Adam, Average
from platemark.training.pool import Encoded
from platemark.training.world.attributes import SLOT_VALUES

WEIGHTS_OF_SCENES: Mapping[str, float] = {
    "sky": 2.0,
    "sea": 2.0,
    "city rain": 2.0,
    "city snow": 1.75,
    "globe": 2.5,
    "map": 2.5,
}
"""Guidance that is taught, where it is not `USUAL_WEIGHT`: textures turn to noise under more."""
USUAL_WEIGHT = 3.0
_GENTLE = Optimiser(rate=4e-4, warmup=20, anneal=0.9)
_SLOTS_KEPT = Chances(nothing_said=0.0, slots_dropped=0.1, first_given=0.1, last_given=0.04, own_levels=0.0)


@dataclass(frozen=True, slots=True)
class Lesson:
    """How a student is taught.

    Args:
        steps: of training.
        batch: clips in a step.
        sampling_steps: for which the student is made; its noise levels are those of this walk, and a little around.
        shift: of that walk.
        optimiser: its rate falls all along.
        average: share of the averaged weights kept in a step.
    """

    steps: int
    batch: int = 8
    sampling_steps: int = 8
    shift: float = 2.0
    optimiser: Optimiser = _GENTLE
    average: float = 0.99


class Distiller:
    """Teaches a copy of a transformer its own guided predictions.

    Args:
        teacher: in evaluation mode; it is not changed.
        lesson: how.
        draw: gives so many clips from the training pool at a step: `draw(step, size, generator)`.
    """

    def __init__(
        self, teacher: VideoTransformer, lesson: Lesson, draw: Callable[[int, int, torch.Generator], Encoded]
    ) -> None:
        self.lesson = lesson
        self._draw = draw
        self._teacher = teacher
        self.student = VideoTransformer(teacher.config)
        self.student.load_state_dict(teacher.state_dict())
        self.average = Average(self.student, keep=lesson.average)
        self._adam = Adam(self.student, lesson.optimiser)
        self._levels = noise_schedule(lesson.sampling_steps, shift=lesson.shift)[:-1]
        self._weights = torch.tensor(
            [1.0] + [WEIGHTS_OF_SCENES.get(scene, USUAL_WEIGHT) for scene in SLOT_VALUES["scene"]]
        )

    def step(self, number: int, *, progress: float | None = None) -> float:
        """Take one step; give its loss, the squared error in units of the velocity.

        Args:
            number: of the step, from 0; all chance follows from it.
            progress: of the lesson, 0 to 1; left out, `number` over the lesson's steps.
        """
        generator = torch.Generator().manual_seed(0x5EED0000 + number)
        example = self.example(number, generator)
        level = example.level[:, :, None, None, None]
        noisy = (1 - level) * example.clean + level * example.noise
        target = self.guided(noisy, example)
        condition = self.student.encode_slots(example.slots, example.actions)
        predicted = self.student(noisy, example.level, condition, example.frame_index)
        free = (example.level > 0).float()
        error = ((predicted - target) / level.clamp(min=SMALLEST_LEVEL)).square().mean(dim=(2, 3, 4))
        loss = (error * free).sum() / free.sum().clamp(min=1)
        done = number / self.lesson.steps if progress is None else progress
        self._adam.step(loss, step=number, progress=done)
        self.average.update(number)
        return float(loss.detach())

    def example(self, number: int, generator: torch.Generator) -> Example:
        """Draw whole clips at the noise levels that the student will meet."""
        encoded = self._draw(number, self.lesson.batch, generator)
        size = encoded.latents.shape[:2]
        given = draw_levels((size[0], size[1]), _SLOTS_KEPT, mean=0.0, generator=generator) == 0
        at = self._levels[torch.randint(len(self._levels), (size[0], 1), generator=generator)]
        level = (at * (0.92 + 0.16 * torch.rand(size[0], 1, generator=generator))).clamp(max=1).expand(size)
        slots = drop_slots(encoded.slots, _SLOTS_KEPT, generator=generator)
        told = tell_actions(encoded, slots, _SLOTS_KEPT, generator=generator)
        noise = torch.randn(encoded.latents.shape, generator=generator)
        places = torch.arange(size[1]).expand(size)
        return Example(encoded.latents, noise, level.masked_fill(given, 0), told.slots, places, told.actions)

    @torch.no_grad()
    def guided(self, noisy: Tensor, example: Example) -> Tensor:
        """Give the teacher's prediction, moved away from what it predicts when nothing is said."""
        condition = self._teacher.encode_slots(example.slots, example.actions)
        empty = self._teacher.encode_slots(torch.zeros_like(example.slots))
        both = self._teacher(
            torch.cat([noisy, noisy]),
            torch.cat([example.level, example.level]),
            condition.stack(empty),
            torch.cat([example.frame_index, example.frame_index]),
        )
        told, silent = both.chunk(2)
        weight = self._weights[example.slots[:, 0]][:, None, None, None, None]
        result: Tensor = silent + weight * (told - silent)
        return result

    def flops_a_step(self, *, frames: int, height: int, width: int) -> float:
        """Count the operations of a step: the student forward and back, the teacher twice forward."""
        forward = transformer_flops(self.student.config, frames=frames, height=height, width=width)
        return (BACKWARD + 2) * self.lesson.batch * forward

    def taught(self) -> VideoTransformer:
        """Give the student with its averaged weights, in evaluation mode."""
        network = VideoTransformer(self.student.config)
        network.load_state_dict(self.average.weights)
        return network.eval().requires_grad_(False)
