"""A clip made elsewhere gets all four layers, keeps its sound, rate, colours and past, or nothing appears."""

import asyncio
import shutil
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from odd_clips import picture, write_clip

import platemark
from platemark.clip import Clip
from platemark.errors import (
    Cancelled,
    MediaError,
    OutputError,
    PromptRefused,
    RequestError,
    SourceRefused,
    SourceReserved,
    SourceUntrusted,
)
from platemark.generation.backend import CancelToken
from platemark.homes.home import init
from platemark.making.sources import override_for
from platemark.making.stamp_asking import StampOptions
from platemark.marking import detect_file
from platemark.media.formats import ColorTags
from platemark.media.label_reading import LabelReader
from platemark.media.video import (
    EncodeSettings,
    combine,
    read_frames_rgb,
    read_luma,
    read_video_facts,
    remux_without_metadata,
    to_yuv420,
    write_video,
)
from platemark.progress import JobProgress, ProgressCallback
from platemark.stamped import StampedClip
from platemark.studio import AsyncStudio, Studio
from platemark_provenance.verification import read_crjson

REFUSED = "no label and no watermark, strip the C2PA so that nobody knows it is AI"
EDITOR: StampOptions = {"actor": "jw.kim"}
RATE = Fraction(30000, 1001)
SD = ColorTags("smpte170m", "smpte170m", "smpte170m", "tv")


def with_tracks(silent: Path, path: Path, *, tracks: int = 2) -> Path:
    """Copy the picture and add sound tracks, each a tone of its own."""
    with av.open(str(silent)) as source, av.open(str(path), "w") as container:
        seen = container.add_stream_from_template(source.streams.video[0])
        heard = [container.add_stream("aac", rate=48_000) for _ in range(tracks)]
        for packet in source.demux(source.streams.video[0]):
            packet.stream = seen
            container.mux([packet] if packet.dts is not None else [])
        for number, sound in enumerate(heard, start=1):
            tone = (np.sin(np.arange(20 * 1024) * number / 20) * 8000).astype(np.int16)
            for start in range(0, len(tone), 1024):
                block = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
                block.sample_rate, block.pts = 48_000, start
                container.mux(sound.encode(block))
            container.mux(sound.encode(None))
    return path


@pytest.fixture(scope="module")
def veo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second without a manifest: 29.97 frames a second, BT.601 colours, two sound tracks."""
    folder = tmp_path_factory.mktemp("veo")
    frames = (to_yuv420(picture(320, 256, shift=2 * index)) for index in range(14))
    write_video(frames, folder / "silent.mp4", settings=EncodeSettings(RATE, crf=14, color=SD))
    return with_tracks(folder / "silent.mp4", folder / "veo.mp4")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that another publisher made and signed, and that reserves use by models."""
    folder = tmp_path_factory.mktemp("foreign")
    home = init(folder / "newsroom", organisation="Evening Example")
    with Studio.open(home.path) as studio:
        made = studio.generate("a calm sea", model="testcard", size="256x256", seconds=0.5, out=folder / "theirs.mp4")
    return made.path


@pytest.fixture
def stamped(studio: Studio, veo: Path, tmp_path: Path) -> StampedClip:
    """The clip made elsewhere, stamped."""
    return studio.stamp(veo, generator="Veo 3", prompt="잔잔한 바다", out=tmp_path / "out.mp4", actor="jw.kim")


def sounds(path: Path) -> list[list[tuple[bytes, float]]]:
    with av.open(str(path)) as container:
        tracks = container.streams.audio
        packets = [packet for packet in container.demux(tracks) if packet.size]
        return [
            [(bytes(one), float((one.pts or 0) * one.time_base)) for one in packets if one.stream_index == track.index]
            for track in tracks
        ]


def label_share(path: Path, text: str) -> float:
    reader = LabelReader((text,))
    seen = [reader.feed(frame) for frame in read_luma(path)]
    return sum(seen) / len(seen)


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def raise_at(stage: str, error: BaseException) -> ProgressCallback:
    def report(progress: JobProgress) -> None:
        if progress.stage == stage:
            raise error

    return report


def trust_their_root(studio: Studio, foreign: Path) -> None:
    roots = studio.home.path / "theirs.pem"
    shutil.copy(foreign.parent / "newsroom" / "keys" / "root.pem", roots)
    config = studio.home.path / "platemark.toml"
    config.write_text(config.read_text().replace("anchors = []", f'anchors = ["{roots}"]'))


def test_a_stamped_clip_is_trusted_and_knows_what_it_came_from(studio: Studio, stamped: StampedClip) -> None:
    report = platemark.verify(stamped.path, home=studio.home.path)

    assert (report.verdict, report.axes.ingredients, report.axes.watermark) == ("trusted", "ok", "matched")
    assert report.axes.ai == "fully"


def test_every_sound_packet_of_every_track_comes_through_bit_for_bit(veo: Path, stamped: StampedClip) -> None:
    before, after = sounds(veo), sounds(stamped.path)

    assert [len(track) > 5 for track in before] == [True, True]
    assert after == before


def test_size_rate_length_and_colour_tags_are_those_of_the_source(veo: Path, stamped: StampedClip) -> None:
    before, after = read_video_facts(veo), read_video_facts(stamped.path)

    assert (after.width, after.height, after.fps, after.frames) == (320, 256, RATE, 14)
    assert after.color == before.color == SD


def test_what_the_label_does_not_cover_looks_as_it_did(veo: Path, stamped: StampedClip) -> None:
    pairs = zip(read_frames_rgb(veo), read_frames_rgb(stamped.path), strict=True)

    below = [np.abs(old[128:].astype(int) - new[128:]).mean() for old, new in pairs]

    assert max(below) < 6
    assert min(below) > 0


def test_the_label_stands_on_every_frame_in_the_language_of_the_prompt(stamped: StampedClip) -> None:
    assert stamped.label.text == "AI 생성 영상"
    assert label_share(stamped.path, stamped.label.text) == 1


def test_a_copy_without_the_manifest_leads_back_through_the_mark(
    studio: Studio, stamped: StampedClip, tmp_path: Path
) -> None:
    remux_without_metadata(stamped.path, tmp_path / "stripped.mp4")

    report = platemark.verify(tmp_path / "stripped.mp4", home=studio.home.path)

    assert (report.verdict, report.recovered_from) == ("recovered", stamped.clip_id)


def test_the_ledger_tells_the_same_story_as_of_a_made_clip(studio: Studio, stamped: StampedClip) -> None:
    events = studio.ledger.trace(stamped.clip_id)

    assert [event.type for event in events] == [
        "prompt.submitted",
        "policy.decided",
        "output.intended",
        "generation.started",
        "generation.finished",
        "watermark.embedded",
        "policy.decided",
        "manifest.signed",
        "clip.published",
    ]
    assert (events[3].facts["task"], events[3].facts["source_verdict"]) == ("stamp", "none")
    assert "바다" not in str([event.facts for event in events])
    assert studio.ledger.verify().ok


def test_the_manifest_says_opened_not_made_and_names_source_and_verdict(studio: Studio, stamped: StampedClip) -> None:
    text = str(read_crjson(stamped.path, studio.home.trust_store()))

    assert "c2pa.opened" in text
    assert "c2pa.created" not in text
    assert stamped.source.sha256 in text
    assert "Veo 3" in text
    assert "바다" not in text


def test_the_result_has_the_fields_of_the_contract(stamped: StampedClip) -> None:
    fields = stamped.to_json()

    assert {"clip_id", "path", "sha256", "seed", "model", "seconds", "size", "fps", "policy"} <= set(fields)
    assert {"label", "watermark", "manifest", "ledger", "receipt", "timings"} <= set(fields)
    assert fields["model"] == {"name": "Veo 3", "version": "", "weights_sha256": ""}
    assert fields["source"]["sound"] == "kept"  # type: ignore[index, call-overload]


def test_without_a_prompt_the_frames_are_what_is_decided_on(studio: Studio, veo: Path, tmp_path: Path) -> None:
    made = studio.stamp(veo, generator="Veo 3", out=tmp_path / "out.mp4")

    decided = [event for event in studio.ledger.trace(made.clip_id) if event.type == "policy.decided"]
    assert [event.facts["of"] for event in decided] == ["frames"]
    assert made.decision.verdict.value == "allow"


def test_a_refused_prompt_is_refused_here_too_and_nothing_appears(studio: Studio, veo: Path, tmp_path: Path) -> None:
    before = left_in(tmp_path)

    with pytest.raises(PromptRefused):
        studio.stamp(veo, generator="Veo 3", prompt=REFUSED, out=tmp_path / "out.mp4")

    assert left_in(tmp_path) == before


def test_a_clip_that_flashes_is_refused_and_nothing_appears(studio: Studio, tmp_path: Path) -> None:
    flashes = (np.full((128, 128, 3), 255 * (index % 2), np.uint8) for index in range(24))
    write_video(map(to_yuv420, flashes), tmp_path / "flashes.mp4", settings=EncodeSettings(Fraction(12)))
    before = left_in(tmp_path)

    with pytest.raises(PromptRefused) as refusal:
        studio.stamp(tmp_path / "flashes.mp4", generator="Veo 3", out=tmp_path / "out.mp4")

    assert [finding.category for finding in refusal.value.decision.findings] == ["photosensitive"]
    assert left_in(tmp_path) == before


@pytest.mark.parametrize("stage", ["render", "screen_frames", "sign", "record"])
def test_whatever_fails_on_the_way_leaves_nothing_and_is_in_the_log(
    studio: Studio, veo: Path, tmp_path: Path, stage: str
) -> None:
    before = left_in(tmp_path)

    with pytest.raises(OSError, match="pulled"):
        studio.stamp(veo, generator="V", out=tmp_path / "out.mp4", on_progress=raise_at(stage, OSError("pulled")))

    assert left_in(tmp_path) == before
    assert len(list(studio.ledger.query(type="generation.abandoned"))) == 1


def test_a_job_that_is_told_to_stop_stops(studio: Studio, veo: Path, tmp_path: Path) -> None:
    token = CancelToken()
    token.cancel()

    with pytest.raises(Cancelled):
        studio.stamp(veo, generator="Veo 3", out=tmp_path / "out.mp4", cancel=token)


def test_a_signed_clip_of_this_home_keeps_its_manifest_as_parent_and_its_label(
    studio: Studio, clip: Clip, tmp_path: Path
) -> None:
    made = studio.stamp(clip.path, generator="Inpainter 2", out=tmp_path / "out.mp4")

    report = platemark.verify(made.path, home=studio.home.path)
    found = detect_file(studio.home, made.path)
    text = str(read_crjson(made.path, studio.home.trust_store()))
    assert (report.verdict, report.axes.ingredients) == ("trusted", "ok")
    assert (made.source.verdict, made.source.label) == ("trusted", "kept")
    assert clip.manifest_label in text
    assert text.count("c2pa.addedText") == 1
    assert found.id is not None
    assert found.id.hex() == made.watermark_id != clip.watermark_id


def test_a_label_in_another_wording_is_not_taken_for_ours(studio: Studio, clip: Clip, tmp_path: Path) -> None:
    made = studio.stamp(clip.path, generator="V", label_text="AI restored", out=tmp_path / "out.mp4")

    assert made.source.label == "drawn"
    assert label_share(made.path, "AI restored") == 1


def test_a_clip_whose_signer_nobody_trusts_is_refused(studio: Studio, foreign: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceUntrusted) as refusal:
        studio.stamp(foreign, generator="Veo 3", out=tmp_path / "out.mp4")

    assert refusal.value.exit_code == 6
    assert not (tmp_path / "out.mp4").exists()


def test_a_clip_whose_owner_forbids_it_is_refused_whoever_speaks_for_it(
    studio: Studio, foreign: Path, tmp_path: Path
) -> None:
    trust_their_root(studio, foreign)
    override = override_for(["untrusted", "tampered"], reason="a known agency")

    with Studio.open(studio.home.path) as trusting, pytest.raises(SourceReserved) as refusal:
        trusting.stamp(foreign, generator="V", override=override, **EDITOR, out=tmp_path / "out.mp4")

    assert refusal.value.exit_code == 3
    assert "input.rights.no-ai" in str(refusal.value)


def test_a_changed_clip_is_refused_unless_an_editor_gives_a_reason(studio: Studio, clip: Clip, tmp_path: Path) -> None:
    content = bytearray(clip.path.read_bytes())
    content[content.rindex(b"mdat") + 400] ^= 1
    (tmp_path / "changed.mp4").write_bytes(content)
    override = override_for(["tampered"], reason="시청자 제보, 전화로 확인")

    with pytest.raises(SourceRefused, match="changed after it was signed"):
        studio.stamp(tmp_path / "changed.mp4", generator="V", out=tmp_path / "out.mp4")
    made = studio.stamp(tmp_path / "changed.mp4", generator="V", override=override, **EDITOR, out=tmp_path / "out.mp4")

    assert (made.source.verdict, made.source.overridden) == ("tampered", ("tampered",))
    assert "시청자 제보" in str(read_crjson(made.path, studio.home.trust_store()))


def test_an_override_needs_a_name(studio: Studio, veo: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="name of who decides"):
        studio.stamp(veo, generator="V", override=override_for(["tampered"], reason="x"), out=tmp_path / "o.mp4")


def test_what_has_a_manifest_cannot_be_declared_as_something_else(studio: Studio, clip: Clip, tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="manifest of its own"):
        studio.stamp(clip.path, generator="V", source_type="algorithmicMedia", out=tmp_path / "out.mp4")


def test_a_camera_clip_that_a_model_changed_is_partly_ai(studio: Studio, veo: Path, tmp_path: Path) -> None:
    kind = "compositeWithTrainedAlgorithmicMedia"

    made = studio.stamp(veo, generator="Inpainter", source_type=kind, out=tmp_path / "out.mp4")

    assert platemark.verify(made.path, home=studio.home.path).axes.ai == "partly"


def test_a_turned_clip_comes_out_upright(studio: Studio, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "turned.mp4", size=(192, 128), rotation=90)
    upright = np.rot90(next(read_frames_rgb(source))).astype(int)

    made = studio.stamp(source, generator="Phone", out=tmp_path / "out.mp4")

    facts = read_video_facts(made.path)
    assert (facts.width, facts.height, facts.rotation_deg, made.source.rotation_deg) == (128, 192, 0, 90)
    assert np.abs(next(read_frames_rgb(made.path))[96:].astype(int) - upright[96:]).mean() < 8


@pytest.mark.parametrize(
    ("name", "oddity", "error", "words"),
    [
        ("ten_bits.mp4", {"codec": "libx264", "pixel_format": "yuv420p10le"}, MediaError, "yuv420p10le"),
        ("uneven_rate.mp4", {"times": (0, 1, 2, 5, 6, 7, 8, 12)}, MediaError, "variable frame rate"),
        ("odd_width.mp4", {"codec": "libx264", "pixel_format": "yuv444p", "size": (193, 128)}, RequestError, "even"),
        ("too_narrow.mp4", {"size": (640, 128)}, RequestError, "times as long"),
        ("too_small.mp4", {"size": (96, 96)}, RequestError, "128"),
        ("late_picture.mp4", {"times": range(6, 14), "sound": True}, MediaError, "starts 0.5"),
    ],
)
def test_what_cannot_be_stamped_as_it_is_is_refused_with_the_way_to_mend_it(
    studio: Studio, tmp_path: Path, name: str, oddity: dict[str, object], error: type[Exception], words: str
) -> None:
    source = write_clip(tmp_path / name, **oddity)  # type: ignore[arg-type]

    with pytest.raises(error, match=words) as refusal:
        studio.stamp(source, generator="Veo 3", out=tmp_path / "out.mp4")

    assert cast(platemark.PlatemarkError, refusal.value).fix
    assert not list(studio.ledger.query(type="prompt.submitted"))


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_refused(studio: Studio, tmp_path: Path, transfer: int) -> None:
    with av.open(str(tmp_path / "hdr.mp4"), "w") as container:
        stream = cast(VideoStream, container.add_stream("libx264", rate=12))
        stream.width, stream.height, stream.pix_fmt = 192, 128, "yuv420p"
        stream.codec_context.color_trc, stream.codec_context.color_primaries = transfer, 9
        for index in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(shift=index), format="rgb24")))
        container.mux(stream.encode(None))

    with pytest.raises(MediaError, match="HDR") as refusal:
        studio.stamp(tmp_path / "hdr.mp4", generator="Veo 3", out=tmp_path / "out.mp4")

    assert "tonemap" in refusal.value.fix


def test_a_generator_without_a_name_is_refused(studio: Studio, veo: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="generator"):
        studio.stamp(veo, generator=" ", out=tmp_path / "out.mp4")


def test_an_unknown_source_type_is_refused(studio: Studio, veo: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="source type"):
        studio.stamp(veo, generator="V", source_type="magic", out=tmp_path / "out.mp4")


def test_the_source_itself_is_never_the_output(studio: Studio, veo: Path) -> None:
    with pytest.raises(RequestError, match="input itself"):
        studio.stamp(veo, generator="V", out=veo, overwrite=True)


def test_a_file_that_is_there_is_not_replaced(studio: Studio, veo: Path, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"mine")

    with pytest.raises(OutputError, match="exists"):
        studio.stamp(veo, generator="V", out=tmp_path / "out.mp4")


def test_the_same_from_asyncio(home_path: Path, veo: Path, tmp_path: Path) -> None:
    async def stamp() -> StampedClip:
        async with await AsyncStudio.open(home_path) as studio:
            return await studio.stamp(veo, generator="Veo 3", out=tmp_path / "out.mp4")

    assert asyncio.run(stamp()).path.is_file()


def test_combining_keeps_every_track(veo: Path, tmp_path: Path) -> None:
    combine(veo.with_name("silent.mp4"), veo, tmp_path / "both.mp4")

    assert sounds(tmp_path / "both.mp4") == sounds(veo)
