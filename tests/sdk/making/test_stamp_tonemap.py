"""`--tonemap`: HDR, wide gamut and deep colours become standard ones when asked to, and everything says so."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from ffmpeg_clips import PICTURE, SOUND, ffmpeg

import platemark
from platemark.errors import MediaError
from platemark.media.formats import BT709_LIMITED
from platemark.media.tone_decoding import read_frames_as_standard, read_peak
from platemark.media.tone_mapping import WideForm, to_standard
from platemark.media.video import read_frames_rgb, read_video_facts
from platemark.stamped import StampedClip
from platemark.studio import Studio
from platemark_provenance.verification import read_crjson

DEEP = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "8", "-pix_fmt", "yuv420p10le")


def tags(transfer: str, *, before: str = "", primaries: str = "bt2020", matrix: str = "bt2020nc") -> tuple[str, ...]:
    """Tag what is encoded; a filter that goes before comes first."""
    said = f"setparams=color_primaries={primaries}:color_trc={transfer}:colorspace={matrix}:range=tv"
    return ("-vf", f"{before}format=yuv420p10le,{said}")


def plain(path: Path, colour: str, transfer: str) -> Path:
    """Write a clip of one colour, its hexadecimal RGB coded in BT.2020 as it stands."""
    source = ("-f", "lavfi", "-i", f"color=0x{colour}:s=192x128:r=12:d=0.5")
    to_yuv = "format=gbrp,scale=out_color_matrix=bt2020:out_range=tv,"
    ffmpeg(*source, *DEEP, *tags(transfer, before=to_yuv), path)
    return path


def stamp(studio: Studio, source: Path) -> StampedClip:
    return studio.stamp(source, generator="Veo 3", tonemap=True, out=source.with_name("out.mp4"))


@pytest.fixture
def hdr(tmp_path: Path) -> Path:
    """A moving PQ clip with sound."""
    ffmpeg(*PICTURE, *SOUND, *DEEP, *tags("smpte2084"), "-c:a", "aac", tmp_path / "hdr.mp4")
    return tmp_path / "hdr.mp4"


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67", "bt2020-10"])
@pytest.mark.parametrize("colour", ["808080", "404040", "c0b0a0", "6878a0", "90a080"])
def test_what_a_decoder_shows_is_what_the_formulas_say(tmp_path: Path, transfer: str, colour: str) -> None:
    form = WideForm({"smpte2084": "pq", "arib-std-b67": "hlg", "bt2020-10": "sdr"}[transfer])  # type: ignore[arg-type]
    source = plain(tmp_path / "plain.mp4", colour, transfer)
    wanted = to_standard(np.frombuffer(bytes.fromhex(colour), np.uint8) / 255, form)

    frame = next(read_frames_as_standard(source, form))

    y = 16 + 219 * (wanted @ [0.2126, 0.7152, 0.0722])
    u = 128 + 224 * (wanted[2] - (y - 16) / 219) / 1.8556
    v = 128 + 224 * (wanted[0] - (y - 16) / 219) / 1.5748
    shown = [float(plane.mean()) for plane in (frame.y, frame.u, frame.v)]
    assert shown == pytest.approx([y, u, v], abs=3)


def test_an_hdr_clip_comes_out_standard_trusted_and_with_its_sound(studio: Studio, hdr: Path) -> None:
    made = stamp(studio, hdr)

    facts = read_video_facts(made.path)
    assert (facts.color, facts.pixel_format) == (BT709_LIMITED, "yuv420p")
    assert platemark.verify(made.path, home=studio.home.path).verdict == "trusted"
    assert made.source.sound == "kept"
    assert max(frame.max() for frame in read_frames_rgb(made.path)) > 200


def test_result_log_and_manifest_name_the_operator(studio: Studio, hdr: Path) -> None:
    made = stamp(studio, hdr)

    (started,) = studio.ledger.query(clip=made.clip_id, type="generation.started")
    manifest = json.dumps(read_crjson(made.path, studio.home.trust_store()))
    assert "BT.2390" in made.source.tonemapped
    assert "1000 to 100 cd/m2" in made.source.tonemapped
    assert started.facts["tonemapped"] == made.source.tonemapped
    assert "c2pa.color_adjustments" in manifest
    assert "BT.2390" in manifest


def test_ten_bits_of_standard_colours_are_only_rounded(studio: Studio, tmp_path: Path) -> None:
    ffmpeg(
        *PICTURE, *DEEP, "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", tmp_path / "d.mp4"
    )
    before = [frame[64:].astype(int) for frame in read_frames_rgb(tmp_path / "d.mp4")]

    made = stamp(studio, tmp_path / "d.mp4")

    after = [frame[64:].astype(int) for frame in read_frames_rgb(made.path)]
    assert made.source.tonemapped == "yuv420p10le video rounded to 8 bits"
    assert max(np.abs(old - new).mean() for old, new in zip(before, after, strict=True)) < 6


def test_a_standard_clip_is_not_touched_by_asking(studio: Studio, tmp_path: Path) -> None:
    ffmpeg(*PICTURE, "-c:v", "libx264", "-pix_fmt", "yuv420p", tmp_path / "plain.mp4")

    made = stamp(studio, tmp_path / "plain.mp4")

    assert made.source.tonemapped == ""
    assert "c2pa.color_adjustments" not in json.dumps(read_crjson(made.path, studio.home.trust_store()))


@pytest.mark.parametrize(
    ("said", "peak"),
    [
        ((), 1000.0),
        (
            ("-x264-params", "mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,50)"),
            4000.0,
        ),
    ],
    ids=["silent", "stated"],
)
def test_the_peak_is_the_masters_own(tmp_path: Path, said: Sequence[str], peak: float) -> None:
    ffmpeg(*PICTURE, *DEEP, *tags("smpte2084"), *said, tmp_path / "hdr.mp4")

    assert read_peak(tmp_path / "hdr.mp4") == peak


def test_a_peak_that_no_display_has_is_refused(tmp_path: Path) -> None:
    display = "mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(200000,50)"
    ffmpeg(*PICTURE, *DEEP, *tags("smpte2084"), "-x264-params", display, tmp_path / "dim.mp4")

    with pytest.raises(MediaError, match="20 cd/m²"):
        read_peak(tmp_path / "dim.mp4")


def test_a_mixture_that_nothing_reads_is_refused_even_when_asked(studio: Studio, tmp_path: Path) -> None:
    ffmpeg(*PICTURE, *DEEP, *tags("smpte2084", primaries="smpte432", matrix="bt709"), tmp_path / "p3.mp4")

    with pytest.raises(MediaError, match="mixture"):
        stamp(studio, tmp_path / "p3.mp4")
