"""Whatever breaks around the policy, no clip comes to its final path."""

from collections.abc import Callable
from pathlib import Path

import pytest

from platemark.errors import LedgerCorrupt, PromptHeld
from platemark.homes.records import RecordBook
from platemark.making import pipeline, surroundings
from platemark.studio import GenerateOptions, Studio
from platemark_policy.engine import Engine
from platemark_policy.errors import PolicyError

SHORT: GenerateOptions = {"model": "testcard", "seconds": 0.5, "size": "128x128", "seed": 7, "actor": "jw.kim"}


def corrupt(*args: object, **options: object) -> object:
    raise LedgerCorrupt("An event was changed.")


def broken(*args: object, **options: object) -> object:
    raise PolicyError("broken")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "clip.mp4"


@pytest.mark.parametrize(
    ("where", "name", "fault"),
    [
        pytest.param(surroundings, "history_of", corrupt, id="history"),
        pytest.param(RecordBook, "standing", corrupt, id="records"),
        pytest.param(RecordBook, "all", corrupt, id="record-list"),
        pytest.param(pipeline, "surroundings", broken, id="surroundings"),
        pytest.param(pipeline, "screen_references", broken, id="references"),
        pytest.param(Engine, "screen_prompt", broken, id="prompt"),
        pytest.param(Engine, "screen_frames", broken, id="frames"),
    ],
)
def test_a_fault_leaves_no_clip(
    studio: Studio, out: Path, monkeypatch: pytest.MonkeyPatch, where: object, name: str, fault: Callable[..., object]
) -> None:
    monkeypatch.setattr(where, name, fault)

    with pytest.raises((LedgerCorrupt, PolicyError)):
        studio.generate("a calm sea", **SHORT, out=out)

    assert sorted(path.name for path in out.parent.iterdir()) == ["newsroom"]
    assert "clip.published" not in [event.type for event in studio.ledger.query()]


def test_a_guard_that_is_down_makes_a_request_wait(home_path: Path, out: Path) -> None:
    config = home_path / "platemark.toml"
    line = 'guard = "http://127.0.0.1:9/v1/moderations"'
    config.write_text(config.read_text("utf-8").replace('guard = ""', line), "utf-8")

    with Studio.open(home_path) as studio, pytest.raises(PromptHeld) as held:
        studio.generate("a calm sea", **SHORT, out=out)

    assert held.value.decision.degraded == ("guard 1: PolicyError",)
    assert not out.exists()


def test_a_guard_that_cannot_be_used_stops_every_request(home_path: Path, out: Path) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace('guard = ""', 'guard = "folder:gone"'), "utf-8")

    with Studio.open(home_path) as studio, pytest.raises(PolicyError, match="no guard model"):
        studio.generate("a calm sea", **SHORT, out=out)

    assert not out.exists()
