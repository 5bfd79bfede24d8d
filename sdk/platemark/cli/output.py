"""Printing: results on standard output, everything else on standard error.

One rule: with `--json` standard output holds JSON lines and nothing else. Text from files and people is printed
without control characters, so that a title cannot move a terminal's cursor.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from platemark.i18n import translate
from platemark_provenance.digest import JsonValue

WIDTH_WITHOUT_TERMINAL = 160
"""Columns where output goes to a file or another program."""


@dataclass(frozen=True, slots=True)
class Output:
    """How one command prints, as its common options say."""

    as_json: bool = False
    language: str = "en"
    quiet: bool = False

    def data(self, value: JsonValue) -> None:
        """Print one JSON object on one line, where JSON was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")

    def say(self, sentence: str, **fields: object) -> None:
        """Print a sentence of the result for people."""
        if not self.as_json:
            sys.stdout.write(self.text(sentence, **fields) + "\n")

    def note(self, sentence: str, **fields: object) -> None:
        """Print a remark on standard error, unless `--quiet`."""
        if not self.quiet:
            sys.stderr.write(self.text(sentence, **fields) + "\n")

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table for people."""
        if self.as_json:
            return
        table = Table(box=None, pad_edge=False)
        for title in titles:
            # Only the last column may run over several lines: an identifier that is cut off is no use to anybody.
            table.add_column(translate(self.language, title), no_wrap=title != titles[-1])
        for row in rows:
            table.add_row(*(printable(str(cell)) for cell in row))
        width = None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL
        Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False).print(table)

    def text(self, sentence: str, **fields: object) -> str:
        """Give a sentence in the chosen language with its fields filled in, safe for a terminal."""
        filled = {name: printable(str(value)) for name, value in fields.items()}
        return translate(self.language, sentence).format(**filled)


def printable(text: str) -> str:
    """Replace control and direction characters, which could rewrite what a terminal shows."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def stderr_is_terminal() -> bool:
    """Say whether a person can see a progress bar."""
    return sys.stderr.isatty()
