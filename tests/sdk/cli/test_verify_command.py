"""`platemark verify` as a verification desk uses it: one file, a folder, a stream, a table, a page."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import no_network
import pytest
from cli_session import Run

from platemark.cli.verify import verify as command
from platemark.media.video import remux_without_metadata

AXES = {"manifest", "integrity", "signer", "timestamp", "identity", "ingredients", "ai", "watermark"}


@pytest.fixture
def folder(made: dict[str, Any], tmp_path: Path) -> Path:
    """A folder as it comes in: our clip, a copy without its manifest, junk that is called a clip, and notes."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.mp4").write_bytes(Path(made["path"]).read_bytes())
    remux_without_metadata(Path(made["path"]), tmp_path / "in" / "deep" / "b.mp4")
    (tmp_path / "in" / "c.mp4").write_bytes(b"junk")
    (tmp_path / "in" / "notes.txt").write_bytes(b"notes")
    return tmp_path / "in"


def pipe_in(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


# Folders


def test_a_folder_is_examined_with_all_below_it_and_ends_with_the_highest_code(
    run: Run, home_path: Path, folder: Path
) -> None:
    ended = run("verify", folder, "--home", home_path, "--json")

    assert ended.code == 5
    assert [(Path(each["path"]).name, each["verdict"]) for each in ended.objects] == [
        ("a.mp4", "trusted"),
        ("c.mp4", "unreadable"),
        ("b.mp4", "recovered"),
    ]
    assert "1 other files" in ended.err


def test_a_folder_for_people_has_a_headline_a_file_and_a_count(run: Run, home_path: Path, folder: Path) -> None:
    ended = run("verify", folder, "--home", home_path)

    assert "Files examined: 3 (recovered 1, trusted 1, unreadable 1)." in ended.out
    assert "a.mp4: TRUSTED" in ended.out
    assert len(ended.out.splitlines()) == 7


def test_a_table_has_a_row_a_file(run: Run, home_path: Path, folder: Path, tmp_path: Path) -> None:
    ended = run("verify", folder, "--home", home_path, "--csv", tmp_path / "out.csv", "--quiet")

    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert ended.code == 5
    assert [row["verdict"] for row in rows] == ["trusted", "unreadable", "recovered"]
    assert {name.removeprefix("axis_") for name in rows[0] if name.startswith("axis_")} == AXES
    assert rows[2]["recovered_from"] != ""


def test_a_file_that_cannot_be_opened_is_told_and_the_others_go_on(
    run: Run, home_path: Path, folder: Path, tmp_path: Path
) -> None:
    (folder / "0.mp4").symlink_to(folder / "nowhere.mp4")

    ended = run("verify", folder, "--home", home_path, "--csv", tmp_path / "out.csv", "--json", "--manifest-only")

    assert ended.code == 5
    assert len(ended.objects) == 4
    assert ended.objects[0]["error"]["type"] == "VerificationError"
    assert "0.mp4" in (tmp_path / "out.csv").read_text()


def test_an_empty_folder_is_no_finding(run: Run, home_path: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    ended = run("verify", tmp_path / "empty", "--home", home_path)

    assert (ended.code, ended.out) == (0, "Files examined: 0 (-).\n")


def test_one_missing_file_among_several_is_told_and_the_others_go_on(
    run: Run, home_path: Path, made: dict[str, Any]
) -> None:
    ended = run("verify", "nowhere.mp4", made["path"], "--home", home_path, "--json")

    assert ended.code == 5
    assert [each.get("verdict") for each in ended.objects] == ["unreadable", "trusted"]
    assert ended.objects[0]["error"]["type"] == "VerificationError"


def test_without_looking_for_the_mark_a_stripped_copy_is_not_known(run: Run, home_path: Path, folder: Path) -> None:
    ended = run("verify", folder / "deep" / "b.mp4", "--home", home_path, "--manifest-only", "--json")

    assert (ended.code, ended.object["verdict"], ended.object["axes"]["watermark"]) == (4, "none", "not_checked")


# Streams


def test_a_stream_is_examined_like_a_file(
    run: Run, home_path: Path, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe_in(monkeypatch, Path(made["path"]).read_bytes())

    ended = run("verify", "-", "--home", home_path, "--json")

    assert (ended.code, ended.object["verdict"], ended.object["path"]) == (0, "trusted", "-")


@pytest.mark.parametrize("content", [b"", b"junk", bytes(5000)])
def test_a_stream_that_is_no_media_is_unreadable(
    run: Run, home_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    pipe_in(monkeypatch, content)

    assert run("verify", "-", "--home", home_path, "--json").object["verdict"] == "unreadable"


# Pages


@pytest.mark.parametrize(("language", "words"), [("en", "Trusted: this file"), ("ko", "신뢰됨: 이 파일")])
def test_a_page_is_written_in_the_language_asked_for(
    run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path, language: str, words: str
) -> None:
    ended = run("verify", made["path"], "--html", tmp_path / "out.html", "--lang", language, "--home", home_path)

    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert ended.code == 0
    assert f'<html lang="{language}">' in page
    assert words in page
    assert page.count("data:image/png;base64,") == 1


def test_a_page_of_a_folder_has_a_part_for_every_file(run: Run, home_path: Path, folder: Path, tmp_path: Path) -> None:
    run("verify", folder, "--html", tmp_path / "out.html", "--home", home_path)

    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert (page.count("<article>"), page.count("<img")) == (3, 2)


@pytest.mark.parametrize("option", ["--csv", "--html"])
def test_a_report_never_takes_the_clips_place(run: Run, home_path: Path, made: dict[str, Any], option: str) -> None:
    before = Path(made["path"]).read_bytes()

    ended = run("verify", made["path"], option, made["path"], "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert Path(made["path"]).read_bytes() == before


# crJSON


def test_crjson_is_the_librarys_report_and_the_code_is_the_verdicts(
    run: Run, home_path: Path, made: dict[str, Any]
) -> None:
    ended = run("verify", made["path"], "--crjson", "--home", home_path)

    assert ended.code == 0
    assert json.loads(ended.out)["manifests"][0]["label"] == made["manifest"]["label"]


def test_crjson_of_several_files_is_one_a_line(run: Run, home_path: Path, made: dict[str, Any], folder: Path) -> None:
    ended = run("verify", made["path"], folder / "c.mp4", folder / "a.mp4", "--crjson", "--home", home_path)

    assert ended.code == 5
    assert [(each["verdict"], each["crjson"] is None) for each in ended.objects] == [
        ("trusted", False),
        ("unreadable", True),
        ("trusted", False),
    ]
    assert "c.mp4 has no manifest that can be read" in ended.err


def test_crjson_of_a_folder_is_one_line_a_file_and_nothing_else(run: Run, home_path: Path, folder: Path) -> None:
    ended = run("verify", folder, "--crjson", "--home", home_path)

    assert len(ended.objects) == len(ended.out.splitlines()) >= 3
    assert all({"path", "verdict", "crjson"} == set(each) for each in ended.objects)


def test_crjson_names_a_missing_file_and_goes_on(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("verify", "nowhere.mp4", made["path"], "--crjson", "--home", home_path)

    assert (ended.code, [each["verdict"] for each in ended.objects]) == (5, ["unreadable", "trusted"])


def test_crjson_of_a_stream_is_the_librarys_report(
    run: Run, home_path: Path, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(Path(made["path"]).read_bytes()))
    monkeypatch.setattr("sys.stdin", stream)

    ended = run("verify", "-", "--crjson", "--home", home_path)

    assert json.loads(ended.out)["manifests"][0]["label"] == made["manifest"]["label"]


# No connection


def test_the_whole_command_opens_no_connection(made: dict[str, Any], home_path: Path, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    words = ["-m", "platemark", "verify", made["path"], "--html", str(page), "--home", str(home_path), "--json"]
    guarded = [sys.executable, no_network.__file__, sys.executable, *words]

    ended = subprocess.run(guarded, capture_output=True, text=True, timeout=120, check=False)

    assert ended.returncode in {0, no_network.NO_GUARD}, ended.stderr


# What is refused


@pytest.mark.parametrize(
    "words",
    [
        ("clip.mp4", "--online"),
        ("-", "-"),
        ("clip.mp4", "other.mp4", "--sidecar", "clip.c2pa"),
        (".", "--sidecar", "clip.c2pa"),
        ("clip.mp4", "--trust", "nowhere.pem"),
        ("clip.mp4", "--trust-tsa", "nowhere.pem"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(run: Run, home_path: Path, words: tuple[str, ...]) -> None:
    ended = run("verify", *words, "--home", home_path)

    assert ended.code in {2, 5}
    assert len(ended.err.splitlines()) == 1
    assert ended.out == ""


def test_going_online_needs_the_names_of_servers(run: Run, home_path: Path) -> None:
    ended = run("verify", "clip.mp4", "--online", "--home", home_path)

    assert ended.code == 2
    assert "--online-host" in ended.err
    assert "[verify] hosts" in ended.err


def test_a_server_named_without_going_online_is_refused(run: Run, home_path: Path) -> None:
    ended = run("verify", "clip.mp4", "--online-host", "manifests.example", "--home", home_path)

    assert ended.code == 2
    assert "Add --online" in ended.err


# Names that attack


@pytest.mark.parametrize(
    "name", ["<script>alert(1)<.mp4", "\x1b[2J.mp4", "\u202e4pm.exe.mp4", "=1+1.mp4", "a\nb.mp4", "клип 클립.mp4"]
)
def test_a_files_name_moves_no_terminal_and_breaks_no_report(
    run: Run, home_path: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(b"junk")

    ended = run(
        "verify", tmp_path / "in", "--html", tmp_path / "o.html", "--csv", tmp_path / "o.csv", "--home", home_path
    )

    page = (tmp_path / "o.html").read_text(encoding="utf-8")
    assert ended.code == 5
    assert "\x1b" not in ended.out + page
    assert "\u202e" not in ended.out + page
    assert "<script" not in page


def test_a_file_name_that_is_no_text_gets_a_verdict(run: Run, home_path: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "clip\udcff.mp4").write_bytes(b"junk")

    ended = run("verify", tmp_path / "in", "--json", "--html", tmp_path / "o.html", "--home", home_path)

    assert (ended.code, ended.object["verdict"]) == (5, "unreadable")


def test_the_command_says_what_it_does() -> None:
    assert "Example: platemark verify" in str(command.__doc__)
