"""Every page can be reached, every link leads somewhere, and every command that a page names exists."""

import re
from pathlib import Path

import pytest
import typer

from platemark.cli import app

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]+)?\)")
_CODE = re.compile(r"```.*?```|`[^`]+`", re.DOTALL)
_COMMAND = re.compile(r"(?:`|\n)platemark ([a-z][a-z-]*)(?:[ \n]([a-z][a-z-]*))?")
COMMANDS = typer.main.get_group(app).commands


def links(page: Path) -> list[str]:
    """The relative addresses a page links to, in its prose."""
    return [found[1] for found in _LINK.finditer(page.read_text(encoding="utf-8"))]


def commands(page: Path) -> list[tuple[str, str]]:
    """The commands a page names in code, each with the word after it."""
    code = " ".join(_CODE.findall(page.read_text(encoding="utf-8")))
    return [(found[1], found[2] or "") for found in _COMMAND.finditer(code)]


def unknown(first: str, second: str) -> str | None:
    """Name the command that does not exist; a word after a command without sub-commands is its argument."""
    below = getattr(COMMANDS[first], "commands", None) if first in COMMANDS else {}
    missing = first not in COMMANDS or (below is not None and second != "" and second not in below)
    return f"{first} {second}".strip() if missing else None


@pytest.mark.parametrize("page", PAGES, ids=lambda each: each.name)
def test_every_link_on_a_page_leads_to_a_file(page: Path) -> None:
    assert [each for each in links(page) if not (page.parent / each).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda each: each.name)
def test_every_command_a_page_names_exists(page: Path) -> None:
    assert [name for each in commands(page) if (name := unknown(*each))] == []


@pytest.mark.parametrize("page", [each.name for each in PAGES if each.name != "index.md"])
def test_the_start_page_leads_to_every_page(page: str) -> None:
    assert page in links(DOCS / "index.md")


@pytest.mark.parametrize("words", [("generate", ""), ("audit", "trace"), ("export", "clip")])
def test_a_command_that_exists_is_not_called_unknown(words: tuple[str, str]) -> None:
    assert unknown(*words) is None


@pytest.mark.parametrize("words", [("publicise", ""), ("audit", "burn")])
def test_a_command_that_does_not_exist_is_caught(words: tuple[str, str]) -> None:
    assert unknown(*words) == " ".join(words).strip()
