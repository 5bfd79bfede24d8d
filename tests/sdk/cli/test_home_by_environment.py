"""Where `init` makes a home: where it is told, else where every other command will look."""

from pathlib import Path

import pytest
from cli_session import Run


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PLATEMARK_HOME", str(tmp_path / "desk"))
    return tmp_path


@pytest.mark.parametrize("command", [("init",), ("keys", "init")])
def test_a_home_is_made_where_the_environment_names_one(run: Run, elsewhere: Path, command: tuple[str, ...]) -> None:
    made = run(*command)

    assert made.code == 0
    assert (elsewhere / "desk" / "platemark.toml").is_file()
    assert not (elsewhere / "data").exists()
    assert run("policy", "consent", "list").code == 0


def test_a_folder_that_is_named_goes_before_the_environment(run: Run, elsewhere: Path) -> None:
    run("init", elsewhere / "other")

    assert (elsewhere / "other" / "platemark.toml").is_file()
    assert not (elsewhere / "desk").exists()
