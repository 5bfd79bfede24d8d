"""Choosing the task that does what a request asks for, and handing it the given pictures at the clip's size and rate.

One rule: this is the one place that knows all tasks; they do not know one another.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from platemark.clip import ClipRequest, whole_frames
from platemark.errors import RequestError
from platemark.generation.backend import Generator
from platemark.generation.given import Controls
from platemark.generation.resize import RGB
from platemark.inputs import Task
from platemark.making.material import Material, SourceFile
from platemark.tasks.conditioning import GivenClip, Sampling, fit_clip
from platemark.tasks.connect import ConnectVideos, plan_connect
from platemark.tasks.edit import DEFAULT_STRENGTH, EditVideo, plan_edit
from platemark.tasks.extend import ExtendVideo, plan_extend
from platemark.tasks.image_to_video import ImageToVideo, plan_image_to_video
from platemark.tasks.infill import InfillVideo, plan_infill
from platemark.tasks.keyframes import Keyframe, KeyframesToVideo, plan_keyframes
from platemark.tasks.loop import LoopVideo, plan_loop
from platemark.tasks.planned import PlannedClip
from platemark.tasks.text_to_image import TextToImage, plan_text_to_image
from platemark.tasks.text_to_video import TextToVideo, plan_text_to_video
from platemark.tasks.world import SteeredWorld, plan_world


@dataclass(frozen=True, slots=True)
class Assignment:
    """A request, the prompt the model gets for it (its own words, where they were asked for), and the given files."""

    request: ClipRequest
    prompt: str
    material: Material

    @property
    def sampling(self) -> Sampling:
        """Give the seed and how to sample, as tasks take them."""
        steering = self.request.steering
        controls = Controls(method=steering.sampler, shift=steering.shift, negative_prompt=steering.negative)
        return Sampling(seed=self.request.seed, steps=steering.steps, guidance=steering.guidance, controls=controls)


def plan_assignment(generator: Generator, assignment: Assignment) -> PlannedClip:
    """Read the given pictures and plan the clip. Nothing is sampled yet.

    Raises:
        RequestError: the generator cannot show what is asked for, or the given frames do not fit the clip.
        MediaError: a given file is damaged.
    """
    return _PLANNERS[assignment.request.task](generator, assignment)


def _text_to_video(generator: Generator, work: Assignment) -> PlannedClip:
    asked, sampling = work.request, work.sampling
    task = TextToVideo(
        prompt=work.prompt,
        seconds=asked.seconds,
        size=asked.size,
        fps=asked.fps,
        seed=asked.seed,
        steps=sampling.steps,
        guidance=sampling.guidance,
        controls=sampling.controls,
    )
    return plan_text_to_video(generator, task)


def _image_to_video(generator: Generator, work: Assignment) -> PlannedClip:
    asked = work.request
    task = ImageToVideo(
        prompt=work.prompt,
        image=_picture(work.material.images[0]),
        seconds=asked.seconds,
        size=asked.size,
        fps=asked.fps,
        sampling=work.sampling,
    )
    return plan_image_to_video(generator, task)


def _keyframes(generator: Generator, work: Assignment) -> PlannedClip:
    asked = work.request
    frames = whole_frames(asked.seconds, asked.fps)
    keys = tuple(
        Keyframe(given.place.frame(fps=asked.fps, frames=frames), _picture(file))
        for given, file in zip(asked.inputs.images, work.material.images, strict=True)
        if given.place is not None
    )
    task = KeyframesToVideo(
        prompt=work.prompt,
        keyframes=keys,
        seconds=asked.seconds,
        size=asked.size,
        fps=asked.fps,
        sampling=work.sampling,
    )
    return plan_keyframes(generator, task)


def _extend(generator: Generator, work: Assignment) -> PlannedClip:
    asked = work.request
    task = ExtendVideo(
        prompt=work.prompt,
        clip=_clip(work, 0),
        seconds=asked.seconds,
        direction="backward" if asked.task is Task.EXTEND_BACKWARD else "forward",
        sampling=work.sampling,
    )
    return plan_extend(generator, task)


def _connect(generator: Generator, work: Assignment) -> PlannedClip:
    task = ConnectVideos(
        prompt=work.prompt,
        first=_clip(work, 0),
        second=_clip(work, 1),
        seconds=work.request.seconds,
        sampling=work.sampling,
    )
    return plan_connect(generator, task)


def _infill(generator: Generator, work: Assignment) -> PlannedClip:
    fill = work.request.inputs.fill
    if fill is None:
        raise RequestError("The task infill needs to know which frames to make anew.", fix="Say it with --fill.")
    first, stop = fill.frames(work.request.fps)
    task = InfillVideo(prompt=work.prompt, clip=_clip(work, 0), first=first, stop=stop, sampling=work.sampling)
    return plan_infill(generator, task)


def _loop(generator: Generator, work: Assignment) -> PlannedClip:
    asked = work.request
    task = LoopVideo(prompt=work.prompt, seconds=asked.seconds, size=asked.size, fps=asked.fps, sampling=work.sampling)
    return plan_loop(generator, task)


def _edit(generator: Generator, work: Assignment) -> PlannedClip:
    strength = work.request.steering.strength
    task = EditVideo(
        prompt=work.prompt,
        clip=_clip(work, 0),
        strength=DEFAULT_STRENGTH if strength is None else strength,
        sampling=work.sampling,
    )
    return plan_edit(generator, task)


def _image(generator: Generator, work: Assignment) -> PlannedClip:
    return plan_text_to_image(
        generator, TextToImage(prompt=work.prompt, size=work.request.size, sampling=work.sampling)
    )


def _world(generator: Generator, work: Assignment) -> PlannedClip:
    asked = work.request
    task = SteeredWorld(
        prompt=work.prompt, moves=asked.inputs.moves, size=asked.size, fps=asked.fps, sampling=work.sampling
    )
    return plan_world(generator, task)


_PLANNERS: Mapping[Task, Callable[[Generator, Assignment], PlannedClip]] = {
    Task.TEXT_TO_VIDEO: _text_to_video,
    Task.IMAGE_TO_VIDEO: _image_to_video,
    Task.KEYFRAMES: _keyframes,
    Task.EXTEND: _extend,
    Task.EXTEND_BACKWARD: _extend,
    Task.CONNECT: _connect,
    Task.INFILL: _infill,
    Task.LOOP: _loop,
    Task.EDIT: _edit,
    Task.IMAGE: _image,
    Task.WORLD: _world,
}


def _picture(file: SourceFile) -> RGB:
    return next(file.pictures())


def _clip(work: Assignment, index: int) -> GivenClip:
    file, asked = work.material.clips[index], work.request
    return fit_clip(file.pictures(), source_fps=file.fps, size=asked.size, fps=asked.fps)
