"""The prompts that were written by hand, and how the shipped readers do on them."""

from dataclasses import asdict
from pathlib import Path

import pytest

from platemark.generation.prompts import understand
from platemark.generation.scenes import SCENE_RULES
from platemark.generation.scenes import SLOT_VALUES as KNOWN_VALUES
from platemark.training.free_wording import FILE, FRESH, WordingAccuracy, free_prompts, measure_wording

FILES = [FILE, FRESH]


@pytest.fixture(scope="module")
def accuracy() -> dict[Path, WordingAccuracy]:
    """Both files read once by the grammar and the trained reader together."""
    return {file: measure_wording(lambda text: asdict(understand(text).values), file=file) for file in FILES}


@pytest.mark.parametrize(("file", "pairs"), [(FILE, 106), (FRESH, 60)])
def test_every_english_prompt_has_a_korean_one_that_says_the_same(file: Path, pairs: int) -> None:
    prompts = free_prompts(file)
    english, korean = prompts[:pairs], prompts[pairs:]

    assert [each.says["scene"] for each in english] == [each.says["scene"] for each in korean]
    assert all(each.text.isascii() for each in english)
    assert not any(each.text.isascii() for each in korean)


@pytest.mark.parametrize("file", FILES)
def test_the_prompts_ask_for_every_scene(file: Path) -> None:
    assert {prompt.says["scene"] for prompt in free_prompts(file)} == set(SCENE_RULES)


@pytest.mark.parametrize("file", FILES)
def test_what_prompts_say_is_in_the_models_words(file: Path) -> None:
    said = {(slot, value) for prompt in free_prompts(file) for slot, value in prompt.says.items() if slot != "scene"}

    assert [pair for pair in said if pair[1] not in KNOWN_VALUES[pair[0]]] == []


def test_no_prompt_stands_in_both_files_or_twice() -> None:
    texts = [prompt.text for file in FILES for prompt in free_prompts(file)]

    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(("file", "least"), [(FILE, 0.8), (FRESH, 0.85)])
def test_most_prompts_are_read_wholly_right(accuracy: dict[Path, WordingAccuracy], file: Path, least: float) -> None:
    """The bars lie a little under what the model card says, so that a reader that forgets is noticed."""
    assert accuracy[file].all.share >= least


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("slot", ["background", "motion", "shape", "time"])
def test_no_slot_is_lost(accuracy: dict[Path, WordingAccuracy], file: Path, slot: str) -> None:
    assert accuracy[file].by_slot[slot].share >= 0.9


def test_a_prompts_scene_is_nearly_always_found(accuracy: dict[Path, WordingAccuracy]) -> None:
    assert all(found.by_slot["scene"].share >= 0.97 for found in accuracy.values())
