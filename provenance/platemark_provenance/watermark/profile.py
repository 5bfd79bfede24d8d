"""Every number that embedder and detector must share, under a name that is written into each mark.

One rule: a profile that has marked a published clip is never edited; a better one gets a new name.
"""

from dataclasses import dataclass, replace
from typing import Final

ALGORITHM: Final = "org.platemark.watermark.1"
"""The name written into C2PA soft bindings. It is our own and not on the C2PA list of registered algorithms."""

BLACK: Final = 16
WHITE: Final = 235
"""The limits of 8-bit luma in limited range. Source: ITU-R BT.709-6, item 5.3 (quantised signals)."""

MIN_SIDE_PX: Final = 128
"""The shortest side a frame may have and be marked."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """Say how loud a mark may be.

    Attributes:
        least_psnr_db: what the mark costs a picture at most, as luma PSNR with peak 255.
        least_vmaf: the VMAF score that the strength aims at, by the estimate in `visibility`.
        flat_rms: the most the mark may add to a flat area, in grey levels RMS.
    """

    least_psnr_db: float
    least_vmaf: float
    flat_rms: float


@dataclass(frozen=True, slots=True)
class Opening:
    """Say how much louder a mark is where a scene starts.

    An encoder sends the first picture of a scene whole and builds the others on it, so at low rates that picture
    carries the mark for all of them; and just after a cut people see detail worst.

    Attributes:
        loudness: of the first frame.
        frames: after how many frames it is as loud as the rest.

    Source:
        Seyler and Budrikis, "Detail perception after scene changes in television image presentations", IEEE
        Trans. Information Theory 11(1), 1965.
    """

    loudness: Loudness
    frames: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Fix one version of the mark: its geometry, its strength and how it is embedded.

    Attributes:
        name: of the profile.
        family: bound into the MAC. Profiles of one family share waves and code and differ in loudness only, so that
            one search reads them all.
        short_side: length of a picture's short side in canonical units; a plain resize changes nothing.
        waves: how many plane waves to aim for.
        band: lowest and highest spatial frequency, in cycles per canonical unit.
        sync_share: share of the waves whose phase the key alone decides.
        loudness: how loud it is.
        opening: how much louder where a scene starts; None for not at all.
        small_boost: how many times louder flat areas may be in pictures smaller than the canonical size, where
            fewer pixels carry each wave and the waves are finer.
        headroom: how far pure black is raised and pure white lowered, in grey levels, so that both halves
            of the pattern fit inside the legal range.
        block_frames: frames that share one strength and masking, and the most the embedder holds in memory.
        fade_frames: frames over which one block's pattern turns into the next.
    """

    name: str
    family: str
    short_side: float
    waves: int
    band: tuple[float, float]
    sync_share: float
    loudness: Loudness
    opening: Opening | None
    small_boost: float
    headroom: int
    block_frames: int
    fade_frames: int


BROADCAST_2: Final = Profile(
    name="broadcast-2",
    family="broadcast-2",
    short_side=360.0,
    waves=640,
    band=(0.030, 0.130),
    sync_share=0.25,
    loudness=Loudness(least_psnr_db=42.3, least_vmaf=95.0, flat_rms=0.8),
    opening=None,
    small_boost=1.8,
    headroom=1,
    block_frames=12,
    fade_frames=4,
)

BROADCAST_3: Final = replace(
    BROADCAST_2,
    name="broadcast-3",
    loudness=Loudness(least_psnr_db=42.5, least_vmaf=95.3, flat_rms=0.8),
    opening=Opening(Loudness(least_psnr_db=38.0, least_vmaf=82.0, flat_rms=1.8), frames=6),
)
