"""`platemark export`, as its user runs it."""

import json
from pathlib import Path
from typing import Any

from cli_session import Run

Made = dict[str, Any]


def test_the_document_alone_goes_to_standard_output(run: Run, made: Made, home_path: Path) -> None:
    ended = run("export", made["clip_id"], "--format", "ninjs", "--home", home_path)

    assert ended.code == 0
    assert json.loads(ended.out)["uri"] == f"urn:uuid:{made['clip_id']}"
    assert ended.err == ""


def test_a_file_is_written_for_its_owner_alone(run: Run, made: Made, home_path: Path, tmp_path: Path) -> None:
    target = tmp_path / "clip.xml"

    ended = run("export", made["path"], "--format", "mos", "--out", target, "--home", home_path, "--json")

    assert ended.object["path"] == str(target)
    assert target.read_bytes().startswith(b"<?xml")
    assert target.stat().st_mode & 0o077 == 0


def test_an_export_with_names_says_so(run: Run, made: Made, home_path: Path) -> None:
    ended = run("export", made["clip_id"], "--format", "vmh", "--with-names", "--home", home_path, "--lang", "ko")

    assert "jw.kim" in ended.out
    assert "이름이 들어 있습니다" in ended.err


def test_a_clip_that_is_not_ours_is_a_usage_error(run: Run, home_path: Path) -> None:
    assert run("export", "nothing", "--format", "ninjs", "--home", home_path).code == 2


def test_with_the_gate_on_nothing_leaves_that_no_second_person_approved(run: Run, made: Made, home_path: Path) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("gate = false", "gate = true"), "utf-8")

    refused = run("export", made["clip_id"], "--format", "ninjs", "--home", home_path)

    assert (refused.code, refused.out) == (3, "")
    assert "second person" in refused.err
