"""Read the examples written for this project and unfold their templates.

One rule: the same seed gives the same sentences, in the same order.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "examples"
_MANNERS = ("wrappers", "styles")
_EVERY_STYLED = 3
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
    rng, styles = random.Random(seed), manners("styles")
    found: list[Example] = []
    for path in sorted(FOLDER.glob("*.txt")):
        if path.stem in _MANNERS:
            continue
        name, lang = path.stem.split(".")
        for number, (category, template) in enumerate(_lines(path)):
            harmful = name.startswith("harmful") or (category == "hate" and name == "comments")
            head = "comment" if name == "comments" else name.split("_")[1].removesuffix("s")
            sentences = dict.fromkeys(unfold(template, rng) for _ in range(4 * per_line))
            group = f"{path.stem}:{number}"
            for place, text in enumerate(list(sentences)[:per_line]):
                manner = rng.choice(styles[lang]) if head == "scene" and place % _EVERY_STYLED == 0 else "{}"
                source = f"written_{name}_{lang}"
                found.append(Example(manner.replace("{}", text), head, harmful, source, lang, group))
    return found


def manners(name: str) -> dict[str, list[str]]:
    """Give ways to put a prompt, by language; `{}` stands for the prompt.

    Args:
        name: `wrappers` for the stories people put around one, `styles` for how they write video prompts.
    """
    by_lang: dict[str, list[str]] = {"en": [], "ko": []}
    for lang, manner in _lines(FOLDER / f"{name}.txt"):
        by_lang[lang].append(manner)
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
