"""Which frames must be made between those that are given, at which pace, and in which order.

One rule: pure arithmetic. Every hole in a clip is planned alike, whatever the task: a hole has a given frame before it,
or after it, or both, and those are its first and last latent frames.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from platemark.generation.given import Footage
from platemark.generation.plan import MAX_STRETCH, plan_windows


@dataclass(frozen=True, slots=True)
class HoleWindow:
    """Latent frames `first` up to, not including, `stop`, sampled together; those from `keep` on are kept."""

    first: int
    stop: int
    keep: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """How fast a model's clips run.

    Attributes:
        natural: native frames from one frame that comes out to the next.
        group: native frames in a latent frame; the first latent frame holds one.
        window: latent frames sampled together.
        goes_on: whether the motion goes on for as long as the clip.
    """

    natural: float
    group: int
    window: int
    goes_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A run of frames to make.

    Attributes:
        first: its first frame in the clip that comes out.
        stop: the frame after its last.
        before: whether the frame before it is given.
        after: whether the frame after it is given.
        pace: native frames from one frame that comes out to the next; it bends a little so that the given frame after
            the hole falls on the start of a latent frame.
        end: the last native frame that is shown.
        latents: latent frames that are sampled or given.
        decoded: how many of these are shown.
    """

    first: int
    stop: int
    before: bool
    after: bool
    pace: float
    end: float
    latents: int
    decoded: int

    def positions(self) -> Iterator[float]:
        """Give the place in native frames of each frame, with the given ones on either side of the hole."""
        count = self.stop - self.first + self.before + self.after
        return (min(step * self.pace, self.end) for step in range(count))

    def windows(self, length: int) -> tuple[HoleWindow, ...]:
        """Cut the hole into windows of at most `length` latent frames, the first one beside a given frame.

        A hole that only has an end is made backwards. Its later windows start with a latent frame that is thrown away:
        models learn the first one as a picture that stands still, and in mid-clip that would be seen.
        """
        if not self.after:
            plain = plan_windows(self.latents, length=length)
            return tuple(HoleWindow(window.first, window.stop, window.first + window.given) for window in plain)
        if self.before:
            count = math.ceil((self.latents - 1) / (length - 1))
            borders = [round(i * (self.latents - 1) / count) for i in range(count + 1)]
            return tuple(HoleWindow(a, b + 1, a + 1) for a, b in itertools.pairwise(borders))
        windows = [_ending(self.latents, length)]
        while windows[-1].first > 0:
            windows.append(_ending(windows[-1].keep + 1, length))
        return tuple(windows)


def plan_holes(given: Sequence[Footage], *, frames: int, tempo: Tempo) -> tuple[Hole, ...]:
    """Find the runs of frames between given ones, in order, and plan each."""
    holes, reached = [], 0
    for footage in sorted(given, key=lambda each: each.first):
        if footage.first > reached:
            holes.append(_closed_hole(reached, footage.first, before=reached > 0, tempo=tempo))
        reached = footage.stop
    if reached < frames:
        holes.append(_open_hole(reached, frames, tempo))
    return tuple(holes)


def _closed_hole(first: int, stop: int, *, before: bool, tempo: Tempo) -> Hole:
    """Plan a hole that leads to a given frame, which must come at native frame 1, 5, 9 and so on."""
    span = stop - first + before
    between = max(0, round((span * tempo.natural - 1) / tempo.group))
    if not tempo.goes_on:
        # A motion that ends is slowed down rather than made twice, as in a clip without given frames.
        between = min(between, max(tempo.window - 2, round(between / MAX_STRETCH)))
    end = between * tempo.group + 1
    return Hole(
        first=first,
        stop=stop,
        before=before,
        after=True,
        pace=end / span,
        end=float(end),
        latents=between + 2,
        decoded=between + 2,
    )


def _open_hole(first: int, stop: int, tempo: Tempo) -> Hole:
    """Plan a hole that goes on to the end of the clip; frames were given before it."""
    span = stop - first
    pace, end = tempo.natural, span * tempo.natural
    if not tempo.goes_on:
        whole = (tempo.window - 1) * tempo.group
        pace = tempo.natural / min(max(end / whole, 1.0), MAX_STRETCH)
        end = min(span * pace, float(whole))
    end = round(end, 6)  # arithmetic dust must not ask for one more frame
    decoded = 1 + math.ceil(end / tempo.group)
    return Hole(
        first=first,
        stop=stop,
        before=True,
        after=False,
        pace=pace,
        end=end,
        latents=max(tempo.window, decoded),
        decoded=decoded,
    )


def _ending(stop: int, length: int) -> HoleWindow:
    first = max(0, stop - length)
    return HoleWindow(first, stop, first + 1 if first else 0)
