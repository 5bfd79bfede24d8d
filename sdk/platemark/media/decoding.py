"""Clips in, frame by frame: the reading half of the door to FFmpeg.

One rule: av's types and errors stay in this file and in `encoding`, and no function holds more than a few frames. What
is read is taken for hostile: only plain container formats, only the named file (no playlist can make us open others),
and bounds on size, length and count before anything is decoded.
"""

import contextlib
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.error
import numpy as np
from av.buffer import Buffer
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from platemark.clip import Size
from platemark.errors import MediaError
from platemark.media.formats import MAX_SIDE, MP4_CAPTIONS, SQUARE, ColorTags, VideoFacts, check_bounds, is_bt709_matrix
from platemark.media.planes import plane_pixels
from platemark.media.yuv import RGB, Luma, YuvFrame

_THREADS = 2
"""Each decoding thread holds pictures of its own: with as many as a large machine has cores, memory would follow it."""
MAX_TAGS, MAX_TAG_CHARACTERS = 64, 16_384
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,flv,mxf,ogg,asf"
_READ_OPTIONS = {
    "format_whitelist": _CONTAINERS,
    "protocol_whitelist": "file",
    "max_pixels": str(MAX_SIDE * MAX_SIDE),
}

_DISPLAY_MATRIX = "DISPLAYMATRIX"
_PLANAR = re.compile(r"(?:yuvj?a?\d{3}p|gray|nv(?:12|16|21|24))(?:(?:9|10|12|14|16)le)?")
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def read_video_facts(path: Path) -> VideoFacts:
    """Read what a video file says of itself, and make sure that its first frame decodes.

    Raises:
        MediaError: the file is missing, not video, damaged, or over a bound.
    """
    with open_clip(path) as opened:
        frame = next(opened.frames(), None)
        if frame is None:
            raise MediaError(f"{path} holds no picture that can be decoded.", fix="Use an undamaged copy.")
        return opened.facts(frame)


def read_frame_times(path: Path) -> tuple[int, ...]:
    """Read when each frame is shown, in the file's own unit, in order; nothing is decoded.

    Raises:
        MediaError: as `read_video_facts`.
    """
    with open_clip(path) as opened:
        packets = (packet for packet in opened.container.demux(opened.video) if packet.size)
        times = (packet.dts if packet.pts is None else packet.pts for packet in packets)
        return tuple(sorted(time for time in times if time is not None))


def read_start_s(path: Path) -> float:
    """Read when a clip's first frame is shown, in seconds by the file's own clock.

    Raises:
        MediaError: as `read_video_facts`.
    """
    with open_clip(path) as opened:
        start, unit = opened.video.start_time, opened.video.time_base
        return float(start * unit) if start is not None and unit is not None else 0.0


def read_frames_rgb(path: Path, *, max_frames: int | None = None) -> Iterator[RGB]:
    """Decode a clip to RGB, by the file's own colour tags; rotation is not applied.

    Returns:
        uint8 (h, w, 3) pictures, in showing order.

    Raises:
        MediaError: while iterating; as `read_video_facts`, or the file ends or breaks part-way.
    """
    for frame in _decoded(path, max_frames):
        rgb = frame.reformat(format="rgb24", dst_color_range=ColorRange.JPEG, **_source_color(frame))
        yield plane_pixels(rgb.planes[0], rgb.width * 3).reshape(rgb.height, rgb.width, 3)


def read_tags(path: Path) -> dict[str, str]:
    """Give the text tags of a clip's container (title, encoder, AIGC …), as written there, the first 64 of them.

    Raises:
        MediaError: the file is not a readable clip.
    """
    with open_container(path) as container:
        tags = list(container.metadata.items())[:MAX_TAGS]
    return {str(name)[:MAX_TAG_CHARACTERS]: str(value)[:MAX_TAG_CHARACTERS] for name, value in tags}


def read_luma(path: Path, *, max_frames: int | None = None, threads: int = _THREADS) -> Iterator[Luma]:
    """Decode only the brightness plane, exactly as the file holds it.

    Range, rotation and scale are left alone. More than 8 bits are rounded to 8. Files that hold RGB have no
    such plane; theirs is computed.

    Args:
        path: the clip.
        max_frames: stop after so many.
        threads: how many decode it; the allocator keeps what each took, for as long as the process lives.

    Returns:
        uint8 (h, w) planes, in showing order.

    Raises:
        MediaError: while iterating; as `read_frames_rgb`.
    """
    for frame in _decoded(path, max_frames, threads=threads):
        yield _luma(frame)


def read_frames_yuv420(path: Path, *, size: Size | None = None) -> Iterator[YuvFrame]:
    """Decode to 4:2:0, limited range, BT.709; planes that are so already come through untouched.

    Args:
        path: the clip.
        size: scale to this; none keeps the clip's own, rounded down to even sides.

    Raises:
        MediaError: while iterating; as `read_frames_rgb`.
    """
    for frame in _decoded(path, None):
        width, height = (size.width, size.height) if size else (frame.width & ~1, frame.height & ~1)
        color = {**_source_color(frame), "dst_colorspace": Colorspace.ITU709}
        yield _yuv420(frame, width, height, color)


def read_frames_as_coded(path: Path) -> Iterator[YuvFrame]:
    """Decode to 4:2:0, limited range, in the colours the file is coded in: its own matrix, whatever that is.

    One thread decodes: it is there for long clips, and what encodes them beside it has threads of its own.

    Raises:
        MediaError: while iterating; as `read_frames_rgb`.
    """
    for frame in _decoded(path, None, threads=1):
        color = _source_color(frame)
        yield _yuv420(frame, frame.width & ~1, frame.height & ~1, {**color, "dst_colorspace": color["src_colorspace"]})


def _yuv420(frame: VideoFrame, width: int, height: int, color: dict[str, int]) -> YuvFrame:
    return yuv_planes(frame.reformat(width, height, "yuv420p", dst_color_range=ColorRange.MPEG, **color))


def yuv_planes(frame: VideoFrame) -> YuvFrame:
    """Copy the three planes of a decoded 8-bit 4:2:0 frame with even sides."""
    (y, u, v), width = frame.planes, frame.width
    return YuvFrame(plane_pixels(y, width), plane_pixels(u, width // 2), plane_pixels(v, width // 2))


@dataclass(frozen=True, slots=True)
class OpenClip:
    """An open file and its picture stream."""

    path: Path
    container: InputContainer
    video: VideoStream

    def facts(self, first: VideoFrame) -> VideoFacts:
        """Say what the container and the codec say, and what comes with the first frame."""
        stream, context = self.video, self.video.codec_context
        fps = stream.average_rate or stream.guessed_rate
        if not fps:
            raise MediaError(f"{self.path} does not say how many frames it shows a second.")
        return VideoFacts(
            codec=context.codec.canonical_name,
            width=context.width,
            height=context.height,
            fps=fps,
            frames=stream.frames or None,
            duration_s=_duration_s(self.container, stream),
            pixel_format=context.pix_fmt or "unknown",
            color=ColorTags.from_codes(
                context.color_primaries,
                context.color_trc,
                matrix=context.colorspace,
                color_range=context.color_range,
            ),
            rotation_deg=first.rotation,
            has_audio=bool(self.container.streams.audio),
            pixel_aspect=Fraction(stream.sample_aspect_ratio or SQUARE),
            interlaced=bool(first.interlaced_frame),
            mirrored=_is_mirrored(first),
            captions=sum(is_mp4_captions(each) for each in self.container.streams.subtitles),
            left_out=tuple(_describe(each) for each in self.container.streams if self._stays_behind(each)),
        )

    def _stays_behind(self, stream: Stream) -> bool:
        return stream is not self.video and stream.type != "audio" and not is_mp4_captions(stream)

    def frames(self) -> Iterator[VideoFrame]:
        """Decode every frame; a file that promises more than it holds is an error where it ends."""
        size, decoded, packets = None, 0, 0
        for packet in self.container.demux(self.video):
            packets += packet.size > 0
            if packet.is_corrupt and self.video.frames:
                raise self._cut_short()
            for frame in self._decode(packet, lenient=not decoded):
                size = size or (frame.width, frame.height)
                decoded += 1
                self._check_frame(frame, size, decoded)
                yield frame
        if decoded == 0 or packets < len(self.video.index_entries):
            raise self._cut_short()

    def _decode(self, packet: "Packet[VideoStream]", *, lenient: bool) -> list[VideoFrame]:
        try:
            return self.video.decode(packet)
        except av.error.InvalidDataError:
            # A recording of a broadcast starts anywhere; what comes before its first picture is skipped. A
            # file with a list of its frames has no such excuse.
            if lenient and not self.video.frames:
                return []
            raise

    def _cut_short(self) -> MediaError:
        return MediaError(f"{self.path} ends before its last frame.", fix="Fetch the whole file again.")

    def _check_frame(self, frame: VideoFrame, size: tuple[int, int], decoded: int) -> None:
        if (frame.width, frame.height) != size:
            raise MediaError(f"{self.path} should keep one size, {size[0]}x{size[1]}; frame {decoded} has another.")
        check_bounds(self.path, size=size, frames=decoded)


@contextlib.contextmanager
def open_clip(path: Path, *, threads: int = 1) -> Iterator[OpenClip]:
    """Open a clip and its first picture stream, within bounds.

    Args:
        path: the clip.
        threads: how many decode it.

    Raises:
        MediaError: the file is missing, not video, or over a bound.
    """
    with open_container(path) as container:
        opened = OpenClip(path, container, _picture_stream(container, path))
        opened.video.thread_type = "AUTO"
        opened.video.codec_context.thread_count = threads
        check_bounds(
            path,
            size=(opened.video.codec_context.width, opened.video.codec_context.height),
            frames=opened.video.frames,
            duration_s=_duration_s(container, opened.video),
        )
        yield opened


@contextlib.contextmanager
def open_container(path: Path) -> Iterator[InputContainer]:
    """Open a media file of a plain kind, and nothing that it points to.

    Raises:
        MediaError: the file is missing, or not media.
    """
    if not path.is_file():
        raise MediaError(f"{path} is not a file.", fix="Check the name.")
    with (
        reading(path),
        av.open(f"file:{path.absolute()}", "r", options=_READ_OPTIONS, metadata_errors="replace") as container,
    ):
        yield container


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say of a file that it is damaged where the library says so.

    Raises:
        MediaError: the library met an error inside the block.
    """
    try:
        yield
    except av.error.FFmpegError as error:
        raise MediaError(
            f"{path} is not readable video, or is damaged ({error.strerror}).", fix="Use an undamaged copy."
        ) from error


def is_mp4_captions(stream: Stream) -> bool:
    """Say whether a stream is subtitles of the kind that MP4 holds."""
    return isinstance(stream, SubtitleStream) and stream.codec_context.name == MP4_CAPTIONS


def _describe(stream: Stream) -> str:
    context = stream.codec_context
    kind = "cover" if stream.disposition & stream.disposition.attached_pic else stream.type
    return kind if context is None else f"{kind} ({context.name})"


def _is_mirrored(frame: VideoFrame) -> bool:
    """Say whether the display matrix turns the picture's inside out: its determinant is below zero.

    Source: ISO/IEC 14496-12, 8.3.2.3; FFmpeg hands the nine 32-bit numbers over as they are in memory.
    """
    # The library's own types tell of motion vectors only.
    given = cast("Mapping[str, Buffer]", frame.side_data)
    if _DISPLAY_MATRIX not in given:
        return False
    a, b, _, c, d, *_ = struct.unpack_from("=9i", memoryview(given[_DISPLAY_MATRIX]))
    return bool(a * d - b * c < 0)


def _picture_stream(container: InputContainer, path: Path) -> VideoStream:
    for stream in container.streams.video:
        # A sound file's cover picture is a video stream to FFmpeg, and not to us.
        if not stream.disposition & stream.disposition.attached_pic and stream.codec_context is not None:
            return stream
    raise MediaError(f"{path} holds no video that can be decoded.", fix="Check that it is a video file.")


def _duration_s(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _decoded(path: Path, max_frames: int | None, *, threads: int = _THREADS) -> Iterator[VideoFrame]:
    with open_clip(path, threads=threads) as opened:
        for index, frame in enumerate(opened.frames()):
            if index == max_frames:
                return
            yield frame


def _source_color(frame: VideoFrame) -> dict[str, int]:
    tags = ColorTags.from_codes(
        frame.color_primaries, frame.color_trc, matrix=frame.colorspace, color_range=frame.color_range
    )
    if tags.matrix.startswith("bt2020"):
        matrix = Colorspace.BT2020
    else:
        is_bt709 = is_bt709_matrix(tags.matrix, height=frame.height)
        matrix = Colorspace.ITU709 if is_bt709 else Colorspace.ITU601
    full = tags.range == "pc" or "yuvj" in frame.format.name or frame.format.is_rgb
    return {
        "src_colorspace": matrix,
        "src_color_range": ColorRange.JPEG if full else ColorRange.MPEG,
        "interpolation": _EXACT,
        "threads": 1,
    }


def _luma(frame: VideoFrame) -> Luma:
    if not _PLANAR.fullmatch(frame.format.name):
        color = _source_color(frame)
        matrix, spread = color["src_colorspace"], color["src_color_range"]
        if frame.format.is_rgb:
            matrix, spread = Colorspace.ITU709, ColorRange.MPEG
        frame = frame.reformat(format="yuv444p", dst_colorspace=matrix, dst_color_range=spread, **color)
    bits = frame.format.components[0].bits
    if bits == 8:
        return plane_pixels(frame.planes[0], frame.width)
    wide = plane_pixels(frame.planes[0], frame.width * 2).view("<u2").astype(np.uint32)
    rounded: Luma = np.minimum((wide + (1 << (bits - 9))) >> (bits - 8), 255).astype(np.uint8)
    return rounded
