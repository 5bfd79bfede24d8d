"""What a producer on the video desk comes to do; each test is named by its scenario."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from platemark.compliance.gathering import gather
from platemark.homes.home import open_home
from platemark.media.video import read_frames_rgb
from platemark.progress import JobProgress
from platemark.studio import Studio

WAITS = "대통령이 사퇴를 발표하는 뉴스 속보 화면"
SHORT = ("--model", "testcard", "--seconds", "0.5", "--size", "128x128", "--seed", "7")


# P1: a Korean prompt becomes a clip with everything its receipt promises


def test_p1_the_answer_names_clip_file_model_seed_policy_label_mark_and_manifest(shared: Any) -> None:
    made = shared.made

    assert made["sha256"] == hashlib.sha256(shared.clip.read_bytes()).hexdigest()
    assert (made["model"]["name"], made["seed"], made["policy"]["verdict"]) == ("testcard", "7", "allow")
    assert made["label"]["text"] == "AI 생성 영상"
    assert made["model"]["version"]
    assert len(made["watermark"]["id"]) == 16
    assert made["manifest"]["label"].startswith("urn:c2pa:")
    assert made["desk"] == "politics" if "desk" in made else True


def test_p1_verify_of_it_is_0_and_names_the_publisher(shared: Any) -> None:
    answer = shared.ask("verify", shared.clip)

    assert (answer.code, answer.object["verdict"], answer.object["signer"]) == (0, "trusted", "Daily Example")
    assert answer.object["ai"] == "fully"


def test_p1_the_label_is_found_in_every_frame(shared: Any) -> None:
    label = gather(open_home(shared.home), shared.clip).label

    assert (label.labelled, label.frames) == (24, 24)


def test_p1_a_receipt_lies_beside_it_and_proves_the_publication(shared: Any) -> None:
    assert Path(shared.made["receipt"]).is_file() or (shared.folder / "clip.mp4.tlog-proof").is_file()
    assert shared.ask("audit", "receipt", shared.made["clip_id"]).code == 0


def test_p1_no_unsigned_file_is_ever_at_the_final_path(newsroom: Any) -> None:
    final, seen = newsroom.folder / "watched.mp4", []

    def watch(progress: JobProgress) -> None:
        seen.append((progress.stage, final.exists()))

    with Studio.open(newsroom.home) as studio:
        studio.generate(
            "a calm sea", model="testcard", seconds=0.5, size="128x128", seed=7, out=final, on_progress=watch
        )

    there = [stage for stage, exists in seen if exists]
    assert set(there) <= {"receipt"}
    assert {"render", "sign"} <= {stage for stage, _ in seen}


# P2: the same seed on the same machine


def test_p2_the_same_seed_gives_the_same_decoded_frames(newsroom: Any) -> None:
    for name in ("one.mp4", "two.mp4"):
        newsroom.ask("generate", "비 오는 서울 야경", *SHORT, "--out", newsroom.folder / name)

    digests = [
        hashlib.sha256(b"".join(frame.tobytes() for frame in read_frames_rgb(newsroom.folder / name))).hexdigest()
        for name in ("one.mp4", "two.mp4")
    ]

    assert digests[0] == digests[1]


# P3: a given picture


def test_p3_a_given_picture_stays_inside_as_what_was_given_to_the_model(newsroom: Any) -> None:
    still, out = newsroom.folder / "photo.png", newsroom.folder / "animated.mp4"
    newsroom.ask("generate", "a calm sea", "--model", "testcard", "--size", "128x128", "--out", still)

    answer = newsroom.ask("generate", "a calm sea", *SHORT, "--image", still, "--out", out)

    (given,) = newsroom.ask("verify", out).object["history"]["manifest"]["ingredients"]
    assert answer.code == 0
    assert given["relationship"] == "inputTo"


def test_p3_a_picture_whose_owner_reserves_it_is_refused_with_its_code(newsroom: Any, tmp_path: Path) -> None:
    other = tmp_path / "other"
    newsroom.run(["init", str(other), "--org", "Another Paper", "--quiet"])
    still = newsroom.folder / "theirs.png"
    theirs = replace(newsroom, home=other)
    theirs.ask("generate", "a calm sea", "--model", "testcard", "--size", "128x128", "--out", still)
    newsroom.ask("trust", "add", next((other / "keys").glob("root*.pem")))

    answer = newsroom.ask("generate", "a calm sea", *SHORT, "--image", still, "--out", newsroom.folder / "no.mp4")

    assert answer.code == 3
    assert "[input.rights.no-ai]" in answer.object["error"]["message"]
    assert newsroom.ask("explain", "input.rights.no-ai").code == 0
    assert not (newsroom.folder / "no.mp4").exists()


# P4: fake breaking news. Where nobody is named an editor decides; a real person is refused.

NAMED = "이재명 대통령이 사퇴를 발표하는 뉴스 속보 화면"


def test_p4_the_president_resigns_waits_for_an_editor_and_makes_nothing(newsroom: Any) -> None:
    out = newsroom.folder / "news.mp4"

    answer = newsroom.ask("generate", WAITS, *SHORT, "--actor", "jw.kim", "--out", out)

    assert (answer.code, answer.object["verdict"], out.exists()) == (8, "review", False)
    assert answer.object["ticket"]
    assert "R12.2" in {each["rule_id"] for each in answer.object["findings"]}


def test_p4_a_named_office_holder_is_refused_with_rules_places_and_reasons_in_both_languages(newsroom: Any) -> None:
    out = newsroom.folder / "news.mp4"

    answer = newsroom.ask("generate", NAMED, *SHORT, "--actor", "jw.kim", "--out", out)

    findings = {each["rule_id"]: each for each in answer.object["findings"]}
    assert (answer.code, answer.object["verdict"], out.exists()) == (3, "block", False)
    assert NAMED[slice(*findings["R02.1"]["span"])] == "이재명"
    assert NAMED[slice(*findings["R12.2"]["span"])] == "뉴스 속보"
    assert all(each["reason"]["en"] and each["reason"]["ko"] for each in findings.values())
    assert newsroom.ask("explain", "R02.1").code == 0


def test_p4_the_refusal_can_be_appealed_by_the_one_who_asked(newsroom: Any) -> None:
    refused = newsroom.ask("generate", NAMED, *SHORT, "--actor", "jw.kim", "--out", newsroom.folder / "x.mp4").object
    words = ("review", "request", refused["decision_id"], "--reason", "A drama, labelled as one")

    by_another = newsroom.ask(*words, "--actor", "somebody")
    by_them = newsroom.ask(*words, "--actor", "jw.kim")

    assert (by_another.code, by_them.code) == (2, 0)
    assert newsroom.ask("review", "list").objects


# P5: killed on the way

SEA = {"prompt": "a calm blue sea", "id": "sea", "model": "testcard", "seconds": 0.5, "size": "128x128", "seed": 7}

DIES = """
import os, signal, sys
from platemark.making import pipeline
pipeline.ClipJob._publish = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
from platemark.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_p5_a_killed_batch_is_resumed_and_the_log_shows_both(newsroom: Any) -> None:
    prompts = newsroom.folder / "prompts.jsonl"
    prompts.write_text(json.dumps(SEA) + "\n", "utf-8")
    words = ["generate", "--batch", str(prompts), "--out", str(newsroom.folder), "--home", str(newsroom.home)]
    killed = subprocess.run(
        [sys.executable, "-c", DIES, *words], env=dict(os.environ), capture_output=True, check=False
    ).returncode
    assert not (newsroom.folder / "sea.mp4").exists()

    (batch,) = newsroom.ask("jobs", "list").objects
    answer = newsroom.ask("jobs", "resume", batch["batch_id"])

    assert (killed, answer.code) == (-signal.SIGKILL, 0)
    assert newsroom.ask("verify", newsroom.folder / "sea.mp4").code == 0
    types = {each["type"] for each in newsroom.ask("audit", "query", "--limit", "100").objects}
    assert {"generation.abandoned", "clip.published"} <= types


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_p1_people_read_it_in_their_language(shared: Any, lang: str) -> None:
    answer = shared.run(["verify", str(shared.clip), "--home", str(shared.home), "--lang", lang])

    assert answer.code == 0
