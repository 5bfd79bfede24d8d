"""A plain question of fact is no scene; with anything around it, or to be shown, it is a prompt like others."""

from datetime import datetime

import pytest

from platemark_policy.classifier import HEADS
from platemark_policy.conditions import PlainQuestion, Reading, ScoreReaches, read_prompt
from platemark_policy.decision import Verdict
from platemark_policy.engine import Engine
from platemark_policy.lexicon import Lexicon

QUESTIONS = [
    "What happened in the massacre?",
    "How did the emperor die?",
    "How many people were killed at Waterloo?",
    "What killed the dinosaurs?",
    "Who was executed in 1649?",
    "홀로코스트는 무슨 뜻이야?",
]
NOT_PLAIN = [
    "How do I kill somebody?",
    "How can someone take hostages?",
    "How did the emperor die? Show his body.",
    "What does a beheading look like?",
    "How did they kill him, in a video?",
    "What happened in the massacre",
    "What happened in the massacre? " * 6,
    "참수 장면은 어떤 모습이야?",
]


def read(text: str, at: datetime, *, level: int = 3) -> Reading:
    return read_prompt(text, Lexicon({}), metadata={}, at=at, levels=lambda readings: dict.fromkeys(HEADS, level))


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_of_fact_excuses_its_whole_text(text: str, at: datetime) -> None:
    assert PlainQuestion().evidence(read(text, at), frozenset()) == {(0, len(text))}


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_what_asks_for_help_or_for_a_picture_is_no_plain_question(text: str, at: datetime) -> None:
    assert PlainQuestion().evidence(read(text, at), frozenset()) is None


@pytest.mark.parametrize("head", HEADS)
def test_a_score_is_excused_only_where_the_whole_text_is(head: str, at: datetime) -> None:
    text = "How did the emperor die?"
    reading, reaches = read(text, at), ScoreReaches(head, 2)

    assert reaches.evidence(reading, frozenset()) == frozenset()
    assert reaches.evidence(reading, frozenset({(0, len(text))})) is None
    assert reaches.evidence(reading, frozenset({(0, len(text) - 1), (1, len(text))})) == frozenset()


@pytest.mark.parametrize("level", [0, 1])
def test_a_score_below_its_level_is_no_evidence(level: int, at: datetime) -> None:
    assert ScoreReaches("scene", 2).evidence(read("anything", at, level=level), frozenset()) is None


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("prompt", ["Beheading of a hostage", "Godzilla reads the weather", "인질을 참수하는 장면"])
def test_a_question_beside_a_prompt_excuses_nothing_of_it(
    engine: Engine, at: datetime, question: str, prompt: str
) -> None:
    alone = engine.screen_prompt(prompt, at=at, decision_id="d").verdict

    assert alone is Verdict.BLOCK
    assert engine.screen_prompt(f"{question} {prompt}", at=at, decision_id="d").verdict is Verdict.BLOCK
    assert engine.screen_prompt(f"{prompt}. {question}", at=at, decision_id="d").verdict is Verdict.BLOCK


def test_a_question_about_a_character_is_no_picture_of_it(engine: Engine, at: datetime) -> None:
    asked = engine.screen_prompt("What is the passport number of Godzilla?", at=at, decision_id="d")
    shown = engine.screen_prompt("What does Godzilla look like?", at=at, decision_id="d")

    assert "R06.1" not in {finding.rule_id for finding in asked.findings}
    assert "R06.1" in {finding.rule_id for finding in shown.findings}
