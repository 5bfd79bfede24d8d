"""`platemark db`: migrations of the ledger's database."""

from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.errors import RequestError
from platemark_migrations import check as check_schema
from platemark_migrations import current as current_revision
from platemark_migrations import grant as grant_role
from platemark_migrations import head, offline_sql
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


@app.command("grant")
def grant(
    role: Annotated[str, typer.Argument(help="A role of the PostgreSQL server.")],
    desk: Annotated[list[str], typer.Option(help="A desk it writes and reads for, or * for all; may be repeated.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Let a PostgreSQL role append to the ledger, and read it for some desks. Run it as the owner.

    Example: platemark db grant news_app --desk weather --desk sports
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    grant_role(require_home(home).ledger_url, role, desks=desk)
    out.data({"role": role, "desks": desk})
    out.say("{role} may use the ledger for: {desks}", role=role, desks=", ".join(desk))


@app.command("sql")
def sql(
    dialect: Annotated[str, typer.Argument(help="sqlite or postgresql.")] = "postgresql",
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Print the SQL that makes a ledger, for those who may not let a program change a schema.

    Example: platemark db sql postgresql > ledger.sql
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    if dialect not in ("sqlite", "postgresql"):
        raise RequestError(f"There is SQL for sqlite and postgresql, not for {dialect[:40]!r}.")
    text = offline_sql("sqlite" if dialect == "sqlite" else "postgresql")
    out.data({"dialect": dialect, "sql": text})
    if not as_json:
        typer.echo(text, nl=False)
