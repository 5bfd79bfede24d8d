"""One newsroom for all scenarios: a home and the producer's clip, made once; whoever changes anything copies it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from news_desks import Answer as Told
from news_desks import Desk, Tell, make_desk

from platemark.cli import main

PROMPT = "비 오는 서울 야경, 설명용 재현 화면"
MADE_WITH = ("--model", "testcard", "--seconds", "2", "--size", "256x256", "--seed", "7", "--desk", "politics")


@dataclass(frozen=True)
class Answer:
    """What a command said: its exit code, its JSON objects, and what people read."""

    code: int
    objects: list[dict[str, Any]]
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The first object."""
        return self.objects[0]


@dataclass(frozen=True)
class Newsroom:
    """A home, the folder its clips lie in, and a way to give commands there."""

    home: Path
    folder: Path
    run: Callable[[list[str]], Answer]

    def ask(self, *words: str | Path) -> Answer:
        """Run a command with `--json` in this home."""
        return self.run([*map(str, words), "--json", "--home", str(self.home)])

    @property
    def clip(self) -> Path:
        """The clip of scenario P1."""
        return self.folder / "clip.mp4"

    @property
    def made(self) -> dict[str, Any]:
        """What `generate --json` said of it."""
        said: dict[str, Any] = json.loads((self.folder / "made.json").read_bytes())
        return said


@pytest.fixture(scope="session")
def pristine_newsroom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home and the clip of scenario P1; copy it, never change it."""
    folder = tmp_path_factory.mktemp("newsroom")
    assert main(["init", str(folder / "home"), "--org", "Daily Example", "--quiet"]) == 0
    return folder


@pytest.fixture(scope="session")
def filled(pristine_newsroom: Path) -> Path:
    """The same with the producer's clip in it."""
    import contextlib
    import io

    folder, said = pristine_newsroom, io.StringIO()
    words = ["generate", PROMPT, *MADE_WITH, "--actor", "jw.kim", "--byline", "Kim Ji-woo", "--quiet", "--json"]
    with contextlib.redirect_stdout(said):
        code = main([*words, "--out", str(folder / "clip.mp4"), "--home", str(folder / "home")])
    assert code == 0
    (folder / "made.json").write_text(said.getvalue(), "utf-8")
    return folder


@pytest.fixture
def shared(filled: Path, capsys: pytest.CaptureFixture[str]) -> Newsroom:
    """The one newsroom, for those who only look."""
    return Newsroom(filled / "home", filled, _runner(capsys))


@pytest.fixture
def newsroom(filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Newsroom:
    """A copy of it, for those who change something."""
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    return Newsroom(tmp_path / "home", tmp_path, _runner(capsys))


def _runner(capsys: pytest.CaptureFixture[str]) -> Callable[[list[str]], Answer]:
    def run(words: list[str]) -> Answer:
        capsys.readouterr()
        code = main(words)
        said = capsys.readouterr()
        return Answer(code, [json.loads(line) for line in said.out.splitlines() if line.startswith("{")], said.err)

    return run


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Our newsroom; read it, never change it."""
    return make_desk(tmp_path_factory.mktemp("ours"), "Daily Example")


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Another publisher, whose root nobody here knows."""
    return make_desk(tmp_path_factory.mktemp("theirs"), "Evening Example")


@pytest.fixture
def desk(ours: Desk, tmp_path: Path) -> Desk:
    """Our newsroom as a copy that a test may change."""
    return Desk(Path(shutil.copytree(ours.home, tmp_path / "newsroom")), ours.clip)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Run a command; its JSON, where it was asked for, comes as objects."""

    def told(*words: str | Path) -> Told:
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        rows = [json.loads(line) for line in said.out.splitlines()] if "--json" in words else []
        return Told(code, rows, said.out, said.err)

    return told
