"""How often a mark's exact id comes back from what happens to clips, what it costs the picture, and how fast it is.

One rule: an id counts only if it is the very one that was written; every other id that is named is an error, whatever
its score.
"""

import json
import secrets
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import cast

import numpy as np

from platemark.bench.claims import Claim, Options
from platemark.bench.watermark_attacks import ATTACKS, QUICK, Attack, Quality, compare, make_copy
from platemark.bench.watermark_clips import BenchClip, draw_clips, read_clips
from platemark.bench.watermark_peer import measure_peer
from platemark.bench.watermark_security import measure_security
from platemark.clip import Size
from platemark.media.video import YuvFrame, map_luma
from platemark_provenance.digest import JsonValue
from platemark_provenance.watermark.carriers import spread_carriers
from platemark_provenance.watermark.detect import Detector, Effort
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import WatermarkKeys, derive_alternatives, derive_keys, derive_mark_id
from platemark_provenance.watermark.payload import WatermarkId, encode_payload
from platemark_provenance.watermark.profile import BROADCAST_3
from platemark_provenance.watermark.search import Pose
from platemark_provenance.watermark.weighing import weigh_slots

SIZE = Size(640, 360)
FRAMES = 125
QUICK_FRAMES = 24
ISSUED = 100_000
KEYS = derive_keys(b"the master of the mark benchmark")
COMBINED = "crop .71, half as bright, CRF 40"
UNMARKED = "before it was marked"
_FOR_SECURITY = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One attack on one clip.

    Attributes:
        clip: its name.
        attack: its name.
        exact: whether the very id came back.
        wrong: whether another id was named.
        method: how the id was read, None where it was not.
        log10_fpr: the bound on a false find, or the best one reached.
        bit_accuracy: share of coded bits that are right before decoding, None where the picture was moved.
        kbps: of the copy; 0 where nothing was encoded.
        detect_s: processor seconds to find it.
    """

    clip: str
    attack: str
    exact: bool
    wrong: bool
    method: str | None
    log10_fpr: float
    bit_accuracy: float | None
    kbps: float
    detect_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """One clip with its mark: the frames, the id, what it cost the picture, and how fast it was."""

    clip: BenchClip
    frames: tuple[YuvFrame, ...]
    mark_id: WatermarkId
    quality: Quality
    frames_per_s: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What is done to clips of one size.

    Attributes:
        size: of the frames.
        attacks: what is done.
        most: how many of the clips are looked at; None for all.
    """

    size: Size
    attacks: tuple[Attack, ...]
    most: int | None = None


def _at(size: Size, targets: Mapping[str, float], most: int | None = 8) -> Stage:
    """Name the attacks at another size than the usual one, with targets of their own."""
    chosen = [attack for attack in ATTACKS if attack.name in targets]
    return Stage(
        size, tuple(replace(each, name=f"{each.name}, at {size}", target=targets[each.name]) for each in chosen), most
    )


STAGES = (
    Stage(SIZE, ATTACKS),
    _at(Size(1280, 720), {"H.264 CRF 40": 97, "H.264 CRF 50": 80, COMBINED: 95}),
    _at(Size(256, 256), {"H.264 CRF 28": 95, "H.264 CRF 35": 80}),
    _at(Size(128, 128), {"H.264 CRF 28": 95, "H.264 CRF 35": 80}),
)


def measure(options: Options) -> list[Claim]:
    """Mark every clip, do everything to it, look for the id, and sum up.

    Raises:
        RequestError: FFmpeg is missing, or the folder of clips is empty.
    """
    issued = [WatermarkId(secrets.token_bytes(8)) for _ in range(1000 if options.quick else ISSUED)]
    stages = _stages(options)
    rows: list[Row] = []
    marked: dict[Stage, list[Measured]] = {stage: [] for stage in stages}
    kept: list[Marked] = []
    for stage in stages:
        for clip in _clips(options, stage):
            made = mark_clip(clip)
            index = IssuedIds.from_ids(KEYS, [*issued, made.mark_id])
            rows += [measure_attack(made, attack, index) for attack in stage.attacks]
            rows.append(measure_original(made, index))
            marked[stage].append(Measured(f"{clip.name}, {stage.size}", made.quality, made.frames_per_s))
            if len(kept) < _FOR_SECURITY:
                kept.append(made)
            _write_rows(options, rows, marked)
    security = measure_security([made.frames for made in kept], [made.mark_id for made in kept], KEYS)
    peer = [] if options.quick else measure_peer([made.clip for made in kept])
    attacks = [attack for stage in stages for attack in stage.attacks]
    costs = [claim for stage in stages for claim in _cost_claims(stage, marked[stage])]
    return [*sum_up(rows, attacks), *costs, *_speed_claims(rows), *security, *peer]


def _stages(options: Options) -> tuple[Stage, ...]:
    if not options.quick:
        return STAGES
    return (Stage(SIZE, tuple(attack for attack in ATTACKS if attack.name in QUICK), most=2),)


def mark_clip(clip: BenchClip, keys: WatermarkKeys = KEYS) -> Marked:
    """Mark one clip as the pipeline does, and measure what that costs."""
    request = clip.name.encode()
    embedder = Embedder(keys, derive_mark_id(keys, request), alternatives=derive_alternatives(keys, request))
    started = time.process_time()
    frames = tuple(map_luma(clip.frames, embedder.mark))
    spent = time.process_time() - started
    return Marked(clip, frames, embedder.mark_id, compare(clip.frames, frames), len(frames) / max(spent, 1e-6))


def _clips(options: Options, stage: Stage) -> Iterator[BenchClip]:
    frames = QUICK_FRAMES if options.quick else FRAMES
    clips = draw_clips(stage.size, frames) if options.clips is None else read_clips(options.clips, stage.size, frames)
    return islice(clips, stage.most)


@dataclass(frozen=True, slots=True)
class Measured:
    """What is kept of a marked clip once it was measured: name and size, picture quality, frames a CPU second."""

    clip: str
    quality: Quality
    frames_per_s: float


def measure_attack(made: Marked, attack: Attack, index: IssuedIds, *, effort: Effort = "full") -> Row:
    """Do one thing to one marked clip, and look for its id."""
    copy = make_copy(attack, made.frames)
    detector = Detector(KEYS)
    started = time.process_time()
    for frame in copy.frames:
        detector.feed(frame)
    found = detector.detect(index, effort=effort)
    spent = time.process_time() - started
    still = not attack.filters and attack.jpeg is None
    return Row(
        clip=made.clip.name,
        attack=attack.name,
        exact=found.id == made.mark_id,
        wrong=found.id not in (None, made.mark_id),
        method=found.method,
        log10_fpr=found.log10_fpr,
        bit_accuracy=_bit_accuracy(detector, made.mark_id) if still else None,
        kbps=copy.kbps,
        detect_s=spent,
    )


def measure_original(made: Marked, index: IssuedIds) -> Row:
    """Look for a mark in the clip as it was before it got one: any id that is named is wrong, its own above all."""
    detector = Detector(KEYS)
    for frame in made.clip.frames:
        detector.feed(frame.y)
    found = detector.detect(index, effort="fast")
    named = found.id is not None
    return Row(made.clip.name, UNMARKED, exact=False, wrong=named, method=found.method, log10_fpr=found.log10_fpr,
               bit_accuracy=None, kbps=0.0, detect_s=0.0)  # fmt: skip


def _bit_accuracy(detector: Detector, mark_id: WatermarkId) -> float | None:
    evidence = detector.evidence()
    if evidence is None:
        return None
    carriers = spread_carriers(KEYS.carriers, BROADCAST_3)
    observed = evidence.observe_slots(Pose())
    soft = carriers.read_bits(weigh_slots(observed, carriers) @ observed, np.ones(carriers.count))
    coded = encode_payload(KEYS.mac, mark_id, BROADCAST_3.family)
    return float(np.mean((soft.values < 0) == (coded == 1)))


def sum_up(rows: Sequence[Row], attacks: Sequence[Attack]) -> list[Claim]:
    """Give the share of exact ids after each attack, and how often another id was named."""
    claims = []
    for attack in attacks:
        exact = [row.exact for row in rows if row.attack == attack.name]
        share = 100 * sum(exact) / max(len(exact), 1)
        claims.append(
            Claim(f"exact id after: {attack.name}", share, "%", attack.target, peer=f"{len(exact)} clips", least=True)
        )
    unmarked = [row.wrong for row in rows if row.attack == UNMARKED]
    return [
        *claims,
        Claim("wrong ids named", sum(row.wrong for row in rows if row.attack != UNMARKED), "ids", 0),
        Claim(f"ids named in {len(unmarked)} clips before they were marked", sum(unmarked), "ids", 0),
    ]


def _cost_claims(stage: Stage, marked: Sequence[Measured]) -> list[Claim]:
    """Say what the mark costs the picture at one size, and how fast it is put in."""
    if not marked:
        return []
    seen = [made.quality for made in marked]
    rate = statistics.median(made.frames_per_s for made in marked)
    least = 95 if min(stage.size.width, stage.size.height) >= SIZE.height else None
    at = f", at {stage.size}"
    return [
        Claim(f"PSNR, the worst clip{at}", min(each.psnr_db for each in seen), "dB", 42 if least else None, least=True),
        Claim(f"SSIM, the worst clip{at}", min(each.ssim for each in seen), "", None, least=True),
        Claim(f"VMAF, mean of the clips{at}", statistics.mean(each.vmaf for each in seen), "", least, least=True),
        Claim(f"VMAF, the worst clip{at}", min(each.vmaf for each in seen), "", None, least=True),
        Claim(f"embedding, one thread{at}", rate, "frames a CPU second", None, least=True),
    ]


def _speed_claims(rows: Sequence[Row]) -> list[Claim]:
    rows = [row for row in rows if row.attack != UNMARKED]
    found = [row.detect_s for row in rows if row.method is not None]
    lost = [row.detect_s for row in rows if row.method is None]
    return [
        Claim("finding a mark, median", statistics.median(found or [0.0]), "CPU s", None),
        Claim("searching everywhere in vain, median", statistics.median(lost or [0.0]), "CPU s", 3),
    ]


def _write_rows(options: Options, rows: Sequence[Row], marked: Mapping[Stage, Sequence[Measured]]) -> None:
    """Write what is known so far, so that a run that is cut short is not lost."""
    if options.plots is None:
        return
    clips = [
        {"clip": made.clip, "frames_per_s": made.frames_per_s, **asdict(made.quality)}
        for each in marked.values()
        for made in each
    ]
    table = cast("JsonValue", {"clips": clips, "rows": [asdict(row) for row in rows]})
    (options.plots / "watermark-rows.json").write_text(json.dumps(table, indent=1), encoding="utf-8")
