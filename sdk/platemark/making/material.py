"""The pictures and clips that somebody hands over: looked at before anything is made, hashed, and read upright.

One rule: what cannot be used as it is is refused with its reason. Nothing is converted in silence: the colours of a
printing press, sixteen bits and uneven frame rates are for their owner to convert.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from platemark.clip import MAX_SECONDS
from platemark.errors import MediaError, OutputError, RequestError
from platemark.inputs import STILL_ENDINGS, Inputs
from platemark.media.formats import SQUARE, is_steady
from platemark.media.still import is_still, read_still, read_still_facts
from platemark.media.video import RGB, read_frame_times, read_frames_rgb, read_video_facts
from platemark_provenance.digest import JsonValue, Sha256Hex, sha256_file

CLIP_ENDINGS = (".mp4", ".m4v", ".mov", ".avi")
"""The kinds of clips in which a C2PA manifest can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file that was handed over, as it was when it was looked at.

    Attributes:
        path: where it lies.
        kind: a still or a clip.
        sha256: of its bytes.
        width: as people see it, rotation applied, in pixels.
        height: likewise.
        rotation_deg: what a player turns a clip by, counter-clockwise; it is applied when it is read.
        fps: of a clip.
        frames: of a clip, where its container counts them.
        duration_s: of a clip.
        has_audio: whether a clip has sound, which is left out of what is made from it.
        captions: how many subtitle tracks of the kind that MP4 holds a clip has.
        pixel_aspect: how much wider than high a pixel is shown, rotation applied.
        left_out: what a clip has beside picture, sound and those.
    """

    path: Path
    kind: Literal["still", "clip"]
    sha256: Sha256Hex
    width: int
    height: int
    rotation_deg: int = 0
    fps: Fraction = Fraction(1)
    frames: int | None = 1
    duration_s: float = 0.0
    has_audio: bool = False
    captions: int = 0
    pixel_aspect: Fraction = SQUARE
    left_out: tuple[str, ...] = ()

    def pictures(self) -> Iterator[RGB]:
        """Decode it, upright: uint8 (h, w, 3) RGB, one after the other; a still gives one.

        Raises:
            MediaError: while iterating; the file is damaged.
        """
        if self.kind == "still":
            yield read_still(self.path)
            return
        quarters = _quarters(self.rotation_deg)
        for frame in read_frames_rgb(self.path):
            yield np.ascontiguousarray(np.rot90(frame, quarters)) if quarters else frame

    def check_unchanged(self) -> None:
        """Make sure that the file still has the bytes that were looked at.

        Raises:
            OutputError: it was changed or removed meanwhile.
        """
        if not self.path.is_file() or sha256_file(self.path) != self.sha256:
            raise OutputError(
                f"{self.path} was changed while the clip was being made; nothing was kept.", fix="Start again."
            )

    def to_json(self) -> dict[str, JsonValue]:
        """Give what is written down about it; its name is not."""
        facts: dict[str, JsonValue] = {"kind": self.kind, "sha256": self.sha256, "size": f"{self.width}x{self.height}"}
        if self.kind == "clip":
            sound = "left out" if self.has_audio else "none"
            facts |= {"fps": str(self.fps), "rotation_deg": self.rotation_deg, "sound": sound}
        return facts


@dataclass(frozen=True, slots=True)
class Material:
    """All files of one request, in the caller's order."""

    images: tuple[SourceFile, ...] = ()
    clips: tuple[SourceFile, ...] = ()

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """Give all of them, stills first."""
        return (*self.images, *self.clips)


NO_MATERIAL = Material()


def inspect(inputs: Inputs) -> Material:
    """Look at the files of a request: their kind, size, rate and hash.

    Raises:
        RequestError: a file is missing; a clip is a picture, a single frame, or too long.
        MediaError: a file is of another kind, damaged, over a bound, or would have to be converted first.
    """
    for path in (*(each.path for each in inputs.images), *inputs.clips):
        if not path.is_file():
            raise RequestError(f"{path} is not a file.", fix="Check the name.")
    return Material(
        tuple(_inspect_still(each.path) for each in inputs.images),
        tuple(inspect_clip(path, longest_s=MAX_SECONDS) for path in inputs.clips),
    )


def _inspect_still(path: Path) -> SourceFile:
    _check_ending(path, STILL_ENDINGS, fix="Save it as PNG, JPEG or WebP.")
    facts = read_still_facts(path)
    if facts.frames > 1:
        raise MediaError(f"{path} is an animation of {facts.frames} pictures.", fix="Save the one you mean on its own.")
    if facts.mode == "CMYK":
        raise MediaError(
            f"{path} holds the colours of a printing press (CMYK), which look different on every screen.",
            fix="Convert it to RGB with its colour profile first.",
        )
    if facts.bits > 8:
        raise MediaError(
            f"{path} has {facts.bits} bits a channel; 8 are used, and nothing is rounded in silence.",
            fix="Save it with 8 bits a channel.",
        )
    return SourceFile(path=path, kind="still", sha256=sha256_file(path), width=facts.width, height=facts.height)


def inspect_clip(path: Path, *, longest_s: float) -> SourceFile:
    """Look at a clip: its size, rate and hash.

    Args:
        path: the clip.
        longest_s: the longest that is taken, in seconds.

    Raises:
        RequestError: it is a picture, a single frame, too long, or of a kind whose manifests cannot be read.
        MediaError: it is damaged, over a bound, or has a variable frame rate.
    """
    if is_still(path):
        raise RequestError(f"{path} is a picture, not a clip.", fix="Give it with --image.")
    _check_ending(path, CLIP_ENDINGS, fix="Put it into MP4, for example: ffmpeg -i IN -c copy OUT.mp4")
    facts = read_video_facts(path)
    if facts.frames == 1:
        raise RequestError(f"{path} has a single frame.", fix="Save it as a picture, and give it with --image.")
    if facts.duration_s > longest_s:
        raise RequestError(
            f"{path} lasts {facts.duration_s:.1f} s; a clip has at most {longest_s:g} s.", fix="Cut it first."
        )
    if not is_steady(read_frame_times(path)):
        raise MediaError(
            f"{path} has a variable frame rate: some frames are shown more than one frame's time from their place.",
            fix=f"Convert it first, for example: ffmpeg -i IN -vf fps={max(1, round(facts.fps))} OUT.mp4",
        )
    turned = _quarters(facts.rotation_deg) % 2 == 1
    return SourceFile(
        path=path,
        kind="clip",
        sha256=sha256_file(path),
        width=facts.height if turned else facts.width,
        height=facts.width if turned else facts.height,
        rotation_deg=facts.rotation_deg,
        fps=facts.fps,
        frames=facts.frames,
        duration_s=facts.duration_s,
        has_audio=facts.has_audio,
        captions=facts.captions,
        pixel_aspect=1 / facts.pixel_aspect if turned else facts.pixel_aspect,
        left_out=facts.left_out,
    )


def _check_ending(path: Path, endings: tuple[str, ...], *, fix: str) -> None:
    if path.suffix.lower() not in endings:
        raise RequestError(
            f"{path} is of a kind whose provenance cannot be checked; taken are {', '.join(endings)}.", fix=fix
        )


def _quarters(degrees: int) -> int:
    return round(degrees / 90) % 4
