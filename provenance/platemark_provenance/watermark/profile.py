"""Every number that embedder and detector must share, under a name that is written into each mark.

One rule: a profile that has marked a published clip is never edited; a better one gets a new name.
"""

from dataclasses import dataclass
from typing import Final

ALGORITHM: Final = "org.platemark.watermark.1"
"""The name written into C2PA soft bindings. It is our own and not on the C2PA list of registered algorithms."""

BLACK: Final = 16
WHITE: Final = 235
"""The limits of 8-bit luma in limited range. Source: ITU-R BT.709-6, item 5.3 (quantised signals)."""

MIN_SIDE_PX: Final = 128
"""The shortest side a frame may have and be marked."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Fix one version of the mark: its geometry, its strength and how it is embedded.

    Attributes:
        name: bound into the MAC, so that a mark cannot be read under another profile.
        short_side: length of a picture's short side in canonical units; a plain resize changes nothing.
        waves: how many plane waves to aim for.
        band: lowest and highest spatial frequency, in cycles per canonical unit.
        sync_share: share of the waves whose phase the key alone decides.
        psnr_db: what the mark costs a picture with texture in it, as luma PSNR with peak 255.
        flat_rms: the most the mark may add to a flat area, in grey levels RMS.
        small_boost: how many times louder flat areas may be in pictures smaller than the canonical size, where
            fewer pixels carry each wave and the waves are finer.
        headroom: how far pure black is raised and pure white lowered, in grey levels, so that both halves
            of the pattern fit inside the legal range.
        cancellation: share of the picture's own projection on the waves that is subtracted.
        block_frames: frames that share one pattern, and the most the embedder holds in memory.
        fade_frames: frames over which one block's pattern turns into the next.
    """

    name: str
    short_side: float
    waves: int
    band: tuple[float, float]
    sync_share: float
    psnr_db: float
    flat_rms: float
    small_boost: float
    headroom: int
    cancellation: float
    block_frames: int
    fade_frames: int


BROADCAST_1: Final = Profile(
    name="broadcast-1",
    short_side=360.0,
    waves=640,
    band=(0.030, 0.130),
    sync_share=0.25,
    psnr_db=42.0,
    flat_rms=1.0,
    small_boost=1.8,
    headroom=2,
    cancellation=0.6,
    block_frames=12,
    fade_frames=4,
)
