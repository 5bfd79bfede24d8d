"""The ways a clip is made: from words alone, around given frames, from a given clip, as a loop, as a still.

One rule: each way is a stream from a shape and a job to frames at the size that comes out; they share all but their
sampling.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from platemark.generation.backend import GenerationRequest
from platemark.generation.checkpoint import Networks
from platemark.generation.composing import compose, settling_frames
from platemark.generation.filling import Filling, filled_groups
from platemark.generation.finish import blend_at, blend_in_time, even_out_groups, fit_frame, smooth_ripples
from platemark.generation.given import Footage
from platemark.generation.holes import Hole
from platemark.generation.native_view import native_view
from platemark.generation.resize import RGB, Picture
from platemark.generation.ring import ring_frames, sample_latents
from platemark.generation.scenes import Scene
from platemark.generation.shaping import RingPlan, Shape
from platemark.generation.synthesis import Job, SourceClip, decoded_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """One request on its way: what was asked, how it is made, with what settings, and how its scene is finished."""

    request: GenerationRequest
    shape: Shape
    job: Job
    scene: Scene


def make_frames(networks: Networks, making: Making) -> Iterator[RGB]:
    """Make a clip, frame by frame.

    Yields:
        (h, w, 3) uint8 at the size that comes out.

    Raises:
        Cancelled: the token was thrown.
    """
    if making.shape.ring is not None:
        frames = _loop(networks, making, making.shape.ring)
    elif making.shape.holes:
        frames = _around_given(networks, making)
    elif making.request.conditioning.shape == "still":
        frames = _still(networks, making)
    else:
        frames = _plain(networks, making)
    for frame in frames:
        making.job.cancel.raise_if_cancelled()
        yield frame


def source_clip(request: GenerationRequest, shape: Shape) -> SourceClip | None:
    """Show a request's source to the model: its frames at the model's pace, on the model's grid."""
    source = request.conditioning.source
    if source is None:
        return None
    pixels, pace = source.pixels, shape.clip.pace

    def native_frame(index: int) -> Picture:
        """Give the frame nearest in time; after the end the last one."""
        return native_view(pixels[min(round(index / pace), len(pixels) - 1)], shape.clip)

    return SourceClip(native_frame, request.conditioning.strength)


def _plain(networks: Networks, making: Making) -> Iterator[RGB]:
    groups = decoded_groups(networks, making.job)
    native = _finished(networks, even_out_groups(groups, strength=making.scene.border_blend), making)
    return (_fitted(picture, making) for picture in blend_in_time(native, making.shape.clip))


def _still(networks: Networks, making: Making) -> Iterator[RGB]:
    *_, group = decoded_groups(networks, making.job)
    moment = round(making.shape.clip.last)
    place = (moment - 1) % making.shape.tempo.group if moment else 0
    yield _fitted(_finish(networks, group[place], making), making)


def _loop(networks: Networks, making: Making, ring: RingPlan) -> Iterator[RGB]:
    latents = sample_latents(networks, making.job, count=ring.latents)
    frames = ring_frames(networks, making.job, latents, strength=making.scene.border_blend)
    positions = (frame * ring.pace for frame in range(making.request.frames))
    return (_fitted(picture, making) for picture in blend_at(_finished(networks, frames, making), positions))


def _around_given(networks: Networks, making: Making) -> Iterator[RGB]:
    given, holes = making.request.conditioning.given, making.shape.holes
    offsets = dict[int, int]()
    for hole in holes:
        offsets[hole.first] = sum(each.latents for each in holes if each.first < hole.first)

    def make(hole: Hole) -> Iterator[RGB]:
        """Fill one hole, the model's versions of the given frames beside it included."""
        filling = Filling(
            job=making.job,
            hole=hole,
            before=_last_before(given, hole, making),
            after=_first_after(given, hole, making),
            first_noise=offsets[hole.first],
        )
        groups = filled_groups(networks, filling)
        native = _finished(networks, even_out_groups(groups, strength=making.scene.border_blend), making)
        return (_fitted(picture, making) for picture in blend_at(native, hole.positions()))

    return compose(given, holes, make, settling=settling_frames(making.request.fps))


def _last_before(given: Iterable[Footage], hole: Hole, making: Making) -> Picture | None:
    beside = (footage.pixels[-1] for footage in given if footage.stop == hole.first)
    return next((native_view(frame, making.shape.clip) for frame in beside), None)


def _first_after(given: Iterable[Footage], hole: Hole, making: Making) -> tuple[Picture, ...]:
    """Give the group of native frames that the given frames after a hole start with, as far as they go."""
    footage = next((each for each in given if each.first == hole.stop), None)
    if footage is None:
        return ()
    tempo, last = making.shape.tempo, len(footage.pixels) - 1
    places = (min(round(native / tempo.natural), last) for native in range(tempo.group))
    return tuple(native_view(footage.pixels[place], making.shape.clip) for place in places)


def _finished(networks: Networks, frames: Iterable[Picture], making: Making) -> Iterator[Picture]:
    return (_finish(networks, frame, making) for frame in frames)


def _finish(networks: Networks, picture: Picture, making: Making) -> Picture:
    """Smooth what the decoder ripples, and give a picture twice its sides where the model has learned how."""
    smooth = smooth_ripples(picture, ripple=making.scene.ripple)
    return smooth if networks.upscaler is None else networks.upscaler.enlarge(smooth)


def _fitted(picture: Picture, making: Making) -> RGB:
    size = making.request.size
    return fit_frame(picture, making.shape.clip, width=size.width, height=size.height)
