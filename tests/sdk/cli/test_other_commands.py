"""The smaller commands, each as its user meets it."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli_session import Run

from platemark.media.reencoding import reencode


def test_init_makes_a_home_and_says_so_and_again_says_that_it_is_there(run: Run, tmp_path: Path) -> None:
    first = run("init", tmp_path / "news", "--org", "Daily Example", "--json")
    second = run("init", tmp_path / "news", "--json")

    assert (first.code, second.code) == (0, 0)
    assert (first.object["created"], second.object["created"]) == (True, False)
    assert first.object["organisation"] == "Daily Example"


def test_init_speaks_korean(run: Run, tmp_path: Path) -> None:
    assert "홈을 만들었습니다" in run("init", tmp_path / "news", "--lang", "ko").out


def test_doctor_finds_a_fresh_home_well(run: Run, home_path: Path) -> None:
    ended = run("doctor", "--home", home_path, "--json")

    red = [check for check in ended.object["checks"] if not check["ok"]]
    assert (ended.code, red) == (0, [])


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        ("keys/signing.key", "claim-signing key"),
        ("keys/watermark.key", "watermark secret"),
        ("keys/root.pem", "trusted roots"),
        ("ledger.sqlite3", "ledger"),
        ("keys/ledger.key", "ledger"),
    ],
)
def test_doctor_shows_a_missing_part_in_red_with_its_remedy(run: Run, home_path: Path, broken: str, check: str) -> None:
    (home_path / broken).unlink()

    ended = run("doctor", "--home", home_path, "--json")

    red = {each["check"]: each["fix"] for each in ended.object["checks"] if not each["ok"]}
    assert ended.code == 1
    assert red[check]


def test_doctor_without_a_home_says_how_to_make_one(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLATEMARK_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    ended = run("doctor")

    assert ended.code == 1
    assert "platemark init" in ended.out


def test_verify_gives_the_highest_exit_code_of_its_files(
    run: Run, home_path: Path, tmp_path: Path, made: dict[str, Any]
) -> None:
    (tmp_path / "junk.mp4").write_bytes(b"junk")

    ended = run("verify", made["path"], tmp_path / "junk.mp4", "--home", home_path, "--json")

    assert ended.code == 5
    assert [report["verdict"] for report in ended.objects] == ["trusted", "unreadable"]


def test_verify_for_people_names_the_verdict_the_signer_and_the_reason(
    run: Run, home_path: Path, made: dict[str, Any]
) -> None:
    ended = run("verify", made["path"], "--home", home_path)

    assert ended.code == 0
    assert "TRUSTED" in ended.out
    assert "Daily Example" in ended.out


def test_verify_of_a_missing_file_is_one_clear_line(run: Run, home_path: Path) -> None:
    ended = run("verify", "nowhere.mp4", "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (5, 1)


@pytest.mark.parametrize(
    ("text", "code", "verdict"),
    [
        ("a calm blue sea at sunset", 0, "allow"),
        ("해 질 녘의 잔잔한 바다", 0, "allow"),
        ("no label and no watermark, strip the C2PA so that nobody knows it is AI", 3, "block"),
        ("Президент объявляет войну", 8, "review"),
    ],
)
def test_policy_check_ends_with_what_it_decided(run: Run, home_path: Path, text: str, code: int, verdict: str) -> None:
    ended = run("policy", "check", text, "--home", home_path, "--json")

    assert (ended.code, ended.object["verdict"]) == (code, verdict)
    assert {"decision_id", "findings", "pack", "latency_ms"} <= set(ended.object)


def test_policy_check_works_without_a_home(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLATEMARK_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    assert run("policy", "check", "a calm sea").code == 0


def test_policy_check_of_a_file_keeps_identifiers_and_order(run: Run, home_path: Path, tmp_path: Path) -> None:
    rows = [{"id": "b", "text": "a calm sea"}, {"id": 7, "prompt": "snow over a city"}, {"text": "비"}]
    path = tmp_path / "prompts.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n", encoding="utf-8")

    ended = run("policy", "check", "--file", path, "--home", home_path)

    assert ended.code == 0
    assert [row.get("id") for row in ended.objects] == ["b", 7, None]


@pytest.mark.parametrize("line", ["not json", "[]", "{}", '{"text": 3}'])
def test_policy_check_names_the_line_that_cannot_be_read(run: Run, home_path: Path, tmp_path: Path, line: str) -> None:
    (tmp_path / "prompts.jsonl").write_text('{"text": "a calm sea"}\n' + line + "\n")

    ended = run("policy", "check", "--file", tmp_path / "prompts.jsonl", "--home", home_path)

    assert ended.code == 2
    assert "ine 2" in ended.err


def test_policy_check_wants_a_text_or_a_file(run: Run) -> None:
    assert run("policy", "check").code == 2
    assert run("policy", "check", "text", "--file", "file").code == 2


def test_a_mark_put_on_a_clip_is_found_again_in_a_copy(
    run: Run, home_path: Path, tmp_path: Path, made: dict[str, Any]
) -> None:
    other = tmp_path / "plain.mp4"
    reencode(Path(made["path"]), other, crf=20)
    embedded = run(
        "watermark", "embed", other, tmp_path / "marked.mp4", "--id", "00112233445566aa", "--home", home_path, "--json"
    )
    reencode(tmp_path / "marked.mp4", tmp_path / "copy.mp4", crf=28)

    found = run("watermark", "detect", tmp_path / "copy.mp4", "--home", home_path, "--json")

    assert (embedded.code, found.code) == (0, 0)
    assert set(found.object) >= {"state", "id", "method", "log10_fpr", "geometry", "frames"}
    assert found.object["id"] in ("00112233445566aa", made["watermark"]["id"])


@pytest.mark.parametrize("mark", ["", "xyz", "00112233445566", "00112233445566aabb"])
def test_an_impossible_mark_is_refused(
    run: Run, home_path: Path, tmp_path: Path, made: dict[str, Any], mark: str
) -> None:
    ended = run("watermark", "embed", made["path"], tmp_path / "m.mp4", "--id", mark or "-", "--home", home_path)

    assert ended.code == 2
    assert not (tmp_path / "m.mp4").exists()


def test_marking_a_file_onto_itself_is_refused(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    before = Path(made["path"]).read_bytes()

    ended = run("watermark", "embed", made["path"], made["path"], "--overwrite", "--home", home_path)

    assert ended.code == 2
    assert Path(made["path"]).read_bytes() == before


def test_the_schema_is_current_and_upgrading_it_changes_nothing(run: Run, home_path: Path) -> None:
    current = run("db", "current", "--home", home_path, "--json").object
    upgraded = run("db", "upgrade", "--home", home_path, "--json").object
    checked = run("db", "check", "--home", home_path, "--json").object

    assert current["current"] == current["head"] == upgraded["before"] == upgraded["current"]
    assert checked["ok"]


def test_models_are_listed_and_each_shows_its_card(run: Run) -> None:
    names = [row["name"] for row in run("models", "list", "--json").objects]
    cards = [run("models", "show", name, "--json").code for name in names]

    assert names == ["embedded", "testcard"]
    assert cards == [0, 0]


def test_an_unknown_model_is_refused_with_the_names_there_are(run: Run) -> None:
    ended = run("models", "show", "sora")

    assert ended.code == 2
    assert "embedded, testcard" in ended.err


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").out.startswith("platemark ")


def test_an_unexpected_failure_is_one_line_and_exit_code_1(
    run: Run, home_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("platemark.cli.database.current_revision", broken)

    ended = run("db", "current", "--home", home_path)

    assert ended.code == 1
    assert "internal error" in ended.err
