"""`platemark audit`: what stands in the ledger, whether it still can be believed, and what may leave it.

One rule: this is the table of its commands; each lies in a file of its own kind and is loaded when it is called.
"""

import typer

from platemark.cli.loading import with_commands

COMMANDS = {
    "query": "platemark.cli.audit_reading:query",
    "trace": "platemark.cli.audit_reading:trace",
    "verify": "platemark.cli.audit_checking:verify",
    "receipt": "platemark.cli.audit_checking:receipt",
    "export": "platemark.cli.audit_export:export",
    "tiles": "platemark.cli.audit_checking:tiles",
    "bundle": "platemark.cli.audit_evidence:bundle",
    "report": "platemark.cli.audit_report:report",
    "witness": "platemark.cli.audit_witness:app",
    "anchor": "platemark.cli.audit_anchor:anchor",
    "anchors": "platemark.cli.audit_anchor:app",
    "erase": "platemark.cli.audit_erasure:erase",
    "hold": "platemark.cli.audit_erasure:hold_app",
    "verify-bundle": "platemark.cli.audit_evidence:verify_bundle",
}
"""Every command, and where it lies."""

app = typer.Typer(
    cls=with_commands(COMMANDS),
    help="Query the audit log, follow one clip, check the whole log, take evidence out of it.",
    no_args_is_help=True,
)


@app.callback()
def audit() -> None:
    """Query the audit log, follow one clip, check the whole log, take evidence out of it."""
