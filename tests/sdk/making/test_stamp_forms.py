"""Every form a clip can come in is kept as it was shown, or refused with one plain line and the way to mend it."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.subtitles.stream import SubtitleStream
from ffmpeg_clips import H264, PICTURE, SOUND, ffmpeg, write_captions

import platemark
from platemark.errors import MediaError, RequestError
from platemark.media.video import read_frames_rgb, read_video_facts
from platemark.stamped import StampedClip
from platemark.studio import Studio

BOTH = (*PICTURE, *SOUND)
PACKETS = dict[int, list[tuple[bytes, float]]]


def stamp(studio: Studio, source: Path) -> StampedClip:
    return studio.stamp(source, generator="Veo 3", out=source.with_name("out.mp4"), actor="jw.kim", desk="weather")


def packets(path: Path, kind: str) -> PACKETS:
    """Give the bytes and showing times of every track of a kind."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        found: PACKETS = {number: [] for number in range(len(streams))}
        for packet in (each for each in container.demux(streams) if each.size):
            number = [stream.index for stream in streams].index(packet.stream_index)
            found[number].append((bytes(packet), float((packet.pts or 0) * packet.time_base)))
    return found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mono.mp4", (*BOTH, *H264, "-c:a", "aac", "-ac", "1")),
        ("surround.mp4", (*BOTH, *H264, "-c:a", "aac", "-ac", "6")),
        ("two_tracks.mp4", (*BOTH, *H264, "-map", "0:v", "-map", "1:a", "-map", "1:a", "-c:a", "aac")),
        ("mp3.avi", (*BOTH, "-c:v", "mpeg4", "-c:a", "libmp3lame")),
        ("opus.mp4", (*BOTH, *H264, "-c:a", "libopus")),
        ("apple.mov", (*BOTH, *H264, "-c:a", "alac")),
        ("b_frames.mov", (*BOTH, "-c:v", "libx264", "-bf", "3", "-b_strategy", "0", "-c:a", "aac")),
        ("fragments.mp4", (*BOTH, *H264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov")),
    ],
)
def test_sound_of_every_kind_comes_through_packet_by_packet(
    studio: Studio, tmp_path: Path, name: str, words: Sequence[str]
) -> None:
    ffmpeg(*words, tmp_path / name)

    made = stamp(studio, tmp_path / name)

    before, after = packets(tmp_path / name, "audio"), packets(made.path, "audio")
    assert [[content for content, _ in track] for track in after.values()] == [
        [content for content, _ in track] for track in before.values()
    ]
    assert made.source.sound == "kept"
    assert sum(map(len, before.values())) > 5


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "25", "50", "60000/1001"])
def test_the_frame_rate_is_kept_to_the_fraction(studio: Studio, tmp_path: Path, rate: str) -> None:
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=192x128:r={rate}:d=0.5", *H264, tmp_path / "rate.mp4")
    before = read_video_facts(tmp_path / "rate.mp4")

    after = read_video_facts(stamp(studio, tmp_path / "rate.mp4").path)

    assert (after.fps, after.frames) == (Fraction(rate), before.frames)


@pytest.mark.parametrize("aspect", ["16/15", "64/45", "8/9"])
def test_pixels_that_are_not_square_stay_so(studio: Studio, tmp_path: Path, aspect: str) -> None:
    ffmpeg(*PICTURE, "-vf", f"setsar={aspect}", *H264, tmp_path / "wide.mp4")

    made = stamp(studio, tmp_path / "wide.mp4")

    assert read_video_facts(made.path).pixel_aspect == Fraction(aspect)


def test_a_turned_clip_with_oblong_pixels_is_shown_as_before(studio: Studio, tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=192x192:r=12:d=0.5", "-vf", "setsar=4/3", *H264, tmp_path / "flat.mp4")
    ffmpeg("-display_rotation", "90", "-i", tmp_path / "flat.mp4", "-c", "copy", tmp_path / "turned.mp4")

    made = stamp(studio, tmp_path / "turned.mp4")

    facts = read_video_facts(made.path)
    assert (facts.rotation_deg, facts.pixel_aspect, made.source.rotation_deg) == (0, Fraction(3, 4), 90)


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_a_clip_that_players_turn_is_stored_upright(studio: Studio, tmp_path: Path, degrees: int) -> None:
    ffmpeg(*PICTURE, *H264, tmp_path / "flat.mp4")
    ffmpeg("-display_rotation", str(degrees), "-i", tmp_path / "flat.mp4", "-c", "copy", tmp_path / "turned.mp4")
    shown = np.rot90(next(read_frames_rgb(tmp_path / "turned.mp4")), round(degrees / 90)).astype(int)

    after = next(read_frames_rgb(stamp(studio, tmp_path / "turned.mp4").path))

    assert after.shape == shown.shape
    lower = after.shape[0] // 2
    assert np.abs(after[lower:] - shown[lower:]).mean() < 8


def test_subtitles_that_mp4_holds_come_along_word_for_word(studio: Studio, tmp_path: Path) -> None:
    captions = write_captions(tmp_path / "words.srt")
    tracks = ("-map", "0:v", "-map", "1:a", "-map", "2:s", "-c:a", "aac", "-c:s", "mov_text")
    ffmpeg(*BOTH, "-i", captions, *H264, *tracks, tmp_path / "captioned.mp4")

    made = stamp(studio, tmp_path / "captioned.mp4")

    with av.open(str(made.path)) as container:
        kept = cast(SubtitleStream, container.streams.subtitles[0])
        assert kept.codec_context.name == "mov_text"
    assert packets(made.path, "subtitle") == packets(tmp_path / "captioned.mp4", "subtitle")
    assert packets(made.path, "audio") == packets(tmp_path / "captioned.mp4", "audio")
    assert made.source.captions == 1


def test_subtitles_of_a_silent_clip_come_along_too(studio: Studio, tmp_path: Path) -> None:
    captions = write_captions(tmp_path / "words.srt")
    ffmpeg(*PICTURE, "-i", captions, *H264, "-c:s", "mov_text", tmp_path / "captioned.mp4")

    made = stamp(studio, tmp_path / "captioned.mp4")

    assert packets(made.path, "subtitle") == packets(tmp_path / "captioned.mp4", "subtitle")
    assert made.source.sound == "none"


def test_a_time_code_track_is_left_behind_and_said_to_be(studio: Studio, tmp_path: Path) -> None:
    ffmpeg(*BOTH, *H264, "-c:a", "aac", "-timecode", "10:00:00:00", "-r", "25", tmp_path / "coded.mov")

    made = stamp(studio, tmp_path / "coded.mov")

    (started,) = studio.ledger.query(clip=made.clip_id, type="generation.started")
    assert made.source.left_out == ("data",)
    assert "left_out" in str(started.facts["given"])


def test_a_trimmed_start_keeps_picture_and_sound_in_step(studio: Studio, tmp_path: Path) -> None:
    ffmpeg(*BOTH, "-c:v", "libx264", "-g", "12", "-c:a", "aac", tmp_path / "whole.mp4")
    ffmpeg("-ss", "0.5", "-i", tmp_path / "whole.mp4", "-c", "copy", tmp_path / "trimmed.mp4")
    shown = sum(1 for _ in read_frames_rgb(tmp_path / "trimmed.mp4"))

    made = stamp(studio, tmp_path / "trimmed.mp4")

    assert made.frames == shown
    before, after = packets(tmp_path / "trimmed.mp4", "audio")[0], packets(made.path, "audio")[0]
    assert after[-1] == (before[-1][0], pytest.approx(before[-1][1], abs=1e-3))


@pytest.mark.parametrize(
    ("name", "words", "error", "says"),
    [
        ("film.mkv", (*BOTH, *H264, "-c:a", "aac"), RequestError, "-c copy OUT.mp4"),
        ("web.webm", (*PICTURE, "-c:v", "libvpx", "-b:v", "200k"), RequestError, "-c copy OUT.mp4"),
        (
            "interlaced.mp4",
            (*PICTURE, "-vf", "tinterlace=4", "-c:v", "libx264", "-flags", "+ildct+ilme"),
            MediaError,
            "bwdif",
        ),
        ("odd_height.mp4", ("-f", "lavfi", "-i", "color=s=192x129:d=1:r=12", "-c:v", "mpeg4"), RequestError, "crop"),
        ("uneven.mp4", (*PICTURE, "-vf", "setpts=N*N/4/TB/12", "-fps_mode", "vfr", *H264), MediaError, "fps="),
        ("tall.mp4", ("-f", "lavfi", "-i", "testsrc2=s=128x192:d=1:r=12", "-vf", "setsar=2", *H264), MediaError, "sar"),
        ("deep.mp4", (*PICTURE, "-c:v", "libx264", "-pix_fmt", "yuv420p10le"), MediaError, "--tonemap"),
    ],
)
def test_what_would_not_come_out_as_it_is_shown_is_refused_before_anything_is_logged(
    studio: Studio, tmp_path: Path, name: str, words: Sequence[str], error: type[Exception], says: str
) -> None:
    ffmpeg(*words, tmp_path / name)

    with pytest.raises(error) as refusal:
        stamp(studio, tmp_path / name)

    assert says in cast(platemark.PlatemarkError, refusal.value).fix
    assert not list(studio.ledger.query(type="prompt.submitted"))


def test_a_clip_to_be_shown_as_in_a_mirror_is_refused(studio: Studio, tmp_path: Path) -> None:
    ffmpeg(*PICTURE, *H264, tmp_path / "flat.mp4")
    ffmpeg("-display_hflip", "-i", tmp_path / "flat.mp4", "-c", "copy", tmp_path / "mirrored.mp4")

    with pytest.raises(MediaError, match="mirror"):
        stamp(studio, tmp_path / "mirrored.mp4")


def test_an_edit_list_that_cuts_is_refused(studio: Studio, tmp_path: Path) -> None:
    ffmpeg(*PICTURE, *H264, tmp_path / "flat.mp4")
    content = (tmp_path / "flat.mp4").read_bytes()
    at = content.index(b"elst")
    once = content[at + 12 : at + 24]
    grown = content[: at + 8] + (2).to_bytes(4, "big") + once + once + content[at + 24 :]
    for kind in (b"elst", b"edts", b"trak", b"moov"):
        start = grown.index(kind) - 4
        size = int.from_bytes(grown[start : start + 4], "big") + 12
        grown = grown[:start] + size.to_bytes(4, "big") + grown[start + 4 :]
    (tmp_path / "cut.mp4").write_bytes(grown)

    with pytest.raises(MediaError, match="edit list"):
        stamp(studio, tmp_path / "cut.mp4")
