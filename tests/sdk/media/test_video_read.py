"""Clips in: exactly what the file holds, from any ordinary container, and a plain refusal for everything else."""

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platemark.errors import MediaError
from platemark.media import formats
from platemark.media.video import (
    EncodeSettings,
    YuvFrame,
    read_frames_rgb,
    read_frames_yuv420,
    read_luma,
    read_video_facts,
    to_yuv420,
    write_video,
)

Foreign = Callable[..., Path]
Frames = Callable[..., Iterator[YuvFrame]]
Plane = npt.NDArray[np.uint8]


def ramp(height: int, width: int) -> Plane:
    """Every row and column distinct, so that a wrong stride cannot hide."""
    y, x = np.mgrid[0:height, 0:width]
    values: Plane = (16 + (3 * y + 5 * x) % 220).astype(np.uint8)
    return values


def neutral(height: int, width: int) -> Plane:
    return np.full((height, width), 128, np.uint8)


def sixteen_bit(values: npt.NDArray[np.uint16]) -> Plane:
    """The bytes of little-endian 16-bit rows."""
    rows: Plane = np.ascontiguousarray(values.astype("<u2")).view(np.uint8)
    return rows


def readers(path: Path) -> list[Callable[[], object]]:
    return [
        lambda: read_video_facts(path),
        lambda: list(read_luma(path)),
        lambda: list(read_frames_rgb(path)),
        lambda: list(read_frames_yuv420(path)),
    ]


every_reader = pytest.mark.parametrize("reader", range(4), ids=["facts", "luma", "rgb", "yuv"])


@pytest.mark.parametrize(("width", "height"), [(128, 128), (130, 66), (161, 99), (1, 1)])
def test_brightness_comes_out_exactly_as_it_is_stored_whatever_the_padding(
    foreign: Foreign, width: int, height: int
) -> None:
    y = ramp(height, width)
    planes = [[y, neutral(height, width), neutral(height, width)]]
    path = foreign(f"{width}x{height}.mkv", planes, size=(width, height), pixel_format="yuv444p")

    assert np.array_equal(next(read_luma(path)), y)


def test_full_range_brightness_is_not_rescaled(foreign: Foreign) -> None:
    y = (np.arange(128 * 128) % 256).astype(np.uint8).reshape(128, 128)
    planes = [[y, neutral(64, 64), neutral(64, 64)]]
    path = foreign("full.mkv", planes, size=(128, 128), color=(1, 2))

    assert np.array_equal(next(read_luma(path)), y)
    assert read_video_facts(path).color.range == "pc"


def test_ten_bits_are_rounded_to_eight(foreign: Foreign) -> None:
    values = np.arange(1024, dtype=np.uint16).reshape(8, 128)
    half = sixteen_bit(np.full((4, 64), 512, np.uint16))
    path = foreign("ten.mkv", [[sixteen_bit(values), half, half]], size=(128, 8), pixel_format="yuv420p10le")

    luma = next(read_luma(path))

    expected = np.minimum((values.astype(int) + 2) // 4, 255)
    assert luma.dtype == np.uint8
    assert np.array_equal(luma, expected)


def test_grey_video_is_its_own_brightness(foreign: Foreign) -> None:
    path = foreign("grey.mkv", [[ramp(128, 130)]], size=(130, 128), pixel_format="gray")

    assert np.array_equal(next(read_luma(path)), ramp(128, 130))


def test_packed_pixels_give_their_brightness(foreign: Foreign) -> None:
    y = ramp(128, 128)
    packed = np.full((128, 256), 128, np.uint8)
    packed[:, 0::2] = y
    path = foreign("packed.avi", [[packed]], size=(128, 128), codec="rawvideo", pixel_format="yuyv422")

    assert np.array_equal(next(read_luma(path)), y)


def test_the_brightness_of_rgb_video_is_computed_with_bt709(foreign: Foreign) -> None:
    rgb = np.zeros((128, 128 * 4), np.uint8)
    rgb[:, 1::4] = 200
    path = foreign("rgb.mkv", [[rgb]], size=(128, 128), pixel_format="bgr0", color=(0, 2))

    expected = to_yuv420(np.full((2, 2, 3), (0, 200, 0), np.uint8)).y[0, 0]
    assert np.abs(next(read_luma(path)).astype(int) - int(expected)).max() <= 1


def test_rotation_is_told_and_not_applied(foreign: Foreign) -> None:
    y = ramp(128, 192)
    planes = [[y, neutral(64, 96), neutral(64, 96)]] * 2
    path = foreign("phone.mov", planes, size=(192, 128), codec="mpeg4", rotation=90)

    facts = read_video_facts(path)

    assert (facts.rotation_deg, facts.width, facts.height) == (90, 192, 128)
    assert next(read_luma(path)).shape == (128, 192)
    assert next(read_frames_rgb(path)).shape == (128, 192, 3)


@pytest.mark.parametrize(
    ("name", "height", "color", "kr", "kb"),
    [
        ("tagged-709.mkv", 128, (1, 1), 0.2126, 0.0722),
        ("tagged-601.mkv", 128, (6, 1), 0.299, 0.114),
        ("tagged-2020.mkv", 128, (9, 1), 0.2627, 0.0593),
        ("silent-sd.mkv", 128, (2, 0), 0.299, 0.114),
        ("silent-hd.mkv", 720, (2, 0), 0.2126, 0.0722),
    ],
)
def test_colours_follow_the_files_tags(
    foreign: Foreign, name: str, height: int, color: tuple[int, int], kr: float, kb: float
) -> None:
    planes = [np.full((height, 128), 120, np.uint8), np.full((height // 2, 64), 90, np.uint8)]
    planes.append(np.full((height // 2, 64), 180, np.uint8))
    path = foreign(name, [planes], size=(128, height), color=color)

    rgb = next(read_frames_rgb(path))[height // 2, 64].astype(float)

    luma, pb, pr = (120 - 16) / 219, (90 - 128) / 224, (180 - 128) / 224
    red, blue = luma + 2 * (1 - kr) * pr, luma + 2 * (1 - kb) * pb
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    assert np.abs(rgb - 255 * np.array([red, green, blue])).max() <= 2


def test_a_clip_of_ours_comes_through_as_yuv_untouched(clip: Path) -> None:
    frames = list(read_frames_yuv420(clip))

    assert len(frames) == 20
    assert all(np.array_equal(frame.y, y) for frame, y in zip(frames, read_luma(clip), strict=True))


def test_odd_sides_are_evened_for_yuv(foreign: Foreign) -> None:
    planes = [[ramp(99, 161), neutral(99, 161), neutral(99, 161)]]
    path = foreign("odd.mkv", planes, size=(161, 99), pixel_format="yuv444p")

    assert next(read_frames_yuv420(path)).y.shape == (98, 160)


def test_brightness_and_rgb_come_in_the_same_order_and_number(clip: Path) -> None:
    luma, rgb = list(read_luma(clip)), list(read_frames_rgb(clip))

    recomputed = [to_yuv420(picture).y.astype(int) for picture in rgb]
    assert len(luma) == len(rgb) == 20
    assert max(np.abs(a - b).mean() for a, b in zip(recomputed, luma, strict=True)) < 1.5


@pytest.mark.parametrize("most", [0, 1, 7, 20, 99])
def test_reading_stops_after_as_many_frames_as_asked_for(clip: Path, most: int) -> None:
    assert len(list(read_luma(clip, max_frames=most))) == min(most, 20)
    assert len(list(read_frames_rgb(clip, max_frames=most))) == min(most, 20)


def test_the_facts_are_what_ffmpeg_itself_prints(clip_with_sound: Path) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()

    facts = read_video_facts(clip_with_sound)

    printed = subprocess.run(
        [ffmpeg, "-hide_banner", "-i", str(clip_with_sound)], capture_output=True, text=True, check=False
    ).stderr
    picture = re.search(r"Video: (\w+) .*?, (\w+)\((\w+), (\w+), progressive\), (\d+)x(\d+)", printed)
    duration = re.search(r"Duration: 00:00:(\d+\.\d+)", printed)
    assert picture is not None
    assert duration is not None
    assert picture.groups() == (facts.codec, facts.pixel_format, "tv", "bt709", "192", "128")
    assert float(duration[1]) == pytest.approx(facts.duration_s, abs=0.05)
    assert f"{float(facts.fps):g} fps" in printed
    assert facts.has_audio
    assert "Audio: aac" in printed


def test_a_clip_with_sound_is_read_like_one_without(clip: Path, clip_with_sound: Path) -> None:
    silent, sounding = list(read_luma(clip)), list(read_luma(clip_with_sound))

    assert all(np.array_equal(a, b) for a, b in zip(silent, sounding, strict=True))


def test_a_container_without_a_frame_count_says_none(foreign: Foreign) -> None:
    planes = [[ramp(128, 128), neutral(64, 64), neutral(64, 64)]] * 3
    path = foreign("uncounted.mkv", planes, size=(128, 128))

    assert read_video_facts(path).frames is None
    assert len(list(read_luma(path))) == 3


def test_text_in_another_encoding_does_not_hide_a_clip(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "titled.mov"
    with av.open(str(clip), "r") as source, av.open(str(path), "w") as container:
        container.metadata["title"] = "TITLE"
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    path.write_bytes(path.read_bytes().replace(b"TITLE", b"\xb4\xba\xbd\xba\xff"))

    assert read_video_facts(path).frames == 20


def as_transport_stream(clip: Path, path: Path) -> bytes:
    with av.open(str(clip), "r") as source, av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    return path.read_bytes()


def test_a_broadcast_recording_may_begin_in_the_middle(tmp_path: Path, yuv_frames: Frames) -> None:
    source = tmp_path / "source.mp4"
    write_video(yuv_frames(30), source, settings=EncodeSettings(Fraction(24), keyframe_interval=10))
    content = as_transport_stream(source, tmp_path / "whole.ts")
    path = tmp_path / "joined-late.ts"
    path.write_bytes(content[len(content) // 4 // 188 * 188 :])

    assert 10 <= len(list(read_luma(path))) < 30


@every_reader
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 5000,
        np.random.default_rng(3).bytes(20_000),
        b"ftyp",
        b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
        b"The quick brown fox. " * 100,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile '/etc/hostname'\n",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    ],
    ids=["empty", "zeros", "random", "four-bytes", "only-a-header", "text", "playlist", "concat-script", "still"],
)
def test_what_is_not_video_is_refused(tmp_path: Path, content: bytes, reader: int) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)

    with pytest.raises(MediaError, match=r"clip\.mp4"):
        readers(path)[reader]()


def test_a_playlist_does_not_open_the_clip_it_names(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "playlist.mp4"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.8,\n{clip}\n#EXT-X-ENDLIST\n")

    with pytest.raises(MediaError):
        read_video_facts(path)


@pytest.mark.parametrize("name", ["missing.mp4", "", "http://127.0.0.1:9/clip.mp4"], ids=["missing", "folder", "url"])
def test_what_is_not_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MediaError, match="not a file"):
        read_video_facts(tmp_path / name)


def test_a_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")

    with pytest.raises(MediaError, match="not a file"):
        read_video_facts(tmp_path / "pipe.mp4")


def test_sound_alone_is_not_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        block.sample_rate = 48_000
        container.mux(stream.encode(block))
        container.mux(stream.encode(None))

    with pytest.raises(MediaError, match="holds no video"):
        read_video_facts(path)


@pytest.mark.parametrize("kept", [0.02, 0.1, 0.25, 0.5, 0.9, 0.99, 0.9999])
def test_a_clip_that_is_cut_off_is_refused_where_it_ends(tmp_path: Path, clip: Path, kept: float) -> None:
    content = clip.read_bytes()
    path = tmp_path / "truncated.mp4"
    path.write_bytes(content[: int(kept * len(content))])

    with pytest.raises(MediaError):
        list(read_luma(path))


def test_a_clip_cut_off_exactly_between_two_frames_is_refused_too(tmp_path: Path, clip: Path) -> None:
    with av.open(str(clip)) as container:
        ends = sorted((packet.pos or 0) + packet.size for packet in container.demux(video=0) if packet.size)
    path = tmp_path / "truncated.mp4"
    path.write_bytes(clip.read_bytes()[: ends[9]])

    with pytest.raises(MediaError, match="ends before its last frame"):
        list(read_luma(path))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damage_anywhere_gives_frames_or_a_media_error_and_nothing_else(
    tmp_path: Path, clip: Path, data: st.DataObject
) -> None:
    content = bytearray(clip.read_bytes())
    places = data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=12))
    for place in places:
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.mp4"
    path.write_bytes(bytes(content))

    planes = []
    with contextlib.suppress(MediaError):
        planes = list(read_luma(path))

    assert len({plane.shape for plane in planes}) <= 1


def test_a_picture_larger_than_8k_is_refused(foreign: Foreign) -> None:
    wide = [np.zeros((16, 8208), np.uint8)]
    path = foreign("wide.mkv", [wide], size=(8208, 16), pixel_format="gray")

    with pytest.raises(MediaError, match="8208x16; at most 8192"):
        read_video_facts(path)


def test_a_clip_that_claims_to_last_for_days_is_refused(foreign: Foreign) -> None:
    planes = [[ramp(128, 128), neutral(64, 64), neutral(64, 64)]] * 3
    path = foreign("days.mkv", planes, size=(128, 128), seconds_apart=30_000.0)

    with pytest.raises(MediaError, match="lasts 60000 s; at most 43200 s"):
        read_video_facts(path)


def test_too_many_frames_are_refused_where_the_file_counts_them(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_FRAMES", 19)

    with pytest.raises(MediaError, match="20 frames or more; at most 19"):
        read_video_facts(clip)


def test_too_many_frames_are_refused_as_they_come_where_it_does_not(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    planes = [[ramp(128, 128), neutral(64, 64), neutral(64, 64)]] * 5
    path = foreign("many.mkv", planes, size=(128, 128))
    monkeypatch.setattr(formats, "MAX_FRAMES", 3)

    frames = read_luma(path)
    taken = [next(frames) for _ in range(3)]

    with pytest.raises(MediaError, match="at most 3"):
        next(frames)
    assert len(taken) == 3


def test_a_clip_that_changes_its_size_on_the_way_is_refused(tmp_path: Path, yuv_frames: Frames) -> None:
    parts = []
    for width in (192, 128):
        write_video(yuv_frames(3, width=width), tmp_path / "part.mp4", settings=EncodeSettings(Fraction(24)))
        parts.append(as_transport_stream(tmp_path / "part.mp4", tmp_path / "part.ts"))
    path = tmp_path / "two-sizes.ts"
    path.write_bytes(b"".join(parts))

    with pytest.raises(MediaError, match="should keep one size"):
        list(read_luma(path))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_how_many_threads_decode_changes_no_pixel(tmp_path: Path, threads: int) -> None:
    rng = np.random.default_rng(4)
    path = tmp_path / "noise.mp4"
    frames = rng.integers(16, 235, (9, 64, 64, 3), dtype=np.uint8)
    write_video(map(to_yuv420, frames), path, settings=EncodeSettings(Fraction(25)))

    planes = list(read_luma(path, threads=threads))

    np.testing.assert_array_equal(planes, list(read_luma(path)))
    assert len(planes) == 9
