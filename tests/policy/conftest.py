"""A loaded pack, an engine and a clock for the tests of the policy layer."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platemark_policy.decision import Decision
from platemark_policy.engine import Engine
from platemark_policy.pack import RulePack
from platemark_policy.rules import load_pack

MINIMAL_PACK = """\
id: tiny
version: "1"
rules:
  - id: T1
    category: fruit
    action: review
    overridable: true
    when: {words: [apple]}
    reason: {en: No apples., ko: 사과 금지.}
    source: test
    examples: {match: [an apple], no_match: [a pear]}
"""


@pytest.fixture(scope="session")
def newsroom() -> RulePack:
    return load_pack()


@pytest.fixture(scope="session")
def at() -> datetime:
    return datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def engine(newsroom: RulePack) -> Engine:
    return Engine(newsroom, input_key=b"k" * 32)


@pytest.fixture(scope="session")
def screen(engine: Engine, at: datetime) -> Callable[[str], Decision]:
    return lambda text: engine.screen_prompt(text, at=at, decision_id="d-1")


@pytest.fixture
def pack_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(MINIMAL_PACK, encoding="utf-8")
    return path
