"""A command loads what it needs and nothing else: that is what makes it quick from the shell."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from platemark.cli import COMMANDS
from platemark.cli.loading import LoadedWhenCalled, with_commands

AFTER = "\nimport sys; print('loaded:', *sorted(sys.modules))"
HEAVY = {"torch", "moviepy", "av", "scipy", "numpy", "sqlalchemy", "alembic", "c2pa", "platemark.homes.home"}
ONE_COMMAND = {
    "verify": {"torch", "moviepy", "diffusers"},
    "policy": {"torch", "moviepy", "av", "scipy", "c2pa"},
    "models": {"torch", "moviepy", "av", "scipy", "c2pa"},
}


def loaded_after(code: str) -> set[str]:
    """Give the modules that a fresh interpreter has loaded once the code has run."""
    ended = subprocess.run([sys.executable, "-c", code + AFTER], capture_output=True, text=True, check=True)
    return set(ended.stdout.rpartition("loaded:")[2].split())


def loaded_without_home(code: str, folder: Path) -> set[str]:
    """The same where no home can be found."""
    alone = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "PLATEMARK_HOME": ""}
    ended = subprocess.run(
        [sys.executable, "-c", code + AFTER], capture_output=True, text=True, check=True, env=alone, cwd=folder
    )
    return set(ended.stdout.rpartition("loaded:")[2].split())


def calls(*words: str) -> str:
    """Write a program that runs one command."""
    return f"from platemark.cli import main\nmain({list(words)!r})"


def start(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the installed program as its entry point does."""
    code = "from platemark.cli.process import run; run()"
    return subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False)


def test_the_version_is_told_without_loading_anything_heavy() -> None:
    assert loaded_after(calls("--version")) & HEAVY == set()


def test_a_misspelt_command_is_answered_without_loading_any() -> None:
    loaded = loaded_after(calls("verfy"))

    assert loaded & HEAVY == set()
    assert loaded & {place.split(":")[0] for place in COMMANDS.values()} == set()


@pytest.mark.parametrize("name", sorted(ONE_COMMAND))
def test_the_help_of_a_command_loads_no_other_command(name: str) -> None:
    own = COMMANDS[name].split(":")[0]

    loaded = loaded_after(calls(name, "--help"))

    others = {place.split(":")[0] for place in COMMANDS.values()} - {own}
    assert own in loaded
    assert loaded & others == set()


@pytest.mark.parametrize("name", sorted(ONE_COMMAND))
def test_the_help_of_a_command_loads_nothing_that_it_could_not_need(name: str) -> None:
    assert loaded_after(calls(name, "--help")) & ONE_COMMAND[name] == set()


def test_a_manifest_is_judged_without_loading_media_marks_or_a_ledger(made: dict[str, Any], home_path: Path) -> None:
    roots = str(home_path / "keys" / "root.pem")

    loaded = loaded_without_home(calls("verify", made["path"], "--trust", roots, "--json"), home_path.parent)

    assert "c2pa" in loaded
    assert (
        loaded & {"av", "scipy", "numpy", "sqlalchemy", "alembic", "rich.console", "babel", "platemark_policy.engine"}
        == set()
    )


def test_a_clip_is_looked_at_without_loading_migrations_or_the_policy(
    made: dict[str, Any], home_path: Path, tmp_path: Path
) -> None:
    # Not the published file itself: that one is known by its record and not decoded.
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(Path(made["path"]).read_bytes() + (16).to_bytes(4, "big") + b"free" + bytes(8))

    loaded = loaded_after(calls("verify", str(copy), "--home", str(home_path), "--json"))

    assert {"av", "scipy", "sqlalchemy"} <= loaded
    assert loaded & {"torch", "alembic", "rich.console", "babel", "platemark_policy.engine"} == set()


def test_the_names_of_commands_are_listed_without_loading_them() -> None:
    commands = LoadedWhenCalled({"one": "platemark.no_such_module:app"})

    assert list(commands) == ["one"]
    assert "one" in commands


def test_a_command_that_was_loaded_once_is_the_same_the_second_time() -> None:
    commands = LoadedWhenCalled(COMMANDS)

    assert commands["verify"] is commands["verify"]
    assert commands["verify"].name == "verify"


def test_a_group_in_the_table_keeps_its_own_commands() -> None:
    group = LoadedWhenCalled(COMMANDS)["audit"]

    assert isinstance(group, TyperGroup)
    assert {"query", "trace", "verify", "receipt"} <= set(group.commands)


def test_a_command_that_cannot_be_loaded_stops_no_other() -> None:
    places = {"broken": "platemark.no_such_module:app", "verify": COMMANDS["verify"]}
    app = typer.Typer(cls=with_commands(places), add_completion=False)
    app.callback()(lambda: None)
    group = typer.main.get_group(app)

    assert group.commands["verify"].name == "verify"
    with pytest.raises(ModuleNotFoundError):
        group.commands["broken"]


def test_two_tables_do_not_share_commands() -> None:
    one, other = (with_commands({name: COMMANDS[name]}) for name in ("verify", "doctor"))

    assert list(one().commands) == ["verify"]
    assert list(other().commands) == ["doctor"]


def test_the_process_ends_with_the_code_of_its_command(tmp_path: Path) -> None:
    ended = start("verify", tmp_path / "missing.mp4", "--lang", "fr")

    assert ended.returncode == 2
    assert "must be en or ko" in ended.stderr


def test_the_process_leaves_no_output_behind() -> None:
    ended = start("--help")

    assert ended.returncode == 0
    assert [name for name in COMMANDS if f"  {name} " not in ended.stdout] == []


def test_the_process_ends_quietly_when_its_reader_has_gone() -> None:
    code = "from platemark.cli.process import run; run()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        complaints = process.stderr.read()

    assert process.returncode == 1
    assert complaints == b""
