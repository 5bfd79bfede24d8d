"""The benchmark of the mark: clips that are the same everywhere, real attacks, and figures that can be bad."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from platemark.bench import watermark as bench
from platemark.bench import watermark_security
from platemark.bench.claims import Claim, Options
from platemark.bench.watermark_attacks import ATTACKS, QUICK, Attack, compare, make_copy
from platemark.bench.watermark_clips import KINDS, BenchClip, draw_clips, read_clips
from platemark.bench.watermark_security import measure_security
from platemark.clip import Size
from platemark.errors import RequestError
from platemark.media.video import EncodeSettings, YuvFrame, write_video
from platemark_provenance.watermark.issued import IssuedIds

SMALL = Size(256, 144)
BY_NAME = {attack.name: attack for attack in ATTACKS}


@pytest.fixture(scope="module")
def clips() -> dict[str, BenchClip]:
    return {clip.name: clip for clip in draw_clips(SMALL, 4)}


@pytest.fixture(scope="module")
def made(clips: dict[str, BenchClip]) -> bench.Marked:
    return bench.mark_clip(clips["handheld"])


def _shifted(frames: tuple[YuvFrame, ...], levels: int) -> tuple[YuvFrame, ...]:
    return tuple(YuvFrame((frame.y // 2 + 60 + levels).astype(np.uint8), frame.u, frame.v) for frame in frames)


def test_there_is_one_clip_of_each_kind(clips: dict[str, BenchClip]) -> None:
    assert list(clips) == list(KINDS)
    assert {len(clip.frames) for clip in clips.values()} == {4}
    assert {clip.frames[0].y.shape for clip in clips.values()} == {(144, 256)}


def test_clips_are_the_same_every_time(clips: dict[str, BenchClip]) -> None:
    again = next(draw_clips(SMALL, 4))

    np.testing.assert_array_equal(again.frames[3].y, clips["handheld"].frames[3].y)


def test_the_title_stands_still_and_the_pan_does_not(clips: dict[str, BenchClip]) -> None:
    title, pan = clips["static title"].frames, clips["fast pan"].frames

    np.testing.assert_array_equal(title[0].y, title[3].y)
    assert np.abs(pan[0].y.astype(int) - pan[1].y).mean() > 3


def test_a_folder_of_clips_is_read_at_one_size(tmp_path: Path, clips: dict[str, BenchClip]) -> None:
    write_video(clips["dark"].frames, tmp_path / "night.mp4", settings=EncodeSettings(fps=Fraction(25)))
    (tmp_path / "notes.txt").write_text("not a clip")

    (read,) = read_clips(tmp_path, Size(512, 288), 3)

    assert (read.name, len(read.frames), read.frames[0].y.shape) == ("night", 3, (288, 512))


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no clips in"):
        list(read_clips(tmp_path, SMALL, 3))


def test_attacks_have_names_of_their_own_and_the_quick_ones_are_among_them() -> None:
    assert len(BY_NAME) == len(ATTACKS)
    assert set(QUICK) <= set(BY_NAME)


@pytest.mark.parametrize(
    ("name", "shape", "frames"),
    [
        ("H.264 CRF 30", (144, 256), 4),
        ("crop to a quarter of the area", (72, 128), 4),
        ("squeeze to 4:3", (144, 192), 4),
        ("letterbox", (192, 256), 4),
        ("one frame as JPEG 50", (144, 256), 1),
        ("nothing", (144, 256), 4),
    ],
)
def test_an_attack_does_what_its_name_says(
    clips: dict[str, BenchClip], name: str, shape: tuple[int, int], frames: int
) -> None:
    copy = make_copy(BY_NAME[name], clips["handheld"].frames)

    assert (copy.frames[0].shape, len(copy.frames)) == (shape, frames)


def test_a_copy_through_a_codec_keeps_its_colour_beside_its_brightness(clips: dict[str, BenchClip]) -> None:
    copy = make_copy(BY_NAME["mirror"], clips["handheld"].frames)

    assert [frame.u.shape for frame in copy.pictures] == [(72, 128)] * 4
    np.testing.assert_array_equal(copy.pictures[2].y, copy.frames[2])
    assert copy.pictures[0].v.mean() == pytest.approx(128, abs=1)


def test_a_higher_crf_leaves_fewer_bits(clips: dict[str, BenchClip]) -> None:
    light, heavy = (make_copy(BY_NAME[f"H.264 CRF {crf}"], clips["handheld"].frames) for crf in (30, 45))

    assert 0 < heavy.kbps < light.kbps


def test_one_second_is_a_second_from_the_middle(clips: dict[str, BenchClip]) -> None:
    frames = clips["handheld"].frames * 15

    assert len(make_copy(replace(BY_NAME["one second of it"], codec=()), frames).frames) == 25


def test_what_ffmpeg_cannot_do_is_said(clips: dict[str, BenchClip]) -> None:
    with pytest.raises(RequestError, match="FFmpeg failed"):
        make_copy(Attack("nonsense", None, codec=("-c:v", "no-such-encoder")), clips["dark"].frames)


def test_a_worse_picture_has_a_worse_score(clips: dict[str, BenchClip]) -> None:
    frames = clips["handheld"].frames

    same, changed = compare(frames, frames, every=2), compare(frames, _shifted(frames, 3), every=2)

    assert same.vmaf > 95
    assert changed.vmaf < same.vmaf - 10
    assert changed.psnr_db < 40 < same.psnr_db
    assert changed.ssim < same.ssim


def test_the_row_of_an_untouched_copy_says_exact(made: bench.Marked) -> None:
    index = IssuedIds.from_ids(bench.KEYS, [made.mark_id])

    row = bench.measure_attack(made, BY_NAME["nothing"], index)

    assert (row.exact, row.wrong) == (True, False)
    assert row.bit_accuracy is not None
    assert row.bit_accuracy > 0.9


def test_a_clip_without_the_mark_counts_as_lost(made: bench.Marked, clips: dict[str, BenchClip]) -> None:
    index = IssuedIds.from_ids(bench.KEYS, [made.mark_id])
    unmarked = replace(made, frames=clips["water"].frames)

    row = bench.measure_attack(unmarked, BY_NAME["one frame as JPEG 50"], index, effort="fast")

    assert (row.exact, row.wrong, row.method, row.bit_accuracy) == (False, False, None, None)


def test_shares_are_of_the_clips_and_wrong_ids_fail() -> None:
    row = bench.Row("a", "nothing", True, False, "blind", -10.0, 1.0, 0.0, 0.1)
    rows = [row, replace(row, clip="b", exact=False, wrong=True)]

    exact, wrong, unmarked = bench.sum_up(rows, [BY_NAME["nothing"]])

    assert (exact.value, exact.holds, exact.peer) == (50.0, False, "2 clips")
    assert (wrong.value, wrong.holds) == (1, False)
    assert (unmarked.value, unmarked.holds) == (0, True)


def test_a_mark_named_in_an_unmarked_clip_fails_the_run() -> None:
    row = bench.Row("a", bench.UNMARKED, False, True, "indexed", -9.5, None, 0.0, 0.1)

    wrong, unmarked = bench.sum_up([row, replace(row, wrong=False)], [])

    assert (wrong.value, wrong.holds) == (0, True)
    assert (unmarked.value, unmarked.holds) == (1, False)


def test_the_original_of_a_marked_clip_is_not_taken_for_marked(made: bench.Marked) -> None:
    row = bench.measure_original(made, IssuedIds.from_ids(bench.KEYS, [made.mark_id]))

    assert (row.attack, row.exact, row.wrong) == (bench.UNMARKED, False, False)


def test_every_stage_has_clips_of_a_size_of_its_own_and_names_that_say_it() -> None:
    names = [attack.name for stage in bench.STAGES for attack in stage.attacks]

    assert len({stage.size for stage in bench.STAGES}) == len(bench.STAGES) == 4
    assert len(set(names)) == len(names)
    assert {"H.264 CRF 50, at 1280x720", "H.264 CRF 35, at 128x128"} <= set(names)


def test_what_is_promised_at_other_sizes_is_what_the_stage_says() -> None:
    targets = {attack.name: attack.target for stage in bench.STAGES[1:] for attack in stage.attacks}

    assert targets["H.264 CRF 40, at 1280x720"] == 97
    assert targets["H.264 CRF 28, at 256x256"] == 95


def test_security_is_measured_on_the_clips_it_is_given(
    clips: dict[str, BenchClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watermark_security, "OTHER_KEYS", 2)
    monkeypatch.setattr(watermark_security, "TAIL_KEYS", 3)
    pair = [bench.mark_clip(clips[name]) for name in ("film grain", "flat cartoon")]

    claims = measure_security([each.frames for each in pair], [each.mark_id for each in pair], bench.KEYS)

    by_name: dict[str, Claim] = {claim.claim: claim for claim in claims}
    assert by_name["marks of 2 other keys named in a marked clip"].value == 0
    assert by_name["transplanted marks called genuine"].value == 0
    assert by_name["wrong scores over 4 sd, against the bound"].holds


def test_the_quick_run_measures_all_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "QUICK_FRAMES", 3)
    monkeypatch.setattr(bench, "SIZE", SMALL)
    monkeypatch.setattr(bench, "QUICK", ("nothing", "mirror"))
    monkeypatch.setattr(bench, "measure_security", lambda *given: [])

    claims = bench.measure(Options(quick=True, plots=tmp_path))

    table = json.loads((tmp_path / "watermark-rows.json").read_text(encoding="utf-8"))
    assert [claim.claim for claim in claims[:2]] == ["exact id after: nothing", "exact id after: mirror"]
    assert [row["attack"] for row in table["rows"]] == ["nothing", "mirror", bench.UNMARKED] * 2
    assert {row["clip"] for row in table["rows"]} == {"handheld", "film grain"}
    assert [each["clip"] for each in table["clips"]] == [f"{name}, 256x144" for name in ("handheld", "film grain")]


def test_a_run_that_is_cut_short_leaves_what_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "QUICK_FRAMES", 2)
    monkeypatch.setattr(bench, "SIZE", SMALL)
    monkeypatch.setattr(bench, "QUICK", ("nothing",))
    made = iter([bench.mark_clip(next(draw_clips(SMALL, 2)))])
    monkeypatch.setattr(bench, "mark_clip", lambda clip: next(made))

    with pytest.raises(StopIteration):
        bench.measure(Options(quick=True, plots=tmp_path))

    table = json.loads((tmp_path / "watermark-rows.json").read_text(encoding="utf-8"))
    assert [row["attack"] for row in table["rows"]] == ["nothing", bench.UNMARKED]
