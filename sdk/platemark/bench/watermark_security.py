"""How often a mark is named that is not there, and what an attacker who copies or averages marks achieves.

One rule: the attacker here has no key and two marked clips, and does what costs nothing: averages what is left of
the frames when the picture is smoothed away, and adds it to other content.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.special import ndtr

from platemark.bench.claims import Claim
from platemark.bench.watermark_clips import FPS
from platemark.media.video import YuvFrame
from platemark_provenance.fingerprint import ContentSampler, Fingerprint, compare
from platemark_provenance.watermark.carriers import spread_carriers
from platemark_provenance.watermark.detect import Detection, Detector
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import WatermarkKeys, derive_keys, derive_mark_id
from platemark_provenance.watermark.payload import WatermarkId
from platemark_provenance.watermark.profile import BROADCAST_3
from platemark_provenance.watermark.search import Pose

Luma = NDArray[np.uint8]
_RADEMACHER = 3.178
TAIL_KEYS = 20
_TRIALS_A_KEY = 5_000
_COPIES = 3
OTHER_KEYS = 20


def measure_security(
    clips: Sequence[Sequence[YuvFrame]], mark_ids: Sequence[WatermarkId], keys: WatermarkKeys
) -> list[Claim]:
    """Measure false finds, transplants and averaging on one or two marked clips.

    Args:
        clips: marked clips.
        mark_ids: the id in each.
        keys: what they were marked with.
    """
    planes = [[frame.y for frame in clip] for clip in clips]
    return [
        _other_keys(planes[0]),
        *_tail(planes[0]),
        *_transplants(planes, mark_ids, keys),
        _averaged_copies(planes[-1][:12]),
    ]


def _other_keys(planes: Sequence[Luma]) -> Claim:
    """Look for other publishers' marks in a clip that has none of theirs."""
    named = 0
    for number in range(20):
        keys = derive_keys(number.to_bytes(32, "big"))
        index = IssuedIds.from_ids(keys, [derive_mark_id(keys, b"%d" % each) for each in range(1000)])
        named += _look(planes[:6], keys, index).id is not None
    return Claim(f"marks of {OTHER_KEYS} other keys named in a marked clip", named, "marks", 0)


def _tail(planes: Sequence[Luma]) -> list[Claim]:
    """Score wrong codewords on a real picture under fresh keys, and compare the tail with the stated bound."""
    rng = np.random.default_rng(5)
    scores = np.concatenate([_wrong_scores(planes[:4], rng) for _ in range(TAIL_KEYS)])
    allowed = _RADEMACHER * float(ndtr(-4.0))
    return [
        Claim(f"the highest of {len(scores)} scores of wrong ids", float(scores.max()), "sd", 8.0),
        Claim("wrong scores over 4 sd, against the bound", float(np.mean(scores > 4.0)) / allowed, "x", 1.0),
    ]


def _wrong_scores(planes: Sequence[Luma], rng: np.random.Generator) -> NDArray[np.float64]:
    keys = derive_keys(rng.bytes(32))
    carriers = spread_carriers(keys.carriers, BROADCAST_3)
    evidence = _gather(planes, keys).evidence()
    if evidence is None:
        return np.zeros(1)
    soft = carriers.read_bits(evidence.observe(Pose()), np.ones(carriers.count))
    signs = rng.choice([-1.0, 1.0], (_TRIALS_A_KEY, len(soft.values)))
    return np.asarray(signs @ soft.values / soft.length, np.float64)


def _transplants(clips: Sequence[Sequence[Luma]], mark_ids: Sequence[WatermarkId], keys: WatermarkKeys) -> list[Claim]:
    """Move each clip's averaged residual onto the other clip's turned pictures, louder and louder."""
    index, read, genuine, tries = IssuedIds.from_ids(keys, mark_ids), 0, 0, 0
    for source, mark_id in zip(clips, mark_ids, strict=True):
        stolen = np.mean([_residual(plane) for plane in source], axis=0)
        stored = _fingerprint(source)
        for target in clips:
            if target is source:
                continue
            for loudness in (1.0, 2.0, 4.0):
                forged = [_add(np.ascontiguousarray(plane[::-1]), stolen * loudness) for plane in target[:24]]
                found = _look(forged, keys, index)
                tries += 1
                read += found.id == mark_id
                genuine += (
                    found.id == mark_id and compare(stored, _fingerprint(forged), geometry=found.geometry).matches
                )
    share = 100 * genuine / max(tries, 1)
    return [
        Claim("transplanted marks called genuine", share, "%", 0),
        Claim("transplanted marks that can be read at all", 100 * read / max(tries, 1), "%", None),
    ]


def _averaged_copies(planes: Sequence[Luma]) -> Claim:
    """Average three recipients' copies, and count whose marks are still named.

    Under keys of its own: the clip has a mark already, and two of one key lie on the same waves.
    """
    keys = derive_keys(b"the master of another publisher!")
    recipients = [derive_mark_id(keys, b"recipient %d" % number) for number in range(100)]
    copies = [list(Embedder(keys, mark_id).mark(planes)) for mark_id in recipients[:_COPIES]]
    averaged = [np.rint(np.mean(frames, axis=0)).astype(np.uint8) for frames in zip(*copies, strict=True)]
    found = _look(averaged, keys, IssuedIds.from_ids(keys, recipients))
    named = {found.id, *found.others} & set(recipients[:_COPIES])
    return Claim(
        f"of {_COPIES} recipients whose copies were averaged, traced", 100 * len(named) / _COPIES, "%", 95, least=True
    )


def _gather(planes: Sequence[Luma], keys: WatermarkKeys) -> Detector:
    detector = Detector(keys)
    for plane in planes:
        detector.feed(plane)
    return detector


def _look(planes: Sequence[Luma], keys: WatermarkKeys, index: IssuedIds) -> Detection:
    return _gather(planes, keys).detect(index, effort="fast")


def _fingerprint(planes: Sequence[Luma]) -> Fingerprint:
    sampler = ContentSampler(fps=float(FPS))
    for plane in planes:
        sampler.feed(plane)
    return sampler.fingerprint()


def _residual(plane: Luma) -> NDArray[np.float32]:
    values = plane.astype(np.float32)
    return np.asarray(values - uniform_filter(uniform_filter(values, 9), 9), np.float32)


def _add(plane: Luma, pattern: NDArray[np.float32]) -> Luma:
    return np.asarray(np.clip(np.rint(plane + pattern), 16, 235), np.uint8)
