"""What a verification desk comes to find out, V1 to V6: each file gets the answer, the exit code and plain words."""

import csv
import os
from pathlib import Path

import pytest
from ffmpeg_clips import ffmpeg
from news_desks import Desk, Tell


@pytest.fixture(scope="module")
def shared_copy(ours: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip as a sharing site hands it on: encoded again at half its size, without a manifest."""
    copy = tmp_path_factory.mktemp("shared") / "copy.mp4"
    ffmpeg("-i", ours.clip.path, "-c:v", "libx264", "-crf", "28", "-vf", "scale=iw/2:ih/2", "-map_metadata", "-1", copy)
    return copy


@pytest.fixture(scope="module")
def phone_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that nobody signed or marked."""
    path = tmp_path_factory.mktemp("phone") / "IMG_0001.mov"
    ffmpeg("-f", "lavfi", "-i", "mandelbrot=s=192x144:r=6", "-t", "0.5", "-c:v", "libx264", "-pix_fmt", "yuv420p", path)
    return path


def flipped(source: Path, path: Path, *, at: bytes, past: int) -> Path:
    """Copy a file with one bit changed, so many bytes past the last place of some bytes."""
    content = bytearray(source.read_bytes())
    content[content.rindex(at) + past] ^= 1
    path.write_bytes(content)
    return path


def test_v1_a_whole_file_gives_verdict_signer_time_and_a_sentence(tell: Tell, ours: Desk) -> None:
    answer = tell("verify", ours.clip.path, "--home", ours.home, "--json")

    row = answer.row
    assert (answer.code, row["verdict"], row["ai"]) == (0, "trusted", row["ai"])
    assert "Daily Example" in str(row["signer"])
    assert row["signed_at"].startswith("20")
    assert row["axes"] | {"manifest": "present", "integrity": "intact", "signer": "trusted"} == row["axes"]
    assert row["explanation"]["en"]
    assert row["explanation"]["ko"]


@pytest.mark.parametrize(("language", "word"), [("en", "Daily Example"), ("ko", "서명")])
def test_v1_people_read_it_in_their_language(tell: Tell, ours: Desk, language: str, word: str) -> None:
    answer = tell("verify", ours.clip.path, "--home", ours.home, "--lang", language)

    assert answer.code == 0
    assert word in answer.out


def test_v2_a_stripped_half_size_copy_leads_back_to_our_record(tell: Tell, ours: Desk, shared_copy: Path) -> None:
    answer = tell("verify", shared_copy, "--home", ours.home, "--json")
    mark = tell("watermark", "detect", shared_copy, "--home", ours.home, "--json")

    row = answer.row
    assert (answer.code, row["verdict"], row["recovered_from"]) == (0, "recovered", ours.clip.clip_id)
    assert (row["axes"]["manifest"], row["axes"]["watermark"]) == ("absent", "matched")
    assert (mark.row["id"], mark.row["log10_fpr"] < -6) == (ours.clip.watermark_id, True)


@pytest.mark.parametrize("past", [64, 200, 4000])
def test_v3_one_bit_of_the_picture_changed_is_named(tell: Tell, ours: Desk, tmp_path: Path, past: int) -> None:
    changed = flipped(ours.clip.path, tmp_path / "changed.mp4", at=b"mdat", past=past)

    answer = tell("verify", changed, "--home", ours.home, "--json")

    row = answer.row
    assert (answer.code, row["verdict"], row["axes"]["integrity"]) == (5, "tampered", "tampered")
    assert any("Hash.mismatch" in code for code in row["codes"])
    assert row["failed_manifest"] == ours.clip.manifest_label


def test_v3_one_bit_of_the_manifest_changed_is_never_trusted(tell: Tell, ours: Desk, tmp_path: Path) -> None:
    changed = flipped(ours.clip.path, tmp_path / "changed.mp4", at=b"org.platemark.policy", past=60)

    answer = tell("verify", changed, "--home", ours.home, "--json")

    assert answer.code == 5
    assert answer.row["verdict"] in ("tampered", "unreadable")


def test_v3_a_file_cut_short_is_not_trusted(tell: Tell, ours: Desk, tmp_path: Path) -> None:
    content = ours.clip.path.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) * 3 // 4])

    answer = tell("verify", tmp_path / "cut.mp4", "--home", ours.home, "--json")

    assert answer.code == 5


def test_v4_anothers_clip_shows_its_signer_and_the_trust_list_decides(tell: Tell, ours: Desk, theirs: Desk) -> None:
    usual = ("verify", theirs.clip.path, "--home", ours.home, "--json")

    unknown = tell(*usual)
    trusted = tell(*usual, "--trust", theirs.home / "keys" / "root.pem")

    assert [(unknown.code, unknown.row["verdict"]), (trusted.code, trusted.row["verdict"])] == [
        (6, "intact"),
        (0, "trusted"),
    ]
    assert all("Evening Example" in str(each.row["signer"]) for each in (unknown, trusted))
    assert (unknown.row["axes"]["signer"], trusted.row["axes"]["signer"]) == ("untrusted", "trusted")


def test_v4_the_wrong_root_makes_nobody_trusted(tell: Tell, ours: Desk, theirs: Desk) -> None:
    answer = tell("verify", theirs.clip.path, "--trust", ours.home / "keys" / "root.pem", "--json", "--home", ours.home)

    assert (answer.code, answer.row["verdict"]) == (6, "intact")


def test_v5_a_folder_of_two_hundred_becomes_a_table(
    tell: Tell, ours: Desk, theirs: Desk, phone_video: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    others = {"theirs.mp4": theirs.clip.path, "phone.mov": phone_video}
    names = {**others, **{f"clip-{number:03}.mp4": ours.clip.path for number in range(198)}}
    [os.link(path, folder / name) for name, path in names.items()]

    answer = tell("verify", folder, "--home", ours.home, "--csv", tmp_path / "table.csv", "--manifest-only")

    rows = list(csv.DictReader((tmp_path / "table.csv").read_text("utf-8-sig").splitlines()))
    verdicts = [row["verdict"] for row in rows]
    assert (answer.code, len(rows)) == (6, 200)
    assert [verdicts.count(each) for each in ("trusted", "intact", "none")] == [198, 1, 1]
    assert "200" in answer.out + answer.err


def test_v6_a_phone_video_ends_with_4_and_says_that_absence_proves_nothing(
    tell: Tell, ours: Desk, phone_video: Path
) -> None:
    answer = tell("verify", phone_video, "--home", ours.home, "--json")

    row = answer.row
    assert (answer.code, row["verdict"], row["axes"]["manifest"]) == (4, "none", "absent")
    assert row["axes"]["ai"] in ("unknown", "none_declared")
    assert "proves nothing" in row["explanation"]["en"]
    assert "증명하지 않습니다" in row["explanation"]["ko"]
