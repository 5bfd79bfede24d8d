"""The forms a clip can come in to be stamped: kept as it is, brought to standard colours if asked to, or refused.

One rule: people see in the stamped clip what they saw in the one that came, or the caller was told what changes.
"""

from dataclasses import dataclass

from platemark.errors import MediaError
from platemark.making.material import SourceFile
from platemark.media.edit_lists import is_simple, read_edit_lists
from platemark.media.formats import VideoFacts
from platemark.media.tone_decoding import read_peak
from platemark.media.tone_mapping import OPERATOR, TARGET_PEAK, Transfer, WideForm
from platemark.media.video import read_start_s, read_video_facts

_TRANSFERS: dict[str, Transfer] = {"smpte2084": "pq", "arib-std-b67": "hlg"}
"""PQ and HLG. Source: ITU-R BT.2100-2."""
_EIGHT_BITS = ("yuv420p", "yuvj420p", "nv12", "nv21", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a picture becomes an 8-bit one in standard colours.

    Attributes:
        came_as: what it was, in one line.
        wide: how its colours are coded; none where they are standard and only bits are rounded away.
    """

    came_as: str
    wide: WideForm | None

    @property
    def line(self) -> str:
        """Say what is done, for the log, the manifest and the caller."""
        if self.wide is None:
            return f"{self.came_as} rounded to 8 bits"
        if self.wide.transfer == "sdr":
            return f"{self.came_as} to BT.709 by BT.2087"
        return f"{self.came_as}, {self.wide.peak:g} to {TARGET_PEAK:g} cd/m2 by {OPERATOR}, to BT.709 by BT.2087"


def find_conversion(file: SourceFile, facts: VideoFacts) -> Conversion | None:
    """Say how a clip's picture would be brought to standard colours; none where it has them.

    Raises:
        MediaError: its colours are coded in a way that nothing here reads.
    """
    color = facts.color
    transfer = _TRANSFERS.get(color.transfer)
    if transfer is None and color.primaries != "bt2020":
        deep = facts.pixel_format not in _EIGHT_BITS
        return Conversion(f"{facts.pixel_format} video", None) if deep else None
    if color.primaries not in ("bt2020", "unknown") or color.matrix not in ("bt2020nc", "unknown"):
        raise MediaError(
            f"{file.path} is wide video in a mixture that is not read ({color.primaries}, {color.transfer}, "
            f"{color.matrix}).",
            fix="Bring it to BT.2100 or BT.709 first.",
        )
    coded = f"video (BT.2020, {color.transfer}, {facts.pixel_format})"
    if transfer is None:
        return Conversion(f"wide-gamut {coded}", WideForm("sdr"))
    return Conversion(f"HDR {coded}", WideForm(transfer, read_peak(file.path)))


def check_form(file: SourceFile, *, convert: bool) -> Conversion | None:
    """Refuse what would come out other than it is shown, and say how what has more colours would be brought down.

    Args:
        file: the clip.
        convert: whether that was asked for.

    Raises:
        MediaError: the clip would have to be converted first; the fix says how.
    """
    facts = read_video_facts(file.path)
    conversion = find_conversion(file, facts)
    if conversion is not None and not convert:
        raise MediaError(
            f"{file.path} is {conversion.came_as}; nothing is mapped or rounded to 8-bit standard colours in silence.",
            fix="Ask for it with --tonemap, and look at the result.",
        )
    _check_shape(file, facts)
    if not all(is_simple(edits) for edits in read_edit_lists(file.path)):
        raise MediaError(
            f"{file.path} has an edit list that cuts or slows its material; sound and picture could part.",
            fix="Write it out as it is shown: ffmpeg -i IN -c:v libx264 -crf 14 -c:a aac OUT.mp4",
        )
    start_s = read_start_s(file.path)
    if file.has_audio and abs(start_s) * file.fps > 1:
        raise MediaError(
            f"The picture of {file.path} starts {start_s:.3f} s into the file; its sound would get out of step.",
            fix="Let it start at zero first: ffmpeg -ss 0 -i IN -c:a copy OUT.mp4",
        )
    return conversion


def _check_shape(file: SourceFile, facts: VideoFacts) -> None:
    """Refuse pictures on which a label would not be read as it was drawn."""
    if facts.interlaced:
        raise MediaError(
            f"{file.path} is interlaced: each frame holds two moments, which a label and a mark would mix up.",
            fix="Take it apart first: ffmpeg -i IN -vf bwdif -c:v libx264 -crf 14 -c:a copy OUT.mp4",
        )
    if facts.mirrored:
        raise MediaError(
            f"{file.path} is to be shown as in a mirror; its label could not be read.",
            fix="Store it as it is shown: ffmpeg -i IN -c:v libx264 -crf 14 -c:a copy OUT.mp4",
        )
    if min(float(file.width * file.pixel_aspect), file.height) > min(file.width, file.height):
        raise MediaError(
            f"{file.path} is stretched when it is shown (pixels {file.pixel_aspect}); its label would be too small.",
            fix="Scale it first: ffmpeg -i IN -vf scale=iw*sar:ih,setsar=1 -c:v libx264 -crf 14 -c:a copy OUT.mp4",
        )
