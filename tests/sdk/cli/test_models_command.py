"""Model folders are listed and shown like the models that come with platemark, and one that is refused says why."""

from pathlib import Path

import pytest
from cli_session import Run
from model_folders import whole_folder

from platemark.config import read_config
from platemark.generation.backends import embedded
from platemark.studio import Studio


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember digests in the test's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path, home_path: Path) -> Path:
    """A folder that the home calls `newsdesk`."""
    made = whole_folder(tmp_path / "wan")
    (made / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    with (home_path / "platemark.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[generation.models.newsdesk]\npath = "{made}"\n')
    return made


def test_a_named_folder_is_listed_after_the_models_that_come_with_platemark(
    run: Run, home_path: Path, folder: Path
) -> None:
    rows = run("models", "list", "--home", home_path, "--json").objects

    assert [row["name"] for row in rows] == ["embedded", "testcard", "newsdesk"]
    assert (rows[-1]["version"], rows[-1]["licence"]) == ("WanPipeline", "Apache-2.0")


def test_a_folder_that_is_refused_is_listed_with_the_reason(run: Run, home_path: Path, folder: Path) -> None:
    (folder / "old.ckpt").write_bytes(b"")

    row = run("models", "list", "--home", home_path, "--json").objects[-1]

    assert "old.ckpt in the model's folder is a pickle" in row["description"]


def test_without_a_home_the_models_that_come_with_platemark_are_listed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    assert len(run("models", "list", "--json").objects) == 2


@pytest.mark.parametrize("how", ["name", "path"])
def test_a_folders_card_says_its_digest_its_grid_and_what_its_licence_asks_for(
    run: Run, home_path: Path, folder: Path, how: str
) -> None:
    name = {"name": "newsdesk", "path": f"diffusers:{folder}"}[how]

    card = run("models", "show", name, "--home", home_path, "--json").object

    assert card["licence"]["weights"] == "Apache-2.0"
    assert card["grid"] == {"side": 16, "time": 4}
    assert len(card["weights_sha256"]) == 64
    assert str(folder) not in str(card)


def test_a_misspelt_name_is_refused_with_the_nearest(run: Run, home_path: Path, folder: Path) -> None:
    ended = run("models", "show", "newsdek", "--home", home_path)

    assert ended.code == 2
    assert "Did you mean 'newsdesk'?" in ended.err


def test_threads_of_the_configuration_reach_the_embedded_model(
    home_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATEMARK_GENERATION__THREADS", "3")
    opened: list[int | None] = []
    make = embedded.open_generator
    monkeypatch.setattr(embedded, "open_generator", lambda *, threads: opened.append(threads) or make(threads=threads))

    with Studio.open(home_path) as studio:
        studio.plan("a calm blue sea")

    assert opened == [3]
    assert read_config(home_path).generation.threads == 3


def test_our_own_model_is_exported_to_a_folder(run: Run, tmp_path: Path) -> None:
    result = run("models", "export", "embedded", tmp_path / "ours", "--json")

    assert result.objects == [{"path": str(tmp_path / "ours")}]
    assert (tmp_path / "ours" / "model_index.json").is_file()


def test_exporting_a_model_without_weights_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    result = run("models", "export", "testcard", tmp_path / "ours")

    assert result.code == 2
    assert not (tmp_path / "ours").exists()
