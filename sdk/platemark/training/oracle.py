"""What a clip really shows, measured from its pixels, and how often that is what was asked for.

One rule: every measure is exact, or nearly, on the world's own clips; the score on real clips is always reported
beside the score on generated ones, so that nobody takes the oracle's errors for the model's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from platemark.training.measures import (
    FAR,
    SIDE,
    Clip,
    centres,
    corner_colour,
    ground_rows,
    mask_colour,
    nearest_colour,
    nearest_tint,
    read_digit,
    runs,
    sideways,
    slope,
    subject_mask,
    turns,
    way,
    wobble,
)
from platemark.training.rates import Rate, rate_of
from platemark.training.world.attributes import NUMBERS, TIMES, Attributes
from platemark.training.world.canvas import SKY_TOP
from platemark.training.world.clips import family_of

Measured = Mapping[str, str | None]
"""Slots and the values that were found; none where nothing was found. Slots without a measure are left out."""


def as_measured(video: Tensor) -> list[Clip]:
    """Bring clips (b, t, h, w, 3) uint8 to the size that measures work at."""
    b, t = video.shape[:2]
    frames = video.flatten(0, 1).permute(0, 3, 1, 2).float()
    small = (
        functional.interpolate(frames, size=(SIDE, SIDE), mode="area") if video.shape[2:4] != (SIDE, SIDE) else frames
    )
    levels = small.permute(0, 2, 3, 1).round().clamp(0, 255).to(torch.uint8).cpu()
    return list(levels.reshape(b, t, SIDE, SIDE, 3).numpy())


def measure(clip: Clip, family: str) -> Measured:
    """Measure what a clip of a family shows: uint8 (t, 64, 64, 3), at least 5 frames."""
    return _MEASURES[family](clip)


def _shapes(clip: Clip) -> Measured:
    mask = subject_mask(clip)
    found = {"background": corner_colour(clip), "colour": mask_colour(clip, mask)}
    x, y = centres(mask)
    size = np.sqrt(mask.sum(axis=(1, 2)).astype(np.float64))
    growth = slope(size) / max(float(size.mean()), 1.0)
    if abs(growth) > 0.5:
        return {**found, "motion": "growing" if growth > 0 else "shrinking"}
    if wobble(y) > 1.8:
        return {**found, "motion": "bouncing"}
    moved = way(slope(x), slope(y), least=9)
    if moved is None and np.abs(np.diff(mask.astype(np.float64), axis=0)).sum() / max(float(mask.sum()), 1.0) > 0.03:
        moved = "spinning"
    return {**found, "motion": moved}


def _sky(clip: Clip) -> Measured:
    top = clip[:, :6].reshape(-1, 3).astype(np.float64)
    sky = top[top.sum(axis=1) <= np.quantile(top.sum(axis=1), 0.25)].mean(axis=0)  # clouds are brighter than the sky
    drift = sideways(clip, slice(4, 60), apart=3)
    return {"time": _time(sky), "motion": _side(drift, "drifting")}


def _sea(clip: Clip) -> Measured:
    water = np.median(clip[:, 38:].reshape(-1, 3), axis=0)
    return {"time": _top_time(clip), "colour": nearest_tint(water, among=("blue", "green", "purple", "cyan"))}


def _city(clip: Clip) -> Measured:
    return {"time": _top_time(clip)}


def _bars(clip: Clip) -> Measured:
    mask = subject_mask(clip)
    mask[:, 56:] = False
    area = mask.sum(axis=(1, 2)).astype(np.float64)
    change = slope(area)
    count = runs(mask[int(area.argmax()), 54])
    return {
        "background": corner_colour(clip),
        "colour": mask_colour(clip, mask),
        "motion": None if abs(change) < 30 else "rising" if change > 0 else "falling",
        "amount": NUMBERS[count - 2] if 2 <= count <= 5 else None,
    }


def _lines(clip: Clip) -> Measured:
    far = np.abs(clip.astype(np.float64) - ground_rows(clip)[:, None]).sum(axis=-1)
    line = far > max(FAR, float(np.quantile(far[-1], 0.97)) * 0.8)
    _, y = centres(line[-1:].transpose(2, 1, 0))  # the line's height in each column of the last frame
    climb = slope(y)
    return {
        "background": corner_colour(clip),
        "colour": mask_colour(clip, line),
        "motion": None if abs(climb) < 4 else "falling" if climb > 0 else "rising",
    }


def _globe(clip: Clip) -> Measured:
    turn = turns(clip, slice(16, 48), slice(18, 46), apart=2)
    return {"background": corner_colour(clip), "motion": _side(turn, "rotating")}


def _map(clip: Clip) -> Measured:
    new = np.abs(clip.astype(np.float64) - clip[:1]).sum(axis=-1) > FAR
    late = new[len(new) // 4 :]
    x, y = centres(late)
    return {"motion": way(slope(x), slope(y), least=4), "colour": mask_colour(clip[-1:], new[-1:])}


def _flag(clip: Clip) -> Measured:
    return {"background": corner_colour(clip[:, :, 4:])}


def _countdown(clip: Clip) -> Measured:
    mask = np.abs(clip.astype(np.float64) - np.median(clip[:, :3, :3], axis=(0, 1, 2))).sum(axis=-1) > FAR
    found = {"background": corner_colour(clip), "colour": mask_colour(clip, mask)}
    return {**found, "amount": read_digit(mask[0])}


def _occluder(clip: Clip) -> Measured:
    column = np.median(clip[:, :, SIDE // 2 - 1 : SIDE // 2 + 1].reshape(-1, 3), axis=0)
    mask = subject_mask(clip)
    mask[:, :, 22:42] = False
    x, _ = centres(mask)
    moved = slope(x)
    return {
        "background": corner_colour(clip),
        "second_colour": nearest_colour(column),
        "colour": mask_colour(clip, mask),
        "motion": way(moved, 0.0, least=8),
    }


def _cube(clip: Clip) -> Measured:
    top = np.median(clip[:, 17:22, 30:34].reshape(-1, 3), axis=0) / 1.15
    turn = turns(clip, slice(48, 62), slice(4, 60), apart=1)
    ground = nearest_colour(np.median(clip[:, :3].reshape(-1, 3), axis=0))
    # What is near the camera moves to the left when the camera walks to the right.
    motion = None if turn == 0 else "orbiting left" if turn > 0 else "orbiting right"
    return {"background": ground, "colour": nearest_colour(top), "motion": motion}


def _voxels(clip: Clip) -> Measured:
    return {"time": _top_time(clip), "motion": _flight(clip)}


def _flight(clip: Clip) -> str | None:
    turn = sideways(clip, slice(22, 40), apart=1)
    if abs(turn) >= 2:
        return "turning left" if turn > 0 else "turning right"
    return None


def _side(shift: float, verb: str) -> str | None:
    return None if shift == 0 else f"{verb} right" if shift > 0 else f"{verb} left"


def _top_time(clip: Clip) -> str:
    return _time(np.median(clip[:, :3].reshape(-1, 3), axis=0))


def _time(levels: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> str:
    return TIMES[int(((np.array(SKY_TOP, np.float64) - levels) ** 2).sum(axis=1).argmin())]


_MEASURES: Mapping[str, Callable[[Clip], Measured]] = {
    "shapes": _shapes,
    "sky": _sky,
    "sea": _sea,
    "city": _city,
    "bars": _bars,
    "lines": _lines,
    "globe": _globe,
    "map": _map,
    "flag": _flag,
    "countdown": _countdown,
    "occluder": _occluder,
    "cube": _cube,
    "voxels": _voxels,
}


@dataclass(frozen=True, slots=True)
class Scores:
    """How often clips show what was asked for.

    Attributes:
        slots: for each slot, over all clips that have a measure of it.
        families: for each family, clips in which every measured slot is right.
    """

    slots: Mapping[str, Rate]
    families: Mapping[str, Rate]

    @property
    def clips(self) -> int:
        """How many clips were measured."""
        return self.all_right.of

    @property
    def by_slot(self) -> Mapping[str, float]:
        """The share of each slot, 0 to 1."""
        return {name: rate.share for name, rate in self.slots.items()}

    @property
    def by_family(self) -> Mapping[str, float]:
        """The share of each family, 0 to 1."""
        return {name: rate.share for name, rate in self.families.items()}

    @property
    def all_right(self) -> Rate:
        """Clips of all families in which every measured slot is right."""
        return reduce(Rate.plus, self.families.values(), Rate(0, 0))

    @property
    def everything(self) -> float:
        """The share of `all_right`, 0 to 1; 0 where no clip was measured."""
        return self.all_right.share if self.families else 0.0

    def to_json(self) -> dict[str, object]:
        """Give the shares as plain values, with the number of clips and the interval at 95 % confidence."""
        return {
            "clips": self.clips,
            "everything": self.everything,
            "interval": list(self.all_right.interval),
            "by_slot": {name: [rate.hits, rate.of] for name, rate in self.slots.items()},
            "by_family": {name: [rate.hits, rate.of] for name, rate in self.families.items()},
        }


def score(clips: Sequence[Clip], asked: Sequence[Attributes]) -> Scores:
    """Measure clips against what was asked for; what is not of one value (free flight) is not counted."""
    by_slot: dict[str, list[bool]] = {}
    by_family: dict[str, list[bool]] = {}
    for clip, attributes in zip(clips, asked, strict=True):
        hits = {
            slot: value == getattr(attributes, slot) for slot, value in measure(clip, family_of(attributes)).items()
        }
        if attributes.scene == "voxels" and attributes.motion not in ("turning left", "turning right"):
            hits.pop("motion")  # going straight on and hopping are not told apart by this measure
        for slot, hit in hits.items():
            by_slot.setdefault(slot, []).append(hit)
        by_family.setdefault(family_of(attributes), []).append(all(hits.values()))
    return Scores(_rates(by_slot), _rates(by_family))


def _rates(hits: Mapping[str, list[bool]]) -> Mapping[str, Rate]:
    return {name: rate_of(values) for name, values in sorted(hits.items())}
