"""Made-up pictures and clips for the media tests: small, moving, the same on every run."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.video.stream import VideoStream

from platemark.media.video import EncodeSettings, YuvFrame, to_yuv420, write_video

RGB = npt.NDArray[np.uint8]
Pictures = Callable[..., Iterator[RGB]]


def _pictures(count: int, *, width: int = 192, height: int = 128) -> Iterator[RGB]:
    """Soft coloured waves that travel to the right, two pixels a frame."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    for index in range(count):
        along = (x - 2 * index) / 17
        waves = [np.sin(along + y / 23), np.sin(along / 2 - y / 31), np.cos(along / 3 + y / 41)]
        yield (127.5 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


@pytest.fixture(scope="session")
def pictures() -> Pictures:
    return _pictures


@pytest.fixture(scope="session")
def yuv_frames() -> Callable[..., Iterator[YuvFrame]]:
    def frames(count: int, *, width: int = 192, height: int = 128) -> Iterator[YuvFrame]:
        return (to_yuv420(picture) for picture in _pictures(count, width=width, height=height))

    return frames


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty frames at 24 a second, 192x128, written by our own encoder. Read only."""
    path = tmp_path_factory.mktemp("clips") / "waves.mp4"
    frames = (to_yuv420(picture) for picture in _pictures(20))
    write_video(frames, path, settings=EncodeSettings(Fraction(24)))
    return path


@pytest.fixture(scope="session")
def clip_with_sound(clip: Path) -> Path:
    """The same clip with a tone, as AAC. Read only."""
    path = clip.with_name("tone.mp4")
    tone = (np.sin(np.arange(48_000 * 20 // 24) / 20) * 8000).astype(np.int16)
    with av.open(str(clip), "r") as source, av.open(str(path), "w") as container:
        picture = container.add_stream_from_template(source.streams.video[0])
        sound = container.add_stream("aac", rate=48_000)
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = picture
                container.mux(packet)
        for start in range(0, len(tone) - 1024, 1024):
            block = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
            block.sample_rate, block.pts = 48_000, start
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return path


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a clip that our encoder would not: any codec, pixel format and container, from raw planes."""
    folder = tmp_path_factory.mktemp("foreign")

    def write(
        name: str,
        planes: list[list[npt.NDArray[np.uint8]]],
        *,
        size: tuple[int, int],
        codec: str = "ffv1",
        pixel_format: str = "yuv420p",
        rotation: int = 0,
        color: tuple[int, int] = (2, 0),
        seconds_apart: float = 0.0,
    ) -> Path:
        path = folder / name
        with av.open(str(path), "w") as container:
            stream = cast(VideoStream, container.add_stream(codec, rate=24))
            stream.width, stream.height, stream.pix_fmt = (*size, pixel_format)
            stream.codec_context.colorspace, stream.codec_context.color_range = color
            if rotation:
                stream.set_display_rotation(rotation)
            for index, values in enumerate(planes):
                frame = av.VideoFrame(*size, pixel_format)
                for plane, rows in zip(frame.planes, values, strict=True):
                    buffer = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
                    buffer[: rows.shape[0], : rows.shape[1]] = rows
                frame.pts = index if not seconds_apart else round(index * seconds_apart * 24)
                frame.time_base = Fraction(1, 24)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write
