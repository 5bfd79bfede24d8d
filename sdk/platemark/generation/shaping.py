"""How a request of any kind is made: its grid and pace, its holes or its ring, and all of it in words.

One rule: pure arithmetic, no torch; `resolve` tells this plan to the caller and `generate` follows it.
"""

import math
from dataclasses import dataclass, replace

from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest
from platemark.generation.card import ModelCard
from platemark.generation.holes import Hole, Tempo, plan_holes
from platemark.generation.plan import ClipPlan, describe, plan_clip, plan_windows
from platemark.generation.scenes import SlotValues, goes_on
from platemark.moves import write_moves

_RETURNING_MOTION = "bouncing"
"""It goes on, but a ring of it is a smear (looked at on sheets): the model has it start from the middle."""


@dataclass(frozen=True, slots=True)
class RingPlan:
    """How a loop is made: so many latent frames, and native frames from one frame that comes out to the next."""

    latents: int
    pace: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a request is made.

    Attributes:
        clip: the grid; for a plain clip or a changed one its length and pace too.
        tempo: how fast the model's clips of this scene run.
        holes: the runs of frames to make between given ones.
        ring: of a loop.
        walks: windows that are sampled.
        native_frames: frames that the model makes.
        resampling: what happens in space and time, in words.
        conditions: what was given and what is made of it, in words.
    """

    clip: ClipPlan
    tempo: Tempo
    holes: tuple[Hole, ...] = ()
    ring: RingPlan | None = None
    walks: int
    native_frames: int
    resampling: str
    conditions: tuple[str, ...] = ()


def plan_shape(card: ModelCard, values: SlotValues, request: GenerationRequest) -> Shape:
    """Plan how a request is made.

    Raises:
        RequestError: the scene cannot be shown in this form.
    """
    clip = plan_clip(card, values, request.size, frames=request.frames, fps=request.fps)
    autoencoder = card.architecture.autoencoder
    tempo = Tempo(
        natural=card.native.fps / request.fps,
        group=autoencoder.group_frames,
        window=autoencoder.latent_frames(card.native.frames),
        goes_on=goes_on(values),
    )
    kind = request.conditioning.kind
    if kind == "given":
        return _plan_given(card, request, clip, tempo)
    if kind == "source":
        return _plan_source(card, request, clip, tempo)
    if kind == "loop":
        if not tempo.goes_on or values.motion == _RETURNING_MOTION:
            raise RequestError(
                f"What is {values.motion or 'shown'} comes to an end or back, so it cannot be a seamless loop here.",
                fix="Loop a sky, a sea, a city, a globe, a flag, a cube, a flight, or a square or triangle that spins.",
            )
        return _plan_loop(card, request, clip, tempo)
    if kind == "still":
        return _plan_still(card, values, request, clip, tempo)
    moves = request.conditioning.moves
    return Shape(
        clip=clip,
        tempo=tempo,
        walks=len(plan_windows(clip.latent_frames, length=tempo.window)),
        native_frames=clip.native_frames,
        resampling=describe(clip, request.size, fps=request.fps, card=card),
        conditions=(f"the camera is told: {write_moves(moves)}",) if moves else (),
    )


def native_moves(request: GenerationRequest, clip: ClipPlan, *, group: int) -> tuple[str, ...]:
    """Give the move of each native frame that is sampled: that of the frame nearest to it in time, then the last.

    Args:
        request: the world that is asked for.
        clip: how its frames come of native ones.
        group: native frames in a latent frame.
    """
    moves = request.conditioning.moves
    count = 1 + (clip.latent_frames - 1) * group
    return tuple(moves[min(round(native / clip.pace), len(moves) - 1)] for native in range(count)) if moves else ()


def plan_ring(frames: int, *, natural: float, group: int) -> RingPlan:
    """Plan a loop of `frames` frames that runs as near to its natural pace as whole latent frames allow.

    Args:
        frames: that come out.
        natural: native frames from one of these to the next.
        group: native frames in a latent frame.

    Raises:
        RequestError: the loop has fewer than three frames, and so no step but its seam to compare.
    """
    if frames < 3:
        raise RequestError(f"A loop has at least 3 frames; got {frames}.", fix="Ask for a longer loop.")
    latents = max(2, round(frames * natural / group))
    return RingPlan(latents, latents * group / frames)


def _plan_given(card: ModelCard, request: GenerationRequest, clip: ClipPlan, tempo: Tempo) -> Shape:
    holes = plan_holes(request.conditioning.given, frames=request.frames, tempo=tempo)
    if not holes:
        raise RequestError("All frames of the clip are given; there is nothing to make.", fix="Leave some out.")
    kept = sorted(request.conditioning.given, key=lambda footage: footage.first)
    made = (
        f"{_span(hole.first, hole.stop)} made from {hole.end + 1:g} native frames, "
        f"{hole.pace / tempo.natural:.2f} times the natural pace"
        for hole in holes
    )
    return Shape(
        clip=clip,
        tempo=tempo,
        holes=holes,
        walks=sum(len(hole.windows(tempo.window)) for hole in holes),
        native_frames=sum(1 + (hole.decoded - 1) * tempo.group for hole in holes),
        resampling=_in_space(card, request, clip),
        conditions=(*(f"{_span(each.first, each.stop)} kept as given" for each in kept), *made),
    )


def _plan_source(card: ModelCard, request: GenerationRequest, clip: ClipPlan, tempo: Tempo) -> Shape:
    """Follow the source's own time, whatever the scene's usual one is."""
    autoencoder = card.architecture.autoencoder
    last = round((request.frames - 1) * tempo.natural, 6)
    decoded = autoencoder.latent_frames(1 + math.ceil(last))
    latents = max(tempo.window, decoded)
    clip = replace(
        clip,
        latent_frames=latents,
        decoded=decoded,
        native_frames=autoencoder.frames(decoded),
        pace=tempo.natural,
        last=last,
        slower=None,
    )
    return Shape(
        clip=clip,
        tempo=tempo,
        walks=len(plan_windows(latents, length=tempo.window)),
        native_frames=clip.native_frames,
        resampling=describe(clip, request.size, fps=request.fps, card=card),
        conditions=(f"all frames start from the given clip, at noise level {request.conditioning.strength:g}",),
    )


def _plan_loop(card: ModelCard, request: GenerationRequest, clip: ClipPlan, tempo: Tempo) -> Shape:
    ring = plan_ring(request.frames, natural=tempo.natural, group=tempo.group)
    native = ring.latents * tempo.group
    return Shape(
        clip=clip,
        tempo=tempo,
        ring=ring,
        walks=math.ceil(ring.latents / (tempo.window - 1)),
        native_frames=native,
        resampling=_in_space(card, request, clip),
        conditions=(f"a ring of {native} native frames, {ring.pace / tempo.natural:.2f} times the natural pace",),
    )


def _plan_still(card: ModelCard, values: SlotValues, request: GenerationRequest, clip: ClipPlan, tempo: Tempo) -> Shape:
    """Show the middle of what moves and the end of what rises: where a subject is whole."""
    if request.frames != 1:
        raise RequestError(f"A still is one frame; got {request.frames}.", fix="Ask for one frame.")
    moment = card.native.frames - 1 if values.motion == "rising" else card.native.frames // 2
    autoencoder = card.architecture.autoencoder
    decoded = autoencoder.latent_frames(1 + moment)
    clip = replace(clip, decoded=decoded, native_frames=autoencoder.frames(decoded), last=float(moment))
    return Shape(
        clip=clip,
        tempo=tempo,
        walks=1,
        native_frames=clip.native_frames,
        resampling=_in_space(card, request, clip),
        conditions=(f"native frame {moment} of a clip of {card.native.frames}",),
    )


def _in_space(card: ModelCard, request: GenerationRequest, clip: ClipPlan) -> str:
    """Take the part of the usual description that speaks of space; time is told with the conditions."""
    return describe(clip, request.size, fps=request.fps, card=card).split("; ")[0]


def _span(first: int, stop: int) -> str:
    return f"frame {first}" if stop == first + 1 else f"frames {first} to {stop - 1}"
