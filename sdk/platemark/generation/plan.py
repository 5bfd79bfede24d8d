"""From the clip that was asked for to the clip the model makes: grid, length, windows, and which frame comes when.

One rule: pure arithmetic, done before anything is sampled, and all of it told to the caller.
"""

import math
from dataclasses import dataclass
from typing import Literal

from platemark.clip import Size
from platemark.generation.card import ModelCard
from platemark.generation.scenes import SCENE_RULES, Scene, SlotValues, goes_on

MAX_STRETCH = 2.0
"""A motion that ends is slowed down at most this much to fill a longer clip; then its last frame holds."""
MAX_GRID_RATIO = 3.0
"""Wider than this the grid was not looked at; the rest is cropped away."""


@dataclass(frozen=True, slots=True)
class Window:
    """A run of latent frames sampled together: from `first` up to, not including, `stop`; `given` of them are known."""

    first: int
    stop: int
    given: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPlan:
    """How one clip is made.

    Attributes:
        rows: latent positions from top to bottom.
        columns: latent positions from left to right.
        latent_frames: how many are sampled.
        decoded: how many of them are decoded; a short clip needs fewer than the model samples together.
        native_frames: how many frames those give.
        native_width: of a decoded frame, in pixels.
        native_height: of a decoded frame, in pixels.
        frames: how many come out.
        pace: native frames from one frame that comes out to the next.
        last: the place in native frames of the last frame that comes out; later frames stay there.
        fit: how another aspect ratio is met.
        slower: how many times the motion is slowed down to fill the clip; none where it goes on by itself.
    """

    rows: int
    columns: int
    latent_frames: int
    decoded: int
    native_frames: int
    native_width: int
    native_height: int
    frames: int
    pace: float
    last: float
    fit: Literal["whole", "crop", "background"]
    slower: float | None

    def position(self, frame: int) -> float:
        """Give the place in native frames, fractions included, of a frame that comes out."""
        return min(frame * self.pace, self.last)


def plan_clip(card: ModelCard, values: SlotValues, size: Size, *, frames: int, fps: int) -> ClipPlan:
    """Plan a clip of `frames` frames at `fps` a second that shows `values`.

    Raises:
        KeyError: the values name no scene.
    """
    scene = SCENE_RULES[values.scene or ""]
    native, autoencoder = card.native, card.architecture.autoencoder
    columns, fit = _plan_width(native.width // autoencoder.patch, scene, size)
    natural = native.fps / fps
    whole = autoencoder.latent_frames(native.frames)
    if goes_on(values):
        pace, end, slower = natural, (frames - 1) * natural, None
    else:
        end = float(native.frames - 1)
        slower = min(max((frames - 1) * natural / end, 1.0), MAX_STRETCH)
        pace = natural / slower
    last = round(min((frames - 1) * pace, end), 6)  # arithmetic dust must not ask for one more frame
    decoded = autoencoder.latent_frames(1 + math.ceil(last))
    return ClipPlan(
        rows=native.height // autoencoder.patch,
        columns=columns,
        latent_frames=max(whole, decoded),
        decoded=decoded,
        native_frames=autoencoder.frames(decoded),
        native_width=columns * autoencoder.patch,
        native_height=native.height,
        frames=frames,
        pace=pace,
        last=last,
        fit=fit,
        slower=slower,
    )


def _plan_width(columns: int, scene: Scene, size: Size) -> tuple[int, Literal["whole", "crop", "background"]]:
    ratio = size.width / size.height
    if ratio == 1:
        return columns, "whole"
    if scene.wide == "background":
        return columns, "background"
    # Two columns make one token: an odd column would leave half of one empty, which the model has never seen.
    return max(columns, 2 * round(columns * min(ratio, MAX_GRID_RATIO) / 2)), "crop"


def plan_windows(latent_frames: int, *, length: int) -> tuple[Window, ...]:
    """Cut a clip into windows of at most `length` latent frames; each starts with the last frame of the one before.

    Compared on sheets of 49 native frames for all scenes: sampling the whole length at once loses the scene beyond the
    trained 17 frames; one known frame keeps it; two known frames drift further (a sky's mean colour moved 17 levels of
    255 in 4 s, against 7).
    """
    windows = [Window(0, min(length, latent_frames), 0)]
    while windows[-1].stop < latent_frames:
        first = windows[-1].stop - 1
        windows.append(Window(first, min(first + length, latent_frames), 1))
    return tuple(windows)


def describe(plan: ClipPlan, size: Size, *, fps: int, card: ModelCard) -> str:
    """Say in words everything that happens between the model's frames and those that come out."""
    native_fps = card.native.fps
    doubled = ", doubled by a learned upscaler" if card.weights.upscaler is not None else ""
    how = {
        "whole": "",
        "crop": ", centre-cropped to the aspect ratio",
        "background": ", the even background drawn out to the aspect ratio",
    }[plan.fit]
    parts = [f"space: {plan.native_width}x{plan.native_height}{doubled}{how}, enlarged to {size} (Lanczos-3)"]
    if plan.slower is None:
        parts.append(f"time: {native_fps} to {fps} frames a second, blended")
    else:
        pace = f"slowed {plan.slower:.2f} times, " if plan.slower > 1 else ""
        parts.append(f"time: {native_fps} to {fps} frames a second, {pace}blended, the last frame held")
    parts.append("steps between latent frames evened out, small ripples smoothed")
    return "; ".join(parts)
