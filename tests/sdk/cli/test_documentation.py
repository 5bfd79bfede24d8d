"""What the documents say is what the program does, in both languages."""

import ast
import re
from pathlib import Path

import pytest
import typer
from babel.messages.extract import extract_from_file
from typer.core import TyperCommand, TyperGroup

from platemark.cli import app
from platemark.cli.output import printable
from platemark.cli.reference import render_reference
from platemark.i18n import LOCALE, translate

ROOT = Path(__file__).parents[3]
COMMON = {"--json", "--lang", "--home", "--quiet"}


def commands() -> dict[str, TyperCommand]:
    found: dict[str, TyperCommand] = {}

    def walk(command: object, name: str) -> None:
        if isinstance(command, TyperGroup):
            for word, child in command.commands.items():
                walk(child, f"{name} {word}")
        elif isinstance(command, TyperCommand):
            found[name] = command

    walk(typer.main.get_command(app), "platemark")
    return found


SPOKEN = dict.fromkeys(("say", "note", "text", "mark", "translate"))
"""The functions whose first argument, where it is a literal, is a sentence for people."""
SOURCES = sorted((ROOT / "sdk/platemark").rglob("*.py"))


def sentences() -> set[str]:
    found = {
        str(message[1] if isinstance(message, tuple) else message)
        for path in SOURCES
        for _, message, _, _ in extract_from_file("python", path, keywords=SPOKEN)
    }
    return {each for each in found if re.search("[A-Za-z]", re.sub(r"\{[^}]*\}", "", each))}


def literals() -> set[str]:
    return {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert (ROOT / "docs/cli.md").read_text(encoding="utf-8") == render_reference(), "run: make docs"


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_help_with_an_example_and_the_common_options(name: str) -> None:
    command = commands()[name]

    assert f"Example: {name}" in str(command.help)
    assert {option for parameter in command.params for option in parameter.opts} >= COMMON


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_stands_in_the_documents(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/cli.md").read_text(encoding="utf-8")


def entries() -> set[str]:
    catalogue = (LOCALE / "ko/LC_MESSAGES/platemark.po").read_text(encoding="utf-8")
    return {each.replace('\\"', '"') for each in re.findall(r'^msgid "(.+)"$', catalogue, flags=re.MULTILINE)}


def test_every_sentence_for_people_has_its_korean() -> None:
    assert sentences() - entries() == set()


def test_no_entry_of_the_catalogue_is_stale() -> None:
    assert entries() - literals() == set()


def test_a_korean_sentence_keeps_the_fields_of_the_english_one() -> None:
    fields = re.compile(r"\{\w+\}")

    different = [s for s in sentences() if set(fields.findall(s)) != set(fields.findall(translate("ko", s)))]
    assert different == []


def test_a_sentence_without_an_entry_is_shown_in_english() -> None:
    assert translate("ko", "Nobody translated this.") == "Nobody translated this."


def test_text_from_files_cannot_move_the_cursor_or_turn_the_line() -> None:
    assert (
        printable("a\x1b[2Jb\u202ec\x07")
        == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}"
    )


def test_the_demo_and_the_readme_name_only_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    named = set(re.findall(r"^\$ (platemark [a-z]+(?: [a-z]+)?)", text, flags=re.MULTILINE))
    known = set(commands()) | {" ".join(name.split()[:2]) for name in commands()}
    assert {" ".join(words.split()[:2]) for words in named} <= known
