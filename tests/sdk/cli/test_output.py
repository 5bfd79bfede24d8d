"""What a terminal is sent: whole identifiers, one line for one thing, and nothing that a file's name could forge."""

import ast
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import typer
from cli_session import Run
from hypothesis import given
from hypothesis import strategies as st
from typer.core import TyperGroup

from platemark.cli import app
from platemark.cli.output import Output

PROMPT = "a calm blue sea at sunset"
QUICK = ("--model", "testcard", "--seconds", "0.5", "--size", "256x256", "--seed", "7")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SOURCES = Path(__file__).parents[3]


def plain(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "platemark", *words]
    return subprocess.run(command, check=False, capture_output=True, timeout=60, env={**os.environ, **(env or {})})


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers() | st.none(), max_size=4))
def test_json_is_one_line_whatever_is_in_it(value: dict[str, Any]) -> None:
    captured = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", captured)
        Output(as_json=True).data(value)

    (line, rest) = captured.getvalue().split("\n")
    assert (json.loads(line), rest) == (value, "")


def test_without_json_data_prints_nothing_and_with_it_sentences_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    Output().data({"a": 1})
    Output(as_json=True).say("{path}", path="x")
    Output(as_json=True).table(("path",), [("x",)])

    assert capsys.readouterr().out == ""


def test_remarks_go_to_standard_error_and_quiet_keeps_them_back(capsys: pytest.CaptureFixture[str]) -> None:
    Output().note("{text}", text="a remark")
    Output(quiet=True).note("{text}", text="another")

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "a remark\n")


def test_a_table_is_titled_in_the_readers_language(capsys: pytest.CaptureFixture[str]) -> None:
    Output(language="ko").table(("clip", "facts"), [("c1", "f1")])

    assert "클립" in capsys.readouterr().out


def test_markup_and_controls_in_a_cell_are_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(("clip", "facts"), [("[red]x[/red] :warning:", "a\x1b[2Jb\u202ec")])

    shown = capsys.readouterr().out
    assert "[red]x[/red] :warning:" in shown
    assert not CONTROLS.search(shown)


def test_a_long_cell_never_cuts_an_identifier_off(capsys: pytest.CaptureFixture[str]) -> None:
    identifier = "01930000-0000-7000-8000-0123456789ab"

    Output().table(("actor", "clip", "facts"), [("A" * 120, identifier, "f" * 400)])

    assert identifier in capsys.readouterr().out


def test_a_row_of_the_audit_shows_the_whole_clip_identifier_beside_a_long_name(
    run: Run, home_path: Path, tmp_path: Path
) -> None:
    named = ("--actor", "A" * 110, "--desk", "D" * 110)
    made = run("generate", PROMPT, *QUICK, *named, "--out", tmp_path / "c.mp4", "--home", home_path, "--json").object

    shown = run("audit", "query", "--type", "clip.published", "--home", home_path).out

    assert made["clip_id"] in shown


@pytest.mark.parametrize("name", ["x.mp4: TRUSTED\ny.mp4", "x\r\n  Signed by Daily Example.mp4", "x\u2028y.mp4"])
def test_a_file_name_cannot_write_a_line_of_its_own_into_a_verdict(
    run: Run, home_path: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "plain.mp4").write_bytes(b"junk")
    (tmp_path / name).write_bytes(b"junk")

    ordinary = run("verify", tmp_path / "plain.mp4", "--home", home_path)
    forged = run("verify", tmp_path / name, "--home", home_path)

    assert len(forged.out.splitlines()) == len(ordinary.out.splitlines())


@pytest.mark.parametrize("command", [("verify",), ("watermark", "detect"), ("audit", "trace")])
def test_an_error_about_a_file_with_a_line_break_in_its_name_is_one_line(
    run: Run, home_path: Path, command: tuple[str, ...]
) -> None:
    ended = run(*command, "no\nsuch.mp4", "--home", home_path)

    assert ended.code != 0
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["\x1b]0;title\x07.mp4", "\u202e4pm.gnp", "a\x9bb.mp4"])
def test_a_file_name_cannot_move_the_cursor_or_turn_the_text(
    run: Run, home_path: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(b"junk")

    ended = run("verify", tmp_path / name, "--home", home_path)

    assert not CONTROLS.search(ended.out.replace("\n", ""))


def test_a_file_whose_name_is_no_text_gets_its_verdict(home_path: Path, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4")
    Path(path).write_bytes(b"junk")

    # As on a desk with a German or Korean locale; only the C locale forgives such output.
    ended = plain("verify", path, "--home", str(home_path), "--json", env={"PYTHONIOENCODING": "utf-8:strict"})

    assert ended.returncode == 5
    assert json.loads(ended.stdout)["verdict"] == "unreadable"


@pytest.mark.parametrize("length", [300, 5_000])
def test_an_identifier_far_too_long_is_unknown_and_not_an_internal_error(
    run: Run, home_path: Path, length: int
) -> None:
    ended = run("audit", "trace", "x" * length, "--home", home_path)

    assert ended.code in (2, 4)
    assert "internal error" not in ended.err


def test_a_desk_with_a_line_break_is_refused(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run("generate", PROMPT, *QUICK, "--desk", "a\nb", "--out", tmp_path / "c.mp4", "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert not (tmp_path / "c.mp4").exists()


def test_a_reader_that_goes_away_is_met_in_silence() -> None:
    job = subprocess.Popen(
        [sys.executable, "-m", "platemark", "models", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert job.stdout is not None
    job.stdout.close()
    said = job.communicate(timeout=60)[1]

    assert said == ""


def test_output_that_cannot_be_written_is_never_taken_for_success() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "platemark", "models", "list", "--json"]
        ended = subprocess.run(command, check=False, stdout=full, stderr=subprocess.DEVNULL, timeout=60)

    assert ended.returncode != 0


def test_a_remedy_names_only_commands_that_exist() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    known = {name: set(getattr(command, "commands", {})) for name, command in group.commands.items()}
    texts = [path.read_text(encoding="utf-8") for part in ("sdk", "provenance", "policy") for path in modules(part)]

    # Both ways of quoting a command in a message: `platemark audit verify` and (platemark keys lint).
    named = {match for text in texts for match in re.findall(r"[`(]platemark ([a-z]+)(?: ([a-z]+))?[`)]", text)}

    assert {f"{word} {second}".strip() for word, second in named if not exists(known, word, second)} == set()


def modules(part: str) -> list[Path]:
    return sorted((SOURCES / part).rglob("*.py"))


def exists(known: dict[str, set[str]], word: str, second: str) -> bool:
    return word in known and (not known[word] or not second or second in known[word])


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(
    "command",
    [
        ("init", "{home}"),
        ("doctor",),
        ("audit", "verify"),
        ("audit", "query"),
        ("policy", "check", "a calm sea"),
        ("models", "list"),
        ("models", "show", "testcard"),
        ("db", "current"),
        ("db", "check"),
        ("db", "upgrade"),
    ],
    ids=lambda command: " ".join(command[:2]) if isinstance(command, tuple) else command,
)
def test_every_command_speaks_both_languages(
    run: Run, home_path: Path, command: tuple[str, ...], language: str
) -> None:
    words = [word.format(home=home_path) for word in command]

    ended = run(*words, "--home", home_path, "--lang", language)

    assert ended.code == 0
    assert ended.out
    assert not re.search(r"\{[a-z]+\}", ended.out)


@pytest.mark.parametrize("language", ["fr", "EN", "", "en_US", "\x1b"])
def test_a_language_that_we_do_not_speak_is_refused(run: Run, home_path: Path, language: str) -> None:
    ended = run("audit", "verify", "--home", home_path, "--lang", language)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "en or ko" in ended.err


def test_a_verdict_in_korean_is_korean(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("verify", made["path"], "--home", home_path, "--lang", "ko")

    assert "서명자" in ended.out
    assert len(re.findall("[가-힣]", ended.out)) > 40


def test_a_refusal_in_korean_gives_the_korean_reason(run: Run, home_path: Path) -> None:
    ended = run("policy", "check", "Президент объявляет войну", "--home", home_path, "--lang", "ko")

    assert (ended.code, bool(re.search("[가-힣]", ended.out))) == (8, True)


def test_no_sentence_asks_for_a_format_that_its_fields_which_are_text_cannot_have() -> None:
    sources = (path.read_text("utf-8") for path in (SOURCES / "sdk/platemark/cli").rglob("*.py"))
    calls = (node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    said = [
        call.args[0].value for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("say", "note", "complain", "text")
        and call.args and isinstance(call.args[0], ast.Constant)
    ]  # fmt: skip

    formats = {field[2] for each in said for field in Formatter().parse(str(each)) if field[1] is not None}

    assert len(said) > 50
    assert formats <= {""}
