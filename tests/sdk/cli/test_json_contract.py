"""The JSON that newsroom tools read: every field, its type and its range, as documented."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from cli_session import Run
from PIL import Image

from platemark.media.video import remux_without_metadata
from platemark_provenance.digest import sha256_file

PROMPT = "a calm blue sea at sunset"
QUICK = ("--model", "testcard", "--seconds", "0.5", "--size", "256x256", "--seed", "7")
REFUSED = "no label and no watermark, strip the C2PA so that nobody knows it is AI"
HELD = "Президент объявляет войну"
SHA256 = re.compile(r"[0-9a-f]{64}")
AXES = {
    "manifest": {"absent", "malformed", "present", "remote_only"},
    "integrity": {"intact", "tampered", "unknown"},
    "signer": {
        "trusted",
        "legacy_trusted",
        "untrusted",
        "expired",
        "revoked",
        "revocation_unknown",
        "not_checked",
    },
    "timestamp": {"trusted", "untrusted", "none"},
    "identity": {"trusted", "untrusted", "invalid", "none"},
    "ingredients": {"ok", "failed", "none"},
    "ai": {"fully", "partly", "none_declared", "unknown"},
    "watermark": {"matched", "mismatch", "absent", "not_checked"},
}
REPORT = {
    "path",
    "verdict",
    "axes",
    "signer",
    "generator",
    "signed_at",
    "ai",
    "recovered_from",
    "withdrawn",
    "codes",
    "failed_manifest",
    "explanation",
}


def is_uuid7(text: str) -> bool:
    return str(UUID(text)) == text and UUID(text).version == 7


@pytest.fixture
def copies(made: dict[str, Any], tmp_path: Path) -> dict[str, Path]:
    """The clip and what may become of it."""
    whole = Path(made["path"])
    content = bytearray(whole.read_bytes())
    content[content.rindex(b"mdat") + 500] ^= 0x01
    (tmp_path / "tampered.mp4").write_bytes(content)
    (tmp_path / "unreadable.mp4").write_bytes(b"junk")
    remux_without_metadata(whole, tmp_path / "recovered.mp4")
    return {"trusted": whole} | {
        name: tmp_path / f"{name}.mp4" for name in ("tampered", "unreadable", "recovered", "intact")
    }


def test_a_clip_names_its_file_and_its_digest(made: dict[str, Any], tmp_path: Path) -> None:
    assert made["path"] == str(tmp_path / "clip.mp4")
    assert made["sha256"] == sha256_file(tmp_path / "clip.mp4")
    assert is_uuid7(made["clip_id"])


def test_a_clip_says_how_it_was_made(made: dict[str, Any]) -> None:
    assert set(made["model"]) == {"name", "version", "weights_sha256"}
    assert made["model"]["name"] == "testcard"
    assert (made["seed"], made["size"], made["fps"], made["seconds"]) == ("7", "256x256", 12, 0.5)


def test_a_clip_says_what_the_policy_decided(made: dict[str, Any]) -> None:
    assert made["policy"]["verdict"] == "allow"
    assert made["policy"]["findings"] == []
    assert is_uuid7(made["policy"]["decision_id"])


def test_a_clip_says_how_it_is_labelled_and_marked(made: dict[str, Any]) -> None:
    x, y, width, height = made["label"]["box"]

    assert set(made["label"]) == {"text", "lang", "box", "cue", "icon"}
    assert made["label"]["cue"] is None
    assert 0 < x < x + width < 256
    assert 0 < y < y + height < 256
    assert set(made["watermark"]) == {"alg", "id"}
    assert re.fullmatch("[0-9a-f]{16}", made["watermark"]["id"])


def test_a_clip_says_where_its_manifest_and_its_event_are(made: dict[str, Any]) -> None:
    assert set(made["manifest"]) == {"label", "sha256"}
    assert SHA256.fullmatch(made["manifest"]["sha256"])
    assert set(made["ledger"]) >= {"seq", "event_id", "root"}
    assert SHA256.fullmatch(made["ledger"]["root"])
    assert isinstance(made["ledger"]["seq"], int)
    assert Path(made["receipt"]).is_file()


def test_a_clips_timings_are_seconds_by_stage(made: dict[str, Any]) -> None:
    assert {"generate", "label", "watermark", "encode", "sign", "publish"} <= set(made["timings"])
    assert all(isinstance(seconds, float) and 0 <= seconds < 60 for seconds in made["timings"].values())


@pytest.mark.parametrize(("prompt", "verdict", "code"), [(REFUSED, "block", 3), (HELD, "review", 8)])
def test_a_clip_that_is_not_made_gives_the_decision_with_its_findings(
    run: Run, home_path: Path, tmp_path: Path, prompt: str, verdict: str, code: int
) -> None:
    ended = run("generate", prompt, *QUICK, "--out", tmp_path / "c.mp4", "--home", home_path, "--json")

    finding = ended.object["findings"][0]
    assert (ended.code, ended.object["verdict"]) == (code, verdict)
    assert is_uuid7(ended.object["decision_id"])
    assert {"rule_id", "category", "action", "span", "stage", "reason", "overridable"} <= set(finding)
    assert (finding["stage"], set(finding["reason"])) == ("prompt", {"en", "ko"})
    assert all(finding["reason"].values())
    assert ("ticket" in ended.object) == (code == 8)


def test_a_findings_span_lies_in_the_prompt(run: Run, home_path: Path) -> None:
    ended = run("policy", "check", REFUSED, "--home", home_path, "--json")

    spans = [finding["span"] for finding in ended.object["findings"] if finding["span"] is not None]
    assert spans
    assert all(0 <= start < end <= len(REFUSED) for start, end in spans)


@pytest.mark.parametrize(
    ("copy", "code"), [("trusted", 0), ("recovered", 0), ("tampered", 5), ("unreadable", 5)], ids=lambda value: value
)
def test_every_verdict_has_every_field_and_every_axis_a_known_value(
    run: Run, home_path: Path, copies: dict[str, Path], copy: str, code: int
) -> None:
    ended = run("verify", copies[copy], "--home", home_path, "--json")

    report = ended.object
    assert (ended.code, report["verdict"], report["path"]) == (code, copy, str(copies[copy]))
    assert set(report) >= REPORT
    assert set(report["axes"]) == set(AXES)
    assert [axis for axis, value in report["axes"].items() if value not in AXES[axis]] == []
    assert set(report["explanation"]) == {"en", "ko"}
    assert all(isinstance(each, str) for each in report["codes"])
    assert "authentic" not in report


def test_a_trusted_clip_names_signer_generator_and_time(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    report = run("verify", made["path"], "--home", home_path, "--json").object

    assert "Daily Example" in report["signer"]
    assert "platemark" in report["generator"]
    assert report["signed_at"].startswith("20")
    assert (report["ai"], report["recovered_from"], report["failed_manifest"]) == ("fully", None, None)


def test_a_recovered_clip_names_the_record_it_leads_to(
    run: Run, home_path: Path, made: dict[str, Any], copies: dict[str, Path]
) -> None:
    report = run("verify", copies["recovered"], "--home", home_path, "--json").object

    assert report["recovered_from"] == made["clip_id"]
    assert (report["axes"]["manifest"], report["axes"]["watermark"]) == ("absent", "matched")


def test_several_files_are_one_object_a_line_in_their_order_and_the_highest_code(
    run: Run, home_path: Path, copies: dict[str, Path]
) -> None:
    order = ["tampered", "trusted", "recovered"]

    ended = run("verify", *(copies[name] for name in order), "--home", home_path, "--json")

    assert ended.code == 5
    assert [report["verdict"] for report in ended.objects] == order


@pytest.mark.parametrize(
    ("text", "verdict", "code"), [(PROMPT, "allow", 0), (REFUSED, "block", 3), (HELD, "review", 8)]
)
def test_a_policy_check_gives_the_decision_the_pack_and_the_time_it_took(
    run: Run, home_path: Path, text: str, verdict: str, code: int
) -> None:
    ended = run("policy", "check", text, "--home", home_path, "--json")

    assert (ended.code, ended.object["verdict"]) == (code, verdict)
    assert set(ended.object["pack"]) == {"id", "version", "sha256"}
    assert SHA256.fullmatch(ended.object["pack"]["sha256"])
    assert 0 <= ended.object["latency_ms"] < 10_000
    assert is_uuid7(ended.object["decision_id"])


def test_a_policy_check_of_rows_repeats_what_each_row_was_called(run: Run, home_path: Path, tmp_path: Path) -> None:
    rows = '{"id": "first", "text": "a calm sea", "note": "ignored"}\n{"id": null, "prompt": "비"}\n{"text": "snow"}\n'
    (tmp_path / "rows.jsonl").write_text(rows, encoding="utf-8")

    ended = run("policy", "check", "--file", tmp_path / "rows.jsonl", "--home", home_path, "--json")

    assert [row.get("id", "none") for row in ended.objects] == ["first", None, "none"]
    assert ["note" in row for row in ended.objects] == [False] * 3
    assert [set(row) >= {"verdict", "decision_id", "findings", "pack", "latency_ms"} for row in ended.objects] == [
        True
    ] * 3


@pytest.mark.parametrize("line", ['{"text": "\\ud800 a calm sea"}', "[" * 100_000, '{"text": "a\\u0000b"}'])
def test_a_row_that_no_text_can_hold_is_a_row_or_one_clear_line(
    run: Run, home_path: Path, tmp_path: Path, line: str
) -> None:
    (tmp_path / "rows.jsonl").write_text(line + "\n")

    ended = run("policy", "check", "--file", tmp_path / "rows.jsonl", "--home", home_path)

    assert ended.code in (0, 2)
    assert "internal error" not in ended.err


def test_a_mark_that_is_there_is_described_in_full(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("watermark", "detect", made["path"], "--home", home_path, "--json")

    found = ended.object
    assert set(found) == {"state", "id", "method", "log10_fpr", "geometry", "frames", "others", "recipients"}
    assert (ended.code, found["state"], found["id"], found["frames"]) == (0, "detected", made["watermark"]["id"], 6)
    assert found["method"] in {"blind", "indexed"}
    assert found["log10_fpr"] <= -9
    assert set(found["geometry"]) >= {"scale_x", "scale_y", "rotation_deg", "mirrored", "shift_x", "shift_y"}


def test_a_mark_that_is_absent_leaves_its_fields_empty(run: Run, home_path: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((128, 128, 3), 128, np.uint8)).save(tmp_path / "plain.png")

    ended = run("watermark", "detect", tmp_path / "plain.png", "--home", home_path, "--json")

    assert ended.code == 4
    assert ended.object | {"log10_fpr": 0} == {
        "state": "absent",
        "id": None,
        "method": None,
        "log10_fpr": 0,
        "geometry": None,
        "frames": 1,
        "others": [],
        "recipients": [],
    }


def test_a_whole_log_is_described_in_full(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("audit", "verify", "--home", home_path, "--json")

    report = ended.object
    assert {"ok", "size", "root", "checkpoint", "first_bad_seq", "first_bad_column", "reason"} <= set(report)
    assert (ended.code, report["ok"], report["first_bad_seq"], report["first_bad_column"]) == (0, True, None, None)
    assert report["size"] > made["ledger"]["seq"]
    assert SHA256.fullmatch(report["root"])
    assert report["checkpoint"]


def test_the_events_of_a_query_are_one_object_a_line_newest_first(
    run: Run, home_path: Path, made: dict[str, Any]
) -> None:
    ended = run("audit", "query", "--clip", made["clip_id"], "--home", home_path, "--json")

    # `audit query --help`: "List events, newest first."
    numbers = [event["seq"] for event in ended.objects]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize(
    "command",
    [
        ("generate", "", *QUICK),
        ("generate", PROMPT, "--size", "1x1"),
        ("watermark", "embed", "nowhere.mp4", "out.mp4"),
        ("watermark", "detect", "nowhere.mp4"),
        ("verify", "nowhere.mp4"),
        ("policy", "check", ""),
        ("audit", "query", "--since", "yesterday"),
        ("models", "show", "nowhere"),
        ("init", "/dev/null"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_an_error_in_json_is_one_object_with_its_kind_its_message_and_what_to_do(
    run: Run, home_path: Path, command: tuple[str, ...]
) -> None:
    ended = run(*command, "--home", home_path, "--json")

    error = ended.object["error"]
    assert ended.code != 0
    assert set(error) == {"type", "message", "fix"}
    assert error["message"] in ended.err


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_keys_of_json_do_not_depend_on_the_language(
    run: Run, home_path: Path, made: dict[str, Any], language: str
) -> None:
    report = run("verify", made["path"], "--home", home_path, "--json", "--lang", language).object

    assert set(report) >= REPORT
    assert report["verdict"] == "trusted"
