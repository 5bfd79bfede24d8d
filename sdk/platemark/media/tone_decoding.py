"""Clips with wide colours in, as standard ones: the third file behind the door to FFmpeg.

One rule: the table is made here from `tone_mapping`, and FFmpeg only reads it; nothing of its own mapping is used.
"""

import struct
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from av.buffer import Buffer
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from platemark.errors import MediaError
from platemark.media.decoding import open_clip, yuv_planes
from platemark.media.tone_mapping import LEAST_PEAK, MOST_PEAK, USUAL_PEAK, WideForm, make_table
from platemark.media.yuv import YuvFrame

_SCALE = "flags=accurate_rnd+full_chroma_int+full_chroma_inp+bicubic"
_MASTERING = "MASTERING_DISPLAY_METADATA"
_MASTERING_FORM = struct.Struct("=16i4iii")
"""Ten ratios (three primaries and white as x and y, least and most light), then what is known. Source: FFmpeg,
libavutil/mastering_display_metadata.h."""


def read_frames_as_standard(path: Path, form: WideForm) -> Iterator[YuvFrame]:
    """Decode a clip with BT.2020 colours to 8-bit limited-range BT.709, 4:2:0.

    Raises:
        MediaError: while iterating; the file is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="platemark-") as folder, open_clip(path, threads=1) as opened:
        table = Path(folder) / "table.cube"
        table.write_text(make_table(form), encoding="ascii")
        graph = _graph(opened.video, table)
        for frame in opened.frames():
            graph.push(frame)
            yield yuv_planes(cast(VideoFrame, graph.pull()))


def read_peak(path: Path) -> float:
    """Give the peak in cd/m² of the display that a clip was mastered on; 1,000 where it does not say.

    Raises:
        MediaError: the file is not a readable clip, or states a peak that no display has.
    """
    with open_clip(path) as opened:
        frame = next(opened.frames(), None)
        if frame is None:
            raise MediaError(f"{path} holds no picture that can be decoded.", fix="Use an undamaged copy.")
        # The library's own types tell of motion vectors only.
        given = cast("Mapping[str, Buffer]", frame.side_data)
        if _MASTERING not in given:
            return USUAL_PEAK
        values: tuple[int, ...] = _MASTERING_FORM.unpack_from(memoryview(given[_MASTERING]))
    numerator, denominator, is_known = values[18], values[19], values[21]
    if not is_known or denominator <= 0:
        return USUAL_PEAK
    peak: float = numerator / denominator
    if not LEAST_PEAK <= peak <= MOST_PEAK:
        raise MediaError(
            f"{path} says it was mastered at {peak:g} cd/m²; from {LEAST_PEAK:g} to {MOST_PEAK:g} are believed.",
            fix="Correct its mastering metadata, or map it to standard colours first.",
        )
    return peak


def _graph(stream: VideoStream, table: Path) -> Graph:
    graph = Graph()
    nodes = [
        graph.add_buffer(template=stream),
        graph.add("scale", f"in_color_matrix=bt2020:out_range=pc:{_SCALE}"),
        graph.add("format", "gbrp12le"),
        graph.add("lut3d", file=str(table), interp="tetrahedral"),
        graph.add("setparams", "color_primaries=bt709:color_trc=bt709:colorspace=gbr:range=pc"),
        graph.add("scale", f"out_color_matrix=bt709:out_range=tv:{_SCALE}"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes)
    graph.configure()
    return graph
