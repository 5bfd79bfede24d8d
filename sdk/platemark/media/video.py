"""The only door to FFmpeg: clips in (`decoding`), clips out (`encoding`), frame by frame.

One rule: everybody else imports from here; av's types and errors stay in the two files behind it.
"""

from platemark.media.decoding import (
    read_frame_times,
    read_frames_as_coded,
    read_frames_rgb,
    read_frames_yuv420,
    read_luma,
    read_start_s,
    read_tags,
    read_video_facts,
)
from platemark.media.encoding import combine, remux_with_tags, remux_without_metadata, write_video
from platemark.media.formats import EncodeSettings, VideoFacts
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
    "read_frames_as_coded",
    "read_frames_rgb",
    "read_frames_yuv420",
    "read_luma",
    "read_start_s",
    "read_tags",
    "read_video_facts",
    "remux_with_tags",
    "remux_without_metadata",
    "to_yuv420",
    "write_video",
]
