"""What a caller gives a generator besides words: frames to keep, a clip to change, a clip to close into a loop.

One rule: plain values, checked where they are made. Pictures lie at the size that comes out, and compare and are
logged by their digest.
"""

import hashlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from platemark.clip import Size, check_prompt, check_range
from platemark.errors import RequestError
from platemark.generation.resize import RGB
from platemark.moves import write_moves
from platemark_provenance.digest import JsonValue

MAX_GIVEN_BYTES = 512 * 2**20
"""Of all pictures in one request: 10 s of 1080p at 8 frames a second, or 54 s of 512x512 at 12."""


@dataclass(frozen=True, slots=True)
class Footage:
    """A run of frames that stands in the clip as it is.

    Args:
        first: the frame of the clip at which it starts, from 0.
        pixels: (k, h, w, 3) uint8 RGB, k of 1 or more, at the size of the clip.

    Raises:
        RequestError: the pixels have another form, are too many, or start before the clip.
    """

    first: int
    pixels: RGB = field(repr=False, compare=False)
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        pixels = self.pixels
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.size == 0:
            raise RequestError(f"Given frames are uint8 (k, h, w, 3) RGB; got {pixels.dtype} {pixels.shape}.")
        if self.first < 0:
            raise RequestError(
                f"A given frame's place counts from 0; got {self.first}.", fix="Place it inside the clip."
            )
        if pixels.nbytes > MAX_GIVEN_BYTES:
            raise RequestError(
                f"The given frames take {pixels.nbytes >> 20:,} MiB; at most {MAX_GIVEN_BYTES >> 20} MiB are taken.",
                fix="Give a shorter clip, or ask for a smaller size.",
            )
        digest = hashlib.sha256(f"{self.first}:{pixels.shape}:".encode())
        digest.update(np.ascontiguousarray(pixels).data)
        object.__setattr__(self, "sha256", digest.hexdigest())

    @property
    def stop(self) -> int:
        """Give the frame after its last."""
        return self.first + len(self.pixels)


def _refuse_clashes(given: Iterable[Footage]) -> None:
    ordered = sorted(given, key=lambda footage: footage.first)
    for one, other in itertools.pairwise(ordered):
        if other.first < one.stop:
            raise RequestError(f"Frame {other.first} is given twice.", fix="Give each frame of the clip once.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditioning:
    """What shapes a clip besides its prompt. At most one of these kinds is used at a time.

    Attributes:
        given: frames that are kept to the last bit; all others are made.
        source: a clip as long as the one that comes out, to be changed towards the prompt.
        strength: how far from the source the clip may go, 0 to 1.
        shape: a `still` is one picture at a telling moment; a `loop`'s last frame leads into its first.
        moves: what the camera does in each frame of a world, in models' names.

    Raises:
        RequestError: kinds are mixed, given frames clash, or the strength is out of bounds.
    """

    given: tuple[Footage, ...] = ()
    source: Footage | None = None
    strength: float = 1.0
    shape: Literal["clip", "still", "loop"] = "clip"
    moves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_range("strength", self.strength, 0.0, 1.0)
        if (len(self.given) > 0) + (self.source is not None) + (self.shape != "clip") + bool(self.moves) > 1:
            raise RequestError(
                "Given frames, a clip to change, a loop or still, and a world cannot be asked for at once.",
                fix="Choose one.",
            )
        _refuse_clashes(self.given)

    @property
    def kind(self) -> Literal["none", "given", "source", "still", "loop", "world"]:
        """Name what is used."""
        if self.given:
            return "given"
        if self.source is not None:
            return "source"
        if self.moves:
            return "world"
        return "none" if self.shape == "clip" else self.shape

    def check_fits(self, size: Size, *, frames: int) -> None:
        """Refuse pictures that do not fit a clip of this size and length.

        Raises:
            RequestError: says what is out of range.
        """
        for footage in (*self.given, *(() if self.source is None else (self.source,))):
            height, width = footage.pixels.shape[1:3]
            if (width, height) != (size.width, size.height):
                raise RequestError(f"Given frames must be {size}; got {width}x{height}.", fix="Fit them first.")
            if footage.stop > frames:
                raise RequestError(
                    f"Frame {footage.stop - 1} is given, but the clip's frames are 0 to {frames - 1}.",
                    fix="Place it earlier, or ask for a longer clip.",
                )
        if self.moves and len(self.moves) != frames:
            raise RequestError(
                f"A world of {frames} frames needs as many moves; got {len(self.moves)}.",
                fix="Give one for each frame.",
            )
        if self.source is not None and (self.source.first, self.source.stop) != (0, frames):
            raise RequestError(f"The clip to change has {self.source.stop} frames; the result {frames}.")

    def to_json(self) -> dict[str, JsonValue]:
        """Give what decides the frames, for a log or a digest: places and digests, never pictures."""
        moves: dict[str, JsonValue] = {"moves": write_moves(self.moves)} if self.moves else {}
        return {
            **moves,
            "kind": self.kind,
            "given": [{"first": each.first, "frames": len(each.pixels), "sha256": each.sha256} for each in self.given],
            "source": None if self.source is None else self.source.sha256,
            "strength": repr(self.strength),
        }


UNCONDITIONED = Conditioning()


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """How to sample, for those who want to say.

    Attributes:
        method: `euler` steps, or `heun` steps at about twice the work.
        shift: how much of the walk is spent at high noise, 0.1 to 20; none leaves the choice to the generator.
        negative_prompt: what to stay away from; empty for nothing.

    Raises:
        RequestError: a value is out of bounds.
    """

    method: Literal["euler", "heun"] = "euler"
    shift: float | None = None
    negative_prompt: str = ""

    def __post_init__(self) -> None:
        if self.method not in ("euler", "heun"):
            raise RequestError(f"method must be euler or heun; got {self.method[:40]!r}.", fix="Leave it out.")
        if self.shift is not None:
            check_range("shift", self.shift, 0.1, 20.0)
        if self.negative_prompt:
            check_prompt(self.negative_prompt)


STANDARD_CONTROLS = Controls()
