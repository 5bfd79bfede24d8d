"""Reading a mark back from a copy, and saying how likely it is that there is none.

One rule: a mark counts as found only when the bound on a false find is at most 1e-9; absence proves nothing.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from platemark_provenance.digest import JsonValue
from platemark_provenance.watermark.carriers import Complexes, SoftBits, spread_carriers
from platemark_provenance.watermark.front_end import Luma
from platemark_provenance.watermark.gathering import Gatherer
from platemark_provenance.watermark.issued import IssuedIds, least_score_for, log10_false_positive
from platemark_provenance.watermark.keys import WatermarkKeys
from platemark_provenance.watermark.payload import MAC_BYTES, WatermarkId, open_payload
from platemark_provenance.watermark.profile import BROADCAST_3, Profile
from platemark_provenance.watermark.search import (
    Evidence,
    Fit,
    Pose,
    fit_any_shift,
    fit_shift,
    limit_amplitudes,
    propose_by_power,
    propose_by_sync,
    refine,
    undo_shift,
)
from platemark_provenance.watermark.weighing import weigh_slots, weigh_waves

ACCEPT_LOG10_FPR: Final = -9.0
_MOST_REFINED: Final = 4
_MOST_READINGS: Final = 2 * (4 + 2 * _MOST_REFINED)
"""How often one detection decodes at most: two ways a pose (see `_Reader`); every bound is multiplied by it."""
_SYNC_GATE: Final = 4.5
_LEAST_IDS: Final = 1000
"""Ids are counted as at least so many: an id is chosen to suit its picture, so that the picture agrees with it by 3.5
standard deviations before it is marked, and must stay far from acceptance even where few ids were issued."""

Method = Literal["blind", "indexed"]
Effort = Literal["fast", "full"]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Say how the copy's picture came out of the marked one.

    A point p of the marked picture (middle at 0, x right, y down, short side 1) lies at
    `turn(rotation_deg) * (mirror * scale_x * p.x, scale_y * p.y) + shift` of the copy, in the same units of the
    copy. A plain resize is all ones and zeros; a crop to half of each side has scale 2.
    """

    scale_x: float = 1.0
    scale_y: float = 1.0
    rotation_deg: float = 0.0
    mirrored: bool = False
    shift_x: float = 0.0
    shift_y: float = 0.0

    def to_json(self) -> dict[str, JsonValue]:
        """Give the six numbers by name."""
        return {
            "scale_x": round(self.scale_x, 5),
            "scale_y": round(self.scale_y, 5),
            "rotation_deg": round(self.rotation_deg, 4),
            "mirrored": self.mirrored,
            "shift_x": round(self.shift_x, 5),
            "shift_y": round(self.shift_y, 5),
        }


@dataclass(frozen=True, slots=True)
class Detection:
    """Say whether a mark was found, which, how, and what bounds the chance that this is wrong.

    Attributes:
        state: `absent` means not found, which proves nothing about where the clip comes from.
        id: the id, when detected.
        method: `blind` by its MAC alone, `indexed` by comparison with the ids that were issued.
        log10_fpr: when detected, the bound on the chance that a picture without our mark gives this result;
            when absent, the best bound reached, above -9.
        geometry: how the copy was transformed, when detected.
        frames: how many frames went into the evidence.
        others: further issued ids that are there as surely, the surest first: somebody averaged several copies, or the
            clip was marked before. Of all these `id` is the one that was issued last.
    """

    state: Literal["detected", "absent"]
    id: WatermarkId | None
    method: Method | None
    log10_fpr: float
    geometry: Geometry | None
    frames: int
    others: tuple[WatermarkId, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """Give the detection as the command line prints it: id in hexadecimal, geometry an object or null."""
        return {
            "state": self.state,
            "id": None if self.id is None else self.id.hex(),
            "method": self.method,
            "log10_fpr": round(self.log10_fpr, 2),
            "geometry": None if self.geometry is None else self.geometry.to_json(),
            "frames": self.frames,
            "others": [other.hex() for other in self.others],
        }


@dataclass(frozen=True, slots=True)
class Epoch:
    """Hold what one epoch's marks are looked for with: its keys, and the ids to try where a mark is weak."""

    keys: WatermarkKeys
    issued: IssuedIds | None = None


class Detector:
    """Gather evidence frame by frame in constant memory, then decide.

    Args:
        keys: the publisher's keys of the epoch to look for.
        profile: the profile to look for.
    """

    def __init__(self, keys: WatermarkKeys, *, profile: Profile = BROADCAST_3) -> None:
        self._keys = keys
        self._profile = profile
        self._gathered = Gatherer(profile.short_side)

    def feed(self, frame: Luma) -> None:
        """Take one more frame; in long clips ever fewer are looked at.

        Args:
            frame: uint8 (h, w), any range, all of one size.

        Raises:
            WatermarkError: the frame is not an 8-bit plane of the first frame's size.
        """
        self._gathered.feed(frame)

    def detect(self, issued: IssuedIds | None = None, *, effort: Effort = "full") -> Detection:
        """Decide on the frames fed so far.

        Args:
            issued: the ids to try where the mark is too weak to be read blind.
            effort: `fast` looks only for copies that were not cropped or turned (mirroring is looked for).
        """
        return self._detect(Epoch(self._keys, issued), effort, among=1)

    def detect_any(self, epochs: Sequence[Epoch], *, effort: Effort = "full") -> Detection:
        """Decide on the frames fed so far, where a mark of any of several epochs may be there.

        The quick look goes through all epochs before any of them is searched everywhere; every bound is multiplied by
        their number.

        Args:
            epochs: the likeliest first; at least one.
            effort: as for `detect`.
        """
        among = len(epochs)
        if effort == "full" and among > 1:
            quick = ((epoch, self._detect(epoch, "fast", among=among)) for epoch in epochs)
            hit = next(((epoch, found) for epoch, found in quick if found.state == "detected"), None)
            if hit is not None:
                return hit[1] if hit[1].method == "blind" else self._detect(hit[0], "full", among=among)
        best = self._absent(0.0)
        for epoch in epochs:
            found = self._detect(epoch, effort, among=among)
            if found.state == "detected":
                return found
            best = min(best, found, key=lambda each: each.log10_fpr)
        return best

    def evidence(self) -> Evidence | None:
        """Give what was gathered so far, under the detector's own keys; nothing where no frame could be looked at."""
        return self._evidence(self._keys)

    def _detect(self, epoch: Epoch, effort: Effort, *, among: int) -> Detection:
        evidence = self._evidence(epoch.keys)
        if evidence is None:
            return self._absent(0.0)
        reader = _Reader(evidence, epoch, self._profile, among=among)
        found = reader.search(effort)
        if found is None:
            return self._absent(reader.best_log10_fpr)
        found, others = reader.name_newest(found)
        return Detection(
            state="detected",
            id=found.mark_id,
            method=found.method,
            log10_fpr=found.log10_fpr,
            geometry=_describe(found.pose, self._profile.short_side),
            frames=self._gathered.used,
            others=others,
        )

    def _evidence(self, keys: WatermarkKeys) -> Evidence | None:
        canvas = self._gathered.canvas
        if not self._gathered.used or canvas is None:
            return None
        carriers = spread_carriers(keys.carriers, self._profile)
        return Evidence(slots=self._gathered.slots(), canvas=canvas, carriers=carriers)

    def _absent(self, log10_fpr: float) -> Detection:
        return Detection("absent", None, None, log10_fpr, None, self._gathered.used)


@dataclass(frozen=True, slots=True)
class _Found:
    mark_id: WatermarkId
    method: Method
    log10_fpr: float
    pose: Pose
    soft: SoftBits


class _Reader:
    """Try poses on one clip's evidence, and keep count of what was tried.

    A mark read by its MAC ends the search. One matched against the index is kept while better poses are looked
    for: a slightly turned copy can be matched upright already, but its geometry would then be wrong.
    """

    def __init__(self, evidence: Evidence, epoch: Epoch, profile: Profile, *, among: int) -> None:
        self._evidence = evidence
        self._keys = epoch.keys
        self._profile = profile
        self._issued = epoch.issued
        self._readings = _MOST_READINGS * among
        self.best_log10_fpr = 0.0

    def search(self, effort: Effort) -> _Found | None:
        """Look where marks mostly are, then, with full effort, everywhere: cheap proposals first.

        The picture exactly as it was is tried before any shift of it: a weak mark can be read there although
        its sync waves alone would point elsewhere.
        """
        upright = [Pose(), Pose(mirrored=True)]
        best = self._read_best(Fit(pose, 0.0) for pose in upright)
        if best is None:
            best = self._read_best([fit_shift(self._evidence, pose, reach=3.0) for pose in upright])
        if effort == "fast" or _is_blind(best):
            return best
        moved = self._read_moved(upright + propose_by_power(self._evidence, count=8))
        best = _better(best, moved)
        if best is not None:
            return best
        return self._read_moved(propose_by_sync(self._evidence, count=6))

    def name_newest(self, found: _Found) -> tuple[_Found, tuple[WatermarkId, ...]]:
        """Let the mark that was issued last speak, of all that can be read in one place, and name the others too.

        A clip that carried a mark may have been changed and marked again; what it is now is told by the mark on top.
        """
        if self._issued is None:
            return found, ()
        hypotheses = self._hypotheses(self._issued)
        least = least_score_for(ACCEPT_LOG10_FPR, hypotheses=hypotheses)
        traced = self._issued.find_all(found.soft, least_score=least)
        newest = max(traced, key=lambda each: each.place, default=None)
        ids = dict.fromkeys([found.mark_id, *(each.mark_id for each in traced)])
        known = any(each.mark_id == found.mark_id for each in traced)
        if known and newest is not None and newest.mark_id != found.mark_id:
            bound = log10_false_positive(newest.score, hypotheses=hypotheses)
            found = replace(found, mark_id=newest.mark_id, method="indexed", log10_fpr=bound)
        return found, tuple(each for each in ids if each != found.mark_id)

    def _hypotheses(self, issued: IssuedIds) -> int:
        """Count what could be found by chance: every id in every reading of every epoch."""
        return self._readings * max(len(issued), _LEAST_IDS)

    def _read_moved(self, poses: list[Pose]) -> _Found | None:
        fits = [fit_any_shift(self._evidence, pose) for pose in poses]
        fits.sort(key=lambda fit: fit.score, reverse=True)
        chosen = [fit for fit in fits if fit.score >= _SYNC_GATE][:_MOST_REFINED]
        return self._read_best(refine(self._evidence, fit) for fit in chosen)

    def _read_best(self, fits: Iterable[Fit]) -> _Found | None:
        best: _Found | None = None
        for fit in fits:
            best = _better(best, self._read(fit.pose))
            if _is_blind(best):
                break
        return best

    def _read(self, pose: Pose) -> _Found | None:
        """Read one pose twice: with all of the clip, weighed, and with its first frame alone."""
        carriers = self._evidence.carriers
        frequencies = pose.map_frequencies(carriers.frequencies)
        observed = undo_shift(self._evidence.observe_slots(pose), frequencies, pose)
        weighed = weigh_slots(observed, carriers) @ observed
        best = self._decode(weighed, pose)
        if _is_blind(best) or len(observed) == 1:
            return best
        return _better(best, self._decode(observed[0], pose))

    def _decode(self, observed: Complexes, pose: Pose) -> _Found | None:
        carriers = self._evidence.carriers
        limited = limit_amplitudes(observed)
        soft = carriers.read_bits(limited, weigh_waves(carriers.read_sync(limited), carriers.frequencies))
        mark_id = open_payload(self._keys.mac, soft.values, self._profile.family)
        if mark_id is not None:
            return _Found(mark_id, "blind", math.log10(self._readings) - 8 * MAC_BYTES * math.log10(2), pose, soft)
        best = self._issued.find_best(soft) if self._issued is not None else None
        if best is None or self._issued is None:
            return None
        bound = log10_false_positive(best.score, hypotheses=self._hypotheses(self._issued))
        self.best_log10_fpr = min(self.best_log10_fpr, bound)
        return _Found(best.mark_id, "indexed", bound, pose, soft) if bound <= ACCEPT_LOG10_FPR else None


def _is_blind(found: _Found | None) -> bool:
    return found is not None and found.method == "blind"


def _better(one: _Found | None, other: _Found | None) -> _Found | None:
    """Prefer a mark read by its MAC, then the one that is less likely to be chance."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda found: (found.method != "blind", found.log10_fpr))


def _describe(pose: Pose, short_side: float) -> Geometry:
    return Geometry(
        scale_x=pose.stretch_x,
        scale_y=pose.stretch_y,
        rotation_deg=math.degrees(pose.angle),
        mirrored=pose.mirrored,
        shift_x=pose.shift_x / short_side,
        shift_y=pose.shift_y / short_side,
    )
