"""A loaded pack, an engine and a clock for the tests of the policy layer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platemark_policy.conditions import asks_classifier
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
def whole_newsroom() -> RulePack:
    return load_pack()


@pytest.fixture(scope="session")
def newsroom(whole_newsroom: RulePack) -> RulePack:
    """Give the rules about words; the classifier's have tests of their own, and need its encoder for every prompt."""
    words = tuple(rule for rule in whole_newsroom.rules if not asks_classifier(rule.when))
    return replace(whole_newsroom, rules=words)


@pytest.fixture(scope="session")
def whole_engine(whole_newsroom: RulePack) -> Engine:
    return Engine(whole_newsroom, input_key=b"k" * 32)


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
