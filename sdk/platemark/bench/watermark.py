"""How often a mark's exact id comes back from what happens to clips, what it costs the picture, and how fast it is.

One rule: an id counts only if it is the very one that was written; every other id that is named is an error, whatever
its score.
"""

import json
import secrets
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import cast

import numpy as np

from platemark.bench.claims import Claim, Options
from platemark.bench.watermark_attacks import ATTACKS, QUICK, Attack, Quality, compare, make_copy
from platemark.bench.watermark_clips import BenchClip, draw_clips, read_clips
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
        kbps: of the copy.
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


def measure(options: Options) -> list[Claim]:
    """Mark every clip, do everything to it, look for the id, and sum up.

    Raises:
        RequestError: FFmpeg is missing, or the folder of clips is empty.
    """
    attacks = [attack for attack in ATTACKS if not options.quick or attack.name in QUICK]
    issued = [WatermarkId(secrets.token_bytes(8)) for _ in range(1000 if options.quick else ISSUED)]
    rows: list[Row] = []
    marked: list[Marked] = []
    for clip in _clips(options):
        made = mark_clip(clip)
        index = IssuedIds.from_ids(KEYS, [*issued, made.mark_id])
        rows += [measure_attack(made, attack, index) for attack in attacks]
        marked.append(made)
    security = measure_security([made.frames for made in marked[:2]], [made.mark_id for made in marked[:2]], KEYS)
    _write_rows(options, rows, marked)
    return [*sum_up(rows, attacks), *_quality_claims(marked), *_speed_claims(rows, marked), *security]


def mark_clip(clip: BenchClip, keys: WatermarkKeys = KEYS) -> Marked:
    """Mark one clip as the pipeline does, and measure what that costs."""
    request = clip.name.encode()
    embedder = Embedder(keys, derive_mark_id(keys, request), alternatives=derive_alternatives(keys, request))
    started = time.process_time()
    frames = tuple(map_luma(clip.frames, embedder.mark))
    spent = time.process_time() - started
    return Marked(clip, frames, embedder.mark_id, compare(clip.frames, frames), len(frames) / max(spent, 1e-6))


def _clips(options: Options) -> Iterator[BenchClip]:
    frames = QUICK_FRAMES if options.quick else FRAMES
    if options.clips is not None:
        return read_clips(options.clips, SIZE, frames)
    drawn = draw_clips(SIZE, frames)
    return iter([next(drawn), next(drawn)]) if options.quick else drawn


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
        claims.append(Claim(f"exact id after: {attack.name}", share, "%", attack.target, least=True))
    return [*claims, Claim("wrong ids named", sum(row.wrong for row in rows), "ids", 0)]


def _quality_claims(marked: Sequence[Marked]) -> list[Claim]:
    seen = [made.quality for made in marked]
    return [
        Claim("PSNR, the worst clip", min(each.psnr_db for each in seen), "dB", 42, least=True),
        Claim("SSIM, the worst clip", min(each.ssim for each in seen), "", None, least=True),
        Claim("VMAF, mean of the clips", statistics.mean(each.vmaf for each in seen), "", 95, least=True),
        Claim("VMAF, the worst clip", min(each.vmaf for each in seen), "", None, least=True),
    ]


def _speed_claims(rows: Sequence[Row], marked: Sequence[Marked]) -> list[Claim]:
    rate = statistics.median(made.frames_per_s for made in marked)
    found = [row.detect_s for row in rows if row.method is not None]
    lost = [row.detect_s for row in rows if row.method is None]
    return [
        Claim("embedding at 640x360, one thread", rate, "frames a CPU second", None, least=True),
        Claim("finding a mark, median", statistics.median(found or [0.0]), "CPU s", None),
        Claim("searching everywhere in vain, median", statistics.median(lost or [0.0]), "CPU s", 3),
    ]


def _write_rows(options: Options, rows: Sequence[Row], marked: Sequence[Marked]) -> None:
    if options.plots is None:
        return
    clips = [{"clip": made.clip.name, "frames_per_s": made.frames_per_s, **asdict(made.quality)} for made in marked]
    table = cast("JsonValue", {"clips": clips, "rows": [asdict(row) for row in rows]})
    (options.plots / "watermark-rows.json").write_text(json.dumps(table, indent=1), encoding="utf-8")
