"""What the commands of `platemark audit` share: who reads, in which zone, and which clip is meant."""

import os
import pwd
from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.output import Output
from platemark.errors import RequestError
from platemark.homes.home import Home
from platemark_provenance.digest import sha256_file
from platemark_provenance.ledger.store import Ledger

ReaderName = Annotated[
    str | None, typer.Option("--reader", help="Who reads, for the log; the account that runs this where left out.")
]
Zone = Annotated[
    str, typer.Option("--zone", help="Time zone of what is read and shown, such as Asia/Seoul; the log keeps UTC.")
]
ReadOnly = Annotated[
    bool, typer.Option("--read-only", help="Read a log that cannot be written; that it was read is then not logged.")
]
MAX_IDENTIFIER = 200


def open_log(out: Output, home: Home, *, read_only: bool) -> Ledger:
    """Open a home's log, and say plainly where a reading of it leaves no trace.

    Raises:
        LedgerReadOnly: it cannot be written, and reading it without a trace was not asked for.
    """
    if not read_only:
        return home.open_ledger()
    ledger = home.open_ledger_read_only()
    out.complain("Opened for reading only: that the log was read now is NOT written into it.")
    return ledger


def reader_name(given: str | None) -> str:
    """Give who reads: the name given, else the account that this process runs under."""
    if given:
        return given[:MAX_IDENTIFIER]
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # an account without a name, as in many containers
        return f"uid-{os.getuid()}"


def named_clip(ledger: Ledger, given: str) -> str:
    """Give the identifier for what was named: an identifier itself, or a file that we published.

    Raises:
        RequestError: it is a file that this home did not publish.
    """
    path = Path(given)
    if len(given) > MAX_IDENTIFIER or not path.is_file():
        return given[:MAX_IDENTIFIER]
    record = ledger.registry.record_for_file(sha256_file(path))
    if record is None:
        raise RequestError(
            f"{path} is not, byte for byte, a clip that this home published.",
            fix=f"Find its identifier with: platemark verify {path}",
        )
    return record.clip_id
