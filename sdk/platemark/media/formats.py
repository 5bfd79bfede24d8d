"""What a video file can be said to be: its facts in ffprobe's words, its colour tags, how one is encoded.

One rule: tables and plain values; no input or output, no video library. Colour numbers are ITU-T H.273's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from platemark.errors import MediaError, RequestError

UNKNOWN = "unknown"
SQUARE = Fraction(1)
"""The shape of a pixel, width over height, where nothing is said."""
MP4_CAPTIONS = "mov_text"
"""The kind of subtitles that MP4 holds. Source: 3GPP TS 26.245, timed text."""

MAX_SIDE = 8192
MAX_FRAMES = 1_000_000
MAX_DURATION_S = 12 * 3600.0
"""Bounds on what is read: beyond 8K, eleven hours at 24 frames a second, or half a day, a file is refused."""

_PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
_TRANSFERS = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
_MATRICES = {
    0: "gbr",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    14: "ictcp",
}
_RANGES = {1: "tv", 2: "pc"}

_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")

# A fixed number of threads, since x264's output depends on it and must not depend on the machine's core count.
# Without cpu-independent, equal input gave unequal bytes in about half of the runs here, with one thread as with four
# (x264 core 165, measured November 2026: macroblock-tree rate control with approximate vector arithmetic).
_THREADS, _FRUGAL_THREADS = 4, 2
_CPU_INDEPENDENT = "cpu-independent=1"
_MAX_PIXEL_ASPECT = 16
_MAX_LOOKAHEAD = 250
"""Source: x264, X264_LOOKAHEAD_MAX."""
NO_SEI = "filter_units=remove_types=6"
"""x264 writes its version and options into a type 6 unit (H.264, 7.4.1: SEI); nothing else of ours is one."""

HD_LINES = 720
"""Untagged files with at least as many lines are taken for BT.709, smaller ones for BT.601, as players do."""


@dataclass(frozen=True, slots=True)
class ColorTags:
    """How a file says its colours are coded; each word is ffprobe's, `unknown` where the file is silent."""

    primaries: str = UNKNOWN
    transfer: str = UNKNOWN
    matrix: str = UNKNOWN
    range: str = UNKNOWN

    @classmethod
    def from_codes(cls, primaries: int, transfer: int, *, matrix: int, color_range: int) -> "ColorTags":
        """Read the four H.273 numbers; a number without a name is `unknown`.

        Source: ITU-T H.273, tables 2, 3 and 4.
        """
        return cls(
            _PRIMARIES.get(primaries, UNKNOWN),
            _TRANSFERS.get(transfer, UNKNOWN),
            _MATRICES.get(matrix, UNKNOWN),
            _RANGES.get(color_range, UNKNOWN),
        )

    def codes(self) -> tuple[int, int, int, int]:
        """Give the four H.273 numbers (primaries, transfer, matrix, range) that `from_codes` reads; 2 is unknown."""
        return (
            _code_of(self.primaries, _PRIMARIES),
            _code_of(self.transfer, _TRANSFERS),
            _code_of(self.matrix, _MATRICES),
            next((code for code, name in _RANGES.items() if name == self.range), 0),
        )


def _code_of(word: str, table: Mapping[int, str]) -> int:
    return next((code for code, name in table.items() if name == word), 2)


BT709_LIMITED = ColorTags("bt709", "bt709", "bt709", "tv")
"""What every clip made here is tagged with."""


def is_bt709_matrix(matrix: str, *, height: int) -> bool:
    """Say whether brightness was made with BT.709's weights; a silent file is judged by its height."""
    return height >= HD_LINES if matrix == UNKNOWN else matrix == "bt709"


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a file says of its picture, in ffprobe's words.

    `frames` is none where the container does not count them. `rotation_deg` is what a player turns the
    picture by, counter-clockwise, to show it upright; no reader here applies it. `mirrored` says that a player is told
    to show it as in a mirror. `pixel_aspect` is how much wider than high a pixel is shown. `captions` counts the
    subtitle tracks that MP4 can hold; `left_out` names whatever is beside picture, sound and those.
    """

    codec: str
    width: int
    height: int
    fps: Fraction
    frames: int | None
    duration_s: float
    pixel_format: str
    color: ColorTags
    rotation_deg: int
    has_audio: bool
    pixel_aspect: Fraction = SQUARE
    interlaced: bool = False
    mirrored: bool = False
    captions: int = 0
    left_out: tuple[str, ...] = ()


def is_steady(times: Sequence[int]) -> bool:
    """Say whether frames that should be equally far apart in time are, each within one step of its place.

    Args:
        times: of all frames, in any unit, in order.
    """
    if len(times) < 3:
        return True
    step = Fraction(times[-1] - times[0], len(times) - 1)
    return all(abs(time - times[0] - index * step) <= step for index, time in enumerate(times))


@dataclass(frozen=True, slots=True)
class EncodeSettings:
    """How a clip is encoded.

    Args:
        fps: frames a second, exact (30000/1001, not 29.97).
        crf: x264's constant rate factor, 1 (best) to 51.
        preset: x264's speed preset.
        keyframe_interval: the most frames between two key frames; none means two seconds.
        lookahead: how many frames the encoder may look ahead, and with a number it holds few others either; none means
            as many as the preset says. At 1080p medium's 40 take 380 MiB, 5 with the preset faster 130.
        color: what the clip is tagged with; nothing is converted.
        pixel_aspect: how much wider than high a pixel is to be shown.

    Raises:
        RequestError: a value is out of its range.
    """

    fps: Fraction
    crf: int = 18
    preset: str = "medium"
    keyframe_interval: int | None = None
    lookahead: int | None = None
    color: ColorTags = BT709_LIMITED
    pixel_aspect: Fraction = SQUARE

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 240:
            raise RequestError(f"A frame rate lies between 0 and 240; got {self.fps}.")
        if not 1 <= self.crf <= 51:
            raise RequestError(f"A CRF is a number from 1 to 51; got {self.crf}.")
        if self.preset not in _PRESETS:
            raise RequestError(f"Unknown preset {self.preset[:20]!r}.", fix=f"One of {', '.join(_PRESETS)}.")
        if self.keyframe_interval is not None and self.keyframe_interval < 1:
            raise RequestError(f"A key frame interval is at least 1 frame; got {self.keyframe_interval}.")
        if not 0 < self.pixel_aspect <= _MAX_PIXEL_ASPECT:
            raise RequestError(
                f"A pixel is at most {_MAX_PIXEL_ASPECT} times as wide as high; got {self.pixel_aspect}."
            )
        if self.lookahead is not None and not 1 <= self.lookahead <= _MAX_LOOKAHEAD:
            raise RequestError(f"The encoder looks 1 to {_MAX_LOOKAHEAD} frames ahead; got {self.lookahead}.")

    @property
    def x264_options(self) -> dict[str, str]:
        """Give what x264 is told beside its preset, in its own words."""
        if self.lookahead is None:
            return {"threads": str(_THREADS), "x264-params": _CPU_INDEPENDENT}
        frugal = f"{_CPU_INDEPENDENT}:rc-lookahead={self.lookahead}:bframes=2:b-pyramid=none"
        return {"threads": str(_FRUGAL_THREADS), "x264-params": frugal}


def check_bounds(path: Path, *, size: tuple[int, int], frames: int = 0, duration_s: float = 0.0) -> None:
    """Refuse a clip that could exhaust the machine.

    Args:
        path: named in the error.
        size: width and height in pixels.
        frames: how many it says or turned out to have.
        duration_s: how long it says it lasts.

    Raises:
        MediaError: it is too large, has too many frames, or is too long.
    """
    if max(size) > MAX_SIDE:
        raise MediaError(f"{path} is {size[0]}x{size[1]}; at most {MAX_SIDE} pixels a side.", fix="Scale it down.")
    if frames > MAX_FRAMES:
        raise MediaError(f"{path} has {frames} frames or more; at most {MAX_FRAMES}.", fix="Cut it into parts.")
    if duration_s > MAX_DURATION_S:
        raise MediaError(f"{path} lasts {duration_s:.0f} s; at most {MAX_DURATION_S:.0f} s.", fix="Cut it into parts.")
