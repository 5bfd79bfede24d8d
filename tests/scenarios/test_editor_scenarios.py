"""What a standards editor comes to do, S1 to S4: decide, try rules, report, withdraw."""

import csv
import json
from pathlib import Path

import pytest
from ffmpeg_clips import ffmpeg
from news_desks import Answer, Desk, Tell

from platemark.homes.home import open_home
from platemark_provenance.verification import read_crjson

HELD = "Президент объявляет войну"
ELECTION = Path(__file__).parents[2] / "policy" / "platemark_policy" / "packs" / "election-kr.yaml"


def ask_for(tell: Tell, desk: Desk, out: Path, *, actor: str = "jw.kim") -> Answer:
    words = ("--model", "testcard", "--seconds", "0.5", "--size", "256x256", "--seed", "7")
    return tell("generate", HELD, *words, "--out", out, "--home", desk.home, "--actor", actor, "--json")


def test_s1_what_waits_is_approved_by_another_and_both_log_and_manifest_know(
    tell: Tell, desk: Desk, tmp_path: Path
) -> None:
    at = ("--home", desk.home, "--json")
    held = ask_for(tell, desk, tmp_path / "out.mp4")
    ticket = held.row["ticket"]

    listed = tell("review", "list", *at)
    own = tell("review", "approve", ticket, "--as", "jw.kim", "--reason", "mine", *at)
    other = tell("review", "approve", ticket, "--as", "editor2", "--reason", "a drill, marked as one", *at)
    made = ask_for(tell, desk, tmp_path / "out.mp4")

    assert (held.code, own.code, other.code, made.code) == (8, 3, 0, 0)
    assert ticket in str(listed.rows)
    events = {event["type"] for event in tell("audit", "query", *at).rows}
    assert {"review.requested", "review.signed_off", "review.applied"} <= events
    manifest = read_crjson(Path(made.row["path"]), open_home(desk.home).trust_store())
    assert '"human_review": true' in manifest
    assert "editor2" not in manifest


def test_s1_until_then_there_is_no_file(tell: Tell, desk: Desk, tmp_path: Path) -> None:
    ask_for(tell, desk, tmp_path / "out.mp4")

    assert not (tmp_path / "out.mp4").exists()


def test_s1_a_rejected_request_stays_refused(tell: Tell, desk: Desk, tmp_path: Path) -> None:
    ticket = ask_for(tell, desk, tmp_path / "out.mp4").row["ticket"]

    rejected = tell("review", "reject", ticket, "--as", "editor2", "--reason", "no", "--home", desk.home, "--json")
    again = ask_for(tell, desk, tmp_path / "out.mp4")

    assert (rejected.code, rejected.row["state"]) == (0, "rejected")
    assert again.code in (3, 8)
    assert not (tmp_path / "out.mp4").exists()


def test_s2_an_election_pack_is_tried_on_labelled_prompts_and_compared(tell: Tell, ours: Desk, tmp_path: Path) -> None:
    rows = [
        {"id": "a", "text": "a calm blue sea", "label": "allow"},
        {"id": "b", "text": "잔잔한 바다", "label": "allow"},
        {"id": "c", "text": "대통령이 사퇴를 발표하는 뉴스 속보 화면", "label": "block"},
    ]
    (tmp_path / "prompts.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")

    answer = tell("policy", "test", ELECTION, "--corpus", tmp_path / "prompts.jsonl", "--home", ours.home, "--json")

    result = answer.row
    assert (result["prompts"], result["pack"]["id"]) == (3, "election-kr")
    assert result["confusion"]["allow"]["allow"] == 2
    assert sum(result["confusion"]["block"].values()) == 1
    assert result["confusion"]["block"]["allow"] == 0
    assert result["compared_with"]["id"] == "newsroom"


def test_s3_a_months_report_counts_by_desk_decision_and_reason(tell: Tell, desk: Desk, tmp_path: Path) -> None:
    ask_for(tell, desk, tmp_path / "held.mp4")
    month = tell("audit", "query", "--home", desk.home, "--json").row["at"][:7]

    answer = tell("audit", "report", "--month", month, "--out", tmp_path / "report", "--home", desk.home, "--json")

    written = {path.suffix: path for path in (tmp_path / "report").iterdir()}
    assert (answer.code, set(written)) == (0, {".html", ".csv", ".pdf"})
    assert written[".pdf"].read_bytes().startswith(b"%PDF")
    table = written[".csv"].read_text("utf-8-sig")
    assert "politics" in table
    assert list(csv.reader(table.splitlines()))
    assert HELD not in table + written[".html"].read_text("utf-8")


@pytest.mark.parametrize("stripped", [False, True], ids=["whole", "stripped"])
def test_s4_a_withdrawn_clip_says_so_with_date_and_reason_even_without_its_manifest(
    tell: Tell, desk: Desk, tmp_path: Path, stripped: bool
) -> None:
    path = desk.clip.path
    copies = {False: path, True: tmp_path / "stripped.mp4"}
    ffmpeg("-i", path, "-c:v", "libx264", "-crf", "23", "-map_metadata", "-1", copies[True])

    before = tell("verify", copies[stripped], "--home", desk.home, "--json")
    withdrawn = tell("withdraw", desk.clip.clip_id, "--reason", "Wrong date", "--home", desk.home, "--json")
    after = tell("verify", copies[stripped], "--home", desk.home, "--json")

    assert (withdrawn.code, before.row["withdrawn"]) == (0, None)
    assert after.row["withdrawn"]["reason"] == "Wrong date"
    assert after.row["withdrawn"]["date"].startswith("20")
    assert after.row["verdict"] == {False: "trusted", True: "recovered"}[stripped]
