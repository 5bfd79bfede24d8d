"""Clips out, frame by frame: the writing half of the door to FFmpeg.

One rule: what is written is whole, flushed and read back, or it is gone; equal frames give equal bytes.
"""

import contextlib
import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from platemark.errors import MediaError, OutputError, RequestError
from platemark.media.decoding import (
    is_mp4_captions,
    open_clip,
    open_container,
    read_tags,
    read_video_facts,
    reading,
)
from platemark.media.destination import output_error, refuse_same_file, whole_file
from platemark.media.formats import NO_SEI, EncodeSettings, VideoFacts
from platemark.media.planes import fill_plane
from platemark.media.yuv import YuvFrame

_WRITE_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}


def write_video(frames: Iterable[YuvFrame], path: Path, *, settings: EncodeSettings) -> VideoFacts:
    """Encode frames as H.264 in MP4: 4:2:0, tagged as the settings say, index first, flushed to disk.

    Equal frames and settings give equal bytes: no time stamps, no library names, a fixed number of threads.

    Args:
        frames: limited-range frames, all of one size; taken one at a time.
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
    with open_clip(source) as opened, whole_file(destination):
        sound = opened.container.streams.audio[:1]
        _copy_streams(destination, [_Source(source, opened.container, (opened.video, *sound))])
        facts = _reread(destination)
    return facts


def remux_with_tags(source: Path, destination: Path, tags: Mapping[str, str]) -> VideoFacts:
    """Copy picture, sound and timed text, packet by packet, into a new MP4 with these tags and no others.

    Args:
        source: a clip.
        destination: what is there is replaced.
        tags: text by name; names of one's own are kept as they are (`movflags=use_metadata_tags`).

    Raises:
        MediaError: the source cannot be read.
        RequestError: source and destination are one file.
        OutputError: the destination cannot be written, or a tag did not get there.
    """
    refuse_same_file(source, destination)
    with open_clip(source) as opened, whole_file(destination):
        beside = _beside_picture(opened.container)
        _copy_streams(destination, [_Source(source, opened.container, (opened.video, *beside))], tags)
        facts = _reread(destination)
        written = read_tags(destination)
        missing = [name for name, value in tags.items() if written.get(name) != value]
        if missing:
            raise OutputError(f"{destination.name} should carry the tag {missing[0]!r} and does not.")
    return facts


def combine(picture: Path, sound: Path, destination: Path) -> VideoFacts:
    """Copy the picture of one file, and all sound and timed text of another, packet by packet, into a new MP4.

    Raises:
        MediaError: the picture or the sound cannot be read, or there is neither sound nor text.
        RequestError: the destination is one of the two.
        OutputError: the destination cannot be written.
    """
    refuse_same_file(picture, destination)
    refuse_same_file(sound, destination)
    with open_clip(picture) as seen, open_container(sound) as heard, whole_file(destination):
        beside = _beside_picture(heard)
        if not beside:
            raise MediaError(f"{sound} holds no sound.", fix="Check that it is the right file.")
        sources = [
            _Source(picture, seen.container, (seen.video,)),
            _Source(sound, heard, beside),
        ]
        _copy_streams(destination, sources)
        facts = _reread(destination)
    return facts


def _beside_picture(container: InputContainer) -> "tuple[AudioStream | SubtitleStream, ...]":
    captions = (each for each in container.streams.subtitles if is_mp4_captions(each))
    return (*container.streams.audio, *captions)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except av.error.FFmpegError as error:
        raise output_error(error.errno, path) from error


def _created(path: Path, tags: Mapping[str, str] | None = None) -> OutputContainer:
    # FFmpeg drops tags that it has no name for, unless told to keep them.
    options = {**_WRITE_OPTIONS, "movflags": "+faststart+use_metadata_tags"} if tags else _WRITE_OPTIONS
    container = av.open(f"file:{path.absolute()}", "w", format="mp4", container_options=options)
    container.metadata.update(tags or {})
    return container


@dataclass(frozen=True, slots=True)
class _Source:
    """Streams of an open file that are to be copied."""

    path: Path
    container: InputContainer
    streams: tuple[VideoStream | AudioStream | SubtitleStream, ...]

    def packets(self, copies: Mapping[int, Stream]) -> Iterator["Packet[Stream]"]:
        """Read the packets of these streams, each addressed to its copy."""
        with reading(self.path):
            for packet in self.container.demux(self.streams):
                if packet.size and packet.dts is None:
                    # Matroska keeps only showing times. A guess could put frames out of order, a skip lose them.
                    raise MediaError(f"{self.path} has no decoding times to copy.", fix="Encode it anew instead.")
                if packet.size:
                    packet.stream = copies[packet.stream_index]
                    yield packet


def _copy_streams(path: Path, sources: list[_Source], tags: Mapping[str, str] | None = None) -> None:
    with _writing(path), _created(path, tags) as container:
        copies = [{stream.index: _copy_of(stream, container) for stream in one.streams} for one in sources]
        # In order of time across the files, so that the container has nothing to hold back.
        packets = [source.packets(copy) for source, copy in zip(sources, copies, strict=True)]
        for packet in heapq.merge(*packets, key=lambda packet: (packet.dts or 0) * packet.time_base):
            container.mux(packet)


def _copy_of(stream: VideoStream | AudioStream | SubtitleStream, container: OutputContainer) -> Stream:
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
        **settings.x264_options,
        "chroma_sample_location": "left",
    }
    stream = container.add_stream("libx264", rate=settings.fps, options=options)
    height, width = first.y.shape
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / settings.fps
    context.gop_size = settings.keyframe_interval or max(1, round(2 * settings.fps))
    codes = settings.color.codes()
    context.color_primaries, context.color_trc, context.colorspace, context.color_range = codes
    context.sample_aspect_ratio = settings.pixel_aspect
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
