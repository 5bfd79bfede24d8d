"""Made-up prompts, and learning to read them."""

import re
from collections import Counter
from pathlib import Path

import pytest
import torch

from platemark.generation.reader import VOCABULARY, WEIGHTS, reader_from
from platemark.generation.tokens import vocabulary_from_json
from platemark.training.free_wording import free_prompts, measure_wording
from platemark.training.phrasing import make_prompt, split_plain
from platemark.training.reading import reader_vocabulary, reading_loss, share_right, train_reader, write_reader
from platemark.training.wording import wording
from platemark.training.world.attributes import FAMILIES, SLOT_VALUES
from platemark.training.world.holdout import split_family

SLOTS = list(SLOT_VALUES)


def test_a_prompt_is_a_function_of_its_number() -> None:
    assert make_prompt(1, 7) == make_prompt(1, 7)
    assert make_prompt(1, 7) != make_prompt(2, 7)


def test_half_of_the_prompts_are_korean_and_every_family_comes() -> None:
    prompts = [make_prompt(1, number) for number in range(400)]
    scenes = Counter(SLOT_VALUES["scene"][prompt.slots[0] - 1] for prompt in prompts)

    assert 150 < sum(prompt.language == "ko" for prompt in prompts) < 250
    assert set(scenes) == set(SLOT_VALUES["scene"])


@pytest.mark.parametrize("number", range(40))
def test_words_and_marks_go_together_and_slots_are_in_range(number: int) -> None:
    prompt = make_prompt(3, number)

    assert prompt.words
    assert len(prompt.words) == len(prompt.expressed)
    assert all(0 <= value <= len(SLOT_VALUES[slot]) for slot, value in zip(SLOTS, prompt.slots, strict=True))


@pytest.mark.parametrize("number", range(40))
def test_a_prompt_says_nothing_that_no_training_clip_shows(number: int) -> None:
    prompt = make_prompt(3, number)
    everything = [a.indices() for family in FAMILIES for a in split_family(family.name).train]

    said = [(i, value) for i, value in enumerate(prompt.slots) if value]

    assert any(all(clip[i] == value for i, value in said) for clip in everything)


def test_some_prompts_leave_slots_open_and_some_have_strangers() -> None:
    prompts = [make_prompt(1, number) for number in range(200)]

    assert any(prompt.slots[SLOTS.index("colour")] == 0 and prompt.slots[0] == 1 for prompt in prompts)
    assert 20 < sum(not all(prompt.expressed) for prompt in prompts) < 120


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_value_of_the_world_has_words(language: str) -> None:
    words = wording()

    assert set(words.heads[language]) == set(SLOT_VALUES["scene"])
    assert set(words.motions[language]) == set(SLOT_VALUES["motion"])
    assert set(words.colours[language]) == set(SLOT_VALUES["colour"])
    assert {slot: set(table) for slot, table in words.values[language].items()} == {
        slot: set(SLOT_VALUES[slot]) for slot in ("shape", "time", "amount", "pattern")
    }


@pytest.mark.parametrize("language", ["en", "ko"])
def test_phrases_have_no_slots_that_do_not_exist(language: str) -> None:
    tables = (wording().heads[language], wording().backgrounds[language])
    phrases = [phrase for table in tables for row in table.values() for phrase in row]

    assert {slot for phrase in phrases for slot in re.findall(r"{(\w+)}", phrase)} <= set(SLOTS)


def test_training_prompts_are_split_into_plain_words() -> None:
    assert split_plain("A 3-D cube, 빨간 큐브 2개!") == ("a", "3", "d", "cube", "빨간", "큐브", "2개")


def test_a_reader_learns_in_a_few_steps_and_can_be_written_and_read(tmp_path: Path) -> None:
    vocabulary = reader_vocabulary(prompts=300, merges=80)
    before = train_reader(vocabulary, steps=1)
    after = train_reader(vocabulary, steps=60, batch=32)
    prompts = [make_prompt(9, number) for number in range(64)]

    with torch.no_grad():
        losses = [
            float(reading_loss(trained.network, vocabulary, prompts, torch.Generator().manual_seed(0)))
            for trained in (before, after)
        ]
    write_reader(after, tmp_path)
    reader = reader_from(
        vocabulary_from_json((tmp_path / VOCABULARY).read_text(encoding="utf-8")), (tmp_path / WEIGHTS).read_bytes()
    )

    assert losses[1] < 0.75 * losses[0]
    assert 0 <= share_right(after, prompts=10) <= 1
    assert set(reader.read(("red",)).values) == set(SLOTS)


def test_there_are_two_hundred_free_prompts_half_of_them_korean_and_none_is_a_template() -> None:
    prompts = free_prompts()
    korean = [prompt for prompt in prompts if re.search("[가-힣]", prompt.text)]
    made = {make_prompt(1, number).words for number in range(2000)}

    assert len(prompts) >= 200
    assert korean == list(prompts[len(prompts) // 2 :])
    assert not made & {split_plain(prompt.text) for prompt in prompts}


def test_free_prompts_say_what_the_world_can_show() -> None:
    names = {"circle", "square", "triangle", "chart"} | set(SLOT_VALUES["scene"])

    said = [(slot, value) for prompt in free_prompts() for slot, value in prompt.says.items()]

    assert {value for slot, value in said if slot == "scene"} <= names
    assert all(value in SLOT_VALUES[slot] for slot, value in said if slot != "scene")


def test_a_reader_that_knows_all_answers_is_right_and_one_that_knows_none_is_not() -> None:
    answers = {prompt.text: prompt.says for prompt in free_prompts()}

    knowing, silent = measure_wording(lambda text: answers[text]), measure_wording(lambda text: {})

    assert knowing.all.share == 1
    assert (silent.all.hits, silent.english.of + silent.korean.of) == (0, silent.all.of)


def test_free_prompts_can_be_asked_of_some_scenes_alone() -> None:
    asked = measure_wording(lambda text: {}, scenes={"sea"})

    assert 0 < asked.all.of < 30
    assert asked.english.of == asked.korean.of
