"""Marking changes what is seen and nothing of what is heard."""

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from PIL import Image

from platemark.errors import OutputError
from platemark.homes.home import Home, open_home
from platemark.marking import MarkOptions, detect_file, embed_file
from platemark.media.video import EncodeSettings, read_frames_rgb, read_video_facts, to_yuv420, write_video

MARK = "00112233445566aa"
Heard = list[tuple[bytes, float, float]]


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of drifting colours, without sound."""
    path = tmp_path_factory.mktemp("sound") / "silent.mp4"
    blocks = np.random.default_rng(5).integers(40, 210, (18, 20, 3), dtype=np.uint8)
    wide = np.array(Image.fromarray(blocks).resize((320, 288), Image.Resampling.BICUBIC))
    pictures = (to_yuv420(np.ascontiguousarray(wide[:256, 2 * n : 2 * n + 256])) for n in range(12))
    write_video(pictures, path, settings=EncodeSettings(fps=Fraction(24)))
    return path


def give_sound(silent: Path, path: Path, *, codec: str = "aac", rate: int = 48_000, layout: str = "mono") -> Path:
    """Copy the picture and add half a second of a rising tone."""
    channels = {"mono": 1, "stereo": 2}[layout]
    time = np.arange(rate // 2) / rate
    tone = (np.sin(2 * np.pi * (300 + 400 * time) * time) * 9000).astype(np.int16)
    with av.open(str(silent)) as source, av.open(str(path), "w") as container:
        picture = container.add_stream_from_template(source.streams.video[0])
        sound = cast(AudioStream, container.add_stream(codec, rate=rate, layout=layout))
        for packet in source.demux(source.streams.video[0]):
            packet.stream = picture
            container.mux([packet] if packet.dts is not None else [])
        for start in range(0, len(tone) - 1024, 1024):
            samples = np.repeat(tone[start : start + 1024], channels)[None]
            block = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
            block.sample_rate, block.pts = rate, start
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return path


def heard(path: Path) -> Heard:
    """Every packet of the first sound stream, with when it is heard and for how long, in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        base = float(stream.time_base or 0)
        packets = [packet for packet in container.demux(stream) if packet.size]
        return [(bytes(packet), (packet.pts or 0) * base, (packet.duration or 0) * base) for packet in packets]


@pytest.fixture
def home(home_path: Path) -> Home:
    """A fresh home, opened."""
    return open_home(home_path)


@pytest.mark.parametrize(("rate", "layout"), [(48_000, "mono"), (44_100, "stereo"), (22_050, "mono")])
def test_every_packet_of_sound_comes_through_bit_for_bit_and_on_time(
    home: Home, silent: Path, tmp_path: Path, rate: int, layout: str
) -> None:
    source = give_sound(silent, tmp_path / "in.mp4", rate=rate, layout=layout)

    embed_file(home, source, tmp_path / "out.mp4", options=MarkOptions(MARK))

    assert len(heard(source)) > 5
    assert heard(tmp_path / "out.mp4") == heard(source)


def test_the_copy_has_picture_and_sound_and_carries_the_mark(home: Home, silent: Path, tmp_path: Path) -> None:
    source = give_sound(silent, tmp_path / "in.mp4")

    embed_file(home, source, tmp_path / "out.mp4", options=MarkOptions(MARK))

    facts, found = read_video_facts(tmp_path / "out.mp4"), detect_file(home, tmp_path / "out.mp4")
    assert (facts.has_audio, facts.frames, facts.fps) == (True, 12, 24)
    assert found.id is not None
    assert found.id.hex() == MARK


def test_sound_or_none_the_same_frames_come_out(home: Home, silent: Path, tmp_path: Path) -> None:
    source = give_sound(silent, tmp_path / "in.mp4")

    embed_file(home, silent, tmp_path / "without.mp4", options=MarkOptions(MARK))
    embed_file(home, source, tmp_path / "with.mp4", options=MarkOptions(MARK))

    pairs = zip(read_frames_rgb(tmp_path / "with.mp4"), read_frames_rgb(tmp_path / "without.mp4"), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_nothing_but_the_copy_is_left_beside_a_clip_with_sound(home: Home, silent: Path, tmp_path: Path) -> None:
    source = give_sound(silent, tmp_path / "in.mp4")

    embed_file(home, source, tmp_path / "out.mp4", options=MarkOptions())

    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "newsroom", "out.mp4"]


def test_a_clip_without_sound_gets_none(home: Home, silent: Path, tmp_path: Path) -> None:
    embed_file(home, silent, tmp_path / "out.mp4", options=MarkOptions())

    assert not read_video_facts(tmp_path / "out.mp4").has_audio


def test_sound_that_mp4_cannot_hold_is_refused_and_issues_no_mark(home: Home, silent: Path, tmp_path: Path) -> None:
    source = give_sound(silent, tmp_path / "in.mkv", codec="pcm_u8")

    with pytest.raises(OutputError, match="does not hold"):
        embed_file(home, source, tmp_path / "out.mp4", options=MarkOptions())

    with home.open_ledger() as ledger:
        assert ledger.registry.issued_marks() == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "newsroom"]
