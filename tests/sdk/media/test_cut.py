"""Trims and joins."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from platemark.errors import MediaError, MissingExtra, OutputError, RequestError
from platemark.media.cut import join, trim
from platemark.media.formats import BT709_LIMITED
from platemark.media.video import (
    EncodeSettings,
    YuvFrame,
    read_frames_rgb,
    read_luma,
    read_video_facts,
    to_yuv420,
    write_video,
)

Frames = Callable[..., Iterator[YuvFrame]]
RGB = npt.NDArray[np.uint8]

pytest.importorskip("moviepy")


@pytest.fixture(scope="module")
def stairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty frames at 30000/1001, frame n of brightness 20 + 6n: every frame can be told from its neighbours."""
    path = tmp_path_factory.mktemp("cuts") / "stairs.mp4"
    frames = (to_yuv420(np.full((128, 128, 3), 20 + 6 * index, np.uint8)) for index in range(30))
    write_video(frames, path, settings=EncodeSettings(Fraction(30_000, 1001), crf=10))
    return path


def steps_of(path: Path) -> list[int]:
    return [round((float(next(iter(picture.reshape(-1)))) - 20) / 6) for picture in read_frames_rgb(path)]


def sound_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


@pytest.mark.parametrize(("first", "last"), [(0, 5), (3, 17), (12, 30), (29, 30), (0, 30)])
def test_a_piece_holds_exactly_the_frames_between_its_ends(tmp_path: Path, stairs: Path, first: int, last: int) -> None:
    frame_s = 1001 / 30_000

    facts = trim(stairs, tmp_path / "piece.mp4", start_s=first * frame_s, end_s=last * frame_s)

    assert facts.frames == last - first
    assert steps_of(tmp_path / "piece.mp4") == list(range(first, last))


def test_a_piece_is_encoded_like_every_clip_of_ours(tmp_path: Path, stairs: Path) -> None:
    facts = trim(stairs, tmp_path / "piece.mp4", start_s=0.1, end_s=0.5)

    assert (facts.codec, facts.pixel_format, facts.color) == ("h264", "yuv420p", BT709_LIMITED)
    assert (facts.fps, facts.width, facts.height, facts.has_audio) == (Fraction(30_000, 1001), 128, 128, False)
    assert b"Lav" not in (tmp_path / "piece.mp4").read_bytes()


def test_colours_survive_a_cut(tmp_path: Path) -> None:
    red = to_yuv420(np.full((128, 128, 3), (200, 40, 60), np.uint8))
    write_video([red] * 12, tmp_path / "red.mp4", settings=EncodeSettings(Fraction(24)))

    trim(tmp_path / "red.mp4", tmp_path / "piece.mp4", start_s=0, end_s=0.25)

    seen = next(read_frames_rgb(tmp_path / "piece.mp4")).astype(int)
    assert np.abs(seen - (200, 40, 60)).max() <= 4


def test_a_piece_keeps_its_sound(tmp_path: Path, clip_with_sound: Path) -> None:
    facts = trim(clip_with_sound, tmp_path / "piece.mp4", start_s=0.25, end_s=0.75)

    assert (facts.frames, facts.has_audio) == (12, True)
    assert sound_s(tmp_path / "piece.mp4") == pytest.approx(0.5, abs=0.1)


def test_a_turned_clip_comes_out_upright(tmp_path: Path, clip: Path, foreign: Callable[..., Path]) -> None:
    planes = [[frame, frame[::2, ::2], frame[::2, ::2]] for frame in read_luma(clip)]
    phone = foreign("phone-cut.mov", planes, size=(192, 128), codec="mpeg4", rotation=90)

    facts = trim(phone, tmp_path / "piece.mp4", start_s=0, end_s=0.25)

    assert (facts.width, facts.height, facts.rotation_deg) == (128, 192, 0)


@pytest.mark.parametrize(
    ("start_s", "end_s"),
    [(-0.1, 0.5), (0.5, 0.5), (0.6, 0.5), (0.2, 0.21), (0, 1.2), (5, 6), (float("nan"), 0.5), (0, float("inf"))],
    ids=str,
)
def test_a_piece_that_is_empty_or_outside_is_refused(
    tmp_path: Path, stairs: Path, start_s: float, end_s: float
) -> None:
    with pytest.raises(RequestError, match="inside the clip"):
        trim(stairs, tmp_path / "piece.mp4", start_s=start_s, end_s=end_s)

    assert list(tmp_path.iterdir()) == []


def test_a_join_plays_one_after_the_other(tmp_path: Path, stairs: Path) -> None:
    trim(stairs, tmp_path / "a.mp4", start_s=0, end_s=10 * 1001 / 30_000)
    trim(stairs, tmp_path / "b.mp4", start_s=20 * 1001 / 30_000, end_s=25 * 1001 / 30_000)

    facts = join([tmp_path / "b.mp4", tmp_path / "a.mp4", stairs], tmp_path / "joined.mp4")

    assert (facts.frames, facts.fps, facts.color) == (45, Fraction(30_000, 1001), BT709_LIMITED)
    assert steps_of(tmp_path / "joined.mp4") == [*range(20, 25), *range(10), *range(30)]


def test_a_join_with_sound_in_one_part_is_as_long_as_its_picture(
    tmp_path: Path, clip: Path, clip_with_sound: Path
) -> None:
    facts = join([clip, clip_with_sound], tmp_path / "joined.mp4")

    assert (facts.frames, facts.has_audio) == (40, True)
    assert sound_s(tmp_path / "joined.mp4") == pytest.approx(40 / 24, abs=0.15)


def test_clips_of_several_sizes_are_not_joined(tmp_path: Path, clip: Path, stairs: Path) -> None:
    with pytest.raises(RequestError, match="128x128, 192x128"):
        join([clip, stairs], tmp_path / "joined.mp4")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_clips_are_not_joined(tmp_path: Path, clip: Path, count: int) -> None:
    with pytest.raises(RequestError, match="two clips or more"):
        join([clip] * count, tmp_path / "joined.mp4")


def test_nothing_else_is_left_beside_a_cut_or_in_the_working_directory(
    tmp_path: Path, clip_with_sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)

    trim(clip_with_sound, there / "piece.mp4", start_s=0, end_s=0.5)

    assert [path.name for path in there.iterdir()] == ["piece.mp4"]
    assert list(here.iterdir()) == []


def test_a_cut_onto_its_source_is_refused(tmp_path: Path, stairs: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(stairs.read_bytes())

    with pytest.raises(RequestError, match="input itself"):
        trim(path, path, start_s=0, end_s=0.5)
    with pytest.raises(RequestError, match="input itself"):
        join([stairs, path], path)

    assert path.read_bytes() == stairs.read_bytes()


def test_a_source_that_is_not_video_is_refused_before_moviepy_sees_it(tmp_path: Path, stairs: Path) -> None:
    playlist = tmp_path / "playlist.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{stairs}\n#EXT-X-ENDLIST\n")

    with pytest.raises(MediaError, match="not readable video"):
        trim(playlist, tmp_path / "piece.mp4", start_s=0, end_s=0.5)

    assert [path.name for path in tmp_path.iterdir()] == ["playlist.mp4"]


@pytest.mark.parametrize("source", ["silent", "sounding"])
def test_a_missing_directory_is_an_output_error(tmp_path: Path, clip: Path, clip_with_sound: Path, source: str) -> None:
    path = {"silent": clip, "sounding": clip_with_sound}[source]

    with pytest.raises(OutputError, match="does not exist"):
        trim(path, tmp_path / "no" / "piece.mp4", start_s=0, end_s=0.5)


def test_without_moviepy_the_error_names_the_extra(
    tmp_path: Path, stairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "moviepy", None)

    with pytest.raises(MissingExtra, match="moviepy") as caught:
        trim(stairs, tmp_path / "piece.mp4", start_s=0, end_s=0.5)

    assert "platemark[generate]" in caught.value.fix
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "unloaded"),
    [
        ("platemark.media", "av moviepy PIL"),
        ("platemark.media.label", "av moviepy"),
        ("platemark.media.still", "av moviepy"),
        ("platemark.media.sheet", "av moviepy"),
        ("platemark.media.video", "moviepy torch"),
        ("platemark.media.cut", "moviepy torch"),
    ],
)
def test_importing_a_module_loads_only_what_it_needs(module: str, unloaded: str) -> None:
    code = f"import sys, {module}; print([name for name in '{unloaded}'.split() if name in sys.modules])"

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"


def test_the_facts_given_back_are_those_of_the_file(tmp_path: Path, stairs: Path) -> None:
    facts = trim(stairs, tmp_path / "piece.mp4", start_s=0, end_s=0.5)

    assert facts == read_video_facts(tmp_path / "piece.mp4")
