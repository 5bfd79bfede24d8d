"""Prompts written by hand, in nobody's templates, and how many of them are read right.

One rule: they are for measuring only; nothing is ever trained on them. Half are English, and each Korean one says what
the English one in the same place says.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from platemark.errors import RequestError
from platemark.training.rates import Rate, rate_of

Read = Mapping[str, str | None]
"""What was read of a prompt: a value, or none, for each slot."""
FILE = Path(__file__).with_name("free_wording.tsv")
FRESH = Path(__file__).with_name("fresh_wording.tsv")
"""Sixty pairs that were written after the reader's last phrases, and read once they had been learned."""


@dataclass(frozen=True, slots=True)
class FreePrompt:
    """A prompt and what it says.

    Attributes:
        text: as somebody would type it.
        says: slots and values; what it leaves open is not in here.
    """

    text: str
    says: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WordingAccuracy:
    """How many prompts were read right.

    Attributes:
        all: prompts of which everything that is said was read.
        english: of these the English ones.
        korean: the Korean ones.
        agreement: pairs of an English and a Korean prompt that say the same and were read as the same.
        by_slot: for each slot, of the prompts that say something of it.
    """

    all: Rate
    english: Rate
    korean: Rate
    agreement: Rate
    by_slot: Mapping[str, Rate]


@lru_cache(maxsize=2)
def free_prompts(file: Path = FILE) -> tuple[FreePrompt, ...]:
    """Give all prompts of a file: the English ones, then the Korean ones in the same order."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(_parse(line) for line in lines if line)


def measure_wording(
    read: Callable[[str], Read], *, scenes: Collection[str] | None = None, file: Path = FILE
) -> WordingAccuracy:
    """Read every prompt and compare what it says with what was read.

    Args:
        read: gives the values of a prompt; a `RequestError` counts as nothing read.
        scenes: of the prompts that are asked; left out, all. Both languages have as many of each.
        file: with the prompts.
    """
    prompts = [prompt for prompt in free_prompts(file) if scenes is None or prompt.says["scene"] in scenes]
    found = [_values(read, prompt.text) for prompt in prompts]
    right = [_says(values, prompt.says) for values, prompt in zip(found, prompts, strict=True)]
    half = len(prompts) // 2
    pairs = zip(found[:half], found[half:], prompts[:half], prompts[half:], strict=True)
    agree = [_agree(first, second, a.says.keys() & b.says.keys()) for first, second, a, b in pairs]
    by_slot: dict[str, list[bool]] = {}
    for values, prompt in zip(found, prompts, strict=True):
        for slot, value in prompt.says.items():
            by_slot.setdefault(slot, []).append(_says(values, {slot: value}))
    return WordingAccuracy(
        rate_of(right),
        rate_of(right[:half]),
        rate_of(right[half:]),
        rate_of(agree),
        {slot: rate_of(hits) for slot, hits in sorted(by_slot.items())},
    )


def _parse(line: str) -> FreePrompt:
    text, _, answer = line.partition("\t")
    return FreePrompt(text, dict(part.split("=", 1) for part in answer.split(";")))


def _values(read: Callable[[str], Read], text: str) -> Read | None:
    try:
        return read(text)
    except RequestError:
        return None


def _says(values: Read | None, said: Mapping[str, str]) -> bool:
    return values is not None and all(values.get(slot) == value for slot, value in said.items())


def _agree(first: Read | None, second: Read | None, slots: set[str]) -> bool:
    if first is None or second is None:
        return False
    return all(first.get(slot) == second.get(slot) for slot in slots)
