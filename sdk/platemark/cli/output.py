"""Printing: results on standard output, everything else on standard error.

One rule: with `--json` standard output holds JSON lines and nothing else. Text from files and people is printed
without control characters, so that a title cannot move a terminal's cursor.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from platemark.errors import PlatemarkError
from platemark.i18n import translate, translate_said
from platemark_provenance.digest import JsonValue

LONG_FIELDS = frozenset({"text", "card"})
"""Fields of sentences that hold several lines of our own."""
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

    def flush(self) -> None:
        """Hand over what was printed, before a command goes on for a long time."""
        sys.stdout.flush()

    def note(self, sentence: str, **fields: object) -> None:
        """Print a remark on standard error, unless `--quiet`."""
        if not self.quiet:
            sys.stderr.write(self.text(sentence, **fields) + "\n")

    def complain(self, sentence: str, **fields: object) -> None:
        """Print why something was not done on standard error, also where remarks are not wanted."""
        sys.stderr.write(self.text(sentence, **fields) + "\n")

    def told(self, error: PlatemarkError) -> str:
        """Give what an error says, and what to do, in the language of this output where that is known."""
        return " ".join(translate_said(self.language, each) for each in (error.message, error.fix) if each)

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table for people."""
        if self.as_json:
            return
        # Imported here: few commands print a table, and it is slow to load.
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for title in titles:
            # Nothing is ever cut off: half an identifier is no use to anybody.
            table.add_column(translate(self.language, title), overflow="fold")
        for row in rows:
            table.add_row(*(printable(str(cell)) for cell in row))
        width = None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL
        Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False).print(table)

    def text(self, sentence: str, **fields: object) -> str:
        """Give a sentence in the chosen language with its fields filled in, safe for a terminal."""
        filled = {name: printable(str(value), keep_lines=name in LONG_FIELDS) for name, value in fields.items()}
        return translate(self.language, sentence).format(**filled)


def printable(text: str, *, keep_lines: bool = False) -> str:
    """Replace control and direction characters, which could rewrite what a terminal shows.

    Args:
        text: from a file, a person or a name on disk.
        keep_lines: leave line breaks alone; only for texts of our own, since a name with one could forge a line.
    """
    kept = "\n" if keep_lines else ""
    return "".join(c if c.isprintable() or c in kept else "\N{REPLACEMENT CHARACTER}" for c in text)


def stderr_is_terminal() -> bool:
    """Say whether a person can see a progress bar."""
    return sys.stderr.isatty()
