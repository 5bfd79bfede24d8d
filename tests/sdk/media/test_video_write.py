"""Clips out: what is in the file, that it is the same every time, and that failures leave nothing."""

import os
import re
import resource
import signal
import struct
import weakref
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from platemark.clip import Size
from platemark.errors import MediaError, OutputError, RequestError
from platemark.media.formats import BT709_LIMITED, EncodeSettings
from platemark.media.reencoding import reencode
from platemark.media.video import (
    combine,
    read_frames_rgb,
    read_luma,
    read_video_facts,
    remux_without_metadata,
    write_video,
)
from platemark.media.yuv import YuvFrame, to_yuv420

Frames = Callable[..., Iterator[YuvFrame]]
AT_24 = EncodeSettings(Fraction(24))
FAST = EncodeSettings(Fraction(24), preset="ultrafast")


@pytest.fixture
def small_files_only() -> Iterator[None]:
    """Lets no file grow past 20 kB: the nearest thing to a full disk that needs no rights."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def boxes(content: bytes) -> list[str]:
    """Names of the file's outermost boxes (ISO/IEC 14496-12, 4.2)."""
    names, at = [], 0
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        names.append(name.decode())
        at += size
    return names


def copy_into(path: Path, source: Path, *, metadata: dict[str, str]) -> None:
    with av.open(str(source), "r") as original, av.open(str(path), "w") as container:
        container.metadata.update(metadata)
        stream = container.add_stream_from_template(original.streams.video[0])
        for packet in original.demux(original.streams.video[0]):
            if packet.size:
                packet.stream = stream
                container.mux(packet)


@pytest.mark.parametrize(
    "fps",
    [Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(60), Fraction(25, 2), Fraction(1)],
    ids=str,
)
def test_the_facts_of_a_written_clip_are_what_was_asked_for(tmp_path: Path, yuv_frames: Frames, fps: Fraction) -> None:
    facts = write_video(yuv_frames(12), tmp_path / "clip.mp4", settings=EncodeSettings(fps, preset="ultrafast"))

    assert (facts.codec, facts.pixel_format, facts.color) == ("h264", "yuv420p", BT709_LIMITED)
    assert (facts.width, facts.height, facts.fps, facts.frames) == (192, 128, fps, 12)
    assert facts.duration_s == pytest.approx(float(12 / fps), abs=1e-3)
    assert (facts.rotation_deg, facts.has_audio) == (0, False)


def test_a_single_frame_is_a_clip(tmp_path: Path, yuv_frames: Frames) -> None:
    facts = write_video(yuv_frames(1), tmp_path / "clip.mp4", settings=AT_24)

    assert (facts.frames, facts.fps) == (1, Fraction(24))


@pytest.mark.parametrize(("width", "height"), [(128, 130), (162, 128), (1026, 2), (2, 2)])
def test_any_even_size_is_written_as_it_is(tmp_path: Path, yuv_frames: Frames, width: int, height: int) -> None:
    frames = list(yuv_frames(2, width=width, height=height))

    write_video(frames, tmp_path / "clip.mp4", settings=EncodeSettings(Fraction(24), crf=1))

    decoded = list(read_luma(tmp_path / "clip.mp4"))
    assert [plane.shape for plane in decoded] == [(height, width)] * 2
    assert np.abs(decoded[0].astype(int) - frames[0].y).mean() < 1


def test_equal_frames_give_equal_bytes(tmp_path: Path, yuv_frames: Frames) -> None:
    write_video(yuv_frames(30), tmp_path / "one.mp4", settings=AT_24)
    write_video(yuv_frames(30), tmp_path / "two.mp4", settings=AT_24)

    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_no_library_leaves_its_name_or_the_time(clip: Path) -> None:
    content = clip.read_bytes()

    at = content.index(b"mvhd")
    created, modified = struct.unpack(">II", content[at + 8 : at + 16])
    assert re.search(rb"x264|Lav[cf]|Lib|encoder|FFmpeg", content) is None
    assert (created, modified) == (0, 0)


def test_the_index_comes_before_the_pictures(clip: Path) -> None:
    names = boxes(clip.read_bytes())

    assert names.index("moov") < names.index("mdat")


def test_the_container_repeats_the_colour_tags(clip: Path) -> None:
    content = clip.read_bytes()

    at = content.index(b"colrnclx")
    # ISO/IEC 14496-12, 12.1.5: three 16-bit codes and the full-range bit.
    assert struct.unpack(">HHHB", content[at + 8 : at + 15]) == (1, 1, 1, 0)


@pytest.mark.parametrize(
    "color", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 100, 50)], ids=str
)
def test_colours_come_back_as_they_went_in(tmp_path: Path, color: tuple[int, int, int]) -> None:
    frame = to_yuv420(np.full((128, 128, 3), color, np.uint8))

    write_video([frame] * 3, tmp_path / "clip.mp4", settings=FAST)

    seen = next(read_frames_rgb(tmp_path / "clip.mp4")).astype(int)
    assert np.abs(seen - color).max() <= 2


def test_key_frames_come_as_often_as_asked(tmp_path: Path, yuv_frames: Frames) -> None:
    settings = EncodeSettings(Fraction(24), preset="ultrafast", keyframe_interval=5)

    write_video(yuv_frames(16), tmp_path / "clip.mp4", settings=settings)

    with av.open(str(tmp_path / "clip.mp4")) as container:
        keys = [i for i, packet in enumerate(container.demux(video=0)) if packet.is_keyframe and packet.size]
    assert keys == [0, 5, 10, 15]


def test_a_lower_quality_makes_a_smaller_file(tmp_path: Path, yuv_frames: Frames) -> None:
    write_video(yuv_frames(10), tmp_path / "fine.mp4", settings=AT_24)
    write_video(yuv_frames(10), tmp_path / "coarse.mp4", settings=EncodeSettings(Fraction(24), crf=40))

    assert (tmp_path / "coarse.mp4").stat().st_size < (tmp_path / "fine.mp4").stat().st_size


def test_an_existing_file_is_replaced(tmp_path: Path, yuv_frames: Frames) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"older" * 10_000)

    facts = write_video(yuv_frames(2), path, settings=FAST)

    assert facts.frames == 2
    assert b"older" not in path.read_bytes()


@pytest.mark.parametrize("name", ["-clip.mp4", "a%03d.mp4", "뉴스 영상.mp4", "pipe:1.mp4", "noextension"])
def test_a_name_is_only_a_name(tmp_path: Path, yuv_frames: Frames, name: str) -> None:
    write_video(yuv_frames(2), tmp_path / name, settings=FAST)

    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert len(list(read_luma(tmp_path / name))) == 2


def test_only_a_few_frames_are_held_at_a_time(tmp_path: Path, yuv_frames: Frames) -> None:
    alive: weakref.WeakValueDictionary[int, npt.NDArray[np.uint8]] = weakref.WeakValueDictionary()
    most = 0

    def counted() -> Iterator[YuvFrame]:
        nonlocal most
        for index, frame in enumerate(yuv_frames(60)):
            alive[index] = frame.y
            most = max(most, len(alive))
            yield frame

    write_video(counted(), tmp_path / "clip.mp4", settings=FAST)

    assert most <= 3


@pytest.mark.parametrize("error", [LookupError("the model failed"), KeyboardInterrupt()])
def test_an_error_in_the_frame_source_comes_through_and_leaves_no_file(
    tmp_path: Path, yuv_frames: Frames, error: BaseException
) -> None:
    def breaking() -> Iterator[YuvFrame]:
        yield from yuv_frames(5)
        raise error

    with pytest.raises(type(error)) as caught:
        write_video(breaking(), tmp_path / "clip.mp4", settings=FAST)

    assert caught.value is error
    assert list(tmp_path.iterdir()) == []


def test_a_clip_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="at least one frame"):
        write_video([], tmp_path / "clip.mp4", settings=FAST)

    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_refused(tmp_path: Path, yuv_frames: Frames) -> None:
    frames = [*yuv_frames(2), *yuv_frames(1, width=128)]

    with pytest.raises(RequestError, match="192x128; one is 128x128"):
        write_video(frames, tmp_path / "clip.mp4", settings=FAST)

    assert list(tmp_path.iterdir()) == []


def test_a_missing_directory_is_an_output_error_before_any_frame_is_made(tmp_path: Path, yuv_frames: Frames) -> None:
    frames = iter(list(yuv_frames(2)))

    with pytest.raises(OutputError, match="does not exist"):
        write_video(frames, tmp_path / "no" / "clip.mp4", settings=FAST)

    assert len(list(frames)) == 2


@pytest.mark.usefixtures("small_files_only")
def test_a_full_disk_is_an_output_error_and_leaves_no_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(1)

    def noisy() -> Iterator[YuvFrame]:
        for _ in range(30):
            yield to_yuv420(noise.integers(0, 256, (128, 128, 3), dtype=np.uint8))

    with pytest.raises(OutputError, match="past the size allowed"):
        write_video(noisy(), tmp_path / "clip.mp4", settings=FAST)

    assert list(tmp_path.iterdir()) == []


def test_a_remux_copies_pictures_and_sound_and_drops_everything_else(tmp_path: Path, clip_with_sound: Path) -> None:
    tagged, bare = tmp_path / "tagged.mp4", tmp_path / "bare.mp4"
    content = clip_with_sound.read_bytes()
    # A box of the kind that holds a C2PA manifest.
    tagged.write_bytes(content + struct.pack(">I4s16s", 32, b"uuid", b"x" * 16) + b"MANIFEST")

    facts = remux_without_metadata(tagged, bare)

    assert facts == read_video_facts(clip_with_sound)
    assert "uuid" not in boxes(bare.read_bytes())
    assert b"MANIFEST" not in bare.read_bytes()
    assert all(np.array_equal(a, b) for a, b in zip(read_luma(tagged), read_luma(bare), strict=True))


def test_a_remux_drops_titles_and_comments(tmp_path: Path, clip: Path) -> None:
    titled = tmp_path / "titled.mov"
    copy_into(titled, clip, metadata={"title": "Exclusive", "comment": "by the desk"})

    remux_without_metadata(titled, tmp_path / "bare.mp4")

    assert b"Exclusive" in titled.read_bytes()
    assert re.search(rb"Exclusive|by the desk|Lav[cf]", (tmp_path / "bare.mp4").read_bytes()) is None


def test_a_remux_of_a_container_without_decoding_times_is_refused_rather_than_guessed(
    tmp_path: Path, clip: Path
) -> None:
    copy_into(tmp_path / "clip.mkv", clip, metadata={})

    with pytest.raises(MediaError, match="no decoding times"):
        remux_without_metadata(tmp_path / "clip.mkv", tmp_path / "clip.mp4")

    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]


def test_a_codec_that_mp4_cannot_hold_is_an_output_error(tmp_path: Path, foreign: Callable[..., Path]) -> None:
    grey = [np.zeros((128, 128), np.uint8), np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8)]
    source = foreign("huffman.avi", [grey], size=(128, 128), codec="ffvhuff")

    with pytest.raises(OutputError, match="ffvhuff"):
        remux_without_metadata(source, tmp_path / "clip.mp4")

    assert list(tmp_path.iterdir()) == []


def test_a_re_encoding_keeps_the_picture_roughly_and_the_tags_exactly(tmp_path: Path, clip: Path) -> None:
    facts = reencode(clip, tmp_path / "copy.mp4", crf=28)

    assert facts == read_video_facts(clip)
    difference = [
        np.abs(a.astype(int) - b).mean() for a, b in zip(read_luma(clip), read_luma(tmp_path / "copy.mp4"), strict=True)
    ]
    assert 0 < max(difference) < 4


def test_a_re_encoding_can_change_the_size(tmp_path: Path, clip: Path) -> None:
    facts = reencode(clip, tmp_path / "small.mp4", size=Size(144, 128))

    assert (facts.width, facts.height, facts.frames) == (144, 128, 20)


@pytest.mark.parametrize("make", [remux_without_metadata, reencode])
def test_a_copy_onto_itself_is_refused_and_the_clip_survives(
    tmp_path: Path, clip: Path, make: Callable[[Path, Path], object]
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip.read_bytes())

    with pytest.raises(RequestError, match="input itself"):
        make(path, path)

    assert path.read_bytes() == clip.read_bytes()


@pytest.mark.parametrize("make", [remux_without_metadata, reencode])
def test_a_copy_of_something_unreadable_leaves_no_file(tmp_path: Path, make: Callable[[Path, Path], object]) -> None:
    source = tmp_path / "random.mp4"
    source.write_bytes(os.urandom(4000))

    with pytest.raises(MediaError):
        make(source, tmp_path / "copy.mp4")

    assert list(tmp_path.iterdir()) == [source]


def test_a_copy_of_a_truncated_clip_leaves_no_file(tmp_path: Path, clip: Path) -> None:
    source = tmp_path / "truncated.mp4"
    source.write_bytes(clip.read_bytes()[:-500])

    with pytest.raises(MediaError, match="ends before its last frame"):
        reencode(source, tmp_path / "copy.mp4")

    assert list(tmp_path.iterdir()) == [source]


def test_picture_and_sound_of_two_files_are_combined(tmp_path: Path, clip: Path, clip_with_sound: Path) -> None:
    facts = combine(clip, clip_with_sound, tmp_path / "both.mp4")

    with av.open(str(tmp_path / "both.mp4")) as container:
        sound_s = sum(frame.samples for frame in container.decode(audio=0)) / 48_000
    assert (facts.frames, facts.has_audio) == (20, True)
    assert sound_s == pytest.approx(20 / 24, abs=0.1)


def test_a_silent_file_has_no_sound_to_combine(tmp_path: Path, clip: Path) -> None:
    with pytest.raises(MediaError, match="no sound"):
        combine(clip, clip, tmp_path / "both.mp4")

    assert list(tmp_path.iterdir()) == []
