"""Read the examples written for this project and unfold their templates.

One rule: the same seed gives the same sentences, in the same order.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "examples"
_CHOICE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence to learn from.

    Args:
        text: the sentence.
        head: which judgement it teaches: scene, request or comment.
        harmful: what the judgement should be.
        source: where it comes from.
        lang: en or ko.
        group: sentences of one group are never on both sides of a split.
    """

    text: str
    head: str
    harmful: bool
    source: str
    lang: str
    group: str


def written(*, per_line: int, seed: int) -> list[Example]:
    """Give up to `per_line` sentences of every template line."""
    rng = random.Random(seed)
    found: list[Example] = []
    for path in sorted(FOLDER.glob("*.txt")):
        if path.stem == "wrappers":
            continue
        name, lang = path.stem.split(".")
        for number, (category, template) in enumerate(_lines(path)):
            harmful = name.startswith("harmful") or (category == "hate" and name == "comments")
            head = "comment" if name == "comments" else name.split("_")[1].removesuffix("s")
            sentences = dict.fromkeys(unfold(template, rng) for _ in range(4 * per_line))
            group = f"{path.stem}:{number}"
            for text in list(sentences)[:per_line]:
                found.append(Example(text, head, harmful, f"written_{name}_{lang}", lang, group))
    return found


def wrappers() -> dict[str, list[str]]:
    """Give the stories people put around a prompt, by language; `{}` stands for the prompt."""
    by_lang: dict[str, list[str]] = {"en": [], "ko": []}
    for lang, wrapper in _lines(FOLDER / "wrappers.txt"):
        by_lang[lang].append(wrapper)
    return by_lang


def unfold(template: str, rng: random.Random) -> str:
    """Choose one of every `{a|b}`, innermost first."""
    while match := _CHOICE.search(template):
        template = template[: match.start()] + rng.choice(match.group(1).split("|")) + template[match.end() :]
    return template


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            category, _, template = line.partition(": ")
            yield category, template
