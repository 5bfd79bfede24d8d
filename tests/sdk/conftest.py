"""A home for tests: made once, copied for each test that changes it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from platemark.clip import Clip
from platemark.homes.home import init
from platemark.studio import Studio

PROMPT = "a calm blue sea at sunset"


@pytest.fixture(scope="session")
def pristine_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that nobody has used; copy it, never use it."""
    folder = tmp_path_factory.mktemp("pristine") / "newsroom"
    init(folder, organisation="Daily Example")
    return folder


@pytest.fixture
def home_path(pristine_home: Path, tmp_path: Path) -> Path:
    """A fresh home for one test."""
    folder = tmp_path / "newsroom"
    shutil.copytree(pristine_home, folder)
    return folder


@pytest.fixture
def studio(home_path: Path) -> Iterator[Studio]:
    """An open studio on a fresh home."""
    with Studio.open(home_path) as opened:
        yield opened


@pytest.fixture
def clip(studio: Studio, tmp_path: Path) -> Clip:
    """A short test-card clip that was just published."""
    return studio.generate(PROMPT, model="testcard", seconds=0.5, size="256x256", seed=7, out=tmp_path / "clip.mp4")


@pytest.fixture
def gated_path(home_path: Path) -> Path:
    """A fresh home for one test, with the publish gate on."""
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("gate = false", "gate = true"), "utf-8")
    return home_path


@pytest.fixture
def gated(gated_path: Path) -> Iterator[Studio]:
    """An open studio on a home with the publish gate on."""
    with Studio.open(gated_path) as opened:
        yield opened


@pytest.fixture
def draft(gated: Studio, tmp_path: Path) -> Clip:
    """A small clip that waits for approval, made by jw.kim under a byline."""
    return gated.generate(
        PROMPT,
        model="testcard",
        seconds=0.5,
        size="128x128",
        seed=7,
        out=tmp_path / "draft.mp4",
        actor="jw.kim",
        byline="Kim Ji-woo",
    )
