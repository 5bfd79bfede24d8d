"""The shipped model learnt what it may, is the one that was measured, and its lessons can be repeated."""

import importlib
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from platemark_policy.classifier import HEADS, LEVELS, load_classifier

ROOT = Path(__file__).parents[2] / "policy"
MEASURED_ONLY = {"alpaca_harmless", "moviegenbench", "beep_ko", "beep_news_title_ko", "kmhas_ko"}
NUMBERS = "e8db0b285527f92837df8e72085a5c01cff12b160f7ba3fb3dd49cb402690ab7"
"""The digest of the numbers that docs/policy.md reports on; a new model needs new figures there."""


@pytest.fixture(scope="module")
def examples() -> Iterator[ModuleType]:
    """Give the training folder's module of written examples, which stands outside every package."""
    sys.path.insert(0, str(ROOT / "training"))
    yield importlib.import_module("examples")
    sys.path.remove(str(ROOT / "training"))
    del sys.modules["examples"]


def card() -> dict[str, object]:
    shown: dict[str, object] = json.loads((ROOT / "platemark_policy/weights/screen.json").read_text("utf-8"))
    return shown


def test_the_model_is_the_one_whose_figures_are_published() -> None:
    assert card()["numbers_sha256"] == NUMBERS


def test_nothing_that_may_only_be_measured_was_learnt_from() -> None:
    assert not MEASURED_ONLY & set(map(str, card()["learnt_from"]))  # type: ignore[call-overload]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_levels_rise(head: str, language: str) -> None:
    levels = [load_classifier().thresholds[head][language][level] for level in LEVELS]

    assert levels == sorted(levels)
    assert len(set(levels)) == len(LEVELS)


def test_the_same_seed_unfolds_the_same_sentences(examples: ModuleType) -> None:
    assert examples.written(per_line=3, seed=5) == examples.written(per_line=3, seed=5)


def test_both_kinds_of_scenes_are_written_in_every_manner(examples: ModuleType) -> None:
    written = examples.written(per_line=4, seed=1)
    framed = {each.harmful for each in written if each.text.startswith("Create a video of this: ")}

    assert framed == {True, False}


@pytest.mark.parametrize("name", ["styles", "wrappers"])
def test_every_manner_has_one_place_for_the_prompt(examples: ModuleType, name: str) -> None:
    by_language = examples.manners(name)

    assert set(by_language) == {"en", "ko"}
    assert all(manner.count("{}") == 1 for manners in by_language.values() for manner in manners)


def test_templates_unfold_whole(examples: ModuleType) -> None:
    unfolded = examples.unfold("{a|{b|c}} and {d|}", random.Random(3))

    assert re.fullmatch(r"[abc] and d?", unfolded)


def test_no_line_is_left_with_a_brace(examples: ModuleType) -> None:
    assert [each.text for each in examples.written(per_line=2, seed=2) if set("{}|") & set(each.text)] == []


def test_halves_never_share_a_line(examples: ModuleType) -> None:
    written = examples.written(per_line=3, seed=1)

    assert all(re.fullmatch(r"[a-z_]+\.(en|ko):\d+", each.group) for each in written)
    assert {each.lang for each in written} == {"en", "ko"}
