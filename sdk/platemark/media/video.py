"""The only door to FFmpeg: clips in, clips out, frame by frame.

One rule: av's types and errors stay in this file, and no function holds more than a few frames. What is read
is taken for hostile: only plain container formats, only the named file (no playlist can make us open others),
and bounds on size, length and count before anything is decoded.
"""

import contextlib
import heapq
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from platemark.clip import Size
from platemark.errors import MediaError, OutputError, RequestError
from platemark.media.destination import output_error, refuse_same_file, whole_file
from platemark.media.formats import (
    MAX_SIDE,
    NO_SEI,
    REPRODUCIBLE,
    ColorTags,
    EncodeSettings,
    VideoFacts,
    check_bounds,
    is_bt709_matrix,
)
from platemark.media.planes import fill_plane, plane_pixels
from platemark.media.yuv import RGB, Luma, YuvFrame, map_luma, to_yuv420

__all__ = [
    "RGB",
    "EncodeSettings",
    "Luma",
    "VideoFacts",
    "YuvFrame",
    "combine",
    "map_luma",
    "read_frame_times",
    "read_frames_rgb",
    "read_frames_yuv420",
    "read_luma",
    "read_tags",
    "read_video_facts",
    "remux_without_metadata",
    "to_yuv420",
    "write_video",
]

MAX_TAGS, MAX_TAG_CHARACTERS = 64, 16_384
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,flv,mxf,ogg,asf"
_READ_OPTIONS = {
    "format_whitelist": _CONTAINERS,
    "protocol_whitelist": "file",
    "max_pixels": str(MAX_SIDE * MAX_SIDE),
}
_WRITE_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}

_PLANAR = re.compile(r"(?:yuvj?a?\d{3}p|gray|nv(?:12|16|21|24))(?:(?:9|10|12|14|16)le)?")
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def read_video_facts(path: Path) -> VideoFacts:
    """Read what a video file says of itself, and make sure that its first frame decodes.

    Raises:
        MediaError: the file is missing, not video, damaged, or over a bound.
    """
    with _opened(path) as opened:
        frame = next(opened.frames(), None)
        if frame is None:
            raise MediaError(f"{path} holds no picture that can be decoded.", fix="Use an undamaged copy.")
        return opened.facts(rotation_deg=frame.rotation)


def read_frame_times(path: Path) -> tuple[int, ...]:
    """Read when each frame is shown, in the file's own unit, in order; nothing is decoded.

    Raises:
        MediaError: as `read_video_facts`.
    """
    with _opened(path) as opened:
        packets = (packet for packet in opened.container.demux(opened.video) if packet.size)
        times = (packet.dts if packet.pts is None else packet.pts for packet in packets)
        return tuple(sorted(time for time in times if time is not None))


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
    with _container(path) as container:
        tags = list(container.metadata.items())[:MAX_TAGS]
    return {str(name)[:MAX_TAG_CHARACTERS]: str(value)[:MAX_TAG_CHARACTERS] for name, value in tags}


def read_luma(path: Path, *, max_frames: int | None = None) -> Iterator[Luma]:
    """Decode only the brightness plane, exactly as the file holds it.

    Range, rotation and scale are left alone. More than 8 bits are rounded to 8. Files that hold RGB have no
    such plane; theirs is computed.

    Returns:
        uint8 (h, w) planes, in showing order.

    Raises:
        MediaError: while iterating; as `read_frames_rgb`.
    """
    for frame in _decoded(path, max_frames):
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
        even = frame.reformat(
            width,
            height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            **_source_color(frame),
        )
        y, u, v = even.planes
        yield YuvFrame(plane_pixels(y, width), plane_pixels(u, width // 2), plane_pixels(v, width // 2))


def write_video(frames: Iterable[YuvFrame], path: Path, *, settings: EncodeSettings) -> VideoFacts:
    """Encode frames as H.264 in MP4: 4:2:0, tagged BT.709 limited range, index first, flushed to disk.

    Equal frames and settings give equal bytes: no time stamps, no library names, a fixed number of threads.

    Args:
        frames: limited-range BT.709 frames, all of one size; taken one at a time.
        path: what is there is replaced; if anything fails, the frame source included, nothing is there.
        settings: rate, quality and speed.

    Raises:
        RequestError: there is no frame, or a frame has another size than the first.
        OutputError: the file cannot be written: no room, no permission, no such directory.
    """
    with whole_file(path):
        with _writing(path), _created(path) as container:
            written = _encode(container, frames, settings)
        facts = _reread(path)
        if facts.frames != written:
            raise OutputError(f"{path} should hold {written} frames and holds {facts.frames}.", fix="Check the disk.")
    return facts


def remux_without_metadata(source: Path, destination: Path) -> VideoFacts:
    """Copy picture and sound, packet by packet, into a new MP4; every manifest, tag and chapter stays behind.

    Raises:
        MediaError: the source cannot be read.
        RequestError: source and destination are one file.
        OutputError: the destination cannot be written, or MP4 cannot hold the source's streams.
    """
    refuse_same_file(source, destination)
    with _opened(source) as opened, whole_file(destination):
        sound = opened.container.streams.audio[:1]
        _copy_streams(destination, [_Source(source, opened.container, (opened.video, *sound))])
        facts = _reread(destination)
    return facts


def combine(picture: Path, sound: Path, destination: Path) -> VideoFacts:
    """Copy the picture of one file and the sound of another, packet by packet, into a new MP4.

    Raises:
        MediaError: the picture or the sound cannot be read.
        RequestError: the destination is one of the two.
        OutputError: the destination cannot be written.
    """
    refuse_same_file(picture, destination)
    refuse_same_file(sound, destination)
    with _opened(picture) as seen, _container(sound) as heard, whole_file(destination):
        if not heard.streams.audio:
            raise MediaError(f"{sound} holds no sound.", fix="Check that it is the right file.")
        sources = [
            _Source(picture, seen.container, (seen.video,)),
            _Source(sound, heard, heard.streams.audio[:1]),
        ]
        _copy_streams(destination, sources)
        facts = _reread(destination)
    return facts


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open file and its picture stream."""

    path: Path
    container: InputContainer
    video: VideoStream

    def facts(self, *, rotation_deg: int) -> VideoFacts:
        """Say what the container and the codec say."""
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
            rotation_deg=rotation_deg,
            has_audio=bool(self.container.streams.audio),
        )

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
def _opened(path: Path) -> Iterator[_Opened]:
    with _container(path) as container:
        opened = _Opened(path, container, _picture_stream(container, path))
        opened.video.thread_type = "AUTO"
        check_bounds(
            path,
            size=(opened.video.codec_context.width, opened.video.codec_context.height),
            frames=opened.video.frames,
            duration_s=_duration_s(container, opened.video),
        )
        yield opened


@contextlib.contextmanager
def _container(path: Path) -> Iterator[InputContainer]:
    if not path.is_file():
        raise MediaError(f"{path} is not a file.", fix="Check the name.")
    with (
        _reading(path),
        av.open(f"file:{path.absolute()}", "r", options=_READ_OPTIONS, metadata_errors="replace") as container,
    ):
        yield container


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except av.error.FFmpegError as error:
        raise MediaError(
            f"{path} is not readable video, or is damaged ({error.strerror}).", fix="Use an undamaged copy."
        ) from error


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


def _decoded(path: Path, max_frames: int | None) -> Iterator[VideoFrame]:
    with _opened(path) as opened:
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


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except av.error.FFmpegError as error:
        raise output_error(error.errno, path) from error


def _created(path: Path) -> OutputContainer:
    return av.open(f"file:{path.absolute()}", "w", format="mp4", container_options=_WRITE_OPTIONS)


@dataclass(frozen=True, slots=True)
class _Source:
    """Streams of an open file that are to be copied."""

    path: Path
    container: InputContainer
    streams: tuple[VideoStream | AudioStream, ...]

    def packets(self, copies: Mapping[int, Stream]) -> Iterator["Packet[Stream]"]:
        """Read the packets of these streams, each addressed to its copy."""
        with _reading(self.path):
            for packet in self.container.demux(self.streams):
                if packet.size and packet.dts is None:
                    # Matroska keeps only showing times. A guess could put frames out of order, a skip lose them.
                    raise MediaError(f"{self.path} has no decoding times to copy.", fix="Encode it anew instead.")
                if packet.size:
                    packet.stream = copies[packet.stream_index]
                    yield packet


def _copy_streams(path: Path, sources: list[_Source]) -> None:
    with _writing(path), _created(path) as container:
        copies = [{stream.index: _copy_of(stream, container) for stream in one.streams} for one in sources]
        # In order of time across the files, so that the container has nothing to hold back.
        packets = [source.packets(copy) for source, copy in zip(sources, copies, strict=True)]
        for packet in heapq.merge(*packets, key=lambda packet: (packet.dts or 0) * packet.time_base):
            container.mux(packet)


def _copy_of(stream: VideoStream | AudioStream, container: OutputContainer) -> Stream:
    try:
        return container.add_stream_from_template(stream)
    except ValueError as error:
        codec = stream.codec_context.name
        raise OutputError(f"MP4 does not hold {codec} streams.", fix="Encode it anew instead.") from error


def _encode(container: OutputContainer, frames: Iterable[YuvFrame], settings: EncodeSettings) -> int:
    stream: VideoStream | None = None
    strip: BitStreamFilterContext | None = None
    count = 0
    for count, frame in enumerate(frames, start=1):
        if stream is None or strip is None:
            stream = _h264_stream(container, frame, settings)
            container.start_encoding()
            strip = BitStreamFilterContext(NO_SEI, stream)
        _mux(container, stream, strip, _picture(frame, stream, count - 1))
    if stream is None or strip is None:
        raise RequestError("A clip has at least one frame; none came.")
    _mux(container, stream, strip, None)
    return count


def _mux(
    container: OutputContainer, stream: VideoStream, strip: BitStreamFilterContext, picture: VideoFrame | None
) -> None:
    packets = [stripped for packet in stream.encode(picture) for stripped in strip.filter(packet)]
    if picture is None:
        packets += strip.filter(None)
    for packet in packets:
        packet.stream = stream
        container.mux(packet)


def _h264_stream(container: OutputContainer, first: YuvFrame, settings: EncodeSettings) -> VideoStream:
    options = {
        "crf": str(settings.crf),
        "preset": settings.preset,
        "flags": "+bitexact",
        **REPRODUCIBLE,
        "chroma_sample_location": "left",
    }
    stream = container.add_stream("libx264", rate=settings.fps, options=options)
    height, width = first.y.shape
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / settings.fps
    context.gop_size = settings.keyframe_interval or max(1, round(2 * settings.fps))
    # H.273: 1 is BT.709 in all three tables, and limited ("tv") range.
    context.color_primaries = context.color_trc = context.colorspace = 1
    context.color_range = ColorRange.MPEG
    return stream


def _picture(frame: YuvFrame, stream: VideoStream, index: int) -> VideoFrame:
    height, width = frame.y.shape
    if (width, height) != (stream.width, stream.height):
        raise RequestError(f"All frames have one size, {stream.width}x{stream.height}; one is {width}x{height}.")
    picture = VideoFrame(width, height, "yuv420p")
    for plane, values in zip(picture.planes, (frame.y, frame.u, frame.v), strict=True):
        fill_plane(plane, values)
    picture.pts, picture.time_base = index, stream.codec_context.time_base
    return picture


def _reread(path: Path) -> VideoFacts:
    """Read back a file just written; that it cannot be read is a failure to write."""
    try:
        return read_video_facts(path)
    except MediaError as error:
        raise OutputError(f"{path} did not come out whole.", fix="Check the disk.") from error
