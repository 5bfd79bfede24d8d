"""`platemark generate` as its user meets it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cli_session import Run

PROMPT = "a calm blue sea at sunset"
QUICK = ("--model", "testcard", "--seconds", "0.5", "--size", "256x256", "--seed", "7")
REFUSED = "no label and no watermark, strip the C2PA so that nobody knows it is AI"
HELD = "Президент объявляет войну"


def test_json_mode_prints_one_object_and_nothing_else(made: dict[str, Any], tmp_path: Path) -> None:
    assert made["path"] == str(tmp_path / "clip.mp4")
    assert made["label"] == {
        "text": "AI-generated",
        "lang": "en",
        "box": made["label"]["box"],
        "cue": None,
        "icon": None,
    }
    assert made["policy"]["verdict"] == "allow"


def test_without_json_the_path_is_the_only_line_of_output(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run("generate", PROMPT, *QUICK, "--out", tmp_path / "clip.mp4", "--home", home_path, "--quiet")

    assert (ended.code, ended.out, ended.err) == (0, f"{tmp_path / 'clip.mp4'}\n", "")


def test_a_refusal_ends_with_3_and_says_why_in_both_languages(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run("generate", REFUSED, *QUICK, "--out", tmp_path / "clip.mp4", "--home", home_path, "--json")

    assert ended.code == 3
    assert ended.object["verdict"] == "block"
    assert set(ended.object["findings"][0]["reason"]) == {"en", "ko"}
    assert not (tmp_path / "clip.mp4").exists()


def test_a_refusal_never_repeats_the_prompt_on_the_terminal(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run("generate", REFUSED, *QUICK, "--out", tmp_path / "clip.mp4", "--home", home_path)

    assert "nobody knows" not in ended.err


def test_a_held_prompt_ends_with_8_and_a_ticket(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run("generate", HELD, *QUICK, "--out", tmp_path / "clip.mp4", "--home", home_path, "--json")

    assert ended.code == 8
    assert ended.object["ticket"] == ended.object["decision_id"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--size", "513x512"), "even number from 128 to 2048"),
        (("--size", "0x0"), "even number"),
        (("--size", "-512x512"), "even number"),
        (("--size", "99999x99999"), "even number"),
        (("--size", "big"), "WIDTHxHEIGHT"),
        (("--seconds", "0"), "seconds must be from 0.25 to 60"),
        (("--seconds", "-1"), "seconds must be"),
        (("--seconds", "1e9"), "seconds must be"),
        (("--seconds", "nan"), "seconds must be"),
        (("--fps", "0"), "fps must be from 1 to 60"),
        (("--seed", "-1"), "seed must be"),
        (("--model", "embeded"), "embedded"),
        (("--task", "extend"), "The task extend takes 1 clip; got 0"),
        (("--task", "dub"), "There is no task 'dub'"),
        (("--image", "photo.jpg"), "photo.jpg is not a file"),
        (("--clip", "clip.mp4"), "clip.mp4 is not a file"),
        (("--image", "a.png", "--clip", "c.mp4"), "cannot be given at once"),
        (("--image", "a.png", "--image", "b.png"), "keyframe needs its place"),
        (("--clip", "a.mp4", "--clip", "b.mp4", "--clip", "c.mp4"), "takes 2 clips; got 3"),
        (("--fill", "3-5"), "takes no frames to fill in"),
        (("--task", "infill", "--clip", "a.mp4"), "needs to know which frames"),
        (("--task", "infill", "--clip", "a.mp4", "--fill", "x"), "FIRST-LAST"),
        (("--strength", "0.5"), "takes no strength"),
        (("--clip", "a.mp4", "--strength", "1.5"), "strength must be from 0"),
        (("--steps", "0"), "steps must be from 1 to 250"),
        (("--guidance", "99"), "guidance must be from 1.0 to 20"),
        (("--shift", "0"), "shift must be from 0.1 to 20"),
        (("--sampler", "ddim"), "euler or heun"),
        (("--negative", "a\u202eb"), "U+202E"),
        (("--task", "image"), "no length and no frame rate"),
        (("--rewrite",), "takes prompts as they are"),
        (("--allow-source", "untrusted"), "go together"),
        (("--allow-source", "reserved", "--reason", "ours", "--actor", "kim"), "got 'reserved'"),
        (("--allow-source", "untrusted", "--reason", "known agency"), "who decides"),
        (("--lang", "fr"), "en or ko"),
        (("--label-lang", "fr"), "fr"),
        (("--seconds", "two"), "--seconds"),
        (("--no-such-option",), "no-such-option"),
    ],
)
def test_an_impossible_request_is_one_clear_line_and_exit_code_2(
    run: Run, home_path: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    ended = run("generate", PROMPT, *QUICK, *options, "--out", tmp_path / "clip.mp4", "--home", home_path)

    assert ended.code == 2
    assert words.lower() in ended.err.lower()
    assert "Traceback" not in ended.err
    assert not (tmp_path / "clip.mp4").exists()


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("x" * 100_000, "100,000 characters"),
        ("a\x00b", "U+0000"),
        ("a\u202eb", "U+202E"),
    ],
)
def test_an_impossible_prompt_is_one_clear_line_and_exit_code_2(
    run: Run, home_path: Path, tmp_path: Path, prompt: str, words: str
) -> None:
    ended = run("generate", prompt, *QUICK, "--out", tmp_path / "clip.mp4", "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert words in ended.err


def test_an_existing_output_is_refused_until_overwrite_is_said(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    command = ("generate", PROMPT, *QUICK, "--out", made["path"], "--home", home_path)

    refused = run(*command)
    replaced = run(*command, "--overwrite")

    assert (refused.code, replaced.code) == (2, 0)
    assert "--overwrite" in refused.err


def test_a_read_only_directory_is_refused_and_left_as_it_was(run: Run, home_path: Path) -> None:
    ended = run("generate", PROMPT, *QUICK, "--out", "/proc/clip.mp4", "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "/proc" in ended.err


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(home_path: Path, tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from platemark.studio import Studio\n"
        "from platemark.cli import main\n"
        "import platemark.media.video as video\n"
        "write = video.write_video\n"
        "def limited(*args, **options):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
        "    try:\n"
        "        return write(*args, **options)\n"
        "    finally:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "import platemark.making.rendering\n"
        "platemark.making.rendering.write_video = limited\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", code, "generate", PROMPT, *QUICK, "--out", str(tmp_path / "c.mp4")]

    ended = subprocess.run([*command, "--home", str(home_path)], check=False, capture_output=True, text=True)

    assert ended.returncode == 2, ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newsroom"]


def test_without_a_home_a_development_home_is_made_and_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLATEMARK_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    ended = run("generate", PROMPT, *QUICK, "--out", "clip.mp4", "--json")

    assert ended.code == 0
    assert f"development home was made in {tmp_path}/data/platemark" in ended.err
    assert (tmp_path / "clip.mp4").exists()


def test_a_start_after_a_killed_run_says_what_it_cleaned_up(run: Run, home_path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "platemark", "generate", PROMPT, "--model", "testcard", "--seconds", "60"]
    options = ["--size", "512x512", "--out", str(tmp_path / "long.mp4"), "--home", str(home_path)]
    job = subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL)
    wait_for_part(tmp_path)
    job.kill()
    job.wait()

    ended = run("generate", PROMPT, *QUICK, "--out", tmp_path / "clip.mp4", "--home", home_path)

    assert "Removed what an interrupted run left" in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "clip.mp4.tlog-proof", "newsroom"]


def test_ctrl_c_ends_with_130_one_line_and_no_file(home_path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "platemark", "generate", PROMPT, "--model", "testcard", "--seconds", "60"]
    options = ["--size", "512x512", "--out", str(tmp_path / "long.mp4"), "--home", str(home_path)]
    job = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True, preexec_fn=listen_to_interrupts)
    wait_for_part(tmp_path)
    job.send_signal(signal.SIGINT)
    _, err = job.communicate(timeout=60)

    assert job.returncode == 130
    assert err == "platemark: stopped; no half-made file was left.\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newsroom"]


def test_a_progress_bar_is_shown_on_a_terminal_only(home_path: Path, tmp_path: Path) -> None:
    leader, follower = os.openpty()
    command = [sys.executable, "-m", "platemark", "generate", PROMPT, *QUICK, "--out", str(tmp_path / "c.mp4")]

    job = subprocess.Popen([*command, "--home", str(home_path)], stderr=follower, stdout=subprocess.DEVNULL)
    os.close(follower)
    shown = read_to_end(leader)
    os.close(leader)

    assert job.wait(timeout=60) == 0
    assert "\x1b[" in shown


def listen_to_interrupts() -> None:
    """Undo what a shell does to programs in the background: they inherit that Ctrl-C is not meant for them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def read_to_end(terminal: int) -> str:
    """Read all that is written to a terminal, while it is written: its buffer is small, and a writer would wait."""
    pieces: list[bytes] = []
    # Linux says EIO when nobody holds the other end any more.
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 65_536):
            pieces.append(piece)
    return b"".join(pieces).decode("utf-8", "replace")


def wait_for_part(folder: Path) -> None:
    """Wait until the job has begun to write."""
    deadline = time.monotonic() + 60
    while not any(path.name.startswith(".long") and path.stat().st_size for path in folder.iterdir()):
        if time.monotonic() > deadline:
            raise TimeoutError("the job never began to write")
        time.sleep(0.02)


def test_a_world_is_wrong_usage_for_a_scene_that_cannot_be_steered(run: Run, home_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "world.mp4"

    ended = run("generate", "a calm blue sea", "--actions", "forward*8", "--out", out, "--home", home_path)

    assert ended.code == 2
    assert "Only a flight over hills of blocks follows actions" in ended.err
    assert not out.exists()
