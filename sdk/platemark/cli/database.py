"""`platemark db`: migrations of the ledger's database."""

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark_migrations import check as check_schema
from platemark_migrations import current as current_revision
from platemark_migrations import head
from platemark_migrations import upgrade as upgrade_schema

app = typer.Typer(help="Bring the ledger's database to this version's schema.", no_args_is_help=True)


@app.command("upgrade")
def upgrade(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """Upgrade the schema. Events are never changed.

    Example: platemark db upgrade --home newsroom
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    url = require_home(home).ledger_url
    before = current_revision(url)
    upgrade_schema(url)
    out.data({"before": before, "current": current_revision(url), "head": head()})
    out.say("The schema is at {revision}.", revision=head())


@app.command("current")
def current(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """Print the schema's revision.

    Example: platemark db current
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    revision = current_revision(require_home(home).ledger_url)
    out.data({"current": revision, "head": head()})
    out.say("{revision}", revision=revision or "-")


@app.command("check")
def check(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """Check that the schema is the one this version expects, triggers included.

    Example: platemark db check
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    check_schema(require_home(home).ledger_url)
    out.data({"ok": True, "head": head()})
    out.say("The schema is at {revision}.", revision=head())
