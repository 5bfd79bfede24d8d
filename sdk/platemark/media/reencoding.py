"""A clip encoded again, as a sharing site would do it: how copies without their manifest are made for tests and tours.

One rule: the picture alone goes through; what it carries besides is lost, as it is out there.
"""

from pathlib import Path

from platemark.clip import Size
from platemark.media.destination import refuse_same_file
from platemark.media.video import EncodeSettings, VideoFacts, read_frames_yuv420, read_video_facts, write_video


def reencode(source: Path, destination: Path, *, crf: int = 28, size: Size | None = None) -> VideoFacts:
    """Decode a clip and encode it again, as a sharing site would; sound, tags and rotation are lost.

    Raises:
        MediaError: the source cannot be read.
        RequestError: source and destination are one file, or `crf` is out of range.
        OutputError: the destination cannot be written.
    """
    refuse_same_file(source, destination)
    settings = EncodeSettings(fps=read_video_facts(source).fps, crf=crf)
    return write_video(read_frames_yuv420(source, size=size), destination, settings=settings)
