"""The command line: each command parses, calls one function, and prints.

One rule: an error becomes one plain line on standard error and the exit code that the contract names.
"""

import json
import logging
import sys
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import typer

from platemark._version import __version__
from platemark.cli.loading import with_commands
from platemark.cli.output import printable
from platemark.errors import PlatemarkError, PublicationRefused, error_json
from platemark.i18n import translate, translate_said

EXIT_INTERRUPTED = 130
EXIT_USAGE = 2
EXIT_INTERNAL = 1

COMMANDS = {
    "init": "platemark.cli.home:init",
    "doctor": "platemark.cli.home:doctor",
    "generate": "platemark.cli.generate:generate",
    "stamp": "platemark.cli.stamp:stamp",
    "verify": "platemark.cli.verify:verify",
    "publish": "platemark.cli.publish:publish",
    "correct": "platemark.cli.correct:correct",
    "withdraw": "platemark.cli.withdraw:withdraw",
    "export": "platemark.cli.export:export",
    "comply": "platemark.cli.comply:comply",
    "explain": "platemark.cli.explain:explain",
    "demo": "platemark.cli.demo:demo",
    "trust": "platemark.cli.trust:app",
    "timestamps": "platemark.cli.timestamps:app",
    "keys": "platemark.cli.keys:app",
    "watermark": "platemark.cli.watermark:app",
    "policy": "platemark.cli.policy:app",
    "review": "platemark.cli.review:app",
    "webhooks": "platemark.cli.webhooks:app",
    "audit": "platemark.cli.audit:app",
    "jobs": "platemark.cli.jobs:app",
    "db": "platemark.cli.database:app",
    "models": "platemark.cli.models:app",
    "train": "platemark.cli.train:train",
    "bench": "platemark.cli.bench:bench",
}
"""Every command or group, and where it lies; a new one is registered by a line here."""

log = logging.getLogger(__name__)

app = typer.Typer(
    name="platemark",
    cls=with_commands(COMMANDS),
    help="Make clips whose origin anyone can check: screened, labelled, marked, signed and logged.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def version(
    show: bool = typer.Option(False, "--version", help="Print the version and stop.", is_eager=True),
) -> None:
    """Make clips whose origin anyone can check: screened, labelled, marked, signed and logged."""
    if show:
        sys.stdout.write(f"platemark {__version__}\n")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code.

    Args:
        arguments: the command line without the program's name; the process's own where left out.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = app(args=words, standalone_mode=False, prog_name="platemark")
    except typer.TyperException as error:
        sys.stderr.write(printable(f"platemark: {error.format_message()}") + "\n")
        return EXIT_USAGE
    except PlatemarkError as error:
        return _report(error, as_json="--json" in words, language=_language(words))
    except BrokenPipeError:
        # Whoever read our output has gone; so has the place where the interpreter would complain about it.
        sys.stderr.close()
        return EXIT_INTERNAL
    except Exception:  # the process edge: whatever is left is ours to mend, and the reader gets one line
        log.exception("internal error")
        sys.stderr.write("platemark: an internal error; please report it with the lines above.\n")
        return EXIT_INTERNAL
    if result == EXIT_INTERRUPTED:
        sys.stderr.write("platemark: stopped; no half-made file was left.\n")
    return result if isinstance(result, int) else 0


def _language(words: Sequence[str]) -> str:
    """Give the language that was asked for; the command itself may not have come so far as to read it."""
    said = [word.partition("=")[2] for word in words if word.startswith("--lang=")]
    said += [after for word, after in pairwise(words) if word == "--lang"]
    return said[-1] if said else "en"


def _report(error: PlatemarkError, *, as_json: bool, language: str) -> int:
    if as_json:
        sys.stdout.write(json.dumps(error_json(error), ensure_ascii=False) + "\n")
    sys.stderr.write(printable(f"platemark: {_told(error, language)}") + "\n")
    return error.exit_code


def _told(error: PlatemarkError, language: str) -> str:
    if isinstance(error, PublicationRefused):
        return error.tell(partial(translate, language))
    return " ".join(translate_said(language, each) for each in (error.message, error.fix) if each)
